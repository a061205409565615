"""Unigram and bigram baselines: counted on the training stream, tuned on the validation stream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from corpus import BOS_ID

ADDENDS = (0.001, 0.01, 0.1, 0.5, 1.0, 2.0)
DISCOUNTS = tuple(round(0.05 * step, 2) for step in range(8, 21))


def pairs(stream: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Previous and next token at every scored place; the BOS itself is never scored."""
    scored = stream[1:] != BOS_ID
    return stream[:-1][scored], stream[1:][scored]


def unigram_table(stream: np.ndarray, vocabulary: int, addend: float) -> np.ndarray:
    counts = np.bincount(pairs(stream)[1], minlength=vocabulary) + addend
    return counts / counts.sum()


def continuation_table(counts: np.ndarray, addend: float) -> np.ndarray:
    """Share of distinct predecessors of each token (the lower order of Kneser-Ney)."""
    kinds = (counts > 0).sum(axis=0) + addend
    return kinds / kinds.sum()


def bigram_table(counts: np.ndarray, lower: np.ndarray, discount: float) -> np.ndarray:
    """Absolute discounting, the freed mass given to the lower order."""
    totals = counts.sum(axis=1, keepdims=True)
    safe = np.maximum(totals, 1)
    freed = np.where(totals > 0, discount * (counts > 0).sum(axis=1, keepdims=True) / safe, 1.0)
    return np.maximum(counts - discount, 0) / safe + freed * lower


def unigram_loss(table: np.ndarray, stream: np.ndarray) -> np.ndarray:
    return -np.log(table[pairs(stream)[1]])


def bigram_loss(table: np.ndarray, stream: np.ndarray) -> np.ndarray:
    return -np.log(table[pairs(stream)])


@dataclass(frozen=True)
class Baselines:
    unigram: np.ndarray
    bigram: np.ndarray
    addend: float
    discount: float
    lower: str


def fit(train: np.ndarray, valid: np.ndarray, vocabulary: int) -> Baselines:
    addend = min(ADDENDS, key=lambda value: unigram_loss(unigram_table(train, vocabulary, value), valid).mean())
    unigram = unigram_table(train, vocabulary, addend)
    before, after = pairs(train)
    counts = np.bincount(before * vocabulary + after, minlength=vocabulary**2).reshape(vocabulary, vocabulary)
    lowers = {"unigram": unigram, "continuation": continuation_table(counts, addend)}
    tried = {
        (name, discount): bigram_loss(bigram_table(counts, lower, discount), valid).mean()
        for name, lower in lowers.items()
        for discount in DISCOUNTS
    }
    name, discount = min(tried, key=lambda key: tried[key])
    return Baselines(unigram, bigram_table(counts, lowers[name], discount), addend, discount, name)
