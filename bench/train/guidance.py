"""A passing aid to training: a loss that pulls chosen heads towards the two steps of induction.

On repeated random tokens one head is drawn to the previous token, and heads of a later layer to the
tokens that followed earlier occurrences of the current one. It is switched on for one phase only;
before and after it, heads learn from the prediction of tokens alone.
"""

from __future__ import annotations

import torch
from torch import Tensor

from model import Transformer
from recipes import Guided


def successors(tokens: Tensor) -> Tensor:
    """For each query, the keys right after an earlier occurrence of its token [window, query, key]."""
    same = tokens[:, :, None] == tokens[:, None, :]
    after = torch.zeros_like(same)
    after[:, :, 1:] = same[:, :, :-1]
    return after.tril()


def attended(model: Transformer, layer: int, head: int, stream: Tensor, wanted: Tensor) -> Tensor:
    """Minus the log of the attention that a head pays to the wanted keys, over queries that have any."""
    scores = model.scores(layer, stream)[:, head]
    some = wanted.any(-1, keepdim=True)
    there = scores.masked_fill(~(wanted | ~some), float("-inf")).logsumexp(-1)
    missing = (scores.logsumexp(-1) - there) * some[..., 0]
    return missing.sum() / some.sum()


def guidance_loss(model: Transformer, guided: Guided, tokens: Tensor) -> Tensor:
    """The loss of both steps on windows of repeated random tokens."""
    length = tokens.shape[1]
    before = torch.ones(length, length, dtype=torch.bool).tril(-1).triu(-1).expand(len(tokens), -1, -1)
    streams = [model.embed(tokens)]
    for layer in range(max(layer for layer, _ in guided.induction)):
        streams.append(model.block(layer, streams[-1]))
    layer, head = guided.previous
    previous = attended(model, layer, head, streams[layer], before)
    wanted = successors(tokens)
    parts = [attended(model, layer, head, streams[layer], wanted) for layer, head in guided.induction]
    return previous + torch.stack(parts).mean()
