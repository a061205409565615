"""auto-circuit: mask gradients for every edge at once, and patching of one edge at a time."""

from pathlib import Path
from typing import Any

import peer_io
import torch
from auto_circuit.data import PromptDataLoader, PromptDataset
from auto_circuit.prune_algos.mask_gradient import mask_gradient_prune_scores
from auto_circuit.types import AblationType, Edge
from auto_circuit.utils.ablation_activations import src_ablations
from auto_circuit.utils.graph_utils import patch_mode, patchable_model, set_all_masks
from auto_circuit.utils.patchable_model import PatchableModel
from peer_io import Outcome, Spec, extrapolated, time_repeats
from peer_models import keep_last, load
from peer_names import SLOTS


def prepare(folder: Path, spec: Spec) -> tuple[PatchableModel, dict[str, Any]]:
    lens = load(folder, ("use_attn_result", "use_split_qkv_input", "use_hook_mlp_in"))
    model = patchable_model(lens.model, factorized=True, slice_output="last_seq", separate_qkv=True, device=torch.device("cpu"))
    if spec.last_position_only:
        model.add_hook("ln_final.hook_normalized", keep_last)
    return model, {**lens.settings, "lastPositionOnly": spec.last_position_only, "factorized": True, "separate_qkv": True}


def edge_name(edge: Edge) -> str:
    """`A1.0.Q` is a1.h0<q>, `MLP 1` is m1, `Resid Start` and `Resid End` are input and logits."""

    def node(name: str) -> str:
        if name.startswith("MLP "):
            return f"m{name[4:]}"
        if name.startswith("Resid"):
            return "input" if name == "Resid Start" else "logits"
        layer, head, *slot = name[1:].split(".")
        return f"a{layer}.h{head}" + "".join(f"<{letter.lower()}>" for letter in slot)

    return f"{node(edge.src.name)}->{node(edge.dest.name)}"


def eap(folder: Path, spec: Spec) -> Outcome:
    model, settings = prepare(folder, spec)
    dataset = PromptDataset(
        torch.tensor([spec.tokens]), torch.tensor([spec.counterfactual]), [torch.tensor([spec.target])], [torch.tensor([spec.foil])]
    )
    loader = PromptDataLoader(dataset, seq_len=len(spec.tokens), diverge_idx=0, batch_size=1, shuffle=False)
    chosen = {"grad_function": "logit", "answer_function": "avg_diff", "mask_val": 0.0, "clean_corrupt": "corrupt"}
    ms, scores = time_repeats(
        spec.repeats, lambda: mask_gradient_prune_scores(model, loader, None, ablation_type=AblationType.RESAMPLE, **chosen)
    )
    values = {edge_name(edge): -edge.prune_score(scores).item() for edge in model.edges}
    notes = [
        "mask_gradient_prune_scores with mask_val 0, which its documentation calls equivalent to edge attribution patching and faster",
        "sign turned: its loss is minus the metric",
    ]
    return Outcome(values, ms, {**settings, **chosen}, notes)


def edge_patch(folder: Path, spec: Spec) -> Outcome:
    model, settings = prepare(folder, spec)
    by_name = {edge_name(edge): edge for edge in model.edges}
    names = sorted(by_name) if spec.edges is None else spec.edges
    timed = spec.drawn(names)
    asked = [(name, edges_of(name, by_name)) for name in timed]
    # As in the package's ACDC: last readers first, so that what comes before a start layer is still that of the clean run.
    asked.sort(key=lambda item: item[1][0].dest.layer, reverse=True)
    with torch.inference_mode():
        prepare_ms, patcher = time_repeats(spec.repeats, lambda: EdgePatcher(model, spec))
        ms, values = time_repeats(spec.repeats, lambda: patcher.metrics(asked), lambda: patcher.metrics(asked[:1]))
    notes = [
        "one pass an edge with its mask at 1, the way the package's ACDC runs them: from the layer of the reader, what comes before it kept",
        "an edge without a slot has its q, k and v masks at 1 together",
    ]
    sample = extrapolated("edge", len(timed), len(names), prepare_ms, ms)
    return Outcome(values, ms, {**settings, "startAtLayer": True}, notes, {}, sample)


def edges_of(name: str, by_name: dict[str, Edge]) -> list[Edge]:
    names = [name] if name in by_name else [f"{name}<{slot}>" for slot in SLOTS]
    if names[0] not in by_name:
        raise SystemExit(f"{name!r}: no such edge")
    return [by_name[one] for one in names]


class EdgePatcher:
    """Outputs of every source in both runs, and the stream before each layer of the clean one."""

    def __init__(self, model: PatchableModel, spec: Spec):
        self.model, self.spec = model, spec
        self.tokens = torch.tensor([spec.tokens])
        self.other_outs = src_ablations(model, torch.tensor([spec.counterfactual]))
        self.clean_outs = src_ablations(model, self.tokens)
        _, cache = model.run_with_cache(self.tokens, names_filter=lambda name: name.endswith("hook_resid_pre"))
        self.streams = [cache[f"blocks.{layer}.hook_resid_pre"] for layer in range(model.cfg.n_layers)]

    def metrics(self, asked: list[tuple[str, list[Edge]]]) -> dict[str, float]:
        set_all_masks(self.model, val=0.0)
        with patch_mode(self.model, self.other_outs, curr_src_outs=self.clean_outs.clone()):
            return {name: self.metric(edges) for name, edges in asked}

    def metric(self, edges: list[Edge]) -> float:
        for edge in edges:
            edge.patch_mask(self.model).data[edge.patch_idx] = 1.0
        start = int(edges[0].dest.module_name.split(".")[1])
        last = self.model(self.streams[start], start_at_layer=start, tokens=self.tokens)[self.model.out_slice][0]
        for edge in edges:
            edge.patch_mask(self.model).data[edge.patch_idx] = 0.0
        return (last[self.spec.target] - last[self.spec.foil]).item()


if __name__ == "__main__":
    peer_io.run("auto-circuit", {"eap": eap, "edge-patch": edge_patch})
