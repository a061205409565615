"""Measure a model and write card.json and MODEL_CARD.md beside it.

Usage: python measure.py MODEL [--work DIR]
Fails if the model does not beat the bigram baseline or has no induction head.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections import Counter
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor

from baselines import Baselines, fit
from card import render
from corpus import BOS_ID, Facts, encode_split
from dictionaries import Hooked, nats
from fetch_data import AUSTEN, MOBY, SOTU
from layout import EPS
from model import Transformer, load_model
from recipes import ATTN_2L, RECIPES
from reference import PROMPTS, load, logits_of
from scores import induction_scores, previous_token_scores, repeat_loss, repeated_tokens

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "public/models"
PERIOD, SEQUENCES, SEED = 50, 64, 7
OTHER_PERIODS = (20, 100)
BATCH = 32
GATE = 0.3
PACKAGES = {
    "sotu": {
        "title": "State of the Union addresses",
        "package": f"npm {SOTU}",
        "licence": "addresses: works of the United States Government, no copyright; "
        "data files: PDDL 1.0, their contents CC0 1.0",
    },
    "austen": {
        "title": "Jane Austen's six novels",
        "package": f"Debian {AUSTEN.replace('=', ' ')}",
        "licence": "novels: public domain; package: MIT, copyright 2016-2017 Julia Silge",
    },
    "moby-dick": {
        "title": "Herman Melville, Moby Dick",
        "package": f"npm {MOBY}",
        "licence": "novel: public domain; data files: PDDL 1.0, their contents CC0 1.0",
    },
}


def documents_of(stream: np.ndarray) -> list[np.ndarray]:
    return np.split(stream, np.flatnonzero(stream == BOS_ID)[1:])


def windows_of(stream: np.ndarray, length: int) -> list[np.ndarray]:
    """Each document cut into windows of `length` tokens after the BOS, every token in exactly one."""
    pieces: list[np.ndarray] = []
    for document in documents_of(stream):
        body = document[1:]
        pieces += [np.insert(body[begin : begin + length], 0, BOS_ID) for begin in range(0, len(body), length)]
    return pieces


@torch.no_grad()
def model_losses(model: Transformer, pieces: list[np.ndarray]) -> np.ndarray:
    """Nats of every token, in the order of the stream."""
    found: list[np.ndarray] = []
    for piece in pieces:
        tokens = torch.from_numpy(piece)[None]
        logs = model(tokens[:, :-1]).log_softmax(-1).gather(-1, tokens[:, 1:, None])
        found.append(-logs.flatten().double().numpy())
    return np.concatenate(found)


def summary(losses: np.ndarray, bytes_of_text: int) -> dict[str, float]:
    bits = float(losses.sum()) / math.log(2) / bytes_of_text
    return {"nats_per_token": round(float(losses.mean()), 4), "bits_per_byte": round(bits, 4)}


def measure_text(
    models: dict[str, Transformer], baselines: Baselines, documents: list[dict[str, str]], test: np.ndarray
) -> Facts:
    """Loss on held-out documents, whole and by source, for the models and the baselines."""
    per_token = {name: model_losses(model, windows_of(test, model.shape.n_ctx - 1)) for name, model in models.items()}
    per_token |= baselines.losses(test)
    lengths = [len(document) - 1 for document in documents_of(test)]
    sources = np.repeat([document["source"] for document in documents], lengths)
    sizes: Counter[str] = Counter()
    for document in documents:
        sizes[document["source"]] += len(document["text"].encode())
    by_source: Facts = {}
    for source, size in sorted(sizes.items()):
        chosen = sources == source
        losses = {name: summary(values[chosen], size) for name, values in per_token.items()}
        by_source[source] = {"tokens": int(chosen.sum()), "bytes": size} | losses
    whole = {name: summary(values, sizes.total()) for name, values in per_token.items()}
    counts: Facts = {"documents": len(documents), "tokens": len(sources), "bytes": sizes.total()}
    tuned = {
        "unigram_addend": baselines.addend,
        "bigram_discount": baselines.discount,
        "bigram_lower_order": baselines.lower,
        "trigram_discount": baselines.trigram_discount,
    }
    return counts | whole | {"baselines_tuned": tuned, "by_source": by_source}


def text_patterns(model: Transformer, test: np.ndarray) -> list[Tensor]:
    """Patterns on full-length windows of held-out text, spread evenly over it."""
    full = [piece for piece in windows_of(test, model.shape.n_ctx - 1) if len(piece) == model.shape.n_ctx]
    chosen = np.stack(full)[:: max(1, len(full) // BATCH)][:BATCH]
    return model.patterns(torch.from_numpy(chosen))


def measure_heads(model: Transformer, test: np.ndarray) -> list[Facts]:
    tokens = repeated_tokens(model.shape.d_vocab, PERIOD, SEQUENCES, SEED)
    patterns = model.patterns(tokens)
    induction, previous = induction_scores(patterns, PERIOD), previous_token_scores(patterns)
    on_text = previous_token_scores(text_patterns(model, test))
    return [
        {
            "layer": layer,
            "head": head,
            "induction": round(induction[layer][head], 4),
            "previous_token": round(previous[layer][head], 4),
            "previous_token_on_text": round(on_text[layer][head], 4),
        }
        for layer in range(model.shape.n_layers)
        for head in range(model.shape.n_heads)
    ]


def measure_repeats(model: Transformer) -> list[Facts]:
    """Loss in both copies and the best induction score at several periods."""
    rows: list[Facts] = []
    for period in sorted((PERIOD, *OTHER_PERIODS)):
        tokens = repeated_tokens(model.shape.d_vocab, period, SEQUENCES, SEED + period)
        first, second = repeat_loss(model, tokens, period)
        best = max(map(max, induction_scores(model.patterns(tokens), period)))
        rows.append(
            {
                "period": period,
                "first_copy": round(first, 4),
                "second_copy": round(second, 4),
                "best_induction": round(best, 4),
            }
        )
    return rows


@torch.no_grad()
def measure_mlps(model: Transformer, test: np.ndarray) -> Facts | None:
    """Loss on held-out text with one MLP's output replaced, at every position but the first, by its mean or by zeros."""
    if model.shape.d_mlp is None:
        return None
    full = [piece for piece in windows_of(test, model.shape.n_ctx - 1) if len(piece) == model.shape.n_ctx]
    tokens = torch.from_numpy(np.stack(full[:: len(full) // BATCH][:BATCH]))
    run, rows = None, []
    for layer in range(model.shape.n_layers):
        run = Hooked(model, layer, tokens, run)
        written = run.values["hook_mlp_out"]
        mean = written[:, 1:].mean((0, 1)).expand_as(written)
        losses = {"mean": run.logits("hook_mlp_out", mean), "zero": run.logits("hook_mlp_out", torch.zeros_like(mean))}
        rows.append({"layer": layer} | {name: round(nats(logits, tokens), 4) for name, logits in losses.items()})
    return {"tokens": tokens[:, 1:].numel(), "clean": round(nats(model(tokens), tokens), 4), "layers": rows}


def measure_data(documents: list[dict[str, str]], streams: dict[str, np.ndarray]) -> Facts:
    digests = json.loads((HERE / "data.sha256.json").read_text())
    counted = Counter((document["source"], document["split"]) for document in documents)
    sources = [
        {"source": source}
        | facts
        | digests[source]
        | {f"{split}_documents": counted[source, split] for split in streams}
        for source, facts in PACKAGES.items()
    ]
    return {"sources": sources, "tokens": {split: int((stream != BOS_ID).sum()) for split, stream in streams.items()}}


def reference_gap(model: Transformer, folder: Path) -> float:
    """Largest difference between float32 logits and the float64 recomputation."""
    weights, shape, tokenizer = load(folder)
    gaps = []
    for text in PROMPTS:
        tokens = tokenizer.encode(text).ids
        with torch.no_grad():
            ours = model(torch.tensor([tokens]))[0].double().numpy()
        gaps.append(float(np.abs(ours - logits_of(weights, shape, tokens)).max()))
    return max(gaps)


def describe_files(folder: Path) -> dict[str, Facts]:
    files = [folder / name for name in ("config.json", "model.safetensors", "tokenizer.json")]
    return {
        file.name: {"bytes": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
        for file in files
    }


def measure(options: argparse.Namespace) -> Facts:
    folder = MODELS / options.model
    model, tokenizer = load_model(folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    models = {"model": model}
    if options.model != ATTN_2L.shape.name:
        models[ATTN_2L.shape.name] = load_model(MODELS / ATTN_2L.shape.name)
    with (options.work / "corpus.jsonl").open(encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines]
    streams = {split: encode_split(options.work, tokenizer, split) for split in ("train", "valid", "test")}
    baselines = fit(streams["train"], streams["valid"], model.shape.d_vocab)
    held_out = [document for document in documents if document["split"] == "test"]
    training = json.loads((HERE / f"{options.model}.training.json").read_text())
    text_windows = training["tokens_by_kind"]["text"] + training["tokens_by_kind"]["repeated_span"]
    return {
        "architecture": asdict(model.shape) | {"epsilon": EPS},
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "files": describe_files(folder),
        "data": measure_data(documents, streams),
        "training": training
        | {"passes_over_training_text": round(text_windows / int((streams["train"] != BOS_ID).sum()), 2)},
        "held_out": measure_text(models, baselines, held_out, streams["test"]),
        "score_setting": {"period": PERIOD, "sequences": SEQUENCES, "seed": SEED, "gate": GATE},
        "heads": measure_heads(model, streams["test"]),
        "random_repeats": measure_repeats(model),
        "mlps": measure_mlps(model, streams["test"]),
        "float64_gap": reference_gap(model, folder),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=RECIPES)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    options = parser.parse_args()
    found = measure(options)
    (MODELS / options.model / "card.json").write_text(json.dumps(found, indent=2) + "\n")
    (MODELS / options.model / "MODEL_CARD.md").write_text(render(found))
    text, heads = found["held_out"], found["heads"]
    best = max(head["induction"] for head in heads)
    losses = {name: part for name, part in text.items() if isinstance(part, dict) and "nats_per_token" in part}
    print(f"{losses}, best induction {best}")
    if text["model"]["nats_per_token"] >= text["bigram"]["nats_per_token"] or best <= GATE:
        raise SystemExit("the model misses its gate")


if __name__ == "__main__":
    main()
