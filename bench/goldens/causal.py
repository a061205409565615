"""Interventions on a run: patches, ablations, path effects, scrubbing, attribution [M8], [M16], [M17], [M21], [M24]."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor

import names
from forward import Metric, Outputs, Read, Run, forward
from frozen import Frozen
from model import Model

Pair = tuple[str, str]
"""A writer and a reader."""


def replacing(pairs: Iterable[Pair], reference: Outputs) -> Read:
    """Readers that take a writer's reference output in place of its current one [M8]."""
    writers: dict[str, list[str]] = {}
    for writer, reader in pairs:
        if writer not in writers.setdefault(reader, []):
            writers[reader].append(writer)

    def read(reader: str, stream: Tensor, outputs: Outputs) -> Tensor:
        return stream + sum(
            (reference[writer] - outputs[writer] for writer in writers.get(reader, ())), torch.zeros_like(stream)
        )

    return read


def edge_patch(model: Model, clean: Run, edges: Iterable[str], reference: Outputs, metric: Metric) -> float:
    """The metric after patching these edges together from a reference, in one pass [M8]."""
    pairs = [pair for edge in edges for pair in names.parse_edge(edge)]
    run = forward(model, clean.outputs["input"], replacing(pairs, reference))
    return float(metric.of(run.logits))


def ablated(model: Model, clean: Run, nodes: Iterable[str], reference: Outputs) -> Run:
    """The run in which these nodes write their reference output, everything downstream recomputed."""
    chosen = set(nodes)
    return forward(model, clean.outputs["input"], write=lambda node, out: reference[node] if node in chosen else out)


def repair(frozen: Frozen, nodes: list[str], reference: Outputs) -> dict[str, float]:
    """Real and frozen drop of the metric, and the compensation between them [M24]."""
    clean, metric = frozen.run, frozen.metric
    after = ablated(frozen.model, clean, nodes, reference)
    real = float(metric.of(clean.logits) - metric.of(after.logits))
    drop = -frozen.effect_of({node: reference[node] - clean.outputs[node] for node in nodes})
    return {"real": real, "frozen": drop, "compensation": 1 - real / drop}


class Treeified:
    """One copy of each node per downstream path [M16].

    A copy on none of the chosen paths writes what it wrote in `base`; the first node of a path writes `leaves`; every
    other copy recomputes from its input in the base run, changed by what the copies before it write anew.
    """

    def __init__(self, model: Model, base: Run, leaves: Outputs) -> None:
        self.model, self.base, self.leaves = model, base, leaves
        self.known: dict[tuple[str, frozenset[names.Path]], Tensor] = {}

    def logits(self, paths: Iterable[str]) -> Tensor:
        """Logits [S, V] of the root copy, for a set of paths."""
        return self.model.logits(self.taken("logits", "logits", self.ways(names.parse_path(path) for path in paths)))

    def ways(self, paths: Iterable[names.Path]) -> frozenset[names.Path]:
        """Paths with every slot written out: a head entered without one is entered by all three."""
        found: list[names.Path] = []
        for path in paths:
            grown: list[names.Path] = [()]
            for place, (node, slot) in enumerate(path):
                slots: tuple[str | None, ...] = (slot,)
                if place > 0 and slot is None and names.is_head(node):
                    slots = names.SLOTS
                grown = [(*start, (node, each)) for start in grown for each in slots]
            found.extend(grown)
        return frozenset(found)

    def taken(self, node: str, reader: str, ways: frozenset[names.Path]) -> Tensor:
        """What one reader of a copy takes; `ways` lead from first nodes to the copy, itself the last step."""
        before: dict[str, set[names.Path]] = {}
        for way in ways:
            slot = way[-1][1]
            if reader == node or reader == f"{node}<{slot}>":
                before.setdefault(way[-2][0], set()).add(way[:-1])
        place = f"a{names.layer_of(node)}" if names.is_head(node) else node
        stream = self.base.streams[place]
        for writer, upstream in sorted(before.items()):
            stream = stream + self.written(writer, frozenset(upstream)) - self.base.outputs[writer]
        return stream

    def written(self, node: str, ways: frozenset[names.Path]) -> Tensor:
        """What one copy writes; copies with the same upstream paths are computed once."""
        key = (node, ways)
        if key not in self.known:
            self.known[key] = self.compute(node, ways)
        return self.known[key]

    def compute(self, node: str, ways: frozenset[names.Path]) -> Tensor:
        if any(len(way) == 1 for way in ways):
            if len(ways) > 1:
                raise ValueError(f"{node}: the first node of one path lies inside another with the same suffix")
            return self.leaves[node]
        layer = self.model.layers[names.layer_of(node)]
        if names.is_head(node):
            taken = [self.taken(node, reader, ways) for reader in names.readers_of(node)]
            return layer.attention.only(names.head_of(node)[1]).outputs(*taken)[0]
        return self.model.mlp(names.layer_of(node)).output(self.taken(node, node, ways))


def path_effect(model: Model, clean: Run, paths: Iterable[str], reference: Outputs, metric: Metric) -> float:
    """New metric less clean metric when the first nodes change along these paths alone [M16]."""
    logits = Treeified(model, clean, reference).logits(paths)
    return float(metric.of(logits) - metric.of(clean.logits))


def scrub_edges(model: Model, example: Run, donor: Run, edges: Iterable[str]) -> Tensor:
    """Last row of logits [V] when every edge outside the hypothesis carries the donor's output [M17]."""
    kept = {pair for edge in edges for pair in names.parse_edge(edge)}
    outside = [pair for pair in model.edges() if pair not in kept]
    return forward(model, example.outputs["input"], replacing(outside, donor.outputs)).logits[-1]


def scrub_paths(model: Model, example: Run, donor: Run, paths: Iterable[str]) -> Tensor:
    """Last row of logits [V] when every path outside the hypothesis starts at the donor's embeddings [M17]."""
    return Treeified(model, donor, example.outputs).logits(paths)[-1]


def gradients(model: Model, embeddings: Tensor, metric: Metric) -> dict[str, Tensor]:
    """The metric's gradient at every reader's input, by one backward pass [M21]."""
    leaves: dict[str, Tensor] = {}

    def read(reader: str, stream: Tensor, _outputs: Outputs) -> Tensor:
        leaves[reader] = torch.zeros_like(stream).requires_grad_()
        return stream + leaves[reader]

    value = metric.of(forward(model, embeddings, read).logits)
    return dict(zip(leaves, torch.autograd.grad(value, list(leaves.values())), strict=True))


def attribution(pairs: list[Pair], clean: Outputs, reference: Outputs, gradient: dict[str, Tensor]) -> dict[str, float]:
    """EAP scores <out_ref - out, gradient> of (writer, reader) pairs [M21]."""
    return {
        f"{writer}->{reader}": float(((reference[writer] - clean[writer]) * gradient[reader]).sum())
        for writer, reader in pairs
    }


def integrated_gradients(model: Model, clean: Run, reference: Run, metric: Metric, steps: int) -> dict[str, Tensor]:
    """Gradients averaged over runs from clean + (k/m)(reference - clean) embeddings, k = 1..m [M21]."""
    start, end = clean.outputs["input"], reference.outputs["input"]
    found = [gradients(model, start + (end - start) * (k / steps), metric) for k in range(1, steps + 1)]
    return {reader: torch.stack([each[reader] for each in found]).mean(0) for reader in found[0]}


def central_difference(
    model: Model, clean: Run, edge: str, reference: Outputs, metric: Metric, step: float = 1e-5
) -> float:
    """EAP score of an edge as a directional derivative [M21]."""
    (writer, _), _ = names.parse_path(edge)
    readers = {reader for _, reader in names.parse_edge(edge)}
    change = reference[writer] - clean.outputs[writer]

    def moved(by: float) -> Tensor:
        run = forward(model, clean.outputs["input"], lambda reader, x, _: x + by * change if reader in readers else x)
        return metric.of(run.logits)

    return float((moved(step) - moved(-step)) / (2 * step))
