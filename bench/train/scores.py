"""Attention scores by head on repeated random tokens."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from corpus import BOS_ID
from model import Transformer


def repeated_tokens(vocabulary: int, period: int, count: int, seed: int) -> Tensor:
    """`count` sequences: BOS, then `period` random tokens twice."""
    unit = np.random.default_rng(seed).integers(BOS_ID + 1, vocabulary, (count, period))
    return torch.from_numpy(np.concatenate([np.full((count, 1), BOS_ID), unit, unit], axis=1))


def induction_scores(patterns: list[Tensor], period: int) -> list[list[float]]:
    """Mean attention from the second copy to the token after the previous occurrence."""
    queries = torch.arange(period + 1, 2 * period + 1)
    return [pattern[:, :, queries, queries - period + 1].mean((0, 2)).tolist() for pattern in patterns]


def previous_token_scores(patterns: list[Tensor]) -> list[list[float]]:
    """Mean attention to the position before, from every position whose predecessor is not the BOS."""
    return [pattern.diagonal(-1, 2, 3)[..., 1:].mean((0, 2)).tolist() for pattern in patterns]


@torch.no_grad()
def repeat_loss(model: Transformer, tokens: Tensor, period: int) -> tuple[float, float]:
    """Nats per token in the first and in the second copy."""
    logs = model(tokens[:, :-1]).log_softmax(-1).gather(-1, tokens[:, 1:, None]).squeeze(-1)
    return -logs[:, :period].mean().item(), -logs[:, period + 1 :].mean().item()
