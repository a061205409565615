"""What is trained and how: one recipe for each built-in model."""

from __future__ import annotations

import math
from dataclasses import dataclass

from batches import Mix
from layout import Shape


@dataclass(frozen=True)
class Phase:
    """From step `start` on: the windows of a batch, the highest learning rate, the weight of the guidance.

    `fresh`: by how much faster what a model has beyond the one that it is grown from learns.
    """

    start: int
    mix: Mix
    learning_rate: float
    guidance: float = 0.0
    fresh: float = 1.0


@dataclass(frozen=True)
class Guided:
    """The heads that `guidance.py` draws to induction, as (layer, head)."""

    previous: tuple[int, int]
    induction: tuple[tuple[int, int], ...]

    def named(self) -> dict[str, object]:
        return {"previous": "{}.{}".format(*self.previous), "induction": ["{}.{}".format(*at) for at in self.induction]}


@dataclass(frozen=True)
class Recipe:
    """Each phase's learning rate is level; the first warms up and the end falls linearly to zero.

    `muon`: the blocks' matrices are trained with Muon instead of AdamW, at the same learning rate.
    `grown_from`: the smaller built-in model that this one begins as.
    `link_step`: from when on the unembedding is trained with its link to the embedding, if ever.
    """

    shape: Shape
    steps: int
    seed: int
    phases: tuple[Phase, ...]
    muon: bool = False
    grown_from: str | None = None
    guided: Guided | None = None
    link_step: int | None = None
    link_scale: float = 0.25
    weight_decay: float = 0.05
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0
    warmup_steps: int = 300
    decay_share: float = 0.3
    save_every: int = 100

    def phase(self, step: int) -> Phase:
        return next(phase for phase in reversed(self.phases) if phase.start <= step)

    def rate(self, step: int, steps: int) -> float:
        decay = math.ceil(steps * self.decay_share)
        return self.phase(step).learning_rate * min(1.0, (step + 1) / self.warmup_steps, (steps - step) / decay)

    def tokens_by_kind(self, steps: int) -> dict[str, int]:
        bounds = [phase.start for phase in self.phases[1:]] + [steps]
        counts = [max(0, min(steps, bound) - phase.start) for phase, bound in zip(self.phases, bounds)]
        kinds = ("text", "repeated_span", "random_repeat")
        return {
            kind: self.shape.n_ctx * sum(n * getattr(phase.mix, kind) for n, phase in zip(counts, self.phases))
            for kind in kinds
        }


# First the statistics of text are learned, and with them a previous-token head; then the link of
# embedding and unembedding is opened and more random repeats make copying pay; then two heads are
# guided towards induction for a while; and the rest is trained on the first mix again, unguided.
ATTN_2L = Recipe(
    shape=Shape("attn-2l", n_layers=2, d_model=256, n_heads=8, d_head=32, d_vocab=3072, n_ctx=256),
    steps=4300,
    seed=20261123,
    phases=(
        Phase(0, Mix(9, 4, 3, short_periods=False), 2e-3),
        Phase(1600, Mix(5, 3, 8), 1e-3),
        Phase(1900, Mix(5, 3, 8), 1e-3, guidance=0.5),
        Phase(2200, Mix(10, 4, 2), 1.5e-3),
    ),
    guided=Guided(previous=(0, 3), induction=((1, 3), (1, 4))),
    link_step=1600,
)

# It begins as attn-2l, so that an hour of two cores goes into what MLPs and depth add.
GPT_4L = Recipe(
    shape=Shape("gpt-4l", n_layers=4, d_model=256, n_heads=8, d_head=32, d_vocab=3072, n_ctx=256, d_mlp=1024),
    steps=840,
    seed=20261129,
    phases=(Phase(0, Mix(5, 2, 1), 1.5e-3), Phase(600, Mix(5, 2, 1), 4e-4, fresh=10.0)),
    muon=True,
    grown_from="attn-2l",
    warmup_steps=50,
    decay_share=0.25,
    save_every=50,
)

RECIPES = {recipe.shape.name: recipe for recipe in (ATTN_2L, GPT_4L)}
