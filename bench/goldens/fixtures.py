"""Seeded tiny models, written as the directories that each family is published in."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file

SPECIAL = {"bos_token_id": 1, "eos_token_id": 2}

LLAMA = {"hidden_act": "silu", "vocab_size": 40, "max_position_embeddings": 32, **SPECIAL}


@dataclass(frozen=True)
class Fixture:
    """A model to write: its family's config and how it is stored.

    `older_config`: field names as `transformers` 4 wrote them (`rope_theta`, `torch_dtype`, ...).
    """

    name: str
    seed: int
    note: str
    family: str
    config: dict[str, Any]
    dtype: torch.dtype = torch.float32
    shards: int = 1
    older_config: bool = False
    length: int = 7
    position: int | None = None
    foil: bool = True
    neurons: bool = False


FIXTURES = (
    Fixture(
        "random-neox-sequential",
        11,
        "seeded random weights, GPT-NeoX layout, sequential blocks, rotary positions on a quarter of each head",
        "gpt_neox",
        {
            "hidden_size": 32,
            "intermediate_size": 48,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "vocab_size": 40,
            "max_position_embeddings": 32,
            "use_parallel_residual": False,
            "rotary_pct": 0.25,
            **SPECIAL,
        },
        older_config=True,
    ),
    Fixture(
        "random-llama",
        12,
        "seeded random weights, Llama layout, untied, two query heads to a key/value head",
        "llama",
        LLAMA
        | {
            "hidden_size": 32,
            "intermediate_size": 40,
            "num_hidden_layers": 3,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "rms_norm_eps": 1e-5,
        },
        older_config=True,
    ),
    Fixture(
        "random-llama-tied",
        13,
        "seeded random weights, Llama layout, tied, float16, one key/value head, another rope_theta",
        "llama",
        LLAMA
        | {
            "hidden_size": 24,
            "intermediate_size": 36,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 1,
            "tie_word_embeddings": True,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000.0},
        },
        dtype=torch.float16,
        length=8,
        position=5,
    ),
    Fixture(
        "random-qwen2",
        14,
        "seeded random weights, Qwen2 layout, bfloat16, two shards",
        "qwen2",
        LLAMA
        | {
            "hidden_size": 24,
            "intermediate_size": 36,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1000000.0},
        },
        dtype=torch.bfloat16,
        shards=2,
        foil=False,
    ),
    Fixture(
        "random-gpt-neo",
        15,
        "seeded random weights, GPT-Neo layout, global and local attention",
        "gpt_neo",
        {
            "hidden_size": 24,
            "intermediate_size": 40,
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 4,
            "vocab_size": 40,
            "max_position_embeddings": 24,
            **SPECIAL,
        },
        older_config=True,
        length=10,
    ),
    Fixture(
        "random-lens-mlp",
        16,
        "seeded random weights, TransformerLens layout, LayerNorm, few neurons",
        "transformer_lens",
        {
            "n_layers": 2,
            "d_model": 24,
            "n_heads": 3,
            "d_head": 8,
            "d_mlp": 6,
            "attn_only": False,
            "normalization_type": "LN",
            "eps": 1e-5,
            "positional_embedding_type": "standard",
            "d_vocab": 40,
            "n_ctx": 20,
            "act_fn": "gelu",
        },
        neurons=True,
    ),
    Fixture(
        "random-lens-gated",
        17,
        "seeded random weights, TransformerLens layout, RMSNorm, gated MLPs, parallel blocks, rotary positions",
        "transformer_lens",
        {
            "n_layers": 2,
            "d_model": 24,
            "n_heads": 4,
            "d_head": 6,
            "d_mlp": 6,
            "attn_only": False,
            "gated_mlp": True,
            "parallel_attn_mlp": True,
            "normalization_type": "RMS",
            "eps": 1e-5,
            "positional_embedding_type": "rotary",
            "rotary_dim": 4,
            "rotary_base": 10000,
            "rotary_adjacent_pairs": False,
            "d_vocab": 40,
            "n_ctx": 20,
            "act_fn": "silu",
        },
        neurons=True,
    ),
)


def matrix_gain(name: str) -> float:
    """Standard deviation of a matrix's entries times the square root of its inputs."""
    part = name.lower()
    if any(each in part for each in ("q_proj", "k_proj", "w_q", "w_k", "query_key_value")):
        return 1.3
    return 1.5 if any(each in part for each in ("lm_head", "embed_out", "w_u")) else 1.0


def random_values(random: np.random.Generator, name: str, shape: tuple[int, ...], inputs: int) -> torch.Tensor:
    """Norm weights in [0.5, 1.5], biases and embeddings with small spread, matrices by their number of inputs."""
    place = name.removesuffix(".weight").removesuffix(".w")
    is_norm = place.endswith(("norm", "ln_1", "ln_2", "ln_f", "ln1", "ln2", "ln_final"))
    if len(shape) == 1 and is_norm and name.endswith((".weight", ".w")):
        return torch.from_numpy(random.uniform(0.5, 1.5, shape))
    if place.endswith((".wpe", "W_pos")):
        return torch.from_numpy(random.normal(0, 0.4, shape))
    if place.endswith((".wte", "embed_tokens", "embed_in", "W_E")):
        return torch.from_numpy(random.normal(0, 0.7, shape))
    if name.endswith((".bias", ".b")) or ".b_" in name:
        return torch.from_numpy(random.normal(0, 0.25, shape))
    return torch.from_numpy(random.normal(0, matrix_gain(name) / inputs**0.5, shape))


def write_transformers(fixture: Fixture, folder: Path) -> None:
    """A directory as `save_pretrained` makes it."""
    from transformers import AutoConfig, AutoModelForCausalLM, logging

    logging.disable_progress_bar()
    config = AutoConfig.for_model(fixture.family, **fixture.config)
    model = AutoModelForCausalLM.from_config(config)
    random = np.random.default_rng(fixture.seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            parameter.copy_(random_values(random, name, tuple(parameter.shape), parameter.shape[-1]))
    model.to(fixture.dtype)
    stored = sum(parameter.numel() * parameter.element_size() for parameter in model.parameters())
    model.save_pretrained(folder, max_shard_size=stored if fixture.shards == 1 else int(stored * 0.6))
    (folder / "generation_config.json").unlink(missing_ok=True)
    shards = len(list(folder.glob("*.safetensors")))
    if shards != fixture.shards:
        raise RuntimeError(f"{folder}: {shards} files of weights, expected {fixture.shards}")
    if fixture.older_config:
        rewrite(folder / "config.json", as_older)


def rewrite(path: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    path.write_text(json.dumps(change(json.loads(path.read_text())), indent=2) + "\n")


def as_older(config: dict[str, Any]) -> dict[str, Any]:
    """Field names of most published checkpoints, which `transformers` 4 or earlier wrote."""
    rope = config.pop("rope_parameters", None)
    config["torch_dtype"] = config.pop("dtype")
    for dropped in ("transformers_version", "head_dim", "pad_token_id", "layer_types", "is_decoder"):
        config.pop(dropped, None)
    if config["model_type"] == "gpt_neox":
        config |= {"rotary_pct": rope["partial_rotary_factor"], "rotary_emb_base": int(rope["rope_theta"])}
    elif rope:
        config |= {"rope_theta": rope["rope_theta"], "rope_scaling": None}
    return dict(sorted(config.items()))


def lens_shapes(config: dict[str, Any]) -> dict[str, tuple[int, ...]]:
    """Tensors of a TransformerLens directory with MLPs and norms."""
    d, heads, inside, m = (config[key] for key in ("d_model", "n_heads", "d_head", "d_mlp"))
    norm_parts = "wb" if config["normalization_type"] == "LN" else "w"
    shapes: dict[str, tuple[int, ...]] = {
        "embed.W_E": (config["d_vocab"], d),
        "unembed.W_U": (d, config["d_vocab"]),
        "unembed.b_U": (config["d_vocab"],),
    }
    shapes |= {f"ln_final.{part}": (d,) for part in norm_parts}
    if config["positional_embedding_type"] == "standard":
        shapes["pos_embed.W_pos"] = (config["n_ctx"], d)
    for layer in range(config["n_layers"]):
        at = f"blocks.{layer}"
        shapes |= {f"{at}.attn.W_{letter}": (heads, d, inside) for letter in "QKV"}
        shapes |= {f"{at}.attn.b_{letter}": (heads, inside) for letter in "QKV"}
        shapes |= {f"{at}.attn.W_O": (heads, inside, d), f"{at}.attn.b_O": (d,)}
        shapes |= {f"{at}.{norm}.{part}": (d,) for norm in ("ln1", "ln2") for part in norm_parts}
        shapes |= {f"{at}.mlp.W_in": (d, m), f"{at}.mlp.b_in": (m,), f"{at}.mlp.W_out": (m, d), f"{at}.mlp.b_out": (d,)}
        if config.get("gated_mlp"):
            shapes[f"{at}.mlp.W_gate"] = (d, m)
    return shapes


def write_lens(fixture: Fixture, folder: Path) -> None:
    """A TransformerLens directory; its matrices are [in, out], per head where they have three axes."""
    random = np.random.default_rng(fixture.seed)
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for name, shape in sorted(lens_shapes(fixture.config).items()):
        inputs = shape[-2] if len(shape) > 1 else 1
        tensors[name] = random_values(random, name, shape, inputs * (shape[0] if name.endswith("W_O") else 1))
    save_file({name: tensor.to(fixture.dtype) for name, tensor in tensors.items()}, str(folder / "model.safetensors"))
    (folder / "config.json").write_text(json.dumps(fixture.config, indent=1) + "\n")


def write_model(fixture: Fixture, folder: Path) -> None:
    (write_lens if fixture.family == "transformer_lens" else write_transformers)(fixture, folder)
    for weights in folder.glob("*.safetensors"):
        weights.chmod(0o644)
    (folder / "NOTE.txt").write_text(fixture.note + "\n")
