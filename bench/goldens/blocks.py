"""Whole blocks, really evaluated: the naive expansion, interactions and additivity defects [M15], [M18], [M19]."""

from __future__ import annotations

from itertools import combinations, pairwise

import torch
from torch import Tensor

from forward import Metric, Run
from model import Model


class Block:
    """A whole stage with its biases [M2]. `attention` and `mlp`: the layer of each, or None."""

    def __init__(self, model: Model, nodes: list[str]) -> None:
        layers = {node[0]: int(node.partition(".")[0][1:]) for node in nodes}
        self.attention = model.layers[layers["a"]].attention if "a" in layers else None
        self.mlp = model.mlp(layers["m"]) if "m" in layers else None
        self.name = "+".join(f"{kind}{layers[kind]}" for kind in "am" if kind in layers)

    def __call__(self, x: Tensor, frozen_at: Tensor | None = None) -> Tensor:
        """b(x) [S, d]; with the norm scales of the stream `frozen_at`, where it is given."""
        total = torch.zeros_like(x)
        if self.attention:
            sigma = None if frozen_at is None else self.attention.norm.sigma(frozen_at)
            total = total + self.attention.outputs(x, x, x, sigma).sum(0) + self.attention.bias()
        if self.mlp:
            sigma = None if frozen_at is None else self.mlp.norm.sigma(frozen_at)
            total = total + self.mlp.output(x, sigma)
        return total


def blocks_of(model: Model) -> list[Block]:
    return [Block(model, nodes) for nodes in model.stages()]


def residual_expansion(model: Model, clean: Run, highest: int = 3) -> dict[str, list[float]]:
    """Relative error of R_K and norm of each degree's sum, K = 0..highest [M15]."""
    blocks, final = blocks_of(model), clean.streams["logits"]
    terms: dict[tuple[int, ...], Tensor] = {(): clean.outputs["input"]}
    total = torch.zeros_like(final)
    errors, sizes = [], []
    for _ in range(highest + 1):
        part = sum(terms.values(), torch.zeros_like(final))
        total = total + part
        errors.append(float((total - final).norm() / final.norm()))
        sizes.append(float(part.norm()))
        terms = {
            (*chosen, index): blocks[index](term)
            for chosen, term in terms.items()
            for index in range(chosen[-1] + 1 if chosen else 0, len(blocks))
        }
    return {"relative_error_by_degree": errors, "term_norm_by_degree": sizes}


def moebius(model: Model, clean: Run, metric: Metric, order: int | None = None) -> dict[str, float]:
    """Möbius coefficients of the metric over sets of active blocks, up to an order or all [M18]."""
    blocks = blocks_of(model)
    values: dict[tuple[int, ...], float] = {}
    found: dict[str, float] = {}
    for size in range((len(blocks) if order is None else order) + 1):
        for chosen in combinations(range(len(blocks)), size):
            stream = clean.outputs["input"]
            for index in chosen:
                stream = stream + blocks[index](stream)
            values[chosen] = float(metric.of(model.logits(stream)))
            total = sum(
                (-1) ** (size - part) * values[subset]
                for part in range(size + 1)
                for subset in combinations(chosen, part)
            )
            found["{" + ",".join(blocks[index].name for index in chosen) + "}"] = total
    return found


def additivity_defect(model: Model, clean: Run, frozen_scale: bool = False) -> dict[str, float]:
    """Defect of every block but the first, live or with the clean run's norm scales [M19]."""
    blocks, stream = blocks_of(model), clean.outputs["input"]
    found = {}
    for before, block in pairwise(blocks):
        change = before(stream)
        after = stream + change
        place = after if frozen_scale else None
        nothing = block(torch.zeros_like(stream), place)
        both = block(after, place)
        defect = both - block(stream, place) - block(change, place) + nothing
        found[block.name] = float(defect.norm() / (both - nothing).norm())
        stream = after
    return found
