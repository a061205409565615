"""A two-layer attention-only transformer in the parameter layout of TransformerLens."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

EPS = 1e-5
LINK = "link.W_link"


@dataclass(frozen=True)
class Shape:
    n_layers: int = 2
    d_model: int = 256
    n_heads: int = 8
    d_head: int = 32
    d_vocab: int = 3072
    n_ctx: int = 256

    def config(self) -> dict[str, object]:
        fixed = {
            "d_mlp": None,
            "attn_only": True,
            "normalization_type": "LN",
            "positional_embedding_type": "standard",
            "act_fn": None,
            "eps": EPS,
            "model_name": "attn-2l",
        }
        return asdict(self) | fixed

    def tensors(self) -> dict[str, tuple[int, ...]]:
        d, heads, size = self.d_model, self.n_heads, self.d_head
        shapes: dict[str, tuple[int, ...]] = {"embed.W_E": (self.d_vocab, d), "pos_embed.W_pos": (self.n_ctx, d)}
        for layer in range(self.n_layers):
            block = f"blocks.{layer}"
            shapes |= {f"{block}.ln1.w": (d,), f"{block}.ln1.b": (d,)}
            shapes |= {f"{block}.attn.W_{kind}": (heads, d, size) for kind in "QKV"}
            shapes |= {f"{block}.attn.b_{kind}": (heads, size) for kind in "QKV"}
            shapes |= {f"{block}.attn.W_O": (heads, size, d), f"{block}.attn.b_O": (d,)}
        shapes |= {"ln_final.w": (d,), "ln_final.b": (d,)}
        return shapes | {"unembed.W_U": (d, self.d_vocab), "unembed.b_U": (self.d_vocab,)}


def sinusoids(count: int, width: int, amplitude: float) -> Tensor:
    """Sine and cosine pairs with wavelengths spread from 2 pi to 2 pi times `count`."""
    rates = count ** -torch.linspace(0, 1, width // 2)
    angles = torch.arange(count)[:, None] * rates
    return amplitude * torch.cat([angles.sin(), angles.cos()], dim=1)


class AttentionOnly(nn.Module):
    """Pre-norm attention blocks; `weights` holds the tensors under their TransformerLens names.

    While training, the unembedding has a second part, the embedding times one matrix (`link.W_link`), so
    that one linear map turns "this token was read" into "this token comes next" for all tokens alike.
    """

    def __init__(self, shape: Shape, linked: bool = False) -> None:
        super().__init__()
        self.shape = shape
        self.linked = linked
        sizes = shape.tensors() | ({LINK: (shape.d_model, shape.d_model)} if linked else {})
        self.weights = {name: nn.Parameter(torch.empty(size)) for name, size in sizes.items()}
        for name, parameter in self.weights.items():
            self.register_parameter(name.replace(".", "__"), parameter)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Normal weights (0.02, output projections scaled down by depth), unit norms, zero biases.

        Positions start as sinusoids, which makes "one before" easy to find, and are learned from there.
        """
        for name, parameter in self.weights.items():
            last = name.split(".")[-1]
            if name == "pos_embed.W_pos":
                parameter.copy_(sinusoids(self.shape.n_ctx, self.shape.d_model, amplitude=0.08))
            elif last == "w":
                parameter.fill_(1.0)
            elif last.startswith("b") or name == LINK:
                parameter.fill_(0.0)
            else:
                parameter.normal_(
                    std=0.02 / (2 * self.shape.n_layers) ** 0.5 if last == "W_O" else 0.02, generator=generator
                )

    @torch.no_grad()
    def open_link(self, generator: torch.Generator, scale: float) -> None:
        """Give the link its first value, a random rotation scaled down."""
        width = self.shape.d_model
        self.weights[LINK].copy_(scale * torch.linalg.qr(torch.randn(width, width, generator=generator))[0])

    def unembedding(self) -> Tensor:
        """The matrix from the final stream to the logits, [d_model, vocabulary]."""
        free = self.weights["unembed.W_U"]
        return free + (self.weights["embed.W_E"] @ self.weights[LINK]).T if self.linked else free

    def stored(self) -> dict[str, Tensor]:
        """Every tensor of the stored layout, the link multiplied out."""
        return {name: self.weights[name] for name in self.shape.tensors()} | {"unembed.W_U": self.unembedding()}

    def _norm(self, name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, (self.shape.d_model,), self.weights[f"{name}.w"], self.weights[f"{name}.b"], EPS)

    def _project(self, layer: int, kind: str, x: Tensor) -> Tensor:
        """Queries, keys or values of all heads: [batch, head, position, d_head]."""
        shape = self.shape
        weight = self.weights[f"blocks.{layer}.attn.W_{kind}"].permute(0, 2, 1).reshape(-1, shape.d_model)
        bias = self.weights[f"blocks.{layer}.attn.b_{kind}"].reshape(-1)
        return F.linear(x, weight, bias).view(*x.shape[:2], shape.n_heads, shape.d_head).transpose(1, 2)

    def _merge(self, layer: int, mixed: Tensor) -> Tensor:
        weight = self.weights[f"blocks.{layer}.attn.W_O"].reshape(-1, self.shape.d_model)
        return F.linear(mixed.transpose(1, 2).flatten(2), weight.T, self.weights[f"blocks.{layer}.attn.b_O"])

    def embed(self, tokens: Tensor) -> Tensor:
        return F.embedding(tokens, self.weights["embed.W_E"]) + self.weights["pos_embed.W_pos"][: tokens.shape[1]]

    def block(self, layer: int, stream: Tensor) -> Tensor:
        """The residual stream after one layer."""
        x = self._norm(f"blocks.{layer}.ln1", stream)
        queries, keys, values = (self._project(layer, kind, x) for kind in "QKV")
        return stream + self._merge(layer, F.scaled_dot_product_attention(queries, keys, values, is_causal=True))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [batch, position, vocabulary]."""
        stream = self.embed(tokens)
        for layer in range(self.shape.n_layers):
            stream = self.block(layer, stream)
        return F.linear(self._norm("ln_final", stream), self.unembedding().T, self.weights["unembed.b_U"])

    def scores(self, layer: int, stream: Tensor) -> Tensor:
        """Attention scores before the softmax [batch, head, query, key], the future at minus infinity."""
        x = self._norm(f"blocks.{layer}.ln1", stream)
        queries, keys = (self._project(layer, kind, x) for kind in "QK")
        future = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).triu(1)
        return (queries @ keys.transpose(-1, -2) / self.shape.d_head**0.5).masked_fill(future, float("-inf"))

    @torch.no_grad()
    def patterns(self, tokens: Tensor) -> list[Tensor]:
        """Attention patterns per layer, each [batch, head, query, key]."""
        stream = self.embed(tokens)
        found: list[Tensor] = []
        for layer in range(self.shape.n_layers):
            found.append(self.scores(layer, stream).softmax(-1))
            stream = self.block(layer, stream)
        return found


def save_atomically(tensors: dict[str, Tensor], path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file beside its place, then rename it into place."""
    partial = path.with_name(path.name + ".partial")
    save_file({name: tensor.detach().contiguous() for name, tensor in tensors.items()}, str(partial), metadata=metadata)
    os.replace(partial, path)


def load_model(folder: Path) -> AttentionOnly:
    """Load a model folder (config.json and model.safetensors)."""
    config = json.loads((folder / "config.json").read_text())
    model = AttentionOnly(Shape(**{name: config[name] for name in Shape.__dataclass_fields__}))
    stored = load_file(str(folder / "model.safetensors"))
    if stored.keys() != model.weights.keys():
        raise ValueError(f"unexpected tensors: {sorted(stored.keys() ^ model.weights.keys())}")
    with torch.no_grad():
        for name, parameter in model.weights.items():
            parameter.copy_(stored[name])
    return model.eval()
