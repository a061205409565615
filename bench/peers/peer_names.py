"""The names of nodes, edges and paths (grammar: lib/engine/names.ts), as far as the peers can express them."""

import re
from dataclasses import dataclass

SLOTS = ("q", "k", "v")
NODE = re.compile(r"(?:(input)|(logits)|a(\d+)\.h(\d+)|m(\d+))(?:<([qkv])>)?")


@dataclass(frozen=True)
class Node:
    kind: str
    layer: int = 0
    head: int = 0
    slots: tuple[str, ...] = SLOTS

    @staticmethod
    def parse(text: str) -> "Node":
        match = NODE.fullmatch(text)
        if not match or (match[6] and match[3] is None):
            raise SystemExit(f"{text!r}: expected input, a0.h0, a0.h0<q>, m0 or logits")
        if match[1] or match[2]:
            return Node(match[1] or match[2])
        if match[3] is not None:
            return Node("head", int(match[3]), int(match[4]), (match[6],) if match[6] else SLOTS)
        return Node("mlp", int(match[5]))


def parse_path(text: str) -> list[Node]:
    path = [Node.parse(part) for part in text.split("->")]
    if len(path) < 2 or path[0].kind == "logits":
        raise SystemExit(f"{text!r}: expected a source and at least one reader")
    return path


def sources(layers: int, heads: int) -> list[str]:
    """Everything that writes into the stream, in order: `input`, then of each layer its heads and its MLP."""
    return ["input"] + [name for layer in range(layers) for name in [*(f"a{layer}.h{head}" for head in range(heads)), f"m{layer}"]]


def before(heads: int, layer: int, kind: str) -> int:
    """How many of the sources a reader of that kind in that layer can read from."""
    return 1 + layer * (heads + 1) + (heads if kind == "mlp" else 0)
