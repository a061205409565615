"""Measure the example prompts on a model, rank them, and write MODEL.examples.json and its start page's example.json.

Usage: python examples.py MODEL
Each candidate is a prompt in which a name comes again, and a counterfactual of the same number of
tokens in which the name's first occurrence is another one.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer

from corpus import Facts
from model import Transformer, load_model
from recipes import RECIPES

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "public/models"


@dataclass(frozen=True)
class Candidate:
    prompt: str
    counterfactual: str
    target: str
    foil: str
    note: str


NOTE = "The first {before} was followed by {target}. At the second one the model looks back, finds that place and answers {target}."


def named(frame: str, before: str, name: str, other: str) -> Candidate:
    """A candidate from a frame with `@` where the name stands the first time."""
    note = NOTE.format(before=f"“{before}”", target=f"“{name}”")
    return Candidate(frame.replace("@", name), frame.replace("@", other), f" {name}", f" {other}", note)


CANDIDATES: tuple[Candidate, ...] = (
    named("In June old @ went to Texas. In July old", "old", "Darcy", "Crawford"),
    named("Yesterday old @ bought a horse. Today old", "old", "Darcy", "Ahab"),
    named("Meet Lady @ at the river; bring Lady", "Lady", "Elinor", "Catherine"),
    named("On Monday General @ lost his hat. On Friday General", "General", "Thomas", "Darcy"),
    named("Once Senator @ had a boat. Now Senator", "Senator", "Elton", "Thomas"),
)


def single_token(tokenizer: Tokenizer, text: str) -> int:
    tokens = tokenizer.encode(text, add_special_tokens=False).ids
    if len(tokens) != 1:
        raise ValueError(f"{text!r} is {len(tokens)} tokens")
    return tokens[0]


@torch.no_grad()
def last_probabilities(model: Transformer, tokens: list[int]) -> torch.Tensor:
    return model(torch.tensor([tokens]))[0, -1].softmax(-1)


def strongest_head(model: Transformer, tokens: list[int], target: int) -> Facts:
    """The head after the first layer that attends most from the last position to the earlier target."""
    places = [place for place, token in enumerate(tokens) if token == target]
    patterns = model.patterns(torch.tensor([tokens]))[1:]
    weights = {
        f"{layer}.{head}": float(row[-1, places].sum())
        for layer, pattern in enumerate(patterns, start=1)
        for head, row in enumerate(pattern[0])
    }
    head = max(weights, key=lambda name: weights[name])
    return {"head": head, "attention": round(weights[head], 4)}


def measure(model: Transformer, tokenizer: Tokenizer, candidate: Candidate) -> Facts:
    target, foil = single_token(tokenizer, candidate.target), single_token(tokenizer, candidate.foil)
    clean, changed = (tokenizer.encode(text).ids for text in (candidate.prompt, candidate.counterfactual))
    if len(clean) != len(changed):
        raise ValueError(f"{candidate.prompt!r} is {len(clean)} tokens, its counterfactual {len(changed)}")
    found: Facts = {}
    for name, tokens in (("clean", clean), ("counterfactual", changed)):
        probabilities = last_probabilities(model, tokens)
        found[name] = {
            "target": round(float(probabilities[target]), 4),
            "foil": round(float(probabilities[foil]), 4),
            "top": tokenizer.decode([int(probabilities.argmax())]),
            "log_odds": round(float((probabilities[target] / probabilities[foil]).log()), 4),
        }
    pieces = [tokenizer.id_to_token(token) if token == 0 else tokenizer.decode([token]) for token in clean]
    facts = {"tokens": pieces, "token_count": len(clean), "target_id": target, "foil_id": foil}
    return asdict(candidate) | facts | {"measured": found} | {"strongest_head": strongest_head(model, clean, target)}


def rank(found: Facts) -> tuple[float, int]:
    """The target's or, if smaller, the counterfactual foil's probability to one decimal; then the shorter prompt."""
    measured = found["measured"]
    return -round(min(measured["clean"]["target"], measured["counterfactual"]["foil"]), 1), found["token_count"]


def write(path: Path, content: object) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(partial, path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=RECIPES)
    options = parser.parse_args()
    folder = MODELS / options.model
    model, tokenizer = load_model(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    ranked = sorted((measure(model, tokenizer, candidate) for candidate in CANDIDATES), key=rank)
    write(HERE / f"{options.model}.examples.json", ranked)
    write(folder / "example.json", {key: ranked[0][key] for key in Candidate.__dataclass_fields__})
    for found in ranked:
        print(f"{-rank(found)[0]:.1f}  {found['prompt']!r} {found['measured']}")


if __name__ == "__main__":
    main()
