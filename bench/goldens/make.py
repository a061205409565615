"""Writes the seeded models and golden files under server/engine/fixtures.

Usage: python make.py [NAME...]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import torch

from families import read_model
from fixtures import FIXTURES, Fixture, write_model
from forward import Metric
from problem import Choices, Problem, choose, random_problem
from reference import basic, further

ROOT = Path(__file__).resolve().parents[2] / "server/engine/fixtures"
LIMIT = 250_000

GIVEN = {"random-gpt2": 21, "random-attn-only": 22, "random-neox": 23}
"""Models whose basic keys were given, with the seed of their further ones."""


def compact(value: Any, depth: int = 0) -> str:
    """JSON with one entry of a table a line, and lists of plain values on one line."""
    pad = " " * (depth + 1)
    if isinstance(value, dict) and value:
        body = ",\n".join(f"{pad}{json.dumps(key)}: {compact(part, depth + 1)}" for key, part in value.items())
        return "{\n" + body + "\n" + " " * depth + "}"
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        return "[\n" + ",\n".join(pad + compact(part, depth + 1) for part in value) + "\n" + " " * depth + "]"
    return json.dumps(value, allow_nan=False)


def write_golden(name: str, golden: dict[str, Any]) -> None:
    text = compact(golden) + "\n"
    if len(text) > LIMIT:
        raise RuntimeError(f"{name}: {len(text)} bytes, more than {LIMIT}")
    (ROOT / "goldens" / f"{name}.json").write_text(text)
    print(f"{name}.json: {len(golden)} keys, {len(text)} bytes", flush=True)


def make_new(fixture: Fixture) -> None:
    """A model and its golden file, basic and further keys together."""
    folder = ROOT / fixture.name
    write_model(fixture, folder)
    model = read_model(folder)
    problem = random_problem(model, fixture.seed, fixture.length, fixture.position, fixture.foil)
    choices = choose(model, fixture.seed)
    golden = basic(problem, choices) | further(problem, choices, fixture.seed, fixture.neurons)
    write_golden(fixture.name, golden)


def make_given(name: str, seed: int) -> None:
    """The further keys of a model whose basic ones stand already: beside them, or in the same file."""
    stored = json.loads((ROOT / "goldens" / f"{name}.json").read_text())
    metric = Metric(stored["position"], stored["target"], stored["foil"])
    problem = Problem(read_model(ROOT / name), stored["tokens"], stored["counterfactual_tokens"], metric)
    choices = Choices(
        edges=list(stored["edge_patch"]),
        edges_qkv=list(stored["edge_patch_qkv"]),
        paths=list(stored["path_effect"]),
        nodes=list(stored["zero_ablation"]),
        pairs=[],
    )
    extra = further(problem, choices, seed)
    if name == "random-neox":
        write_golden(name, stored | extra)
    else:
        write_golden(f"{name}.extra", {"model": name} | extra)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="models to make; all of them when none is named")
    wanted = set(parser.parse_args().names)
    torch.set_num_threads(1)
    for fixture in FIXTURES:
        if not wanted or fixture.name in wanted:
            make_new(fixture)
    for name, seed in GIVEN.items():
        if not wanted or name in wanted:
            make_given(name, seed)


if __name__ == "__main__":
    main()
