"""Reads Hugging Face and TransformerLens directories: what each family's config and tensors mean."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from model import DTYPE, Attention, Layer, Mlp, Model, Norm, Rotary

Config = dict[str, Any]


class Tensors:
    """The tensors of a directory, sharded or not, upcast to float64."""

    def __init__(self, folder: Path) -> None:
        index = folder / "model.safetensors.index.json"
        files = ["model.safetensors"]
        if index.exists():
            files = sorted(set(json.loads(index.read_text())["weight_map"].values()))
        self.found: dict[str, Tensor] = {}
        for file in files:
            self.found |= {name: tensor.to(DTYPE) for name, tensor in load_file(str(folder / file)).items()}

    def __contains__(self, name: str) -> bool:
        return name in self.found

    def __getitem__(self, name: str) -> Tensor:
        return self.found[name]

    def linear(self, name: str) -> tuple[Tensor, Tensor]:
        """Weight [in, out] and bias [out] of a torch Linear, which stores [out, in]; an absent bias is zero."""
        weight = self[f"{name}.weight"].T
        return weight, self.or_zeros(f"{name}.bias", weight.shape[1])

    def or_zeros(self, name: str, *shape: int) -> Tensor:
        return self[name] if name in self else torch.zeros(*shape, dtype=DTYPE)

    def layer_norm(self, name: str, eps: float) -> Norm:
        return Norm("layer", self[f"{name}.weight"], self[f"{name}.bias"], eps)

    def rms_norm(self, name: str, eps: float) -> Norm:
        return Norm("rms", self[f"{name}.weight"], None, eps)


def by_head(weight: Tensor, heads: int) -> Tensor:
    """[d, H*dh] to [H, d, dh]."""
    return weight.reshape(weight.shape[0], heads, -1).transpose(0, 1)


def split_heads(projections: dict[str, tuple[Tensor, Tensor]], heads: int) -> dict[str, Any]:
    """Per-head fields of `Attention` from whole projections; fewer key/value heads are repeated in groups."""
    found: dict[str, Any] = {}
    for letter in "qkv":
        weight, bias = projections[letter]
        own = weight.shape[1] * heads // projections["q"][0].shape[1]
        found[f"w_{letter}"] = by_head(weight, own).repeat_interleave(heads // own, 0)
        found[f"b_{letter}"] = bias.reshape(own, -1).repeat_interleave(heads // own, 0)
    weight, bias = projections["o"]
    return found | {"w_o": weight.reshape(heads, -1, weight.shape[1]), "b_o": bias}


def inverse_root(fields: dict[str, Any]) -> float:
    """1/sqrt(dh), the usual scale of attention scores."""
    return float(fields["w_q"].shape[-1] ** -0.5)


def rotary_of(config: Config, width: int) -> Rotary:
    """From `rope_theta`/`rotary_emb_base` and `rotary_pct`, or from the newer `rope_parameters`."""
    newer = config.get("rope_parameters") or {}
    if config.get("rope_scaling") or newer.get("rope_type", "default") != "default":
        raise ValueError("rope scaling: not supported")
    theta = newer.get("rope_theta") or config.get("rope_theta") or config.get("rotary_emb_base") or 10000
    fraction = newer.get("partial_rotary_factor") or config.get("rotary_pct") or 1
    return Rotary(int(width * fraction), float(theta))


def gpt2(name: str, config: Config, tensors: Tensors) -> Model:
    """Conv1D weights, stored [in, out]; q, k, v fused side by side; learned positions."""
    heads, eps = config["n_head"], config["layer_norm_epsilon"]
    layers = []
    for index in range(config["n_layer"]):
        at = f"transformer.h.{index}"
        qkv = tensors[f"{at}.attn.c_attn.weight"].chunk(3, 1)
        biases = tensors[f"{at}.attn.c_attn.bias"].chunk(3)
        projections = dict(zip("qkv", zip(qkv, biases, strict=True), strict=True))
        projections["o"] = tensors[f"{at}.attn.c_proj.weight"], tensors[f"{at}.attn.c_proj.bias"]
        fields = split_heads(projections, heads)
        attention = Attention(tensors.layer_norm(f"{at}.ln_1", eps), scale=inverse_root(fields), **fields)
        inner = [tensors[f"{at}.mlp.{each}"] for each in ("c_fc.weight", "c_fc.bias", "c_proj.weight", "c_proj.bias")]
        mlp = Mlp(tensors.layer_norm(f"{at}.ln_2", eps), config["activation_function"], *inner)
        layers.append(Layer(attention, mlp))
    return assemble(
        name, config, tensors, layers, ("transformer.wte.weight", "transformer.wpe.weight", None), "transformer.ln_f"
    )


def gpt_neo(name: str, config: Config, tensors: Tensors) -> Model:
    """Unscaled attention scores; layers alternate between global attention and a window."""
    heads, eps = config["num_heads"], config["layer_norm_epsilon"]
    kinds = [kind for types, times in config["attention_types"] for _ in range(times) for kind in types]
    layers = []
    for index, kind in enumerate(kinds):
        at = f"transformer.h.{index}"
        projections = {
            letter: tensors.linear(f"{at}.attn.attention.{stored}")
            for letter, stored in zip("qkvo", ("q_proj", "k_proj", "v_proj", "out_proj"), strict=True)
        }
        window = config["window_size"] if kind == "local" else None
        norm = tensors.layer_norm(f"{at}.ln_1", eps)
        attention = Attention(norm, scale=1.0, window=window, **split_heads(projections, heads))
        inner = (*tensors.linear(f"{at}.mlp.c_fc"), *tensors.linear(f"{at}.mlp.c_proj"))
        layers.append(
            Layer(attention, Mlp(tensors.layer_norm(f"{at}.ln_2", eps), config["activation_function"], *inner))
        )
    return assemble(
        name, config, tensors, layers, ("transformer.wte.weight", "transformer.wpe.weight", None), "transformer.ln_f"
    )


def gpt_neox(name: str, config: Config, tensors: Tensors) -> Model:
    """q, k, v fused head by head; rotary positions on a part of each head; parallel or sequential blocks."""
    heads, eps, width = config["num_attention_heads"], config["layer_norm_eps"], config["hidden_size"]
    layers = []
    for index in range(config["num_hidden_layers"]):
        at = f"gpt_neox.layers.{index}"
        weight, bias = tensors.linear(f"{at}.attention.query_key_value")
        weights = weight.reshape(width, heads, 3, -1).unbind(2)
        biases = bias.reshape(heads, 3, -1).unbind(1)
        projections = {
            letter: (weights[place].reshape(width, -1), biases[place].reshape(-1)) for place, letter in enumerate("qkv")
        }
        fields = split_heads(projections | {"o": tensors.linear(f"{at}.attention.dense")}, heads)
        norm = tensors.layer_norm(f"{at}.input_layernorm", eps)
        rotary = rotary_of(config, width // heads)
        attention = Attention(norm, scale=inverse_root(fields), rotary=rotary, **fields)
        inner = (*tensors.linear(f"{at}.mlp.dense_h_to_4h"), *tensors.linear(f"{at}.mlp.dense_4h_to_h"))
        mlp = Mlp(tensors.layer_norm(f"{at}.post_attention_layernorm", eps), config["hidden_act"], *inner)
        layers.append(Layer(attention, mlp))
    places = ("gpt_neox.embed_in.weight", None, "embed_out.weight")
    return assemble(name, config, tensors, layers, places, "gpt_neox.final_layer_norm")


def llama(name: str, config: Config, tensors: Tensors) -> Model:
    """RMSNorm, rotary positions, grouped queries, gated MLP; Qwen2 is the same with q, k, v biases."""
    heads, eps = config["num_attention_heads"], config["rms_norm_eps"]
    width = config.get("head_dim") or config["hidden_size"] // heads
    layers = []
    for index in range(config["num_hidden_layers"]):
        at = f"model.layers.{index}"
        fields = split_heads({letter: tensors.linear(f"{at}.self_attn.{letter}_proj") for letter in "qkvo"}, heads)
        norm = tensors.rms_norm(f"{at}.input_layernorm", eps)
        attention = Attention(norm, scale=inverse_root(fields), rotary=rotary_of(config, width), **fields)
        inner = (*tensors.linear(f"{at}.mlp.up_proj"), *tensors.linear(f"{at}.mlp.down_proj"))
        gate = tensors.linear(f"{at}.mlp.gate_proj")[0]
        norm = tensors.rms_norm(f"{at}.post_attention_layernorm", eps)
        layers.append(Layer(attention, Mlp(norm, config["hidden_act"], *inner, w_gate=gate)))
    return assemble(name, config, tensors, layers, ("model.embed_tokens.weight", None, "lm_head.weight"), "model.norm")


def assemble(
    name: str,
    config: Config,
    tensors: Tensors,
    layers: list[Layer],
    places: tuple[str, str | None, str | None],
    final: str,
) -> Model:
    """A model from its layers; `places` names embedding, positions and unembedding, tied where the last is absent."""
    embed, position, unembed = places
    tied = unembed is None or config.get("tie_word_embeddings", False)
    stored = tensors[embed if tied or unembed is None else unembed]
    eps = config.get("rms_norm_eps") or config.get("layer_norm_eps") or config["layer_norm_epsilon"]
    norm = tensors.rms_norm(final, eps) if "rms_norm_eps" in config else tensors.layer_norm(final, eps)
    return Model(
        name=name,
        embed=tensors[embed],
        position=None if position is None else tensors[position],
        layers=tuple(layers),
        final_norm=norm,
        unembed=stored.T,
        unembed_bias=torch.zeros(len(stored), dtype=DTYPE),
        context=config.get("max_position_embeddings") or config["n_positions"],
        parallel=config["model_type"] == "gpt_neox" and config.get("use_parallel_residual", True),
    )


def transformer_lens(name: str, config: Config, tensors: Tensors) -> Model:
    """Per-head tensors `blocks.0.attn.W_Q` [H, d, dh]; a `Pre` norm has no weights of its own."""
    kind, eps = config["normalization_type"], config.get("eps", 1e-5)
    width, heads, inside = config["d_model"], config["n_heads"], config["d_head"]
    rotary = lens_rotary(config)

    def norm(place: str) -> Norm:
        if kind is None:
            return Norm("none")
        plain = "layer" if kind.startswith("LN") else "rms"
        if kind.endswith("Pre"):
            return Norm(plain, eps=eps)
        return Norm(plain, tensors[f"{place}.w"], tensors[f"{place}.b"] if plain == "layer" else None, eps)

    layers = []
    for index in range(config["n_layers"]):
        at = f"blocks.{index}"
        fields: dict[str, Any] = {f"w_{letter.lower()}": tensors[f"{at}.attn.W_{letter}"] for letter in "QKVO"}
        fields |= {f"b_{letter.lower()}": tensors.or_zeros(f"{at}.attn.b_{letter}", heads, inside) for letter in "QKV"}
        fields["b_o"] = tensors.or_zeros(f"{at}.attn.b_O", width)
        attention = Attention(norm(f"{at}.ln1"), scale=inverse_root(fields), rotary=rotary, **fields)
        mlp = None if config.get("attn_only") else lens_mlp(norm(f"{at}.ln2"), config, tensors, f"{at}.mlp")
        layers.append(Layer(attention, mlp))
    return Model(
        name=name,
        embed=tensors["embed.W_E"],
        position=None if rotary else tensors["pos_embed.W_pos"],
        layers=tuple(layers),
        final_norm=norm("ln_final"),
        unembed=tensors["unembed.W_U"],
        unembed_bias=tensors.or_zeros("unembed.b_U", config["d_vocab"]),
        context=config["n_ctx"],
        parallel=config.get("parallel_attn_mlp", False),
    )


def lens_rotary(config: Config) -> Rotary | None:
    """Channels are paired as halves; adjacent pairs are another model."""
    kind = config.get("positional_embedding_type", "standard")
    if kind == "standard":
        return None
    if kind != "rotary" or config.get("rotary_adjacent_pairs"):
        raise ValueError(f"positional_embedding_type {kind!r}: only standard, and rotary without adjacent pairs")
    return Rotary(config["rotary_dim"], float(config.get("rotary_base", 10000)))


def lens_mlp(norm: Norm, config: Config, tensors: Tensors, at: str) -> Mlp:
    """A gated MLP is (act(x W_gate) * (x W_in) + b_in) W_out + b_out: its `b_in` comes behind the product."""
    w_in, b_in, w_out, b_out = (tensors[f"{at}.{each}"] for each in ("W_in", "b_in", "W_out", "b_out"))
    if not config.get("gated_mlp"):
        return Mlp(norm, config["act_fn"], w_in, b_in, w_out, b_out)
    nothing = torch.zeros_like(b_in)
    return Mlp(norm, config["act_fn"], w_in, nothing, w_out, b_out, w_gate=tensors[f"{at}.W_gate"], b_hidden=b_in)


FAMILIES = {"gpt2": gpt2, "gpt_neo": gpt_neo, "gpt_neox": gpt_neox, "llama": llama, "qwen2": llama}


def read_model(folder: Path) -> Model:
    """The model of a directory; the family is `model_type`, or TransformerLens where that is absent."""
    config = json.loads((folder / "config.json").read_text())
    tensors = Tensors(folder)
    family = config.get("model_type")
    if family is None and "n_layers" in config:
        return transformer_lens(folder.name, config, tensors)
    if family not in FAMILIES:
        raise ValueError(f"{folder}/config.json: model_type {family!r} is not known")
    return FAMILIES[family](folder.name, config, tensors)
