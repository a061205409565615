"""Previous-token, duplicate-token and induction scores of attention patterns."""

from __future__ import annotations

from torch import Tensor

Score = float | None


def mean_attention(pattern: Tensor, keys: dict[int, list[int]]) -> Score:
    """Attention to a query's keys, summed, averaged over the queries that have any; None where none has."""
    sums = [float(sum(pattern[query, key] for key in chosen)) for query, chosen in keys.items() if chosen]
    return sum(sums) / len(sums) if sums else None


def head_scores(pattern: Tensor, tokens: list[int]) -> dict[str, Score]:
    """Scores of one pattern [S, S] on tokens with repeats."""
    queries = range(len(tokens))
    return {
        "previous": mean_attention(pattern, {i: [i - 1] for i in queries if i >= 1}),
        "duplicate": mean_attention(pattern, {i: [j for j in range(i) if tokens[j] == tokens[i]] for i in queries}),
        "induction": mean_attention(
            pattern, {i: [j for j in range(1, i) if tokens[j - 1] == tokens[i]] for i in queries}
        ),
    }
