"""Train sparse dictionaries on gpt-4l and measure them, in minutes on a CPU.

Usage: python train_dictionary.py [NAME …] [--work DIR] [--steps N] [--threads N]
Writes dictionaries/NAME/ (cfg.json and sae_weights.safetensors as SAELens does, card.json) and dictionaries/README.md.
Those that are named train side by side on the same batches of text.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional as F

from batches import Mix, Sampler
from corpus import Facts, encode_split
from dictionaries import DICTIONARIES, Dictionary, Hooked, activate, nats, pre_activations, reconstruct, save_dictionary
from dictionary_card import render
from measure import windows_of
from model import Transformer, load_model

HERE = Path(__file__).resolve().parent
OUT = HERE / "dictionaries"
MODEL = HERE.parents[1] / "public/models/gpt-4l"
SEED, WINDOWS = 20261130, 8
RATE, DECAY_SHARE, WARMUP = 2e-3, 0.4, 30
IDLE_STEPS, REVIVED, REVIVAL_WEIGHT = 40, 64, 1 / 32
FIRST_SPARSITY, STEERING = 0.05, 1.02
HELD_OUT_EVERY = 8
SAMPLE = (
    "The people of the United States expect the Congress to act upon this subject without delay, and I recommend "
    "that provision be made by law for the payment of the public debt."
)


class Trainee:
    """One dictionary while it trains, on activations scaled to a variance of 1 a channel."""

    def __init__(self, dictionary: Dictionary, first: dict[str, Tensor]) -> None:
        self.dictionary = dictionary
        inputs, outputs = first[dictionary.hook_in], first[dictionary.hook_out]
        self.scale_in, self.scale_out = (values.std(0).square().mean().sqrt().item() for values in (inputs, outputs))
        width, features = inputs.shape[-1], dictionary.features
        generator = torch.Generator().manual_seed(SEED)
        rows = F.normalize(torch.randn(features, width, generator=generator), dim=-1)
        free = torch.randn(width, features, generator=generator) / (4 * width**0.5)
        start = {
            "W_enc": free if dictionary.is_transcoder else rows.T.clone(),
            "b_enc": torch.zeros(features),
            "W_dec": rows,
            "b_dec": outputs.mean(0) / self.scale_out,
        }
        self.weights = {name: value.requires_grad_() for name, value in start.items()}
        self.optimiser = torch.optim.Adam(self.weights.values(), lr=RATE, betas=(0.9, 0.99), fused=True)
        self.sparsity = FIRST_SPARSITY
        self.idle = torch.zeros(features, dtype=torch.long)
        self.active = 0.0

    def step(self, values: dict[str, Tensor], rate: float) -> float:
        """One step; returns the share of the outputs' variance that is not explained."""
        dictionary, weights = self.dictionary, self.weights
        x, y = values[dictionary.hook_in] / self.scale_in, values[dictionary.hook_out] / self.scale_out
        before = pre_activations(dictionary, weights, x)
        features = activate(dictionary, before)
        error = y - (features @ weights["W_dec"] + weights["b_dec"])
        loss = error.square().sum(-1).mean()
        if dictionary.architecture != "topk":
            loss = loss + self.sparsity * features.sum(-1).mean()
        dead = self.idle > IDLE_STEPS
        if dead.any():
            loss = loss + REVIVAL_WEIGHT * self.revival(before, error.detach(), dead)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss.backward()
        self.optimiser.step()
        self.optimiser.zero_grad()
        with torch.no_grad():
            weights["W_dec"].copy_(F.normalize(weights["W_dec"], dim=-1))
            fired = features > 0
            self.idle = torch.where(fired.any(0), 0, self.idle + 1)
            self.active = fired.sum(-1).float().mean().item()
            self.sparsity *= STEERING if self.active > dictionary.active else 1 / STEERING
            return (error.square().sum() / (y - y.mean(0)).square().sum()).item()

    def revival(self, before: Tensor, error: Tensor, dead: Tensor) -> Tensor:
        """How badly the features that no longer fire, made to, explain what is left (after Gao et al., 2024)."""
        count = min(REVIVED, int(dead.sum()))
        values, places = before.masked_fill(~dead, float("-inf")).topk(count, dim=-1)
        revived = torch.zeros_like(before).scatter(-1, places, values.relu())
        return (error - revived @ self.weights["W_dec"]).square().sum(-1).mean()

    def stored(self) -> dict[str, Tensor]:
        """The weights for activations as they are."""
        weights = {name: value.detach() for name, value in self.weights.items()}
        return {
            "W_enc": weights["W_enc"] / self.scale_in,
            "b_enc": weights["b_enc"],
            "W_dec": weights["W_dec"] * self.scale_out,
            "b_dec": weights["b_dec"] * self.scale_out,
        }


def rate_at(step: int, steps: int) -> float:
    return RATE * min(1.0, (step + 1) / WARMUP, (steps - step) / (steps * DECAY_SHARE))


def train(wanted: list[Dictionary], model: Transformer, sampler: Sampler, steps: int) -> tuple[list[Trainee], float]:
    trainees: list[Trainee] = []
    began = time.monotonic()
    for step in range(steps):
        tokens = torch.from_numpy(sampler.batch(SEED, step, Mix(WINDOWS, 0, 0))[0])
        by_layer: dict[int, dict[str, Tensor]] = {}
        with torch.no_grad():
            run = None
            for layer in sorted({dictionary.layer for dictionary in wanted}):
                run = Hooked(model, layer, tokens, run)
                by_layer[layer] = {hook: value[:, 1:].flatten(0, 1) for hook, value in run.values.items()}
        trainees = trainees or [Trainee(dictionary, by_layer[dictionary.layer]) for dictionary in wanted]
        unexplained = [one.step(by_layer[one.dictionary.layer], rate_at(step, steps)) for one in trainees]
        if (step + 1) % 50 == 0:
            for one, share in zip(trainees, unexplained, strict=True):
                idle = int((one.idle > IDLE_STEPS).sum())
                facts = {"explained": round(1 - share, 4), "active": round(one.active, 1), "idle": idle}
                print(json.dumps({"step": step + 1, "name": one.dictionary.name} | facts), flush=True)
    return trainees, time.monotonic() - began


def explained(found: Tensor, wanted: Tensor) -> float:
    """1 - the squared error's share of the variance, over [position, channel]."""
    spread = (wanted - wanted.mean(0)).square().sum()
    return float(1 - (found - wanted).square().sum() / spread)


@torch.no_grad()
def measure(dictionary: Dictionary, weights: dict[str, Tensor], model: Transformer, windows: np.ndarray) -> Facts:
    """On held-out text behind the BOS: sparsity, variance explained, and the loss with the reconstruction put in."""
    outputs, targets, losses = [], [], {"clean": 0.0, "replaced": 0.0, "zero": 0.0}
    fired, count = torch.zeros(dictionary.features), 0
    batches = np.array_split(windows, -(-len(windows) // WINDOWS))
    for batch in batches:
        tokens = torch.from_numpy(batch)
        run = Hooked(model, dictionary.layer, tokens)
        features, output = reconstruct(dictionary, weights, run.values[dictionary.hook_in])
        fired += (features[:, 1:] > 0).sum((0, 1))
        count += tokens[:, 1:].numel()
        outputs.append(output[:, 1:].flatten(0, 1).double())
        targets.append(run.values[dictionary.hook_out][:, 1:].flatten(0, 1).double())
        share = len(batch) / len(windows)
        losses["clean"] += share * nats(run.logits(), tokens)
        losses["replaced"] += share * nats(run.logits(dictionary.hook_out, output), tokens)
        losses["zero"] += share * nats(run.logits(dictionary.hook_out, torch.zeros_like(output)), tokens)
    recovered = (losses["zero"] - losses["replaced"]) / (losses["zero"] - losses["clean"])
    return {
        "held_out_tokens": count,
        "l0": round(float(fired.sum() / count), 2),
        "never_active": int((fired == 0).sum()),
        "explained_variance": round(explained(torch.cat(outputs), torch.cat(targets)), 4),
        "loss": {name: round(value, 4) for name, value in losses.items()},
        "loss_recovered": round(recovered, 4),
    }


@torch.no_grad()
def sample(dictionary: Dictionary, weights: dict[str, Tensor], model: Transformer, tokenizer: Tokenizer) -> Facts:
    """The same on one sentence, in float64, for others to check against."""
    tokens = tokenizer.encode(SAMPLE).ids
    precise = Transformer(model.shape).double()
    precise.load_state_dict(model.state_dict())
    values = {hook: value[0, 1:] for hook, value in Hooked(precise, dictionary.layer, torch.tensor([tokens])).values.items()}
    double = {name: value.double() for name, value in weights.items()}
    features, output = reconstruct(dictionary, double, values[dictionary.hook_in])
    return {
        "text": SAMPLE,
        "tokens": tokens,
        "l0": round(float((features > 0).sum(-1).double().mean()), 6),
        "explained_variance": round(explained(output, values[dictionary.hook_out]), 6),
        "last_position": [[int(at), round(float(features[-1, at]), 6)] for at in features[-1].nonzero()[:, 0]],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *DICTIONARIES])
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    wanted = [DICTIONARIES[name] for name in options.names or DICTIONARIES]
    model, tokenizer = load_model(MODEL).requires_grad_(False), Tokenizer.from_file(str(MODEL / "tokenizer.json"))
    context = model.shape.n_ctx
    trainees, seconds = train(wanted, model, Sampler(options.work, tokenizer, "train", context), options.steps)
    test = [window for window in windows_of(encode_split(options.work, tokenizer, "test"), context - 1) if len(window) == context]
    for one in trainees:
        dictionary, weights = one.dictionary, one.stored()
        config = dictionary.config(model.shape.d_model, context, model.shape.name)
        save_dictionary(OUT / dictionary.name, config, weights)
        card = {
            "name": dictionary.name,
            "model": model.shape.name,
            "model_sha256": hashlib.sha256((MODEL / "model.safetensors").read_bytes()).hexdigest(),
            "hook_in": f"blocks.{dictionary.layer}.{dictionary.hook_in}",
            "hook_out": f"blocks.{dictionary.layer}.{dictionary.hook_out}",
            "architecture": dictionary.architecture,
            "features": dictionary.features,
            "training_tokens": options.steps * WINDOWS * (context - 1),
            "steps": options.steps,
            "seconds_side_by_side": round(seconds),
        }
        card |= measure(dictionary, weights, model, np.stack(test[::HELD_OUT_EVERY]))
        card |= {"sample": sample(dictionary, weights, model, tokenizer)}
        (OUT / dictionary.name / "card.json").write_text(json.dumps(card, indent=2) + "\n")
        print(json.dumps({name: value for name, value in card.items() if name != "sample"}), flush=True)
    cards = [json.loads((OUT / name / "card.json").read_text()) for name in DICTIONARIES if (OUT / name).exists()]
    (OUT / "README.md").write_text(render(cards))


if __name__ == "__main__":
    main()
