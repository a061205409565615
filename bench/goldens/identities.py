"""Checks that follow from the rules alone, made on the fixtures and on the golden files written for them."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import names
from causal import Treeified, path_effect
from families import read_model
from forward import Metric, forward, zeros_like
from frozen import Frozen
from problem import Problem

Check = tuple[str, float]
"""What is checked, and by how much it fails relative to the magnitudes involved."""


def fails_by(found: float, wanted: float, scale: float) -> float:
    return abs(found - wanted) / scale


def sums(golden: dict[str, Any]) -> Iterator[Check]:
    """Tables whose entries add up to the metric [M11], [M13], [M18], [M26]."""
    metric, scale = golden["metric"], math.fsum(map(abs, golden["direct"].values()))
    yield "sum of paths [M11]", fails_by(golden["frozen_paths"]["sum"], metric, scale)
    yield "sum of degrees [M13]", fails_by(math.fsum(golden["degree_spectrum"]), metric, scale)
    interactions = golden["moebius"].values()
    yield "sum of interactions [M18]", fails_by(math.fsum(interactions), metric, max(map(abs, interactions)))
    ends = [value for edge, value in golden["flow"].items() if edge.endswith("->logits")]
    yield "flow into logits [M26]", fails_by(math.fsum(ends), metric, scale)
    if "neuron_paths" in golden:
        yield "sum of paths by neuron [M22]", fails_by(golden["neuron_paths"]["sum"], metric, scale)


def conserved_flow(problem: Problem, golden: dict[str, Any]) -> Iterator[Check]:
    """What flows into a node, and its own bias's share, equals what flows out of it [M26]."""
    paths = Frozen(problem.model, problem.clean, problem.metric).paths()
    flow, worst = golden["flow"], 0.0
    scale = max(map(abs, flow.values()))
    for node in problem.model.components():
        into = [value for edge, value in flow.items() if edge.endswith(f"->{node}")]
        out = [value for edge, value in flow.items() if edge.startswith(f"{node}->")]
        own = [] if names.is_head(node) else [v for path, v in paths.items() if path.startswith(f"{node}.b->")]
        worst = max(worst, fails_by(math.fsum(into + own), math.fsum(out), scale))
    yield "conservation of flow [M26]", worst


def opened(problem: Problem, table: dict[str, Any]) -> Iterator[Check]:
    """An opened node's values add up to the value of its path [M22]."""
    paths = Frozen(problem.model, problem.clean, problem.metric).paths()
    for path, entry in table.items():
        parts = entry.get("by_neuron") or [value for row in entry["by_position"] for value in row]
        yield f"opened {path} [M22]", fails_by(math.fsum(parts), paths[path], max(map(abs, paths.values())))


def attributed(stored: dict[str, Any], further: dict[str, Any]) -> Iterator[Check]:
    """Gradients agree with central differences [M21]; an edge without a slot is the sum of its three."""
    eap, worst = further["eap"], 0.0
    scale = max(map(abs, stored["attribution"].values()))
    for edge, wanted in stored["attribution"].items():
        found = math.fsum(eap[f"{writer}->{reader}"] for writer, reader in names.parse_edge(edge))
        worst = max(worst, fails_by(found, wanted, scale))
    yield "gradients against central differences [M21]", worst


def scrubbed(table: list[dict[str, Any]], model_paths: list[str]) -> Iterator[Check]:
    """The full hypothesis recovers everything, the empty one nothing [M17]."""
    for entry in table:
        hypothesis = entry[entry["kind"]]
        if not hypothesis:
            yield "empty hypothesis [M17]", max(map(abs, entry["recovered"]))
    yield "all edges [M17]", max(abs(value - 1) for value in table[0]["recovered"])
    full = [entry for entry in table if entry["kind"] == "paths" and len(entry["paths"]) == len(model_paths)]
    for entry in full:
        yield "all paths [M17]", max(abs(value - 1) for value in entry["recovered"])


def silenced(stored: dict[str, Any], further: dict[str, Any]) -> Iterator[Check]:
    """The paths of an ablated run add up to its metric [M11], [M24]."""
    table, scale = further["repair_paths"], max(map(abs, stored["direct"].values()))
    yield "paths of an ablated run [M24]", fails_by(table["sum"], stored["zero_ablation"][table["node"]], scale)


def interventions(problem: Problem) -> Iterator[Check]:
    """Changing everything gives the other run; on a linear route a path's effect is its frozen value [M16]."""
    model, clean, metric = problem.model, problem.clean, problem.metric
    donor = problem.counterfactual
    wanted, scale = float(metric.of(donor.logits)), float(donor.logits.abs().max())
    swapped = forward(
        model, clean.outputs["input"], lambda _, x, out: x + sum(donor.outputs[each] - out[each] for each in out)
    )
    yield "every edge patched [M8]", fails_by(float(metric.of(swapped.logits)), wanted, scale)
    if model.path_count() <= 1000:
        every = Treeified(model, clean, donor.outputs).logits(model.paths())
        yield "every path changed [M16]", fails_by(float(metric.of(every)), wanted, scale)
    if model.final_norm.kind == "none":
        values = Frozen(model, clean, metric).paths()
        worst = 0.0
        for path in model.paths():
            route = "->".join(f"{step}<v>" if names.is_head(step) else step for step in path.split("->"))
            effect = path_effect(model, clean, [route], zeros_like(clean.outputs), metric)
            worst = max(worst, fails_by(-effect, values[path], max(map(abs, values.values()))))
        yield "value routes without norms [M16]", worst


def checks(fixtures: Path, name: str) -> Iterator[Check]:
    """All checks of one fixture."""
    stored = json.loads((fixtures / "goldens" / f"{name}.json").read_text())
    beside = fixtures / "goldens" / f"{name}.extra.json"
    further = json.loads(beside.read_text()) if beside.exists() else stored
    model = read_model(fixtures / name)
    metric = Metric(stored["position"], stored["target"], stored["foil"])
    problem = Problem(model, stored["tokens"], stored["counterfactual_tokens"], metric)
    yield from sums(stored)
    yield from conserved_flow(problem, stored)
    yield from opened(problem, further["opened_nodes"])
    yield from attributed(stored, further)
    yield from silenced(stored, further)
    yield from scrubbed(further["scrub"], model.paths())
    yield from interventions(problem)
