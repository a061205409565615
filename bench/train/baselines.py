"""Unigram, bigram and trigram baselines: counted on the training stream, tuned on the validation stream."""

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
class Trigrams:
    """Counts by key, the key being (before * vocabulary + previous) * vocabulary + next, or without its last digit."""

    vocabulary: int
    keys: np.ndarray
    counts: np.ndarray
    contexts: np.ndarray
    totals: np.ndarray
    kinds: np.ndarray

    @staticmethod
    def keys_of(stream: np.ndarray, vocabulary: int) -> tuple[np.ndarray, np.ndarray]:
        """The trigram key of every scored place, and whether both tokens before it are of its own document."""
        scored = stream[1:] != BOS_ID
        before = np.concatenate([[BOS_ID], stream[:-2]])
        keys = (before * vocabulary + stream[:-1]) * vocabulary + stream[1:]
        return keys[scored], (stream[:-1] != BOS_ID)[scored]

    @classmethod
    def count(cls, stream: np.ndarray, vocabulary: int) -> Trigrams:
        found, inside = cls.keys_of(stream, vocabulary)
        keys, counts = np.unique(found[inside], return_counts=True)
        contexts, first, kinds = np.unique(keys // vocabulary, return_index=True, return_counts=True)
        return cls(vocabulary, keys, counts, contexts, np.add.reduceat(counts, first), kinds)

    def loss(self, stream: np.ndarray, bigram: np.ndarray, discount: float) -> np.ndarray:
        """Absolute discounting, the freed mass given to the bigram; the bigram alone at a document's first token."""
        keys, inside = self.keys_of(stream, self.vocabulary)
        place, there = look_up(self.keys, keys)
        counts = np.where(there, self.counts[place], 0)
        context, known = look_up(self.contexts, keys // self.vocabulary)
        known &= inside
        totals = np.where(known, self.totals[context], 1)
        freed = np.where(known, discount * self.kinds[context] / totals, 1.0)
        own = np.where(known, np.maximum(counts - discount, 0) / totals, 0.0)
        return -np.log(own + freed * bigram[pairs(stream)])


def look_up(sorted_keys: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where each wanted key would be, and whether it is there."""
    place = np.minimum(np.searchsorted(sorted_keys, wanted), len(sorted_keys) - 1)
    return place, sorted_keys[place] == wanted


@dataclass(frozen=True)
class Baselines:
    unigram: np.ndarray
    bigram: np.ndarray
    trigrams: Trigrams
    addend: float
    discount: float
    lower: str
    trigram_discount: float

    def losses(self, stream: np.ndarray) -> dict[str, np.ndarray]:
        """Nats of every scored token, in the order of the stream."""
        return {
            "trigram": self.trigrams.loss(stream, self.bigram, self.trigram_discount),
            "bigram": bigram_loss(self.bigram, stream),
            "unigram": unigram_loss(self.unigram, stream),
        }


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
    bigram, trigrams = bigram_table(counts, lowers[name], discount), Trigrams.count(train, vocabulary)
    third = min(DISCOUNTS, key=lambda value: trigrams.loss(valid, bigram, value).mean())
    return Baselines(unigram, bigram, trigrams, addend, discount, name, third)
