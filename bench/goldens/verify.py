"""Checks the reference: against given goldens, against `transformers`, and against itself.

Usage: python verify.py [--goldens DIR --models DIR]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from families import read_model
from forward import Metric, run_tokens
from identities import checks
from problem import Choices, Problem
from reference import basic

FIXTURES = Path(__file__).resolve().parents[2] / "server/engine/fixtures"
GIVEN = ("random-attn-only", "random-gpt2", "random-neox", "stories260k")
TOLERANCE, DIFFERENCES = 1e-9, 1e-5


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """The numbers and words of a JSON value, each with its place."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from leaves(part, f"{at}/{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from leaves(part, f"{at}/{index}")
    else:
        yield at, value


def worst(found: Any, wanted: Any) -> float:
    """Largest difference over the largest magnitude of the same list or table; infinite where other things differ."""
    left, right = dict(leaves(found)), dict(leaves(wanted))
    if left.keys() != right.keys():
        return float("inf")
    error, scales = 0.0, dict[str, float]()
    for at, value in right.items():
        if isinstance(value, float):
            table = at.rpartition("/")[0]
            scales[table] = max(scales.get(table, 0.0), abs(value))
        elif left[at] != value:
            return float("inf")
    for at, value in right.items():
        if isinstance(value, float):
            error = max(error, abs(left[at] - value) / (scales[at.rpartition("/")[0]] or 1.0))
    return error


def as_asked(model_folder: Path, golden: dict[str, Any]) -> dict[str, Any]:
    """The basic keys, for the edges, paths and nodes that a golden file names."""
    model = read_model(model_folder)
    metric = Metric(golden["position"], golden["target"], golden["foil"])
    problem = Problem(model, golden["tokens"], golden["counterfactual_tokens"], metric)
    complete = len(golden["moebius"]) == 2 ** len(model.stages())
    choices = Choices(
        edges=list(golden["edge_patch"]),
        edges_qkv=list(golden["edge_patch_qkv"]),
        paths=list(golden["path_effect"]),
        nodes=list(golden["zero_ablation"]),
        pairs=[tuple(pair.split("->")) for pair in golden["composition"]],
        moebius_order=None if complete else 2,
        all_paths="frozen_paths" in golden,
    )
    return basic(problem, choices)


def check_goldens(goldens: Path, models: Path) -> bool:
    good = True
    for name in GIVEN:
        golden = json.loads((goldens / f"{name}.json").read_text())
        found = as_asked(models / name, golden)
        missing = golden.keys() ^ found.keys()
        print(f"{name}: {len(golden)} keys, missing or extra: {sorted(missing) or 'none'}")
        for key in golden:
            error = worst(found.get(key), golden[key])
            allowed = DIFFERENCES if key == "attribution" else TOLERANCE
            good = good and error <= allowed
            print(f"  {'ok ' if error <= allowed else 'BAD'} {key:28} {error:.1e}")
    return good


@contextmanager
def everything_in_float64() -> Iterator[None]:
    """Makes what `transformers` casts to float32 float64 instead, rotary tables and norms included."""
    kept = torch.float32, torch.float, torch.Tensor.float, torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    torch.float32 = torch.float = torch.float64
    torch.Tensor.float = torch.Tensor.double
    try:
        yield
    finally:
        torch.float32, torch.float, torch.Tensor.float = kept[:3]
        torch.set_default_dtype(kept[3])


def transformers_logits(folder: Path, tokens: list[int]) -> torch.Tensor:
    """Logits [S, V] of `transformers`; its weights are loaded as stored and then upcast."""
    from transformers import AutoConfig, AutoModelForCausalLM, logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()

    stored = AutoModelForCausalLM.from_pretrained(folder, dtype="auto", attn_implementation="eager").state_dict()
    with everything_in_float64(), torch.no_grad():
        config = AutoConfig.from_pretrained(folder, dtype="float64", attn_implementation="eager")
        model = AutoModelForCausalLM.from_config(config).double().eval()
        model.load_state_dict({name: tensor.double() for name, tensor in stored.items()})
        return model(torch.tensor([tokens])).logits[0]


def check_transformers(folders: list[Path]) -> bool:
    good = True
    for folder in folders:
        if "model_type" not in json.loads((folder / "config.json").read_text()):
            continue
        model = read_model(folder)
        tokens = [(7 * place + 3) % model.vocabulary for place in range(12)]
        error = float((run_tokens(model, tokens).logits - transformers_logits(folder, tokens)).abs().max())
        good = good and error < TOLERANCE
        print(f"{'ok ' if error < TOLERANCE else 'BAD'} {folder.name:24} logits against transformers {error:.1e}")
    return good


def check_identities() -> bool:
    good = True
    for golden in sorted((FIXTURES / "goldens").glob("*.json")):
        if golden.name.endswith(".extra.json"):
            continue
        print(golden.stem)
        for rule, error in checks(FIXTURES, golden.stem):
            allowed = DIFFERENCES if "differences" in rule else TOLERANCE
            good = good and error <= allowed
            print(f"  {'ok ' if error <= allowed else 'BAD'} {rule:58} {error:.1e}")
    return good


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--goldens", type=Path, help="directory of given goldens")
    parser.add_argument("--models", type=Path, help="directory of their models")
    options = parser.parse_args()
    torch.set_num_threads(1)
    good = check_goldens(options.goldens, options.models) if options.goldens and options.models else True
    folders = sorted(place.parent for place in FIXTURES.glob("*/config.json"))
    folders += [options.models / "stories260k"] if options.models else []
    good = check_transformers(folders) and good
    good = check_identities() and good
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
