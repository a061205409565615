"""The frozen path expansion of one run [M9]-[M13], [M22], [M23], [M25], [M26]."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

import names
from forward import Metric, Run
from model import Model

Map = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Unit:
    """A frozen linear map M and its transpose."""

    apply: Map
    transpose: Map


@dataclass(frozen=True)
class Stage:
    """Units that read the same residual, and the bias sources that enter with them."""

    units: dict[str, Unit]
    biases: dict[str, Tensor]


class Frozen:
    """Patterns, norm scales and gates of a clean run, held fixed; every quantity is read along a metric."""

    def __init__(self, model: Model, run: Run, metric: Metric) -> None:
        self.model, self.run, self.metric = model, run, metric
        streams = run.streams
        self.sigma = {f"a{i}": layer.attention.norm.sigma(streams[f"a{i}"]) for i, layer in enumerate(model.layers)}
        self.gates: list[Tensor] = []
        for index, layer in enumerate(model.layers):
            if layer.mlp is not None:
                place = names.mlp(index)
                self.sigma[place] = layer.mlp.norm.sigma(streams[place])
                self.gates.append(layer.mlp.gates(streams[place]))
        self.sigma["logits"] = model.final_norm.sigma(streams["logits"])
        self.direction = self.pull_back(metric.column(model.unembed))
        self.logits_bias = float(
            metric.column(model.unembed_bias) + model.final_norm.constant(model.width) @ metric.column(model.unembed)
        )

    def pull_back(self, column: Tensor) -> Tensor:
        """u [S, d]: a column of the unembedding, at the position, through the final norm at its frozen scale."""
        g = torch.zeros_like(self.run.streams["logits"])
        g[self.metric.position] = column
        return self.model.final_norm.transpose(g, self.sigma["logits"])

    def head(self, node: str) -> Unit:
        layer, index = names.head_of(node)
        attention, sigma = self.model.layers[layer].attention, self.sigma[f"a{layer}"]
        pattern, ov = self.run.patterns[layer][index], attention.w_v[index] @ attention.w_o[index]
        return Unit(
            lambda x: pattern @ attention.norm.linear(x, sigma) @ ov,
            lambda g: attention.norm.transpose(pattern.T @ g @ ov.T, sigma),
        )

    def mlp(self, node: str, neuron: int | None = None) -> Unit:
        """A frozen MLP, or one of its neurons [M22]."""
        layer = names.layer_of(node)
        mlp, sigma, gates = self.model.mlp(layer), self.sigma[node], self.gates[layer]
        which = slice(None) if neuron is None else slice(neuron, neuron + 1)
        w_in, w_out, gates = mlp.w_in[:, which], mlp.w_out[which], gates[:, which]
        return Unit(
            lambda x: (mlp.norm.linear(x, sigma) @ w_in * gates) @ w_out,
            lambda g: mlp.norm.transpose((g @ w_out.T * gates) @ w_in.T, sigma),
        )

    def unit(self, node: str) -> Unit:
        return self.head(node) if names.is_head(node) else self.mlp(node)

    def mlp_bias(self, layer: int) -> Tensor:
        """`m{l}.b` [S, d] [M10]."""
        mlp = self.model.mlp(layer)
        beta = mlp.norm.constant(self.model.width)
        return ((beta @ mlp.w_in + mlp.b_in) * self.gates[layer]) @ mlp.w_out + mlp.constant()

    def attention_bias(self, layer: int) -> Tensor:
        """`a{l}.b` [S, d] [M10]."""
        return self.model.layers[layer].attention.bias().expand_as(self.direction)

    def units_of(self, node: str, granularity: str) -> dict[str, Unit]:
        if granularity == "neuron" and not names.is_head(node):
            width = self.model.mlp(names.layer_of(node)).w_in.shape[1]
            return {f"{node}.n{neuron}": self.mlp(node, neuron) for neuron in range(width)}
        return {node: self.unit(node)}

    def stages(self, granularity: str = "head", silent: Collection[str] = ()) -> list[Stage]:
        """Stages with their units at a granularity: sublayer, head or neuron [M22]. Silent nodes write zero."""
        found = []
        for nodes in self.model.stages():
            units: dict[str, Unit] = {}
            biases: dict[str, Tensor] = {}
            for node in nodes:
                layer, heard = names.layer_of(node), node not in silent
                if heard:
                    units |= self.units_of(node, granularity)
                if names.is_head(node):
                    biases[f"a{layer}.b"] = self.attention_bias(layer)
                elif heard:
                    biases[f"{node}.b"] = self.mlp_bias(layer)
            if granularity == "sublayer":
                units = joined_heads(units)
            found.append(Stage(units, biases))
        return found

    def read(self, x: Tensor) -> float:
        """<u, x>."""
        return float((self.direction * x).sum())

    def direct(self) -> dict[str, float]:
        """Each node's and bias source's direct contribution [M5], [M7]."""
        found = {node: self.read(output) for node, output in self.run.outputs.items()}
        for stage in self.stages():
            found |= {name: self.read(bias) for name, bias in stage.biases.items()}
        return found | {"logits.b": self.logits_bias}

    def by_degree(self) -> list[Tensor]:
        """The coefficients of p(t) after the last stage: the stream [S, d] made by the paths of each degree [M13]."""
        coefficients = [self.run.outputs["input"]]
        for stage in self.stages():
            made = [sum((unit.apply(p) for unit in stage.units.values()), torch.zeros_like(p)) for p in coefficients]
            made[0] = made[0] + sum(stage.biases.values())
            coefficients.append(torch.zeros_like(coefficients[0]))
            coefficients = [coefficients[0], *(p + m for p, m in zip(coefficients[1:], made, strict=True))]
        return coefficients

    def degree_spectrum(self) -> list[float]:
        found = [self.read(p) for p in self.by_degree()]
        return [found[0] + self.logits_bias, *found[1:]]

    def paths(self, granularity: str = "head", silent: Collection[str] = ()) -> dict[str, float]:
        """Every path from every source with its value [M11]."""
        stages = self.stages(granularity, silent)
        source = self.run.outputs["input"]

        def ending_in(suffix: str, g: Tensor, before: int) -> Iterator[tuple[str, float]]:
            yield f"input->{suffix}", float((g * source).sum())
            for index in range(before):
                for name, bias in stages[index].biases.items():
                    yield f"{name}->{suffix}", float((g * bias).sum())
                for name, unit in stages[index].units.items():
                    yield from ending_in(f"{name}->{suffix}", unit.transpose(g), index)

        return dict(ending_in("logits", self.direction, len(stages))) | {"logits.b->logits": self.logits_bias}

    def flow(self) -> dict[str, float]:
        """Every edge's flow, those of `a{l}.b` included [M26]."""
        nodes = self.model.stages()
        known = {"input": self.run.outputs["input"]}
        writers = [dict(known)]
        for stage in nodes:
            for node in stage:
                known[node] = self.run.outputs[node]
                if names.is_head(node):
                    known[f"a{names.layer_of(node)}.b"] = self.attention_bias(names.layer_of(node))
            writers.append(dict(known))
        found = {f"{name}->logits": self.read(output) for name, output in known.items()}
        g = self.direction
        for index in reversed(range(len(nodes))):
            pulled = {node: self.unit(node).transpose(g) for node in nodes[index]}
            for node, own in pulled.items():
                found |= {f"{name}->{node}": float((own * out).sum()) for name, out in writers[index].items()}
            g = g + sum(pulled.values())
        return found | {"logits.b->logits": self.logits_bias}

    def effect_of(self, changes: dict[str, Tensor]) -> float:
        """Change of the frozen metric when these nodes' outputs change by these amounts [M24]."""
        change = torch.zeros_like(self.direction)
        for stage in self.model.stages():
            made = [changes[node] if node in changes else self.unit(node).apply(change) for node in stage]
            change = change + sum(made)
        return self.read(change)

    def pulled(self, path: str) -> tuple[str, Tensor, Tensor]:
        """The only component of a path `source->node->...->logits`, the direction at its output, and its input."""
        steps = [name for name, _ in names.parse_path(path)]
        g = self.direction
        for node in reversed(steps[2:-1]):
            g = self.unit(node).transpose(g)
        return steps[1], g, self.run.outputs[steps[0]]

    def opened_neurons(self, path: str) -> dict[str, float]:
        """The value of `input->m->...->logits` by neuron of its MLP [M22]."""
        node, g, source = self.pulled(path)
        return {name: float((g * unit.apply(source)).sum()) for name, unit in self.units_of(node, "neuron").items()}

    def opened_positions(self, path: str) -> list[list[float]]:
        """The value of `input->a.h->...->logits` by query (row) and key (column) [M22]."""
        node, g, source = self.pulled(path)
        layer, index = names.head_of(node)
        attention = self.model.layers[layer].attention
        moved = attention.norm.linear(source, self.sigma[f"a{layer}"]) @ attention.w_v[index] @ attention.w_o[index]
        return (self.run.patterns[layer][index] * (g @ moved.T)).tolist()

    def orders(self, target: int) -> list[float]:
        """Loss of the target from the paths of degree <= k, for each k [M25]."""
        norm, model, place = self.model.final_norm, self.model, self.metric.position
        total, found = torch.zeros_like(self.direction), []
        for part in self.by_degree():
            total = total + part
            y = norm.linear(total, self.sigma["logits"])[place] + norm.constant(model.width)
            found.append(float(-(y @ model.unembed + model.unembed_bias).log_softmax(-1)[target]))
        return found


def joined_heads(units: dict[str, Unit]) -> dict[str, Unit]:
    """Heads of a layer joined into one unit `a{l}`; MLPs stay."""
    heads = {name: unit for name, unit in units.items() if names.is_head(name)}
    found = {name: unit for name, unit in units.items() if name not in heads}
    if not heads:
        return found
    layer = names.layer_of(next(iter(heads)))
    all_heads = list(heads.values())

    def apply(x: Tensor) -> Tensor:
        return torch.stack([unit.apply(x) for unit in all_heads]).sum(0)

    def transpose(g: Tensor) -> Tensor:
        return torch.stack([unit.transpose(g) for unit in all_heads]).sum(0)

    return {f"a{layer}": Unit(apply, transpose)} | found


def concentration(values: list[float]) -> dict[str, float]:
    """How many terms hold 50, 90, 99% of the absolute mass, and the effective number of terms [M23]."""
    sizes = sorted((abs(value) for value in values), reverse=True)
    mass = math.fsum(sizes)

    def holding(part: float) -> int:
        total = 0.0
        for count, size in enumerate(sizes, 1):
            total += size
            if total >= part * mass:
                return count
        return len(sizes)

    entropy = -math.fsum(size / mass * math.log(size / mass) for size in sizes if size > 0)
    shares = {f"n{percent}": holding(percent / 100) for percent in (50, 90, 99)}
    return shares | {"effective": math.exp(entropy), "mass": mass, "count": len(sizes)}
