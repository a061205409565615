"""Sparse dictionaries: which there are, what they compute, and their files in SAELens's form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional as F

from model import Transformer, save_atomically

SAELENS = "6.54.12"


@dataclass(frozen=True)
class Dictionary:
    """`active`: how many features at once; kept by "topk", aimed at by the others through their L1 weight."""

    name: str
    architecture: str
    layer: int
    hook_in: str
    hook_out: str
    features: int = 640
    active: int = 32

    @property
    def is_transcoder(self) -> bool:
        return self.hook_in != self.hook_out

    def config(self, width: int, context: int, model: str) -> dict[str, object]:
        """cfg.json as SAELens writes it."""
        metadata = {
            "sae_lens_version": SAELENS,
            "model_name": model,
            "hook_name": f"blocks.{self.layer}.{self.hook_in}",
            "hook_head_index": None,
            "context_size": context,
            "prepend_bos": True,
            "exclude_special_tokens": [0],
        }
        config: dict[str, object] = {
            "d_in": width,
            "d_sae": self.features,
            "dtype": "float32",
            "device": "cpu",
            "apply_b_dec_to_input": not self.is_transcoder,
            "normalize_activations": "none",
            "reshape_activations": "none",
            "metadata": metadata,
            "architecture": self.architecture,
        }
        if self.architecture == "topk":
            config |= {"k": self.active, "rescale_acts_by_decoder_norm": False}
        if self.is_transcoder:
            metadata["hook_name_out"] = f"blocks.{self.layer}.{self.hook_out}"
            config["d_out"] = width
        return config


DICTIONARIES = {
    found.name: found
    for found in (
        Dictionary("resid-post-2", "topk", 2, "hook_resid_post", "hook_resid_post"),
        Dictionary("mlp-out-1", "standard", 1, "hook_mlp_out", "hook_mlp_out"),
        Dictionary("transcoder-1", "transcoder", 1, "mlp.hook_in", "hook_mlp_out"),
    )
}


def pre_activations(dictionary: Dictionary, weights: dict[str, Tensor], x: Tensor) -> Tensor:
    centred = x if dictionary.is_transcoder else x - weights["b_dec"]
    return centred @ weights["W_enc"] + weights["b_enc"]


def activate(dictionary: Dictionary, before: Tensor) -> Tensor:
    """Feature activations [..., features]."""
    if dictionary.architecture != "topk":
        return before.relu()
    values, places = before.topk(dictionary.active, dim=-1, sorted=False)
    return torch.zeros_like(before).scatter(-1, places, values.relu())


def reconstruct(dictionary: Dictionary, weights: dict[str, Tensor], x: Tensor) -> tuple[Tensor, Tensor]:
    """Feature activations, and what they stand for at the hook that is written."""
    features = activate(dictionary, pre_activations(dictionary, weights, x))
    return features, features @ weights["W_dec"] + weights["b_dec"]


def save_dictionary(folder: Path, config: dict[str, object], weights: dict[str, Tensor]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "cfg.json").write_text(json.dumps(config, indent=2) + "\n")
    save_atomically(weights, folder / "sae_weights.safetensors")


def load_dictionary(folder: Path) -> dict[str, Tensor]:
    return load_file(str(folder / "sae_weights.safetensors"))


def nats(logits: Tensor, tokens: Tensor) -> float:
    """Mean loss of every token but the first."""
    return F.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten()).item()


class Hooked:
    """One layer of a run on `tokens`, open between its attention and what comes after its MLP."""

    def __init__(self, model: Transformer, layer: int, tokens: Tensor, earlier: Hooked | None = None) -> None:
        """`earlier`: the same run, open at an earlier layer."""
        self.model, self.layer = model, layer
        stream = earlier.values["hook_resid_post"] if earlier else model.embed(tokens)
        for before in range(earlier.layer + 1 if earlier else 0, layer):
            stream = model.block(before, stream)
        self.middle = stream + model.attention(layer, stream)
        normalised = model.norm(f"blocks.{layer}.ln2", self.middle)
        written = model.mlp(layer, normalised)
        self.values = {
            "mlp.hook_in": normalised,
            "hook_mlp_out": written,
            "hook_resid_post": self.middle + written,
        }

    def logits(self, hook: str | None = None, value: Tensor | None = None) -> Tensor:
        """Logits of the run, or of the run in which a hook's value is another one behind the BOS."""
        values = dict(self.values)
        if hook is not None and value is not None:
            values[hook] = torch.cat([values[hook][:, :1], value[:, 1:]], dim=1)
        stream = self.middle + values["hook_mlp_out"] if hook == "hook_mlp_out" else values["hook_resid_post"]
        for after in range(self.layer + 1, self.model.shape.n_layers):
            stream = self.model.block(after, stream)
        return self.model.logits(stream)
