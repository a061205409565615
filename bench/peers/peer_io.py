"""What the peer scripts share: command line, clock, form of the results. Imported before any library that looks at the environment."""

import argparse
import importlib.metadata
import json
import os
import platform
import random
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")
os.environ.setdefault("TQDM_DISABLE", "1")

PACKAGES = ("torch", "transformer-lens", "transformers", "auto-circuit", "numpy")


@dataclass(frozen=True)
class Spec:
    """The question and how often it is timed; names as in lib/engine/names.ts."""

    tokens: list[int]
    counterfactual: list[int]
    target: int
    foil: int
    repeats: int
    heads: list[str]
    edges: list[str] | None
    paths: list[str]
    sample: int | None
    seed: int
    last_position_only: bool

    @staticmethod
    def read(file: Path) -> "Spec":
        given = json.loads(file.read_text())
        tokens = given["tokens"]
        counterfactual = given.get("counterfactualTokens", tokens)
        if len(counterfactual) != len(tokens):
            raise SystemExit("counterfactualTokens: as many as tokens are needed")
        if given.get("position", len(tokens) - 1) != len(tokens) - 1:
            raise SystemExit("position: only the last one is supported")
        return Spec(
            tokens=tokens,
            counterfactual=counterfactual,
            target=given["target"],
            foil=given["foil"],
            repeats=given.get("repeats", 1),
            heads=given.get("heads", []),
            edges=given.get("edges"),
            paths=given.get("paths", []),
            sample=given.get("sample"),
            seed=given.get("seed", 0),
            last_position_only=given.get("lastPositionOnly", True),
        )

    def drawn(self, items: list[str]) -> list[str]:
        """The items that are timed: all, or `sample` of them, each equally likely, in their given order."""
        if self.sample is None or self.sample >= len(items):
            return items
        kept = set(random.Random(self.seed).sample(range(len(items)), self.sample))
        return [item for index, item in enumerate(items) if index in kept]


@dataclass
class Outcome:
    values: dict[str, float]
    ms: list[float]
    settings: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    also: dict[str, list[float]] = field(default_factory=dict)
    sample: dict[str, Any] | None = None


def time_repeats(repeats: int, work: Callable[[], Any], warm_up: Callable[[], Any] | None = None) -> tuple[list[float], Any]:
    """Milliseconds of each repeat after one run that warms up, and the last result."""
    (warm_up or work)()
    times, result = [], None
    for _ in range(repeats):
        started = time.perf_counter()
        result = work()
        times.append(1000 * (time.perf_counter() - started))
    return times, result


def extrapolated(unit: str, timed: int, of: int, prepare: list[float], each: list[float]) -> dict[str, Any]:
    """What all `of` items would take if those left out take as long as the `timed` ones on average."""
    per_item = [total / timed for total in each]
    totals = [before + of * one for before, one in zip(prepare, per_item, strict=True)]
    return {"unit": unit, "timed": timed, "of": of, "prepareMs": prepare, "msEach": per_item, "msAll": totals, "extrapolated": timed < of}


def run(peer: str, works: dict[str, Callable[[Path, Spec], Outcome]]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=sorted(works))
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--spec", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()

    import torch

    torch.set_num_threads(asked.threads)
    torch.set_num_interop_threads(1)
    spec = Spec.read(asked.spec)
    outcome = works[asked.work](asked.folder, spec)
    result = {
        "peer": peer,
        "work": asked.work,
        "versions": versions(),
        "settings": {"threads": torch.get_num_threads(), "dtype": "float32", "device": "cpu", "repeats": spec.repeats, **outcome.settings},
        "values": outcome.values,
        "ms": outcome.ms,
        "also": outcome.also,
        "sample": outcome.sample,
        "peakRssGiB": peak_rss_gib(),
        "notes": outcome.notes,
    }
    asked.out.write_text(json.dumps(result))


def versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def peak_rss_gib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**30 if sys.platform == "darwin" else peak / 2**20
