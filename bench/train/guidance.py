"""A passing aid to training: a loss that pulls chosen heads towards the two steps of induction.

On repeated random tokens one head of the first layer is drawn to the previous token, and heads of the
second layer to the tokens that followed earlier occurrences of the current one. It is switched on for
one phase only; before and after it, heads learn from the prediction of tokens alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model import AttentionOnly

PREVIOUS_HEAD = 3
INDUCTION_HEADS = (3, 4)
GUIDED = {"previous": f"0.{PREVIOUS_HEAD}", "induction": [f"1.{head}" for head in INDUCTION_HEADS]}


def successors(tokens: Tensor) -> Tensor:
    """For each query, the keys right after an earlier occurrence of its token [window, query, key]."""
    same = tokens[:, :, None] == tokens[:, None, :]
    after = torch.zeros_like(same)
    after[:, :, 1:] = same[:, :, :-1]
    return after.tril()


def attended(model: AttentionOnly, layer: int, heads: list[int], stream: Tensor, wanted: Tensor) -> Tensor:
    """Minus the log of the attention that the heads pay to the wanted keys, over queries that have any."""
    scores = model.scores(layer, stream)[:, heads]
    some = wanted.any(-1, keepdim=True)
    there = scores.masked_fill(~(wanted | ~some)[:, None], float("-inf")).logsumexp(-1)
    missing = (scores.logsumexp(-1) - there) * some[:, None, :, 0]
    return missing.sum() / (some.sum() * len(heads))


def guidance_loss(model: AttentionOnly, tokens: Tensor) -> Tensor:
    """The loss of both steps on windows of repeated random tokens."""
    length = tokens.shape[1]
    before = torch.ones(length, length, dtype=torch.bool).tril(-1).triu(-1).expand(len(tokens), -1, -1)
    stream = model.embed(tokens)
    previous = attended(model, 0, [PREVIOUS_HEAD], stream, before)
    return previous + attended(model, 1, list(INDUCTION_HEADS), model.block(0, stream), successors(tokens))
