"""The factorized forward pass [M7]: every reader's input is a sum of outputs, and may be changed reader by reader."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from torch import Tensor

import names
from model import Model

Outputs = dict[str, Tensor]
"""Node to out_u [S, d]; `input` included. A head's output leaves its biases out, an MLP's holds them."""

Read = Callable[[str, Tensor, Outputs], Tensor]
"""What a reader takes, given its name, the residual stream before its stage, and the outputs so far."""

Write = Callable[[str, Tensor], Tensor]
"""What a node writes, given its name and what it computed."""


@dataclass
class Run:
    """One forward pass. `streams`: the residual before each layer's heads (`a0`), each MLP (`m0`) and `logits`."""

    logits: Tensor
    outputs: Outputs
    streams: dict[str, Tensor] = field(default_factory=dict)
    patterns: list[Tensor] = field(default_factory=list)


def read_stream(_reader: str, stream: Tensor, _outputs: Outputs) -> Tensor:
    return stream


def write_own(_node: str, output: Tensor) -> Tensor:
    return output


def forward(model: Model, embeddings: Tensor, read: Read = read_stream, write: Write = write_own) -> Run:
    """Runs the model from embeddings [S, d], with inputs taken through `read` and outputs passed through `write`."""
    outputs: Outputs = {"input": write("input", embeddings)}
    run = Run(embeddings, outputs)
    stream = outputs["input"]
    for index, layer in enumerate(model.layers):
        before = stream
        run.streams[f"a{index}"] = before
        heads = [names.head(index, each) for each in range(model.heads)]
        taken = [torch.stack([read(f"{head}<{slot}>", before, outputs) for head in heads]) for slot in names.SLOTS]
        pattern = layer.attention.pattern(taken[0], taken[1])
        run.patterns.append(pattern)
        written = layer.attention.values(pattern, taken[2])
        new = {head: write(head, output) for head, output in zip(heads, written, strict=True)}
        stream = before + sum(new.values()) + layer.attention.bias()
        if layer.mlp is not None:
            name = names.mlp(index)
            place = before if model.parallel else stream
            known = outputs if model.parallel else outputs | new
            run.streams[name] = place
            new[name] = write(name, layer.mlp.output(read(name, place, known)))
            stream = stream + new[name]
        outputs.update(new)
    run.streams["logits"] = stream
    run.logits = model.logits(read("logits", stream, outputs))
    return run


def run_tokens(model: Model, tokens: list[int]) -> Run:
    """The ordinary forward pass."""
    return forward(model, model.embeddings(tokens))


@dataclass(frozen=True)
class Metric:
    """logit(target) - logit(foil) at a position, or logit(target) alone [M5]."""

    position: int
    target: int
    foil: int | None

    def of(self, logits: Tensor) -> Tensor:
        row = logits[self.position]
        return row[self.target] - (0 if self.foil is None else row[self.foil])

    def column(self, unembed: Tensor) -> Tensor:
        """w [d], or its counterpart of a bias: the target's column less the foil's."""
        return unembed[..., self.target] - (0 if self.foil is None else unembed[..., self.foil])


def zeros_like(outputs: Outputs) -> Outputs:
    """The zero reference: out_u = 0 for every node."""
    return {node: torch.zeros_like(output) for node, output in outputs.items()}


def mean_outputs(runs: list[Run]) -> Outputs:
    """The mean reference: out_u averaged over runs, position by position."""
    return {node: torch.stack([run.outputs[node] for run in runs]).mean(0) for node in runs[0].outputs}
