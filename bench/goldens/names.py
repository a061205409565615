"""Names of nodes, reader slots, edges and paths [M1]-[M3].

A node is `input`, `a{l}.h{h}`, `m{l}` or `logits`. A reader is what has an input of its own: one slot of a head
(`a1.h0<q>`), an MLP, or `logits`.
"""

from __future__ import annotations

import re

SLOTS = ("q", "k", "v")
HEAD = re.compile(r"a(\d+)\.h(\d+)")
MLP = re.compile(r"m(\d+)")
STEP = re.compile(r"([a-z0-9.]+)(?:<([qkv])>)?")

Step = tuple[str, str | None]
"""A node with the slot by which a path enters it; None means all of its slots."""

Path = tuple[Step, ...]


def head(layer: int, index: int) -> str:
    return f"a{layer}.h{index}"


def mlp(layer: int) -> str:
    return f"m{layer}"


def is_head(node: str) -> bool:
    return HEAD.fullmatch(node) is not None


def head_of(node: str) -> tuple[int, int]:
    """Layer and index of a head."""
    found = HEAD.fullmatch(node)
    if not found:
        raise ValueError(f"{node}: expected a head such as a1.h0")
    return int(found[1]), int(found[2])


def layer_of(node: str) -> int:
    """Layer of a head or an MLP."""
    found = MLP.fullmatch(node)
    return int(found[1]) if found else head_of(node)[0]


def readers_of(node: str, slot: str | None = None) -> tuple[str, ...]:
    """The readers of a node: three for a head, or the one named by `slot`."""
    if not is_head(node):
        return (node,)
    return tuple(f"{node}<{letter}>" for letter in ((slot,) if slot else SLOTS))


def parse_path(text: str) -> Path:
    steps: list[Step] = []
    for part in text.split("->"):
        found = STEP.fullmatch(part)
        if not found:
            raise ValueError(f"{text}: cannot read {part!r}")
        steps.append((found[1], found[2]))
    return tuple(steps)


def parse_edge(text: str) -> list[tuple[str, str]]:
    """The (writer, reader) pairs of an edge: three when it ends in a head without a slot."""
    (writer, _), (node, slot) = parse_path(text)
    return [(writer, reader) for reader in readers_of(node, slot)]
