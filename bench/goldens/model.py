"""A pre-norm transformer as the factorized view sees it [M6], [M7], in float64, with per-head weights.

Row vectors: an activation is [S, d] and a matrix acts on its right.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

import names

DTYPE = torch.float64


@dataclass(frozen=True)
class Norm:
    """N(x) = C(x)/sigma * gamma + beta [M6]; `kind` is layer, rms or none."""

    kind: str
    gamma: Tensor | None = None
    beta: Tensor | None = None
    eps: float = 0.0

    def centre(self, x: Tensor) -> Tensor:
        return x - x.mean(-1, keepdim=True) if self.kind == "layer" else x

    def sigma(self, x: Tensor) -> Tensor:
        if self.kind == "none":
            return torch.ones_like(x[..., :1])
        return (self.centre(x).pow(2).mean(-1, keepdim=True) + self.eps).sqrt()

    def linear(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
        """C(x)/sigma * gamma, without beta; sigma is that of x unless it is given (frozen)."""
        scaled = self.centre(x) / (self.sigma(x) if sigma is None else sigma)
        return scaled if self.gamma is None else scaled * self.gamma

    def apply(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
        y = self.linear(x, sigma)
        return y if self.beta is None else y + self.beta

    def transpose(self, g: Tensor, sigma: Tensor) -> Tensor:
        """The transpose of `linear` at a frozen sigma."""
        return self.centre((g if self.gamma is None else g * self.gamma) / sigma)

    def fold(self, weight: Tensor) -> Tensor:
        """Gamma and centring folded into a weight [..., d, out] that reads this norm's output [M20]."""
        scaled = weight if self.gamma is None else self.gamma[:, None] * weight
        return scaled - scaled.mean(-2, keepdim=True) if self.kind == "layer" else scaled

    def constant(self, width: int) -> Tensor:
        """Beta, or zeros where the norm has none."""
        return torch.zeros(width, dtype=DTYPE) if self.beta is None else self.beta


@dataclass(frozen=True)
class Rotary:
    """Rotary positions on the first `width` channels of a head, paired as halves (i, i + width/2)."""

    width: int
    theta: float

    def apply(self, x: Tensor) -> Tensor:
        frequencies = self.theta ** (-torch.arange(0, self.width, 2, dtype=DTYPE) / self.width)
        angles = torch.arange(x.shape[-2], dtype=DTYPE)[:, None] * frequencies
        cos, sin = angles.cos(), angles.sin()
        half = self.width // 2
        first, second, rest = x[..., :half], x[..., half : self.width], x[..., self.width :]
        return torch.cat((first * cos - second * sin, second * cos + first * sin, rest), -1)


@dataclass(frozen=True)
class Attention:
    """The heads of one layer. w_q, w_k, w_v: [H, d, dh]; b_q, b_k, b_v: [H, dh]; w_o: [H, dh, d]; b_o: [d].

    With grouped queries several heads hold the same key and value weights. `window`: how many keys a query sees.
    """

    norm: Norm
    w_q: Tensor
    w_k: Tensor
    w_v: Tensor
    w_o: Tensor
    b_q: Tensor
    b_k: Tensor
    b_v: Tensor
    b_o: Tensor
    scale: float
    rotary: Rotary | None = None
    window: int | None = None

    def only(self, index: int) -> Attention:
        """The same layer with one head."""
        fields = ("w_q", "w_k", "w_v", "w_o", "b_q", "b_k", "b_v")
        return replace(self, **{field: getattr(self, field)[index : index + 1] for field in fields})

    def pattern(self, x_q: Tensor, x_k: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Attention pattern [H, S, S] from the raw inputs of the q and k slots, [S, d] or [H, S, d]."""
        q = self.norm.apply(x_q, sigma) @ self.w_q + self.b_q[:, None]
        k = self.norm.apply(x_k, sigma) @ self.w_k + self.b_k[:, None]
        if self.rotary:
            q, k = self.rotary.apply(q), self.rotary.apply(k)
        scores = q @ k.transpose(-1, -2) * self.scale
        return scores.masked_fill(self.hidden(scores.shape[-1]), -math.inf).softmax(-1)

    def hidden(self, length: int) -> Tensor:
        """True where a query (row) may not see a key (column)."""
        distance = torch.arange(length)[:, None] - torch.arange(length)
        return (distance < 0) | (distance >= (self.window or length))

    def values(self, pattern: Tensor, x_v: Tensor, sigma: Tensor | None = None) -> Tensor:
        """What the heads add [H, S, d], biases left out [M7]."""
        return pattern @ self.norm.linear(x_v, sigma) @ self.w_v @ self.w_o

    def outputs(self, x_q: Tensor, x_k: Tensor, x_v: Tensor, sigma: Tensor | None = None) -> Tensor:
        return self.values(self.pattern(x_q, x_k, sigma), x_v, sigma)

    def bias(self) -> Tensor:
        """`a{l}.b` [d] [M10]."""
        beta = self.norm.constant(self.w_q.shape[1])
        return self.b_o + torch.einsum("he,hed->d", beta @ self.w_v + self.b_v, self.w_o)


def gate(activation: str, x: Tensor) -> Tensor:
    """g with act(x) = g * x, computed without dividing [M9]."""
    if activation == "relu":
        return (x > 0).to(DTYPE)
    if activation == "gelu":
        return 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    if activation in ("gelu_new", "gelu_pytorch_tanh"):
        return 0.5 * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
    if activation in ("silu", "swish"):
        return torch.sigmoid(x)
    raise ValueError(f"activation {activation!r}: not known")


@dataclass(frozen=True)
class Mlp:
    """w_in, w_gate: [d, m]; w_out: [m, d]. With `w_gate` the MLP is gated and `w_in` is the up projection.

    `b_hidden` [m] is added to the hidden layer behind the gates.
    """

    norm: Norm
    activation: str
    w_in: Tensor
    b_in: Tensor
    w_out: Tensor
    b_out: Tensor
    w_gate: Tensor | None = None
    b_hidden: Tensor | None = None

    def gates(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
        """What multiplies the pre-activations of `w_in` [S, m] [M9]."""
        y = self.norm.apply(x, sigma)
        if self.w_gate is None:
            return gate(self.activation, y @ self.w_in + self.b_in)
        branch = y @ self.w_gate
        return gate(self.activation, branch) * branch

    def output(self, x: Tensor, sigma: Tensor | None = None) -> Tensor:
        """Output [S, d], biases included [M7]."""
        y = self.norm.apply(x, sigma)
        return ((y @ self.w_in + self.b_in) * self.gates(x, sigma)) @ self.w_out + self.constant()

    def constant(self) -> Tensor:
        """What no gate scales [d]: b_out, and b_hidden through w_out."""
        return self.b_out if self.b_hidden is None else self.b_hidden @ self.w_out + self.b_out


@dataclass(frozen=True)
class Layer:
    attention: Attention
    mlp: Mlp | None


@dataclass(frozen=True)
class Model:
    """`embed` [V, d], `position` [n_ctx, d] or None, `unembed` [d, V]; `parallel`: heads and MLP share a stage."""

    name: str
    embed: Tensor
    position: Tensor | None
    layers: tuple[Layer, ...]
    final_norm: Norm
    unembed: Tensor
    unembed_bias: Tensor
    context: int
    parallel: bool = False

    @property
    def width(self) -> int:
        return self.embed.shape[1]

    @property
    def vocabulary(self) -> int:
        return self.embed.shape[0]

    @property
    def heads(self) -> int:
        return self.layers[0].attention.w_q.shape[0]

    def embeddings(self, tokens: list[int]) -> Tensor:
        """`input` [S, d]."""
        found = self.embed[torch.tensor(tokens)]
        return found if self.position is None else found + self.position[: len(tokens)]

    def logits(self, stream: Tensor) -> Tensor:
        return self.final_norm.apply(stream) @ self.unembed + self.unembed_bias

    def stages(self) -> list[list[str]]:
        """Nodes that read the same residual, in order [M2]."""
        found: list[list[str]] = []
        for index, layer in enumerate(self.layers):
            found.append([names.head(index, each) for each in range(self.heads)])
            if layer.mlp is None:
                continue
            if self.parallel:
                found[-1].append(names.mlp(index))
            else:
                found.append([names.mlp(index)])
        return found

    def components(self) -> list[str]:
        """All heads and MLPs, in order."""
        return [node for stage in self.stages() for node in stage]

    def mlp(self, layer: int) -> Mlp:
        found = self.layers[layer].mlp
        if found is None:
            raise ValueError(f"m{layer}: {self.name} has no MLPs")
        return found

    def edges(self) -> list[tuple[str, str]]:
        """All (writer, reader) pairs, the readers of heads by slot."""
        writers = ["input"]
        found: list[tuple[str, str]] = []
        for stage in [*self.stages(), ["logits"]]:
            for node in stage:
                found.extend((writer, reader) for reader in names.readers_of(node) for writer in writers)
            writers = writers + stage
        return found

    def path_count(self) -> int:
        """How many paths lead from `input` to `logits`."""
        return math.prod(len(stage) + 1 for stage in self.stages())

    def paths(self) -> list[str]:
        """All paths from `input` to `logits`."""
        found = ["input"]
        for stage in self.stages():
            found += [f"{path}->{node}" for path in found for node in stage]
        return [f"{path}->logits" for path in found]
