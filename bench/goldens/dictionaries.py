"""Sparse dictionaries in SAELens' layout [D1]-[D6]: seeded random ones for two models, and their golden numbers.

Usage: python dictionaries.py        writes server/engine/fixtures/dictionaries/NAME and goldens/dictionaries.json
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import names
from families import read_model
from forward import Metric, Run, forward, run_tokens
from frozen import Frozen
from make import ROOT, compact
from model import DTYPE, Model

FOLDER = ROOT / "dictionaries"
WIDTH = 40
Table = dict[str, float]


@dataclass(frozen=True)
class Dictionary:
    """What one explains: `kind` residual (the stream at `point`), mlp-out or transcoder (the output of m{layer})."""

    name: str
    layer: int
    kind: str
    point: str
    activation: str
    k: int
    by_norm: bool
    subtract: bool
    centre: bool
    w_enc: Tensor
    b_enc: Tensor
    w_dec: Tensor
    b_dec: Tensor
    threshold: Tensor

    def centred(self, x: Tensor) -> Tensor:
        return x - x.mean(-1, keepdim=True) if self.centre else x

    def pre(self, x: Tensor) -> Tensor:
        x = self.centred(x)
        return (x - self.b_dec if self.subtract else x) @ self.w_enc + self.b_enc

    def gate(self, x: Tensor) -> Tensor:
        pre = self.pre(x)
        if self.activation == "topk":
            ranked = pre * self.w_dec.norm(dim=-1) if self.by_norm else pre
            among = torch.zeros_like(pre).scatter(-1, ranked.topk(self.k).indices, 1.0)
            return among * (pre > 0)
        return ((pre > 0) & (pre > self.threshold)).to(DTYPE)

    def acts(self, x: Tensor) -> Tensor:
        return self.pre(x) * self.gate(x)


def place_in(model: Model, dictionary: Dictionary) -> int:
    """How many stages come before what it explains; of an MLP, the index of its stage."""
    stages = model.stages()
    first = {names.head(layer, 0): index for index, stage in enumerate(stages) for layer in [names.layer_of(stage[0])] if names.is_head(stage[0])}
    mlps = {names.layer_of(stage[-1]): index for index, stage in enumerate(stages) if not names.is_head(stage[-1])}
    if dictionary.kind != "residual":
        return mlps[dictionary.layer]
    if dictionary.point == "hook_resid_mid":
        return mlps[dictionary.layer]
    layer = dictionary.layer + (dictionary.point == "hook_resid_post")
    return first.get(names.head(layer, 0), len(stages))


class Explained:
    """One dictionary on one run."""

    def __init__(self, frozen: Frozen, dictionary: Dictionary) -> None:
        self.frozen, self.d, self.model, self.run = frozen, dictionary, frozen.model, frozen.run
        self.place = place_in(self.model, dictionary)
        self.node = None if dictionary.kind == "residual" else names.mlp(dictionary.layer)
        self.input = self.encoder_input(self.run)
        self.gates = dictionary.gate(self.input)

    def stream(self, run: Run) -> Tensor:
        stages = self.model.stages()
        if self.place == len(stages):
            return run.streams["logits"]
        node = stages[self.place][0]
        return run.streams[f"a{names.layer_of(node)}" if names.is_head(node) else node]

    def encoder_input(self, run: Run) -> Tensor:
        if self.node is None:
            return self.stream(run)
        if self.d.kind == "mlp-out":
            return run.outputs[self.node]
        stream = run.streams[self.node]
        return self.model.mlp(self.d.layer).norm.apply(stream) if self.d.point == "ln2.hook_normalized" else stream

    def actual(self) -> Tensor:
        return self.stream(self.run) if self.node is None else self.run.outputs[self.node]

    def split_whole(self, g: Tensor) -> Table:
        acts = self.d.acts(self.input)
        return self.table(acts, g, self.actual() - acts @ self.d.w_dec - self.d.b_dec) | {
            f"f{self.d.layer}.b": float((g * self.d.b_dec).sum())
        }

    def table(self, acts: Tensor, g: Tensor, error: Tensor) -> Table:
        values = (acts * (g @ self.d.w_dec.T)).sum(0)
        found = {f"f{self.d.layer}.{i}": float(v) for i, v in enumerate(values) if v != 0}
        return found | {f"f{self.d.layer}.error": float((g * error).sum())}

    def brought(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Activations and actual vector of what a path carries: x on the stream before its MLP, or at its point."""
        if self.node is None:
            return (self.d.centred(x) @ self.d.w_enc) * self.gates, x
        out = self.frozen.unit(self.node).apply(x)
        if self.d.kind == "mlp-out":
            x = out
        elif self.d.point == "ln2.hook_normalized":
            x = self.model.mlp(self.d.layer).norm.linear(x, self.frozen.sigma[self.node])
        return (x @ self.d.w_enc) * self.gates, out

    def split_carried(self, x: Tensor, g: Tensor) -> Table:
        acts, actual = self.brought(x)
        return self.table(acts, g, actual - acts @ self.d.w_dec)

    def read_back(self, feature: int, weights: Tensor) -> tuple[Tensor, float]:
        """The feature, weighted at each token, as a direction on the stream it reads; what constants bring to it."""
        at_encoder = self.d.centred(weights[:, None] * self.d.w_enc[:, feature])
        own = float(weights.sum() * (self.d.b_enc[feature] - (self.d.b_dec @ self.d.w_enc[:, feature] if self.d.subtract else 0)))
        if self.d.kind == "mlp-out":
            return self.frozen.unit(self.node).transpose(at_encoder), own
        if self.d.kind == "transcoder" and self.d.point == "ln2.hook_normalized":
            norm = self.model.mlp(self.d.layer).norm
            own += float((at_encoder * norm.constant(self.model.width)).sum())
            return norm.transpose(at_encoder, self.frozen.sigma[self.node]), own
        return at_encoder, own

    def sources(self) -> dict[str, Tensor]:
        """Everything written before its place."""
        found = {"input": self.run.outputs["input"]}
        for stage in self.model.stages()[: self.place]:
            for node in stage:
                found[node] = self.run.outputs[node]
                if names.is_head(node):
                    found[f"a{names.layer_of(node)}.b"] = self.frozen.attention_bias(names.layer_of(node))
        return found

    def edges(self, feature: int, weights: Tensor) -> Table:
        pulled, own = self.read_back(feature, weights)
        found = {name: float((pulled * out).sum()) for name, out in self.sources().items()}
        if self.d.kind == "mlp-out":
            bias = self.frozen.mlp_bias(self.d.layer)
            found[f"m{self.d.layer}.b"] = float((bias @ self.d.w_enc[:, feature] * weights).sum())
        return found | {f"f{self.d.layer}.{feature}.b": own}

    def after(self, features: list[int], reference: Tensor, metric: Metric) -> float:
        """The metric when these features take other activations [S, F] and the error stays."""
        acts = self.d.acts(self.input)
        change = sum((reference[:, i] - acts[:, i])[:, None] * self.d.w_dec[i] for i in features)
        if self.node is not None:
            run = forward(self.model, self.run.outputs["input"], write=lambda node, out: out + change if node == self.node else out)
            return float(metric.of(run.logits))
        stages = self.model.stages()
        late = {reader for stage in [*stages[self.place :], ["logits"]] for node in stage for reader in [node, *names.readers_of(node)]}
        # The stream is changed once: every later reader sees the change, and what is written later does not repeat it.
        run = forward(self.model, self.run.outputs["input"], read=lambda reader, stream, _: stream + change if reader in late else stream)
        return float(metric.of(run.logits))


def direction_behind(frozen: Frozen, nodes: list[str]) -> Tensor:
    g = frozen.direction
    for node in reversed(nodes):
        g = frozen.unit(node).transpose(g)
    return g


def load(name: str) -> tuple[Dictionary, str]:
    """A dictionary of FOLDER, with the fields of either version of SAELens."""
    cfg = json.loads((FOLDER / name / "cfg.json").read_text())
    meta = cfg | cfg.get("metadata", {})
    hook = meta.get("hook_name") or meta["hook_point"]
    _, layer, point = hook.split(".", 2)
    arch = cfg.get("architecture", "standard")
    topk = arch == "topk" or cfg.get("activation_fn_str") == "topk"
    stored = {key: value.to(DTYPE) for key, value in load_file(str(FOLDER / name / "sae_weights.safetensors")).items()}
    transcoder = "transcoder" in arch
    return Dictionary(
        name=name,
        layer=int(layer),
        kind="transcoder" if transcoder else "mlp-out" if point == "hook_mlp_out" else "residual",
        point=point,
        activation="topk" if topk else "threshold",
        k=cfg.get("k") or cfg.get("activation_fn_kwargs", {}).get("k", 0),
        by_norm=cfg.get("rescale_acts_by_decoder_norm", False),
        subtract=not transcoder and cfg.get("apply_b_dec_to_input", True),
        centre=bool((meta.get("model_from_pretrained_kwargs") or {}).get("center_writing_weights")),
        w_enc=stored["W_enc"],
        b_enc=stored["b_enc"],
        w_dec=stored["W_dec"],
        b_dec=stored["b_dec"],
        threshold=stored.get("threshold", torch.zeros(WIDTH, dtype=DTYPE)),
    ), meta["model_name"]


NEW = {"dtype": "float32", "device": "cpu", "normalize_activations": "none", "reshape_activations": "none"}
SPECS: dict[str, dict[str, Any]] = {
    "gpt2-mlp1": {
        "architecture": "standard", "d_in": 32, "d_sae": WIDTH, "apply_b_dec_to_input": True, **NEW,
        "metadata": {"sae_lens_version": "6.54.12", "model_name": "random-gpt2", "hook_name": "blocks.1.hook_mlp_out"},
    },
    "gpt2-resid2": {
        "architecture": "jumprelu", "d_in": 32, "d_sae": WIDTH, "dtype": "float32", "device": "cpu", "model_name": "random-gpt2",
        "hook_name": "blocks.2.hook_resid_pre", "hook_layer": 2, "hook_head_index": None, "activation_fn_str": "relu",
        "activation_fn_kwargs": {}, "apply_b_dec_to_input": True, "finetuning_scaling_factor": False,
        "normalize_activations": "none", "sae_lens_training_version": "3.22.1", "prepend_bos": True, "context_size": 128,
    },
    "gpt2-mid1": {
        "architecture": "topk", "k": 6, "rescale_acts_by_decoder_norm": True, "d_in": 32, "d_sae": WIDTH, "apply_b_dec_to_input": False,
        **NEW, "metadata": {
            "sae_lens_version": "6.54.12", "model_name": "random-gpt2", "hook_name": "blocks.1.hook_resid_mid",
            "model_from_pretrained_kwargs": {"center_writing_weights": True},
        },
    },
    "gpt2-skip2": {
        "architecture": "transcoder", "d_in": 32, "d_out": 32, "d_sae": WIDTH, "apply_b_dec_to_input": False, **NEW,
        "metadata": {
            "sae_lens_version": "6.54.12", "model_name": "random-gpt2", "hook_name": "blocks.2.ln2.hook_normalized",
            "hook_name_out": "blocks.2.hook_mlp_out",
        },
    },
    "llama-through0": {
        "architecture": "jumprelu_transcoder", "d_in": 32, "d_out": 32, "d_sae": WIDTH, "apply_b_dec_to_input": False, **NEW,
        "metadata": {
            "sae_lens_version": "6.54.12", "model_name": "random-llama", "hook_name": "blocks.0.hook_resid_mid",
            "hook_name_out": "blocks.0.hook_mlp_out",
        },
    },
    "llama-mlp1": {
        "d_in": 32, "d_sae": WIDTH, "dtype": "float16", "device": "cpu", "model_name": "random-llama", "hook_point": "blocks.1.hook_mlp_out",
        "hook_point_layer": 1, "hook_point_head_index": None, "activation_fn_str": "topk", "activation_fn_kwargs": {"k": 5},
        "normalize_activations": False,
    },
    "llama-resid2": {
        "architecture": "standard", "d_in": 32, "d_sae": WIDTH, "apply_b_dec_to_input": False, **NEW,
        "metadata": {"sae_lens_version": "6.54.12", "model_name": "random-llama", "hook_name": "blocks.2.hook_resid_post"},
    },
}


def write(name: str, cfg: dict[str, Any], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=generator)
    tensors = {
        "W_enc": draw(32, WIDTH) * 0.3,
        "b_enc": draw(WIDTH) * 0.2 - 0.1,
        "W_dec": draw(WIDTH, 32) * 0.25,
        "b_dec": draw(32) * 0.1,
    }
    if "jumprelu" in cfg.get("architecture", ""):
        tensors["threshold"] = draw(WIDTH).abs() * 0.3
    if cfg["dtype"] == "float16":
        tensors = {key: value.half() for key, value in tensors.items()}
    folder = FOLDER / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cfg.json").write_text(json.dumps(cfg, indent=1) + "\n")
    save_file(tensors, str(folder / "sae_weights.safetensors"))


PATHS = {
    "gpt2-mlp1": ["input->a0.h1->m1->logits", "m1->a2.h0->logits", "a0.b->m1->m2->logits"],
    "gpt2-resid2": ["input->a0.h1->m1->a2.h0->m2->logits", "a0.h2->m2->logits", "m2->logits"],
    "gpt2-mid1": ["input->m1->a2.h1->logits", "a1.h0->m1->logits", "a2.h1->logits"],
    "gpt2-skip2": ["input->a1.h2->m2->logits", "m1->m2->logits", "a1.b->m2->logits"],
    "llama-through0": ["input->a0.h1->m0->logits", "m0->a1.h2->m2->logits"],
    "llama-mlp1": ["input->a0.h1->m1->logits", "input->m0->m1->a2.h0->logits"],
    "llama-resid2": ["input->a0.h1->m1->logits", "a2.h3->logits"],
}
PAIRS = {
    "gpt2-mlp1 > gpt2-skip2": ["m2->logits", "input->a0.h1->m1->m2->logits", "m1->a2.h0->m2->logits", "a2.h1->m2->logits", "a0.h1->a2.h3->m2->logits", "a2.b->m2->logits"],
    "gpt2-mlp1 > gpt2-resid2": ["", "input->a0.h2->m1->a2.h0->logits"],
    "gpt2-mid1 > gpt2-skip2": ["m2->logits", "input->a0.h1->a2.h1->m2->logits", "a2.h2->m2->logits"],
    "llama-through0 > llama-mlp1": ["m1->logits", "m0->a1.h2->m1->a2.h0->logits"],
}


def on_path(one: Explained, path: str, own_bias: bool = False) -> tuple[Table, Tensor, list[str], bool]:
    """The split of a path, the direction behind it, the nodes before it, and whether the path begins at it."""
    nodes = [name for name, _ in names.parse_path(path)][:-1] if path else []
    stages = [next((i for i, stage in enumerate(one.model.stages()) if node in stage or (node.endswith(".b") and node[1] == stage[0][1] and (names.is_head(stage[0]) == node.startswith("a")))), -1) for node in nodes]
    if one.node is not None:
        at = nodes.index(one.node)
        before, behind = nodes[:at], nodes[at + 1 :]
    else:
        at = next((i for i, stage in enumerate(stages) if stage >= one.place), len(nodes))
        before, behind = nodes[:at], nodes[at:]
    g = direction_behind(one.frozen, behind)
    if not before:
        return one.split_whole(g), g, before, True
    x = carried(one.frozen, before, own_bias)
    return one.split_carried(x, g), g, before, False


def source(frozen: Frozen, node: str, own_bias: bool) -> Tensor:
    if node.endswith(".b"):
        layer = int(node[1:-2])
        return frozen.attention_bias(layer) if node[0] == "a" else frozen.mlp_bias(layer)
    out = frozen.run.outputs[node]
    return out if node[0] != "m" or own_bias else out - frozen.mlp_bias(names.layer_of(node))


def carried(frozen: Frozen, nodes: list[str], own_bias: bool) -> Tensor:
    x = source(frozen, nodes[0], own_bias)
    for node in nodes[1:]:
        x = frozen.unit(node).apply(x)
    return x


def feature_edges(one: Explained, other: Explained, path: str) -> dict[str, Any]:
    """Edges from the features of `other` into the largest features of `one` along a path [D4]."""
    explained_start = path.split("->")[0] == other.node
    split, g, before, whole = on_path(one, path, explained_start)
    features = {name: value for name, value in split.items() if name.split(".")[1].isdigit()}
    readers = [int(name.split(".")[1]) for name in sorted(features, key=lambda name: -abs(features[name]))[:4]]
    table: Table = {}
    wholes = {f"f{one.d.layer}.{i}": split[f"f{one.d.layer}.{i}"] for i in readers}
    for i in readers:
        reader = f"f{one.d.layer}.{i}"
        weights = one.gates[:, i] * (g @ one.d.w_dec[i])
        pulled, _ = one.read_back(i, weights)
        if whole:
            hidden = set(other.sources()) if other.node is None else {other.node}
            found = {name: value for name, value in one.edges(i, weights).items() if name not in hidden} | other.split_whole(pulled)
        else:
            found = along(one, other, before, pulled, explained_start)
        table |= {f"{name}->{reader}": value for name, value in found.items()}
    return {"path": path, "readers": list(wholes), "wholes": wholes, "edges": table}


def along(one: Explained, other: Explained, before: list[str], pulled: Tensor, explained_start: bool) -> Table:
    """What the path brings to `one`, split where it goes through what `other` explains."""
    stages = one.model.stages()
    stage = lambda node: -1 if node == "input" else next(i for i, each in enumerate(stages) if node in each)
    for index in reversed(range(len(before))):
        node = before[index]
        later = stage(before[index + 1]) if index + 1 < len(before) else one.place
        if other.node is None and stage(node) < other.place <= later:
            split = other.split_carried(carried(one.frozen, before[: index + 1], False), pulled)
            return {"->".join([*before[: index + 1], name, *before[index + 1 :]]): value for name, value in split.items()}
        if node == other.node:
            split = other.split_whole(pulled) if index == 0 else other.split_carried(carried(one.frozen, before[:index], False), pulled)
            return {"->".join([*before[:index], name, *before[index + 1 :]]): value for name, value in split.items()}
        if node == "input" or node.endswith(".b"):
            return {"->".join(before): float((source(one.frozen, node, False) * pulled).sum())}
        pulled = one.frozen.unit(node).transpose(pulled)
    return {f"{name}->{'->'.join(before)}": value for name, value in read_by(one, other, before[0], pulled).items()}


def read_by(one: Explained, other: Explained, node: str, pulled: Tensor) -> Table:
    """What a node reads along a direction, by all that was written before it; what `other` explains by its features."""
    place = next(i for i, stage in enumerate(one.model.stages()) if node in stage)
    found: Table = {"input": float((pulled * one.run.outputs["input"]).sum())}
    for stage in one.model.stages()[:place]:
        for each in stage:
            found[each] = float((pulled * one.run.outputs[each]).sum())
            if names.is_head(each):
                found[f"a{names.layer_of(each)}.b"] = float((pulled * one.frozen.attention_bias(names.layer_of(each))).sum())
    if other.place > place if other.node is None else other.place >= place:
        return found
    hidden = set(other.sources()) if other.node is None else {other.node}
    return {name: value for name, value in found.items() if name not in hidden} | other.split_whole(pulled)


def golden(name: str, models: dict[str, tuple[Frozen, dict[str, Any]]]) -> dict[str, Any]:
    dictionary, model_name = load(name)
    frozen, problem = models[model_name]
    one = Explained(frozen, dictionary)
    metric = frozen.metric
    acts = dictionary.acts(one.input)
    counterfactual = Explained(Frozen(frozen.model, run_tokens(frozen.model, problem["counterfactual_tokens"]), metric), dictionary)
    direct, g, _, _ = on_path(one, "" if one.node is None else f"{one.node}->logits")
    explained = set(one.sources()) if one.node is None else {one.node}
    others = {key: value for key, value in frozen.direct().items() if not (key.startswith("m") and key.endswith(".b")) and key not in explained}
    largest = [int(key.split(".")[1]) for key in sorted(direct, key=lambda key: -abs(direct[key])) if key.split(".")[1].isdigit()][:3]
    active = [int(i) for i in acts[-1].argsort(descending=True)[:2]]
    other_acts = counterfactual.d.acts(counterfactual.input)
    zero = torch.zeros_like(acts)
    at = {}
    for i in active:
        token = len(acts) - 1
        weights = torch.zeros(len(acts), dtype=DTYPE)
        weights[token] = 1
        at[f"f{dictionary.layer}.{i}@{token}"] = {"pre": float(dictionary.pre(one.input)[token, i]), "edges": one.edges(i, weights)}
    return {
        "model": model_name,
        "kind": dictionary.kind,
        "activations": acts.tolist(),
        "explained_error": float((one.actual() - acts @ dictionary.w_dec - dictionary.b_dec).norm() / one.actual().norm()),
        "direct": direct,
        "others": others,
        "paths": {path: on_path(one, path)[0] for path in PATHS[name]},
        "edges_at": at,
        "edges_on_path": {f"f{dictionary.layer}.{i}": one.edges(i, one.gates[:, i] * (g @ dictionary.w_dec[i])) for i in largest},
        "ablate_zero": {f"f{dictionary.layer}.{i}": one.after([i], zero, metric) for i in largest},
        "ablate_zero_together": one.after(largest, zero, metric),
        "ablate_counterfactual": {f"f{dictionary.layer}.{i}": one.after([i], other_acts, metric) for i in largest},
        "ablate_mean": {f"f{dictionary.layer}.{i}": one.after([i], (acts + other_acts) / 2, metric) for i in largest},
        "tokens": {f"f{dictionary.layer}.{i}": (dictionary.w_dec[i] @ frozen.model.unembed).tolist() for i in largest[:1]},
        "tokens_fold_norm": {f"f{dictionary.layer}.{i}": (dictionary.w_dec[i] @ frozen.model.final_norm.fold(frozen.model.unembed)).tolist() for i in largest[:1]},
    }


def virtual(one: Explained, other: Explained) -> Table:
    """What features read of each other whatever the prompt, the norm's scale apart."""
    encoder = one.d.centred(one.d.w_enc.T).T
    if one.d.point == "ln2.hook_normalized":
        encoder = one.model.mlp(one.d.layer).norm.fold(encoder)
    weights = other.d.w_dec @ encoder
    return {f"f{other.d.layer}.{i}->f{one.d.layer}.{j}": float(weights[i, j]) for i in range(0, WIDTH) for j in range(0, WIDTH, 7)}


def main() -> None:
    models = {}
    for name in ("random-gpt2", "random-llama"):
        model = read_model(ROOT / name)
        problem = json.loads((ROOT / "goldens" / f"{name}.json").read_text())
        metric = Metric(problem["position"], problem["target"], problem["foil"])
        models[name] = (Frozen(model, run_tokens(model, problem["tokens"]), metric), problem)
    for seed, (name, cfg) in enumerate(SPECS.items()):
        write(name, cfg, 700 + seed)
    found = {name: golden(name, models) for name in SPECS}
    pairs = {}
    for pair, paths in PAIRS.items():
        first, second = pair.split(" > ")
        writer, model_name = load(first)
        reader, _ = load(second)
        frozen, _ = models[model_name]
        one, other = Explained(frozen, reader), Explained(frozen, writer)
        pairs[pair] = [feature_edges(one, other, path) for path in paths]
        if pair == "gpt2-mlp1 > gpt2-skip2":
            found["virtual_weights"] = {pair: virtual(one, other)}
    for name, each in found.items():
        if name == "virtual_weights":
            continue
        total = sum(each["direct"].values()) + sum(each["others"].values())
        frozen, problem = models[each["model"]]
        metric = float(frozen.metric.of(frozen.run.logits))
        assert abs(total - metric) < 1e-9, (name, total, metric)
        for key, value in each["edges_at"].items():
            assert abs(sum(value["edges"].values()) - value["pre"]) < 1e-9, (name, key)
    for pair, entries in pairs.items():
        for entry in entries:
            for reader, whole in entry["wholes"].items():
                total = sum(value for key, value in entry["edges"].items() if key.endswith(f"->{reader}"))
                assert abs(total - whole) < 1e-9, (pair, entry["path"], reader, total, whole)
    path = ROOT / "goldens" / "dictionaries.json"
    path.write_text(compact(found | {"pairs": pairs}) + "\n")
    print(path, path.stat().st_size, "bytes")


if __name__ == "__main__":
    main()
