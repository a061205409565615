"""Train one of the built-in models on CPU; stops and resumes at any step.

Usage: python train.py MODEL [--work DIR] [--steps N] [--threads N] [--minutes M] [--hardware TEXT]
Checkpoints hold weights and optimiser state in one safetensors file.
"""

from __future__ import annotations

import argparse
import itertools
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
from guidance import guidance_loss
from layout import shapes_of
from model import LINK, Transformer, load_model, save_atomically, save_model
from muon import Muon
from recipes import RECIPES, Recipe
from scores import induction_scores, previous_token_scores, repeated_tokens

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "public/models"


@dataclass
class Progress:
    step: int = 0
    seconds: float = 0.0
    tokens: int = 0


def make_optimisers(model: Transformer, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """AdamW, and where the recipe says so Muon for the blocks' matrices; weight decay on matrices alone."""
    known = shapes_of(RECIPES[recipe.grown_from].shape) if recipe.grown_from else model.weights
    groups: dict[bool, list[dict[str, object]]] = {False: [], True: []}
    for inner, matrix, fresh in itertools.product((False, True), repeat=3):
        chosen = [
            parameter
            for name, parameter in model.weights.items()
            if (recipe.muon and name.startswith("blocks.") and ".W_" in name) == inner
            and (".W_" in name) == matrix
            and (name not in known and name != LINK) == fresh
        ]
        if chosen:
            decay = recipe.weight_decay if matrix else 0.0
            groups[inner].append({"params": chosen, "weight_decay": decay, "fresh": fresh})
    rate = recipe.phases[0].learning_rate
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups[False], lr=rate, betas=recipe.betas, fused=True)
    ]
    return [*optimisers, Muon(groups[True], rate)] if groups[True] else optimisers


STATE = {"mean": "exp_avg", "square": "exp_avg_sq", "momentum": "momentum"}


def save(path: Path, model: Transformer, optimisers: list[torch.optim.Optimizer], progress: Progress) -> None:
    tensors: dict[str, Tensor] = {}
    for name, parameter in model.weights.items():
        tensors[f"weight/{name}"] = parameter
        state = next((optimiser.state[parameter] for optimiser in optimisers if parameter in optimiser.state), {})
        tensors |= {f"{ours}/{name}": state[theirs] for ours, theirs in STATE.items() if theirs in state}
    save_atomically(tensors, path, {key: str(value) for key, value in asdict(progress).items()})


def restore(path: Path, model: Transformer, optimisers: list[torch.optim.Optimizer]) -> Progress:
    with safe_open(str(path), "pt") as file:
        facts = file.metadata()
        stored = {name: file.get_tensor(name) for name in file.keys()}
    for name, parameter in model.weights.items():
        with torch.no_grad():
            parameter.copy_(stored[f"weight/{name}"])
        state = {theirs: stored[f"{ours}/{name}"] for ours, theirs in STATE.items() if f"{ours}/{name}" in stored}
        if "exp_avg" in state:
            state["step"] = torch.tensor(float(facts["step"]))
        if state:
            optimisers["momentum" in state].state[parameter] = state
    return Progress(int(facts["step"]), float(facts["seconds"]), int(facts["tokens"]))


@torch.no_grad()
def check(model: Transformer, sampler: Sampler) -> dict[str, float]:
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
    here = {
        "threads": options.threads,
        "steps": progress.step - sum(leg["steps"] for leg in legs),
        "seconds": round(progress.seconds - sum(leg["seconds"] for leg in legs)),
    }
    facts = {name: value for name, value in asdict(recipe).items() if name != "shape"} | {
        "planned_steps": options.steps,
        "window": recipe.shape.n_ctx,
        "batch": recipe.phases[0].mix.size,
        "guided": recipe.guided.named() if recipe.guided else None,
    }
    facts |= asdict(progress) | {
        "tokens_by_kind": recipe.tokens_by_kind(progress.step),
        "hardware": options.hardware,
        "legs": [*legs, here],
    }
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(facts, indent=2) + "\n")
    os.replace(partial, path)


def train(options: argparse.Namespace) -> None:
    recipe, run = RECIPES[options.model], options.work / options.model
    shape = recipe.shape
    options.steps = options.steps or recipe.steps
    run.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(options.tokenizer))
    sampler, valid = (Sampler(options.work, tokenizer, split, shape.n_ctx) for split in ("train", "valid"))
    model = Transformer(shape, linked=recipe.link_step is not None)
    model.initialise(torch.Generator().manual_seed(recipe.seed))
    if recipe.grown_from:
        model.grow_from(load_model(MODELS / recipe.grown_from))
    optimisers = make_optimisers(model, recipe)
    checkpoint = run / "checkpoint.safetensors"
    progress = restore(checkpoint, model, optimisers) if checkpoint.exists() else Progress()
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
        for group in (group for optimiser in optimisers for group in optimiser.param_groups):
            rate = recipe.rate(progress.step, options.steps)
            group["lr"] = rate * recipe.phase(progress.step).fresh if group["fresh"] else rate
        loss = compiled(inputs, targets)
        if guidance and recipe.guided:
            loss_of_all = loss + guidance * guidance_loss(model, recipe.guided, inputs[-mix.random_repeat :])
        else:
            loss_of_all = loss
        loss_of_all.backward()
        if recipe.link_step is not None and progress.step < recipe.link_step:
            model.weights[LINK].grad = None
        torch.nn.utils.clip_grad_norm_(model.parameters(), recipe.clip)
        for optimiser in optimisers:
            optimiser.step()
            optimiser.zero_grad()
        recent = loss.item() if recent == 0.0 else 0.98 * recent + 0.02 * loss.item()
        progress = Progress(progress.step + 1, before + time.monotonic() - began, progress.tokens + inputs.numel())
        out_of_time = progress.seconds - before > options.minutes * 60
        if progress.step % recipe.save_every == 0 or progress.step == options.steps or out_of_time:
            save(checkpoint, model, optimisers, progress)
            save_model(run / "export", model)
            report(run / "training.json", recipe, options, progress, legs)
            line = {"step": progress.step, "loss": round(recent, 4), "seconds": round(progress.seconds)}
            print(json.dumps(line | check(model, valid)), flush=True)
        if out_of_time:
            break


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=RECIPES)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--tokenizer", type=Path, default=MODELS / "attn-2l/tokenizer.json")
    parser.add_argument("--steps", type=int, help="instead of the recipe's; may change until the rate begins to fall")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--hardware", default="", help="words for the model card")
    parser.add_argument("--minutes", type=float, default=math.inf, help="stop with a checkpoint after this long")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    train(options)


if __name__ == "__main__":
    main()
