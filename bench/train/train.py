"""Train the two-layer attention-only model on CPU; stops and resumes at any step.

Usage: python train.py [--work DIR] [--steps N] [--threads N] [--minutes M] [--hardware TEXT]
Checkpoints hold weights and optimiser state in one safetensors file.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from batches import UNSCORED, Mix, Sampler
from guidance import GUIDED, guidance_loss
from model import LINK, AttentionOnly, Shape, save_atomically
from scores import induction_scores, previous_token_scores, repeated_tokens

HERE = Path(__file__).resolve().parent
MODEL = HERE.parents[1] / "public/models/attn-2l"


@dataclass(frozen=True)
class Phase:
    """From step `start` on: the windows of a batch, the highest learning rate, the weight of the guidance."""

    start: int
    mix: Mix
    learning_rate: float
    guidance: float = 0.0


@dataclass(frozen=True)
class Recipe:
    """Each phase's learning rate is level; the first warms up and the end falls linearly to zero.

    First the statistics of text are learned, and with them a previous-token head; then the link of
    embedding and unembedding is opened and more random repeats make copying pay; then two heads are
    guided towards induction for a while; and the rest is trained on the first mix again, unguided.
    """

    seed: int = 20261123
    phases: tuple[Phase, ...] = (
        Phase(0, Mix(9, 4, 3, short_periods=False), 2e-3),
        Phase(1600, Mix(5, 3, 8), 1e-3),
        Phase(1900, Mix(5, 3, 8), 1e-3, guidance=0.5),
        Phase(2200, Mix(10, 4, 2), 1.5e-3),
    )
    link_step: int = 1600
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

    def tokens_by_kind(self, steps: int, window: int) -> dict[str, int]:
        bounds = [phase.start for phase in self.phases[1:]] + [steps]
        counts = [max(0, min(steps, bound) - phase.start) for phase, bound in zip(self.phases, bounds)]
        kinds = ("text", "repeated_span", "random_repeat")
        return {
            kind: window * sum(n * getattr(phase.mix, kind) for n, phase in zip(counts, self.phases)) for kind in kinds
        }


@dataclass
class Progress:
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0


def make_optimiser(model: AttentionOnly, recipe: Recipe) -> torch.optim.AdamW:
    matrices = [parameter for name, parameter in model.weights.items() if ".W_" in name]
    vectors = [parameter for name, parameter in model.weights.items() if ".W_" not in name]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": vectors, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.phases[0].learning_rate, betas=recipe.betas, fused=True)


def save(path: Path, model: AttentionOnly, optimiser: torch.optim.AdamW, progress: Progress) -> None:
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.weights.items():
        tensors[f"weight/{name}"] = parameter
        if state := optimiser.state.get(parameter):
            tensors |= {f"mean/{name}": state["exp_avg"], f"square/{name}": state["exp_avg_sq"]}
    save_atomically(tensors, path, {key: str(value) for key, value in asdict(progress).items()})


def restore(path: Path, model: AttentionOnly, optimiser: torch.optim.AdamW) -> Progress:
    with safe_open(str(path), "pt") as file:
        facts = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}
    for name, parameter in model.weights.items():
        with torch.no_grad():
            parameter.copy_(stored[f"weight/{name}"])
        if f"mean/{name}" in stored:
            step = torch.tensor(float(facts["step"]))
            optimiser.state[parameter] = {
                "step": step,
                "exp_avg": stored[f"mean/{name}"],
                "exp_avg_sq": stored[f"square/{name}"],
            }
    return Progress(int(facts["step"]), float(facts["seconds"]), int(facts["tokens"]))


def export(folder: Path, model: AttentionOnly) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(model.shape.config(), indent=2) + "\n")
    save_atomically(model.stored(), folder / "model.safetensors")


@torch.no_grad()
def check(model: AttentionOnly, sampler: Sampler) -> dict[str, float]:
    """Validation loss on ordinary text and the best head scores."""
    inputs, targets = (torch.from_numpy(part) for part in sampler.batch(1, 0, Mix(32, 0, 0)))
    loss = F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten()).item()
    patterns = model.patterns(repeated_tokens(model.shape.d_vocab, 50, 8, 1))
    induction, previous = induction_scores(patterns, 50), previous_token_scores(patterns)
    best = {"induction": max(map(max, induction)), "previous": max(map(max, previous))}
    return {"valid": round(loss, 4)} | {name: round(value, 3) for name, value in best.items()}


def earlier_legs(path: Path, progress: Progress) -> list[dict[str, float]]:
    """The legs run before this one, if the report agrees with the checkpoint."""
    if progress.step == 0:
        return []
    facts = json.loads(path.read_text())
    if facts["step"] != progress.step:
        raise SystemExit(f"{path.name} is of step {facts['step']}, the checkpoint of step {progress.step}")
    return facts["legs"]


def report(
    path: Path, recipe: Recipe, options: argparse.Namespace, progress: Progress, legs: list[dict[str, float]]
) -> None:
    window = Shape().n_ctx
    here = {
        "threads": options.threads,
        "steps": progress.step - sum(leg["steps"] for leg in legs),
        "seconds": round(progress.seconds - sum(leg["seconds"] for leg in legs)),
    }
    facts = asdict(recipe) | {
        "planned_steps": options.steps,
        "window": window,
        "batch": recipe.phases[0].mix.size,
        "guided": GUIDED,
    }
    facts |= asdict(progress) | {
        "tokens_by_kind": recipe.tokens_by_kind(progress.step, window),
        "hardware": options.hardware,
        "legs": [*legs, here],
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(facts, indent=2) + "\n")
    os.replace(partial, path)


def train(options: argparse.Namespace) -> None:
    recipe, shape, run = Recipe(), Shape(), options.work / "run"
    run.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    sampler, valid = (Sampler(options.work, tokenizer, split, shape.n_ctx) for split in ("train", "valid"))
    model = AttentionOnly(shape, linked=True)
    model.initialise(torch.Generator().manual_seed(recipe.seed))
    optimiser = make_optimiser(model, recipe)
    checkpoint = run / "checkpoint.safetensors"
    progress = restore(checkpoint, model, optimiser) if checkpoint.exists() else Progress()
    legs = earlier_legs(run / "training.json", progress)

    def loss_of(inputs: Tensor, targets: Tensor) -> Tensor:
        return F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten(), ignore_index=UNSCORED)

    compiled = torch.compile(loss_of)
    before, began, recent = progress.seconds, time.monotonic(), 0.0
    while progress.step < options.steps:
        if progress.step == recipe.link_step:
            model.open_link(torch.Generator().manual_seed(recipe.seed), recipe.link_scale)
        mix, guidance = recipe.phase(progress.step).mix, recipe.phase(progress.step).guidance
        inputs, targets = (torch.from_numpy(part) for part in sampler.batch(recipe.seed, progress.step, mix))
        for group in optimiser.param_groups:
            group["lr"] = recipe.rate(progress.step, options.steps)
        loss = compiled(inputs, targets)
        (loss + guidance * guidance_loss(model, inputs[-mix.random_repeat :]) if guidance else loss).backward()
        if progress.step < recipe.link_step:
            model.weights[LINK].grad = None
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        optimiser.step()
        optimiser.zero_grad()
        recent = loss.item() if recent == 0.0 else 0.98 * recent + 0.02 * loss.item()
        progress = Progress(progress.step + 1, before + time.monotonic() - began, progress.tokens + inputs.numel())
        out_of_time = progress.seconds - before > options.minutes * 60
        if progress.step % recipe.save_every == 0 or progress.step == options.steps or out_of_time:
            save(checkpoint, model, optimiser, progress)
            export(run / "export", model)
            report(run / "training.json", recipe, options, progress, legs)
            line = {"step": progress.step, "loss": round(recent, 4), "seconds": round(progress.seconds)}
            print(json.dumps(line | check(model, valid)), flush=True)
        if out_of_time:
            break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--tokenizer", type=Path, default=MODEL / "tokenizer.json")
    parser.add_argument("--steps", type=int, default=4300)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--hardware", default="", help="words for the model card")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop with a checkpoint after this long")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train(options)


if __name__ == "__main__":
    main()
