"""Recompute logits with NumPy in float64, without torch, as a golden file for other engines.

Usage: python reference.py [--model DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

HERE = Path(__file__).resolve().parent
PROMPTS = (
    "When Mr Elton and Mr Weston came, Mr Elton",
    "The people of the United States expect the Congress to act.",
    "Call me Ishmael.\n\n  Two spaces, a caf\u00e9, and \u201ccurly quotes\u201d \u2014 all in one prompt",
)

Weights = dict[str, np.ndarray]


def normalise(x: np.ndarray, weight: np.ndarray, bias: np.ndarray, eps: float) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + eps) * weight + bias


def softmax(x: np.ndarray) -> np.ndarray:
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def attend(weights: Weights, layer: int, x: np.ndarray) -> np.ndarray:
    """What one layer's heads add to the residual stream [position, d_model]."""
    block = f"blocks.{layer}.attn"
    future = np.triu(np.ones((len(x), len(x)), dtype=bool), 1)
    total = np.broadcast_to(weights[f"{block}.b_O"], x.shape).copy()
    for head in range(len(weights[f"{block}.W_Q"])):
        queries, keys, values = (
            x @ weights[f"{block}.W_{kind}"][head] + weights[f"{block}.b_{kind}"][head] for kind in "QKV"
        )
        scores = np.where(future, -np.inf, queries @ keys.T / np.sqrt(queries.shape[-1]))
        total += softmax(scores) @ values @ weights[f"{block}.W_O"][head]
    return total


def logits_of(weights: Weights, config: dict[str, object], tokens: list[int]) -> np.ndarray:
    """Logits [position, vocabulary]."""
    eps = float(str(config["eps"]))
    stream = weights["embed.W_E"][tokens] + weights["pos_embed.W_pos"][: len(tokens)]
    for layer in range(int(str(config["n_layers"]))):
        norm = f"blocks.{layer}.ln1"
        stream = stream + attend(weights, layer, normalise(stream, weights[f"{norm}.w"], weights[f"{norm}.b"], eps))
    final = normalise(stream, weights["ln_final.w"], weights["ln_final.b"], eps)
    return final @ weights["unembed.W_U"] + weights["unembed.b_U"]


def load(folder: Path) -> tuple[Weights, dict[str, object], Tokenizer]:
    stored = load_file(str(folder / "model.safetensors"))
    config = json.loads((folder / "config.json").read_text())
    return (
        {name: array.astype(np.float64) for name, array in stored.items()},
        config,
        Tokenizer.from_file(str(folder / "tokenizer.json")),
    )


def describe(text: str, tokens: list[int], logits: np.ndarray) -> dict[str, object]:
    """The last position's logits, its ten highest and its sum."""
    position = len(tokens) - 1
    row = logits[position]
    top = [[int(token), round(float(row[token]), 6)] for token in np.argsort(-row, kind="stable")[:10]]
    facts = {"text": text, "tokens": tokens, "position": position, "logits_top": top}
    return facts | {"logits_sum": round(float(row.sum()), 6), "logits": [round(float(value), 6) for value in row]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=HERE.parents[1] / "public/models/attn-2l")
    parser.add_argument("--out", type=Path, default=HERE / "attn-2l.golden.json")
    options = parser.parse_args()
    weights, config, tokenizer = load(options.model)
    found = []
    for text in PROMPTS:
        tokens = tokenizer.encode(text).ids
        found.append(describe(text, tokens, logits_of(weights, config, tokens)))
    partial = options.out.with_name(options.out.name + ".partial")
    partial.write_text(
        json.dumps({"model": config["model_name"], "precision": "float64", "prompts": found}, separators=(",", ":"))
        + "\n"
    )
    partial.replace(options.out)
    print(f"{options.out.name}: {len(found)} prompts")


if __name__ == "__main__":
    main()
