"""TransformerLens: plain and cached forward passes, and path effects as one hooked forward pass each."""

from pathlib import Path
from typing import Any

import peer_io
import torch
from peer_io import Outcome, Spec, extrapolated, time_repeats
from peer_models import Hook, Lens, load
from peer_names import Node, parse_path


def forward(folder: Path, spec: Spec) -> Outcome:
    lens = load(folder)
    tokens = torch.tensor([spec.tokens])
    with torch.inference_mode():
        ms, logits = time_repeats(spec.repeats, lambda: lens.logits(tokens, [], False))
        last_ms, _ = time_repeats(spec.repeats, lambda: lens.logits(tokens, [], True))
    notes = ["ms: logits of every position; also.lastPosition: the unembedding for the last position alone"]
    return Outcome(target_logits(logits, spec), ms, lens.settings, notes, {"lastPosition": last_ms})


def cache(folder: Path, spec: Spec) -> Outcome:
    lens = load(folder, ("use_attn_result",))
    tokens = torch.tensor([spec.tokens])
    written = ("hook_embed", "hook_pos_embed", "attn.hook_result", "hook_mlp_out")
    with torch.inference_mode():
        ms, (logits, kept) = time_repeats(
            spec.repeats, lambda: lens.model.run_with_cache(tokens, names_filter=lambda name: name.endswith(written))
        )
        everything_ms, _ = time_repeats(spec.repeats, lambda: lens.model.run_with_cache(tokens))
        values = target_logits(logits, spec)
        for name in spec.heads:
            node = Node.parse(name)
            out = kept[f"blocks.{node.layer}.attn.hook_result"][0, -1, node.head] - lens.head_constant(node.layer, node.head)
            values |= {f"{name}[{channel}]": value for channel, value in enumerate(out.tolist())}
    notes = [
        "ms: run_with_cache keeping embeddings, every head's hook_result and every hook_mlp_out; also.everything: without a filter",
        "head values: hook_result at the last position less (beta W_V + b_V) W_O, which Pathboard counts as a bias source",
    ]
    return Outcome(values, ms, lens.settings, notes, {"everything": everything_ms})


def path_effects(folder: Path, spec: Spec) -> Outcome:
    lens = load(folder, ("use_split_qkv_input", "use_hook_mlp_in"))
    timed = spec.drawn(spec.paths)
    with torch.inference_mode():
        prepare_ms, patcher = time_repeats(spec.repeats, lambda: PathPatcher(lens, spec))
        first = parse_path(timed[0])
        ms, effects = time_repeats(
            spec.repeats, lambda: [patcher.effect(parse_path(path)) for path in timed], lambda: patcher.effect(first)
        )
    notes = [
        "one hooked forward pass a path: the change is added to the input of the next node on the path and its own output is put back to the clean one",
        "a head's change is read at hook_z and multiplied by its W_O, so that use_attn_result, which costs more, can stay off",
    ]
    settings = {**lens.settings, "lastPositionOnly": spec.last_position_only, "startAtLayer": not lens.bridged}
    sample = extrapolated("path", len(timed), len(spec.paths), prepare_ms, ms)
    return Outcome(dict(zip(timed, effects, strict=True)), ms, settings, notes, {}, sample)


class PathPatcher:
    """The clean and the counterfactual run of a prompt, kept as far as path effects need them."""

    def __init__(self, lens: Lens, spec: Spec):
        self.lens, self.spec = lens, spec
        self.tokens = torch.tensor([spec.tokens])
        needed = ("hook_resid_pre", "attn.hook_z", "hook_mlp_out")
        logits, self.clean = lens.model.run_with_cache(self.tokens, names_filter=lambda name: name.endswith(needed))
        _, self.other = lens.model.run_with_cache(torch.tensor([spec.counterfactual]), names_filter=lambda name: name.endswith(needed))
        self.metric = metric(logits, spec)

    def effect(self, path: list[Node]) -> float:
        hooks: list[Hook] = []
        self.change = self.leaf_change(path[0])
        for node in path[1:]:
            hooks += self.hooks_of(node)
        first = min(path[1].layer if path[1].kind != "logits" else self.lens.layers - 1, self.lens.layers - 1)
        stream = self.clean[f"blocks.{first}.hook_resid_pre"]
        logits = self.lens.logits_from(first, stream, self.tokens, hooks, self.spec.last_position_only)
        return metric(logits, self.spec) - self.metric

    def leaf_change(self, leaf: Node) -> torch.Tensor:
        if leaf.kind == "input":
            return self.other["blocks.0.hook_resid_pre"] - self.clean["blocks.0.hook_resid_pre"]
        if leaf.kind == "mlp":
            name = f"blocks.{leaf.layer}.hook_mlp_out"
            return self.other[name] - self.clean[name]
        name = f"blocks.{leaf.layer}.attn.hook_z"
        return (self.other[name] - self.clean[name])[:, :, leaf.head] @ self.lens.writes(leaf.layer)[leaf.head]

    def hooks_of(self, node: Node) -> list[Hook]:
        """Hooks that feed a node the change so far, take its new change and leave the stream as it was."""
        at = f"blocks.{node.layer}."
        if node.kind == "logits":
            return [(f"blocks.{self.lens.layers - 1}.hook_resid_post", lambda stream, hook: stream + self.change)]
        if node.kind == "mlp":
            return [
                (f"{at}hook_mlp_in", lambda stream, hook: stream + self.change),
                (f"{at}hook_mlp_out", self.take_mlp(self.clean[f"{at}hook_mlp_out"])),
            ]
        read = [(f"{at}hook_{slot}_input", self.feed_head(node.head)) for slot in node.slots]
        return [*read, (f"{at}attn.hook_z", self.take_head(node, self.clean[f"{at}attn.hook_z"]))]

    def feed_head(self, head: int) -> Any:
        def hook(streams: torch.Tensor, hook: Any) -> torch.Tensor:
            streams[:, :, head] += self.change
            return streams

        return hook

    def take_head(self, node: Node, clean: torch.Tensor) -> Any:
        def hook(z: torch.Tensor, hook: Any) -> torch.Tensor:
            self.change = (z - clean)[:, :, node.head] @ self.lens.writes(node.layer)[node.head]
            return clean

        return hook

    def take_mlp(self, clean: torch.Tensor) -> Any:
        def hook(out: torch.Tensor, hook: Any) -> torch.Tensor:
            self.change = out - clean
            return clean

        return hook


def target_logits(logits: torch.Tensor, spec: Spec) -> dict[str, float]:
    last = logits[0, -1]
    return {"target": last[spec.target].item(), "foil": last[spec.foil].item()}


def metric(logits: torch.Tensor, spec: Spec) -> float:
    last = logits[0, -1]
    return (last[spec.target] - last[spec.foil]).item()


if __name__ == "__main__":
    peer_io.run("transformer-lens", {"forward": forward, "cache": cache, "path-effects": path_effects})
