"""All reference numbers of a model: the basic keys of `goldens/NAME.json` and the further ones."""

from __future__ import annotations

import math
from random import Random
from typing import Any

import torch
from torch import Tensor

import names
from blocks import additivity_defect, moebius, residual_expansion
from causal import (
    ablated,
    attribution,
    central_difference,
    edge_patch,
    gradients,
    integrated_gradients,
    path_effect,
    repair,
    scrub_edges,
    scrub_paths,
)
from forward import Outputs, Run, mean_outputs, run_tokens, zeros_like
from frozen import Frozen, concentration
from head_scores import head_scores
from model import DTYPE
from problem import (
    Choices,
    Problem,
    all_edges,
    plain_edges,
    prompt_set,
    random_tokens,
    repeated_tokens,
    sampled,
    scrub_examples,
    with_slot,
)
from weights import composition, full_circuits, head_pairs, virtual_head

Table = dict[str, Any]


def largest(values: dict[str, float], count: int = 40) -> dict[str, float]:
    """The entries of largest magnitude, largest first."""
    return dict(sorted(values.items(), key=lambda item: -abs(item[1]))[:count])


def path_table(values: dict[str, float]) -> Table:
    return {"count": len(values), "sum": math.fsum(values.values()), "top": largest(values)}


def basic(problem: Problem, choices: Choices) -> Table:
    """The keys that every golden file has."""
    model, clean, metric = problem.model, problem.clean, problem.metric
    frozen = Frozen(model, clean, metric)
    paths = frozen.paths() if choices.all_paths else {}
    found: Table = {
        "model": model.name,
        "tokens": problem.tokens,
        "counterfactual_tokens": problem.counterfactual_tokens,
        "position": metric.position,
        "target": metric.target,
        "foil": metric.foil,
        "logits": clean.logits[metric.position].tolist(),
        "metric": float(metric.of(clean.logits)),
        "counterfactual_metric": float(metric.of(problem.counterfactual.logits)),
        "direct": frozen.direct(),
        "degree_spectrum": frozen.degree_spectrum(),
        "residual_expansion": residual_expansion(model, clean),
        "moebius": moebius(model, clean, metric, choices.moebius_order),
        **basic_causal(problem, choices),
        "flow": frozen.flow(),
        "orders": frozen.orders(metric.target),
        "additivity_defect": additivity_defect(model, clean),
        "composition": composition(model, choices.pairs),
    }
    found["repair"] = {node: repair(frozen, [node], zeros_like(clean.outputs)) for node in choices.nodes}
    if paths:
        found["frozen_paths"] = path_table(paths)
        found["concentration"] = {"head": concentration(list(paths.values()))}
    return found


def basic_causal(problem: Problem, choices: Choices) -> Table:
    """Edge patches, path effects, attributions and ablations of the basic keys."""
    model, clean, metric = problem.model, problem.clean, problem.metric
    donor, zero = problem.counterfactual.outputs, zeros_like(clean.outputs)

    def patched(edges: list[str]) -> float:
        return edge_patch(model, clean, edges, donor, metric)

    return {
        "edge_patch": {edge: patched([edge]) for edge in choices.edges},
        "edge_patch_all_of_the_above": patched(choices.edges),
        "edge_patch_qkv": {edge: patched([edge]) for edge in choices.edges_qkv},
        "path_effect": {path: path_effect(model, clean, [path], donor, metric) for path in choices.paths},
        "attribution": {
            edge: central_difference(model, clean, edge, donor, metric) for edge in [*choices.edges, *choices.edges_qkv]
        },
        "zero_ablation": {node: float(metric.of(ablated(model, clean, [node], zero).logits)) for node in choices.nodes},
    }


def further(problem: Problem, choices: Choices, seed: int, neurons: bool = False) -> Table:
    """The keys that come on top of the basic ones."""
    random = Random(seed)
    examples = prompt_set(problem, random.randrange(2**31))
    found: Table = {
        **attributions(problem, random),
        "prompt_set": examples,
        **references(problem, choices, examples, random),
        **joint(problem, choices),
        "scrub": scrubs(problem, random),
        **patterns(problem, random),
        "additivity_defect_frozen_scale": additivity_defect(problem.model, problem.clean, frozen_scale=True),
        **weights_alone(problem, random),
        **finer_units(problem, random, neurons),
        "orders_set": orders_set(problem, examples),
    }
    return found


def attributions(problem: Problem, random: Random) -> Table:
    """EAP with two references and EAP-IG."""
    model, clean, other, metric = problem.model, problem.clean, problem.counterfactual, problem.metric
    pairs, steps = model.edges(), 5
    at_clean = gradients(model, clean.outputs["input"], metric)
    averaged = integrated_gradients(model, clean, other, metric, steps)
    to_zero = attribution(pairs, clean.outputs, zeros_like(clean.outputs), at_clean)
    return {
        "eap": attribution(pairs, clean.outputs, other.outputs, at_clean),
        "eap_zero": {edge: to_zero[edge] for edge in sampled(random, list(to_zero), 40)},
        "eap_ig": {"steps": steps, "scores": attribution(pairs, clean.outputs, other.outputs, averaged)},
    }


def references(problem: Problem, choices: Choices, examples: list[Table], random: Random) -> Table:
    """Patches and ablations with references other than the counterfactual run."""
    model, clean, metric = problem.model, problem.clean, problem.metric
    donor_tokens = random_tokens(random, model, len(problem.tokens))
    donor = run_tokens(model, donor_tokens).outputs
    mean = mean_outputs([run_tokens(model, example["tokens"]) for example in examples])
    mixed = [*plain_edges(model), *random.sample(all_edges(model), 20)]

    def patches(reference: Outputs, count: int) -> dict[str, float]:
        edges = list(dict.fromkeys(sampled(random, mixed, count)))
        return {edge: edge_patch(model, clean, [edge], reference, metric) for edge in edges}

    frozen = Frozen(model, clean, metric)
    return {
        "edge_patch_zero": patches(zeros_like(clean.outputs), 20),
        "edge_patch_mean": patches(mean, 10),
        "edge_patch_resample": {"donor_tokens": donor_tokens, "values": patches(donor, 10)},
        "mean_ablation": {node: float(metric.of(ablated(model, clean, [node], mean).logits)) for node in choices.nodes},
        "counterfactual_ablation": {
            node: float(metric.of(ablated(model, clean, [node], problem.counterfactual.outputs).logits))
            for node in choices.nodes
        },
        "repair_counterfactual": {
            node: repair(frozen, [node], problem.counterfactual.outputs) for node in choices.nodes
        },
    }


def joint(problem: Problem, choices: Choices) -> Table:
    """The interventions of the basic keys, made together."""
    model, clean, metric = problem.model, problem.clean, problem.metric
    zero, donor = zeros_like(clean.outputs), problem.counterfactual.outputs
    pair, frozen = choices.nodes[:2], Frozen(model, clean, metric)
    return {
        "path_effect_all_of_the_above": path_effect(model, clean, choices.paths, donor, metric),
        "zero_ablation_all_of_the_above": float(metric.of(ablated(model, clean, choices.nodes, zero).logits)),
        "repair_joint": {"nodes": pair, **repair(frozen, pair, zero)},
        "repair_paths": repair_paths(problem, pair[0]),
    }


def repair_paths(problem: Problem, node: str) -> Table:
    """The paths of the run in which a node writes zero; none goes through it [M24]."""
    run = ablated(problem.model, problem.clean, [node], zeros_like(problem.clean.outputs))
    frozen = Frozen(problem.model, run, problem.metric)
    return {"node": node, **path_table(frozen.paths(silent={node}))}


def loss(row: Tensor, target: int) -> float:
    """-log softmax(target) of one row of logits."""
    return float(-row.log_softmax(-1)[target])


def scrub(problem: Problem, kind: str, hypothesis: list[str], examples: list[Table]) -> Table:
    """Losses of one hypothesis over examples, and the part of the loss recovered [M17]."""
    model, run = problem.model, scrub_edges if kind == "edges" else scrub_paths
    found: dict[str, list[float]] = {"loss_model": [], "loss_random": [], "loss_scrubbed": []}
    for example in examples:
        own, donor = run_tokens(model, example["tokens"]), run_tokens(model, example["donor_tokens"])
        for name, row in (
            ("loss_model", own.logits[-1]),
            ("loss_random", donor.logits[-1]),
            ("loss_scrubbed", run(model, own, donor, hypothesis)),
        ):
            found[name].append(loss(row, example["target"]))
    whole, random, scrubbed = (torch.tensor(losses, dtype=DTYPE) for losses in found.values())
    recovered = (scrubbed - random) / (whole - random)
    mean = (scrubbed - random).mean() / (whole - random).mean()
    return {
        "kind": kind,
        kind: hypothesis,
        "examples": examples,
        **found,
        "recovered": [rounded(value) for value in recovered.tolist()],
        "recovered_mean": rounded(float(mean)),
    }


def rounded(value: float) -> float:
    """To 12 decimals, so that nothing recovered is 0 and everything is 1."""
    return round(value, 12) + 0.0


def scrubs(problem: Problem, random: Random) -> list[Table]:
    """Full, empty and two partial sets of edges; two partial sets of paths, and all paths up to 1000."""
    model = problem.model
    examples = scrub_examples(problem, random.randrange(2**31))
    edges, slotted, paths = plain_edges(model), all_edges(model), model.paths()
    half, slots = sampled(random, edges, len(edges) * 3 // 4), sampled(random, slotted, len(slotted) * 3 // 5)
    some, many = sampled(random, paths, 12), sampled(random, paths, min(len(paths) * 3 // 4, 150))
    some = ["input->logits", *(path for path in some if path != "input->logits")]
    some = [with_slot(random, path) if place % 3 == 2 else path for place, path in enumerate(some)]
    hypotheses = [("edges", edges), ("edges", []), ("edges", half), ("edges", slots)]
    hypotheses += [("paths", paths)] if len(paths) <= 1000 else []
    hypotheses += [("paths", some), ("paths", many)]
    return [scrub(problem, kind, hypothesis, examples) for kind, hypothesis in hypotheses]


def patterns(problem: Problem, random: Random) -> Table:
    """Head scores on tokens with repeats, and one whole pattern on the prompt."""
    model = problem.model
    tokens = repeated_tokens(model, random.randrange(2**31))
    run = run_tokens(model, tokens)
    heads = [node for node in model.components() if names.is_head(node)]
    layer, index = names.head_of(heads[-1])
    return {
        "heads_tokens": tokens,
        "heads": {node: head_scores(pattern_of(run, node), tokens) for node in heads},
        "heads_on_prompt": {node: head_scores(pattern_of(problem.clean, node), problem.tokens) for node in heads},
        "patterns_sample": {"head": heads[-1], "pattern": problem.clean.patterns[layer][index].tolist()},
    }


def pattern_of(run: Run, node: str) -> Tensor:
    layer, index = names.head_of(node)
    return run.patterns[layer][index]


def weights_alone(problem: Problem, random: Random) -> Table:
    """Composition with folded norms, one virtual head, one head's full circuits."""
    model = problem.model
    pairs = head_pairs(model)
    heads = [node for node in model.components() if names.is_head(node)]
    return {
        "composition_fold_norm": composition(model, pairs, fold_norm=True),
        "virtual_head": virtual_head(model, problem.clean.patterns, *random.choice(pairs)),
        "full_circuits": full_circuits(model, random.choice(heads)),
    }


def finer_units(problem: Problem, random: Random, neurons: bool) -> Table:
    """Concentration at other granularities, and the nodes of paths opened."""
    model = problem.model
    frozen = Frozen(model, problem.clean, problem.metric)
    values = {size: frozen.paths(size) for size in ["sublayer", "head", *(["neuron"] if neurons else [])]}
    found: Table = {
        "concentration": {size: concentration(list(paths.values())) for size, paths in values.items()},
        "opened_nodes": opened_nodes(frozen, random),
    }
    if neurons:
        found["neuron_paths"] = path_table(values["neuron"])
    return found


def opened_nodes(frozen: Frozen, random: Random) -> Table:
    """A head opened by positions, an MLP by neurons, each at the start of a path; a longer path beside each."""
    model = frozen.model
    last = len(model.layers) - 1
    head = names.head(last, random.randrange(model.heads))
    early = names.head(0, random.randrange(model.heads))
    found: Table = {
        f"input->{head}->logits": {"node": head, "by_position": frozen.opened_positions(f"input->{head}->logits")},
        f"input->{early}->{head}->logits": {
            "node": early,
            "by_position": frozen.opened_positions(f"input->{early}->{head}->logits"),
        },
    }
    if model.layers[0].mlp is not None:
        for path in ("input->m0->logits", f"input->m0->{head}->logits"):
            found[path] = {"node": "m0", "by_neuron": list(frozen.opened_neurons(path).values())}
    return found


def orders_set(problem: Problem, examples: list[Table]) -> Table:
    """Losses by order for each prompt of the set at the metric's position, and their means [M25]."""
    model, metric = problem.model, problem.metric
    losses = [
        Frozen(model, run_tokens(model, example["tokens"]), metric).orders(example["target"]) for example in examples
    ]
    return {"per_prompt": losses, "mean": torch.tensor(losses, dtype=DTYPE).mean(0).tolist()}
