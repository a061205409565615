"""What is asked of a model: its prompt, the sampled edges and paths, the prompts beside it. All drawn from a seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import names
from forward import Metric, Run, run_tokens
from model import Model
from weights import head_pairs


@dataclass
class Problem:
    """A model, its prompt and its counterfactual prompt."""

    model: Model
    tokens: list[int]
    counterfactual_tokens: list[int]
    metric: Metric
    clean: Run = field(init=False)
    counterfactual: Run = field(init=False)

    def __post_init__(self) -> None:
        self.clean = run_tokens(self.model, self.tokens)
        self.counterfactual = run_tokens(self.model, self.counterfactual_tokens)


@dataclass
class Choices:
    """Which edges, paths and nodes the tables of the basic keys hold."""

    edges: list[str]
    edges_qkv: list[str]
    paths: list[str]
    nodes: list[str]
    pairs: list[tuple[str, str]]
    moebius_order: int | None = None
    all_paths: bool = True


def edge_name(writer: str, reader: str) -> str:
    return f"{writer}->{reader}"


def all_edges(model: Model) -> list[str]:
    """Every edge, heads as readers by slot."""
    return [edge_name(*pair) for pair in model.edges()]


def plain_edges(model: Model) -> list[str]:
    """Every edge, without slots."""
    return list(dict.fromkeys(edge_name(writer, reader.partition("<")[0]) for writer, reader in model.edges()))


def sampled(random: Random, items: list[str], count: int) -> list[str]:
    """Some of the items, in their own order."""
    chosen = set(random.sample(range(len(items)), min(count, len(items))))
    return [item for place, item in enumerate(items) if place in chosen]


def with_slot(random: Random, path: str) -> str:
    """The path with a slot named at its first head."""
    steps, done = [], False
    for name, _ in names.parse_path(path):
        if names.is_head(name) and not done:
            steps.append(f"{name}<{random.choice(names.SLOTS)}>")
            done = True
        else:
            steps.append(name)
    return "->".join(steps)


def choose(model: Model, seed: int) -> Choices:
    """25 edges, 12 edges with slots, 18 paths and up to 6 with a slot, 6 nodes, every pair of heads with l1 < l2."""
    random = Random(seed)
    paths = random.sample(model.paths(), 18)
    slotted = [with_slot(random, path) for path in paths[:8] if ".h" in path]
    return Choices(
        edges=sampled(random, plain_edges(model), 25),
        edges_qkv=sampled(random, [edge for edge in all_edges(model) if "<" in edge], 12),
        paths=list(dict.fromkeys(paths + slotted)),
        nodes=sampled(random, model.components(), 6),
        pairs=head_pairs(model),
    )


def random_tokens(random: Random, model: Model, length: int) -> list[int]:
    return [random.randrange(model.vocabulary) for _ in range(length)]


def most_likely(run: Run) -> int:
    """The most likely token at the last position."""
    return int(run.logits[-1].argmax())


def answer_loss(run: Run, target: int | None = None) -> float:
    """Loss of the target at the last position, or of the most likely token."""
    return float(-run.logits[-1].log_softmax(-1)[most_likely(run) if target is None else target])


def random_problem(model: Model, seed: int, length: int, position: int | None = None, foil: bool = True) -> Problem:
    """Random tokens; the counterfactual differs in three places; target and foil are the two most likely tokens."""
    random = Random(seed)
    tokens = random_tokens(random, model, length)
    changed = list(tokens)
    for place in random.sample(range(length), 3):
        changed[place] = (tokens[place] + random.randrange(1, model.vocabulary)) % model.vocabulary
    place = length - 1 if position is None else position
    first, second = run_tokens(model, tokens).logits[place].topk(2).indices.tolist()
    return Problem(model, tokens, changed, Metric(place, first, second if foil else None))


def prompt_set(problem: Problem, seed: int, count: int = 5) -> list[dict[str, object]]:
    """Prompts of the same length, each with its counterfactual; target and foil are drawn, not predicted."""
    random, length = Random(seed), len(problem.tokens)
    found = []
    for _ in range(count):
        target, foil = random.sample(range(problem.model.vocabulary), 2)
        found.append(
            {
                "tokens": random_tokens(random, problem.model, length),
                "counterfactual_tokens": random_tokens(random, problem.model, length),
                "target": target,
                "foil": foil,
            }
        )
    return found


def scrub_examples(problem: Problem, seed: int, count: int = 3) -> list[dict[str, object]]:
    """The prompt and random ones; the answer is the model's most likely token.

    Donors are drawn until one's loss on the answer is more than 1 above the example's own.
    """
    random, model, length = Random(seed), problem.model, len(problem.tokens)
    found = []
    for index in range(count):
        tokens = problem.tokens if index == 0 else random_tokens(random, model, length)
        run = run_tokens(model, tokens)
        target, own = most_likely(run), answer_loss(run)
        donor = random_tokens(random, model, length)
        while answer_loss(run_tokens(model, donor), target) < own + 1:
            donor = random_tokens(random, model, length)
        found.append({"tokens": tokens, "donor_tokens": donor, "target": target})
    return found


def repeated_tokens(model: Model, seed: int) -> list[int]:
    """Five tokens, the same five again, then a token of them twice over: 12 tokens with repeats."""
    random = Random(seed)
    start = random.sample(range(model.vocabulary), 5)
    return [*start, *start, start[2], start[2]]
