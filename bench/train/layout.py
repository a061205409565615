"""The two stored forms: Hugging Face GPT-2 for models with MLPs, TransformerLens's own for those without.

Everywhere else in this folder tensors go by their TransformerLens names. Works on NumPy arrays and on torch tensors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

EPS = 1e-5


@dataclass(frozen=True)
class Shape:
    name: str
    n_layers: int
    d_model: int
    n_heads: int
    d_head: int
    d_vocab: int
    n_ctx: int
    d_mlp: int | None = None

    @property
    def is_gpt2(self) -> bool:
        """With MLPs, and therefore stored as GPT-2, which has no bias at the unembedding."""
        return self.d_mlp is not None


def shapes_of(shape: Shape) -> dict[str, tuple[int, ...]]:
    """Every tensor by its TransformerLens name, in the order of computation."""
    d, heads, size = shape.d_model, shape.n_heads, shape.d_head
    shapes: dict[str, tuple[int, ...]] = {"embed.W_E": (shape.d_vocab, d), "pos_embed.W_pos": (shape.n_ctx, d)}
    for layer in range(shape.n_layers):
        block = f"blocks.{layer}"
        shapes |= {f"{block}.ln1.w": (d,), f"{block}.ln1.b": (d,)}
        shapes |= {f"{block}.attn.W_{kind}": (heads, d, size) for kind in "QKV"}
        shapes |= {f"{block}.attn.b_{kind}": (heads, size) for kind in "QKV"}
        shapes |= {f"{block}.attn.W_O": (heads, size, d), f"{block}.attn.b_O": (d,)}
        if shape.d_mlp is not None:
            shapes |= {f"{block}.ln2.w": (d,), f"{block}.ln2.b": (d,)}
            shapes |= {f"{block}.mlp.W_in": (d, shape.d_mlp), f"{block}.mlp.b_in": (shape.d_mlp,)}
            shapes |= {f"{block}.mlp.W_out": (shape.d_mlp, d), f"{block}.mlp.b_out": (d,)}
    shapes |= {"ln_final.w": (d,), "ln_final.b": (d,)}
    shapes |= {"unembed.W_U": (d, shape.d_vocab)}
    return shapes if shape.is_gpt2 else shapes | {"unembed.b_U": (shape.d_vocab,)}


def lens_config(shape: Shape) -> dict[str, object]:
    sizes = ("n_layers", "d_model", "n_heads", "d_head", "d_vocab", "n_ctx")
    return {name: getattr(shape, name) for name in sizes} | {
        "d_mlp": None,
        "attn_only": True,
        "normalization_type": "LN",
        "positional_embedding_type": "standard",
        "act_fn": None,
        "eps": EPS,
        "model_name": shape.name,
    }


def gpt2_config(shape: Shape) -> dict[str, object]:
    return {
        "model_type": "gpt2",
        "architectures": ["GPT2LMHeadModel"],
        "_name_or_path": shape.name,
        "n_layer": shape.n_layers,
        "n_embd": shape.d_model,
        "n_head": shape.n_heads,
        "n_inner": shape.d_mlp,
        "n_positions": shape.n_ctx,
        "vocab_size": shape.d_vocab,
        "activation_function": "gelu_new",
        "layer_norm_epsilon": EPS,
        "tie_word_embeddings": False,
        "attn_pdrop": 0.0,
        "embd_pdrop": 0.0,
        "resid_pdrop": 0.0,
        "bos_token_id": 0,
        "eos_token_id": 0,
        "torch_dtype": "float32",
    }


def write_config(folder: Path, shape: Shape) -> None:
    config = gpt2_config(shape) if shape.is_gpt2 else lens_config(shape)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def read_config(folder: Path) -> Shape:
    config = json.loads((folder / "config.json").read_text())
    if config.get("model_type") != "gpt2":
        sizes = ("n_layers", "d_model", "n_heads", "d_head", "d_vocab", "n_ctx")
        return Shape(config["model_name"], **{name: config[name] for name in sizes})
    names = {"n_layers": "n_layer", "d_model": "n_embd", "n_heads": "n_head", "d_mlp": "n_inner"}
    names |= {"n_ctx": "n_positions", "d_vocab": "vocab_size"}
    sizes = {ours: config[theirs] for ours, theirs in names.items()}
    return Shape(config["_name_or_path"], **sizes, d_head=config["n_embd"] // config["n_head"])


def block_names(layer: int) -> dict[str, str]:
    """TransformerLens name to GPT-2 name, of what is stored alike in both."""
    ours, theirs = f"blocks.{layer}", f"transformer.h.{layer}"
    names = {f"{ours}.attn.b_O": f"{theirs}.attn.c_proj.bias"}
    for side in ("1", "2"):
        names |= {f"{ours}.ln{side}.w": f"{theirs}.ln_{side}.weight", f"{ours}.ln{side}.b": f"{theirs}.ln_{side}.bias"}
    for side, place in (("in", "c_fc"), ("out", "c_proj")):
        names |= {f"{ours}.mlp.W_{side}": f"{theirs}.mlp.{place}.weight"}
        names |= {f"{ours}.mlp.b_{side}": f"{theirs}.mlp.{place}.bias"}
    return names


def gpt2_names(layers: int) -> dict[str, str]:
    outer = {"embed.W_E": "transformer.wte.weight", "pos_embed.W_pos": "transformer.wpe.weight"}
    outer |= {"ln_final.w": "transformer.ln_f.weight", "ln_final.b": "transformer.ln_f.bias"}
    return outer | {ours: theirs for layer in range(layers) for ours, theirs in block_names(layer).items()}


def tensors_to(shape: Shape, weights: dict[str, Any]) -> dict[str, Any]:
    """Torch tensors by their TransformerLens names, as the model's file stores them."""
    if not shape.is_gpt2:
        return weights
    stored = {theirs: weights[ours] for ours, theirs in gpt2_names(shape.n_layers).items()}
    for layer in range(shape.n_layers):
        ours, theirs = f"blocks.{layer}.attn", f"transformer.h.{layer}.attn"
        columns = [weights[f"{ours}.W_{kind}"].permute(1, 0, 2).flatten(1) for kind in "QKV"]
        biases = [weights[f"{ours}.b_{kind}"].flatten() for kind in "QKV"]
        stored[f"{theirs}.c_attn.weight"] = torch.cat(columns, dim=1)
        stored[f"{theirs}.c_attn.bias"] = torch.cat(biases)
        stored[f"{theirs}.c_proj.weight"] = weights[f"{ours}.W_O"].flatten(0, 1)
    return stored | {"lm_head.weight": weights["unembed.W_U"].T}


def tensors_from(shape: Shape, stored: dict[str, Any]) -> dict[str, Any]:
    """The tensors of a model's file by their TransformerLens names."""
    if not shape.is_gpt2:
        return stored
    left, d, heads, size = dict(stored), shape.d_model, shape.n_heads, shape.d_head
    weights = {ours: left.pop(theirs) for ours, theirs in gpt2_names(shape.n_layers).items()}
    for layer in range(shape.n_layers):
        ours, theirs = f"blocks.{layer}.attn", f"transformer.h.{layer}.attn"
        matrix, bias = left.pop(f"{theirs}.c_attn.weight"), left.pop(f"{theirs}.c_attn.bias")
        for index, kind in enumerate("QKV"):
            part = slice(index * d, (index + 1) * d)
            weights[f"{ours}.W_{kind}"] = matrix[:, part].reshape(d, heads, size).swapaxes(0, 1)
            weights[f"{ours}.b_{kind}"] = bias[part].reshape(heads, size)
        weights[f"{ours}.W_O"] = left.pop(f"{theirs}.c_proj.weight").reshape(heads, size, d)
    return weights | {"unembed.W_U": left.pop("lm_head.weight").T} | left
