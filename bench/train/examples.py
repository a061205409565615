"""Measure the example prompts, rank them, and write examples.json and the start page's example.json.

Usage: python examples.py [--model DIR]
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
from model import AttentionOnly, load_model

HERE = Path(__file__).resolve().parent


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
def last_probabilities(model: AttentionOnly, tokens: list[int]) -> torch.Tensor:
    return model(torch.tensor([tokens]))[0, -1].softmax(-1)


def strongest_head(model: AttentionOnly, tokens: list[int], target: int) -> Facts:
    """The last layer's head that attends most from the last position to the earlier target."""
    pattern = model.patterns(torch.tensor([tokens]))[-1][0, :, -1]
    places = [place for place, token in enumerate(tokens) if token == target]
    weights = pattern[:, places].sum(-1)
    head = int(weights.argmax())
    return {"head": f"{model.shape.n_layers - 1}.{head}", "attention": round(float(weights[head]), 4)}


def measure(model: AttentionOnly, tokenizer: Tokenizer, candidate: Candidate) -> Facts:
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
    parser.add_argument("--model", type=Path, default=HERE.parents[1] / "public/models/attn-2l")
    options = parser.parse_args()
    model, tokenizer = load_model(options.model), Tokenizer.from_file(str(options.model / "tokenizer.json"))
    ranked = sorted((measure(model, tokenizer, candidate) for candidate in CANDIDATES), key=rank)
    write(HERE / "examples.json", ranked)
    write(options.model / "example.json", {key: ranked[0][key] for key in Candidate.__dataclass_fields__})
    for found in ranked:
        print(f"{-rank(found)[0]:.1f}  {found['prompt']!r} {found['measured']}")


if __name__ == "__main__":
    main()
