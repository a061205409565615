"""Recompute logits with NumPy in float64 as a golden file for other engines.

Usage: python reference.py MODEL
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from layout import EPS, Shape, read_config, tensors_from
from recipes import RECIPES

HERE = Path(__file__).resolve().parent
MODELS = HERE.parents[1] / "public/models"
PROMPTS = (
    "When Mr Elton and Mr Weston came, Mr Elton",
    "The people of the United States expect the Congress to act.",
    "Call me Ishmael.\n\n  Two spaces, a caf\u00e9, and \u201ccurly quotes\u201d \u2014 all in one prompt",
)

Weights = dict[str, np.ndarray]


def normalise(weights: Weights, name: str, x: np.ndarray) -> np.ndarray:
    centred = x - x.mean(axis=-1, keepdims=True)
    scale = np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPS)
    return centred / scale * weights[f"{name}.w"] + weights[f"{name}.b"]


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


def mlp(weights: Weights, layer: int, x: np.ndarray) -> np.ndarray:
    """What one layer's MLP adds to the residual stream, GELU by its tanh form."""
    block = f"blocks.{layer}.mlp"
    before = x @ weights[f"{block}.W_in"] + weights[f"{block}.b_in"]
    hidden = before / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (before + 0.044715 * before**3)))
    return hidden @ weights[f"{block}.W_out"] + weights[f"{block}.b_out"]


def logits_of(weights: Weights, shape: Shape, tokens: list[int]) -> np.ndarray:
    """Logits [position, vocabulary]."""
    stream = weights["embed.W_E"][tokens] + weights["pos_embed.W_pos"][: len(tokens)]
    for layer in range(shape.n_layers):
        stream = stream + attend(weights, layer, normalise(weights, f"blocks.{layer}.ln1", stream))
        if shape.d_mlp is not None:
            stream = stream + mlp(weights, layer, normalise(weights, f"blocks.{layer}.ln2", stream))
    final = normalise(weights, "ln_final", stream)
    return final @ weights["unembed.W_U"] + weights.get("unembed.b_U", 0.0)


def load(folder: Path) -> tuple[Weights, Shape, Tokenizer]:
    shape = read_config(folder)
    stored = load_file(str(folder / "model.safetensors"))
    weights = tensors_from(shape, {name: array.astype(np.float64) for name, array in stored.items()})
    return weights, shape, Tokenizer.from_file(str(folder / "tokenizer.json"))


def describe(text: str, tokens: list[int], logits: np.ndarray) -> dict[str, object]:
    """The last position's logits, its ten highest and its sum."""
    position = len(tokens) - 1
    row = logits[position]
    top = [[int(token), round(float(row[token]), 6)] for token in np.argsort(-row, kind="stable")[:10]]
    facts = {"text": text, "tokens": tokens, "position": position, "logits_top": top}
    return facts | {"logits_sum": round(float(row.sum()), 6), "logits": [round(float(value), 6) for value in row]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=RECIPES)
    options = parser.parse_args()
    out = HERE / f"{options.model}.golden.json"
    weights, shape, tokenizer = load(MODELS / options.model)
    found = []
    for text in PROMPTS:
        tokens = tokenizer.encode(text).ids
        found.append(describe(text, tokens, logits_of(weights, shape, tokens)))
    partial = out.with_name(out.name + ".partial")
    partial.write_text(
        json.dumps({"model": shape.name, "precision": "float64", "prompts": found}, separators=(",", ":"))
        + "\n"
    )
    partial.replace(out)
    print(f"{out.name}: {len(found)} prompts")


if __name__ == "__main__":
    main()
