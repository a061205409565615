"""Quantities of the weights alone [M20]."""

from __future__ import annotations

import torch
from torch import Tensor

import names
from model import Model


class HeadMatrices:
    """OV = W_V W_O and QK = W_Q W_K^T of one head, raw or with the reading norm folded in."""

    def __init__(self, model: Model, node: str, fold_norm: bool = False) -> None:
        layer, index = names.head_of(node)
        attention = model.layers[layer].attention
        w_q, w_k, w_v = (weight[index] for weight in (attention.w_q, attention.w_k, attention.w_v))
        if fold_norm:
            w_q, w_k, w_v = (attention.norm.fold(weight) for weight in (w_q, w_k, w_v))
        self.ov: Tensor = w_v @ attention.w_o[index]
        self.qk: Tensor = w_q @ w_k.T


def head_pairs(model: Model) -> list[tuple[str, str]]:
    """Every pair of heads with l1 < l2."""
    heads = [node for node in model.components() if names.is_head(node)]
    return [(one, two) for one in heads for two in heads if names.layer_of(one) < names.layer_of(two)]


def composition(model: Model, pairs: list[tuple[str, str]], fold_norm: bool = False) -> dict[str, dict[str, float]]:
    """q, k and v composition of head 1 into head 2."""
    found = {}
    for one, two in pairs:
        first, second = HeadMatrices(model, one, fold_norm), HeadMatrices(model, two, fold_norm)
        readings = {"q": second.qk, "k": second.qk.T, "v": second.ov}
        found[f"{one}->{two}"] = {
            kind: float((first.ov @ reading).norm() / (first.ov.norm() * reading.norm()))
            for kind, reading in readings.items()
        }
    return found


def virtual_head(model: Model, patterns: list[Tensor], one: str, two: str, rows: int = 5) -> dict[str, object]:
    """First rows of A2 A1, and the norm of OV1 OV2."""
    (l1, h1), (l2, h2) = names.head_of(one), names.head_of(two)
    product = patterns[l2][h2] @ patterns[l1][h1]
    ov = HeadMatrices(model, one).ov @ HeadMatrices(model, two).ov
    return {"heads": f"{one}->{two}", "pattern_rows": product[:rows].tolist(), "ov_norm": float(ov.norm())}


def largest_entries(matrix: Tensor, count: int) -> list[list[float]]:
    """[row, column, value] of the largest |entries|, largest first."""
    order = torch.sort(matrix.abs().flatten(), descending=True, stable=True).indices[:count]
    width = matrix.shape[1]
    return [[int(at) // width, int(at) % width, float(matrix.flatten()[at])] for at in order]


def full_circuits(model: Model, node: str, count: int = 10) -> dict[str, object]:
    """Largest entries of W_E OV W_U ([from, to]) and W_E QK W_E^T ([query, key])."""
    head = HeadMatrices(model, node)
    return {
        "head": node,
        "ov": largest_entries(model.embed @ head.ov @ model.unembed, count),
        "qk": largest_entries(model.embed @ head.qk @ model.embed.T, count),
    }
