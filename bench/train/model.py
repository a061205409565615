"""Pre-norm transformers with learned positions, their tensors named as TransformerLens names them.

With MLPs they are GPT-2's, with an unembedding of its own; without them they are attention blocks alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional as F

from layout import EPS, Shape, read_config, shapes_of, tensors_from, tensors_to, write_config

LINK = "link.W_link"


def sinusoids(count: int, width: int, amplitude: float) -> Tensor:
    """Sine and cosine pairs with wavelengths spread from 2 pi to 2 pi times `count`."""
    rates = count ** -torch.linspace(0, 1, width // 2)
    angles = torch.arange(count)[:, None] * rates
    return amplitude * torch.cat([angles.sin(), angles.cos()], dim=1)


class Transformer(nn.Module):
    """`weights` holds the tensors under their TransformerLens names.

    With a link, while training, the unembedding has a second part, the embedding times one matrix
    (`link.W_link`), so that one linear map turns "this token was read" into "this token comes next" for all
    tokens alike.
    """

    def __init__(self, shape: Shape, linked: bool = False) -> None:
        super().__init__()
        self.shape = shape
        self.linked = linked
        sizes = shapes_of(shape) | ({LINK: (shape.d_model, shape.d_model)} if linked else {})
        self.weights = {name: nn.Parameter(torch.empty(size)) for name, size in sizes.items()}
        for name, parameter in self.weights.items():
            self.register_parameter(name.replace(".", "__"), parameter)

    @torch.no_grad()
    def initialise(self, generator: torch.Generator) -> None:
        """Normal weights (0.02, output projections scaled down by depth), unit norms, zero biases.

        Positions start as sinusoids, which makes "one before" easy to find, and are learned from there.
        """
        shape = self.shape
        for name, parameter in self.weights.items():
            last = name.split(".")[-1]
            if name == "pos_embed.W_pos":
                parameter.copy_(sinusoids(shape.n_ctx, shape.d_model, amplitude=0.08))
            elif last == "w":
                parameter.fill_(1.0)
            elif last.startswith("b") or name == LINK:
                parameter.fill_(0.0)
            else:
                parameter.normal_(
                    std=0.02 / (2 * shape.n_layers) ** 0.5 if last in ("W_O", "W_out") else 0.02, generator=generator
                )

    @torch.no_grad()
    def grow_from(self, smaller: Transformer) -> None:
        """Begin as the smaller model: its tensors where it has them, and nothing written by what it lacks.

        Its bias at the unembedding, which GPT-2 has not, goes into the final norm's as far as that can hold it.
        """
        for name, parameter in self.weights.items():
            if name in smaller.weights:
                parameter.copy_(smaller.weights[name])
            elif name.endswith((".W_O", ".W_out")):
                parameter.zero_()
        unembed = smaller.weights["unembed.W_U"]
        shift = torch.linalg.lstsq(unembed.T, smaller.weights["unembed.b_U"][:, None]).solution[:, 0]
        self.weights["ln_final.b"].add_(shift)

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
        plain = {name: self.weights[name] for name in shapes_of(self.shape)}
        return tensors_to(self.shape, plain | {"unembed.W_U": self.unembedding()})

    def norm(self, name: str, x: Tensor) -> Tensor:
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

    def attention(self, layer: int, stream: Tensor) -> Tensor:
        """What one layer's heads add to the residual stream."""
        x = self.norm(f"blocks.{layer}.ln1", stream)
        queries, keys, values = (self._project(layer, kind, x) for kind in "QKV")
        return self._merge(layer, F.scaled_dot_product_attention(queries, keys, values, is_causal=True))

    def mlp(self, layer: int, x: Tensor) -> Tensor:
        """One layer's MLP of its normalised input."""
        block, weights = f"blocks.{layer}.mlp", self.weights
        hidden = F.gelu(F.linear(x, weights[f"{block}.W_in"].T, weights[f"{block}.b_in"]), approximate="tanh")
        return F.linear(hidden, weights[f"{block}.W_out"].T, weights[f"{block}.b_out"])

    def block(self, layer: int, stream: Tensor) -> Tensor:
        """The residual stream after one layer."""
        stream = stream + self.attention(layer, stream)
        if self.shape.d_mlp is None:
            return stream
        return stream + self.mlp(layer, self.norm(f"blocks.{layer}.ln2", stream))

    def logits(self, stream: Tensor) -> Tensor:
        """Logits [batch, position, vocabulary] of the residual stream after the last layer."""
        return F.linear(self.norm("ln_final", stream), self.unembedding().T, self.weights.get("unembed.b_U"))

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits [batch, position, vocabulary]."""
        stream = self.embed(tokens)
        for layer in range(self.shape.n_layers):
            stream = self.block(layer, stream)
        return self.logits(stream)

    def scores(self, layer: int, stream: Tensor) -> Tensor:
        """Attention scores before the softmax [batch, head, query, key], the future at minus infinity."""
        x = self.norm(f"blocks.{layer}.ln1", stream)
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


def save_model(folder: Path, model: Transformer) -> None:
    """Write a model folder's config.json and model.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    write_config(folder, model.shape)
    save_atomically(model.stored(), folder / "model.safetensors", {"format": "pt"} if model.shape.is_gpt2 else None)


def load_model(folder: Path) -> Transformer:
    """Load a model folder (config.json and model.safetensors)."""
    model = Transformer(read_config(folder))
    stored = tensors_from(model.shape, load_file(str(folder / "model.safetensors")))
    if stored.keys() != model.weights.keys():
        raise ValueError(f"unexpected tensors: {sorted(stored.keys() ^ model.weights.keys())}")
    with torch.no_grad():
        for name, parameter in model.weights.items():
            parameter.copy_(stored[name])
    return model.eval()
