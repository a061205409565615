"""
Edge attribution patching by the method of EAP-IG (github.com/hannamw/EAP-IG), whose package is not on PyPI.

Written anew on TransformerLens hooks, with its arrangement: one tensor [batch, position, source, d] takes the activations of the
corrupted run and loses those of the clean run; a backward hook on each reader's input multiplies it with the gradient there.
"""

from pathlib import Path
from typing import Any

import peer_io
import torch
from peer_io import Outcome, Spec, time_repeats
from peer_models import Hook, Lens, load
from peer_names import SLOTS, before, sources


def eap(folder: Path, spec: Spec) -> Outcome:
    lens = load(folder, ("use_attn_result", "use_split_qkv_input", "use_hook_mlp_in"))
    ms, scores = time_repeats(spec.repeats, lambda: attribute(lens, spec))
    notes = [
        "EAP-IG's method on TransformerLens hooks; the package itself cannot be had from PyPI",
        "left out: its clean pass without hooks (the metric does not need it) and gradients of the weights",
        "sign: (corrupted - clean) times gradient, the same as Pathboard's",
    ]
    return Outcome(named(lens, scores), ms, {**lens.settings, "lastPositionOnly": spec.last_position_only}, notes)


def attribute(lens: Lens, spec: Spec) -> dict[str, torch.Tensor]:
    """By the hook a reader is read at: scores [sources before it, readers]."""
    differences = torch.zeros(1, len(spec.tokens), len(sources(lens.layers, lens.heads)), int(lens.model.cfg.d_model))
    scores: dict[str, torch.Tensor] = {}
    with torch.inference_mode():
        lens.logits(torch.tensor([spec.counterfactual]), add_outputs(lens, differences, 1), spec.last_position_only)
    hooks = [("blocks.0.hook_resid_pre", follow_gradient), *add_outputs(lens, differences, -1)]
    with lens.hooked(hooks, multiply_gradients(lens, differences, scores), spec.last_position_only) as forward:
        last = forward(torch.tensor([spec.tokens]))[0, -1]
        (last[spec.target] - last[spec.foil]).backward()
    return scores


def follow_gradient(stream: torch.Tensor, hook: Any) -> torch.Tensor:
    return stream.detach().requires_grad_(True)


def add_outputs(lens: Lens, differences: torch.Tensor, sign: int) -> list[Hook]:
    def adding(row: int | slice) -> Any:
        def hook(written: torch.Tensor, hook: Any) -> None:
            differences[:, :, row].add_(written.detach(), alpha=sign)

        return hook

    hooks = [("blocks.0.hook_resid_pre", adding(0))]
    for layer in range(lens.layers):
        first, mlp = before(lens.heads, layer, "head"), before(lens.heads, layer, "mlp")
        hooks += [(f"blocks.{layer}.attn.hook_result", adding(slice(first, mlp))), (f"blocks.{layer}.hook_mlp_out", adding(mlp))]
    return hooks


def multiply_gradients(lens: Lens, differences: torch.Tensor, scores: dict[str, torch.Tensor]) -> list[Hook]:
    def multiplying(name: str, count: int) -> Any:
        def hook(gradient: torch.Tensor, hook: Any) -> None:
            readers = gradient.detach() if gradient.ndim == 4 else gradient.detach().unsqueeze(2)
            scores[name] = torch.einsum("bpsd,bprd->sr", differences[:, :, :count], readers)

        return hook

    return [(name, multiplying(name, count)) for name, count, _ in readers_of(lens)]


def readers_of(lens: Lens) -> list[tuple[str, int, list[str]]]:
    """The hook of each group of readers, how many sources come before them, and their names."""
    groups = []
    for layer in range(lens.layers):
        count = before(lens.heads, layer, "head")
        for slot in SLOTS:
            groups.append((f"blocks.{layer}.hook_{slot}_input", count, [f"a{layer}.h{head}<{slot}>" for head in range(lens.heads)]))
        groups.append((f"blocks.{layer}.hook_mlp_in", before(lens.heads, layer, "mlp"), [f"m{layer}"]))
    return [*groups, (f"blocks.{lens.layers - 1}.hook_resid_post", before(lens.heads, lens.layers, "head"), ["logits"])]


def named(lens: Lens, scores: dict[str, torch.Tensor]) -> dict[str, float]:
    writers = sources(lens.layers, lens.heads)
    values = {}
    for name, count, readers in readers_of(lens):
        for writer, row in zip(writers[:count], scores[name].tolist(), strict=True):
            values |= {f"{writer}->{reader}": score for reader, score in zip(readers, row, strict=True)}
    return values


if __name__ == "__main__":
    peer_io.run("eap-ig", {"eap": eap})
