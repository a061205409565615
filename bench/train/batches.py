"""Training windows: ordinary text, text with a repeated span, and repeated random tokens.

Every window begins with the BOS token. Batch number n depends on the seed and n alone, so a
resumed run continues exactly where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from corpus import BOS_ID, encode_split

UNSCORED = -1
SPAN = (4, 60)
PERIOD = (8, 127)
SHORT_PERIOD = 2


@dataclass(frozen=True)
class Mix:
    """Windows of each kind in a batch, and whether short periods of random tokens are favoured."""

    text: int
    repeated_span: int
    random_repeat: int
    short_periods: bool = True

    @property
    def size(self) -> int:
        return self.text + self.repeated_span + self.random_repeat


class Sampler:
    def __init__(self, work: Path, tokenizer: Tokenizer, split: str, length: int) -> None:
        self.stream = encode_split(work, tokenizer, split)
        self.length = length
        self.vocabulary = tokenizer.get_vocab_size()
        self.starts = self._inner_starts()

    def _inner_starts(self) -> np.ndarray:
        """Positions from which a whole window fits into one document."""
        bounds = np.append(np.flatnonzero(self.stream == BOS_ID), len(self.stream))
        pieces = [np.arange(begin + 1, end - self.length + 1) for begin, end in zip(bounds, bounds[1:])]
        return np.concatenate(pieces)

    def text(self, rng: np.random.Generator, size: int) -> np.ndarray:
        begin = int(rng.choice(self.starts))
        return self.stream[begin : begin + size]

    def repeated_span(self, rng: np.random.Generator, size: int) -> np.ndarray:
        """Text in which one span of the window comes again once or twice further on."""
        window = self.text(rng, size)
        span = int(rng.integers(SPAN[0], SPAN[1] + 1))
        source = int(rng.integers(0, size - 2 * span))
        copy = window[source : source + span]
        for _ in range(int(rng.integers(1, 3))):
            place = int(rng.integers(source + span, size - span + 1))
            window = np.concatenate([window[:place], copy, window[place:]])[:size]
        return window

    def random_repeat(self, rng: np.random.Generator, size: int, short: bool) -> tuple[np.ndarray, int]:
        """Uniformly random tokens with a random period, uniform or (`short`) log-uniform, and that period."""
        if short:
            period = round(float(np.exp(rng.uniform(*np.log([SHORT_PERIOD, PERIOD[1]])))))
        else:
            period = int(rng.integers(PERIOD[0], PERIOD[1] + 1))
        unit = rng.integers(BOS_ID + 1, self.vocabulary, period)
        return np.tile(unit, -(-size // period))[:size], period

    def batch(self, seed: int, number: int, mix: Mix) -> tuple[np.ndarray, np.ndarray]:
        """Inputs and targets [window, length]; the first random copy is not scored."""
        rng = np.random.default_rng([seed, number])
        windows = [self.text(rng, self.length) for _ in range(mix.text)]
        windows += [self.repeated_span(rng, self.length) for _ in range(mix.repeated_span)]
        repeats = [self.random_repeat(rng, self.length, mix.short_periods) for _ in range(mix.random_repeat)]
        targets = np.stack(windows + [window for window, _ in repeats])
        inputs = np.concatenate([np.full((mix.size, 1), BOS_ID), targets[:, :-1]], axis=1)
        for row, (_, period) in enumerate(repeats, start=mix.size - mix.random_repeat):
            targets[row, : period + 1] = UNSCORED
        return inputs, targets
