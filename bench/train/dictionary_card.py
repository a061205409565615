"""The card of the dictionaries; every figure comes from their measurements."""

from __future__ import annotations

from card import paragraph, table, thousands
from corpus import Facts

INTRODUCTION = """# Sparse dictionaries of gpt-4l

Small ones, trained by `bench/train/train_dictionary.py` on the training text of `gpt-4l`, to try things on: each
folder is in SAELens's form (`cfg.json`, `sae_weights.safetensors`) with its figures in `card.json`.
"""


def render(cards: list[Facts]) -> str:
    shapes = [
        [f"`{card['name']}`", card["architecture"], f"`{card['hook_in']}`", f"`{card['hook_out']}`", str(card["features"])]
        for card in cards
    ]
    figures = [
        [
            f"`{card['name']}`",
            f"{card['l0']:.1f}",
            f"{card['explained_variance']:.3f}",
            f"{card['loss']['clean']:.3f} / {card['loss']['replaced']:.3f} / {card['loss']['zero']:.3f}",
            f"{card['loss_recovered']:.3f}",
            str(card["never_active"]),
        ]
        for card in cards
    ]
    first = cards[0]
    ways = paragraph(
        f"Measured on {thousands(first['held_out_tokens'])} held-out tokens, the `<|endoftext|>` at each window's start "
        "left out, as in training. L0: features active at a token. Explained: 1 - squared error / variance. Loss in nats a "
        "token: of the model, with the reconstruction in place of the original, with zeros in its place; recovered: (zero "
        "- replaced) / (zero - clean). Zeros take an MLP's constant part away too, which a decoder's bias gives back by "
        "itself, so the recovered share flatters; the model card tells what the MLP is worth against its mean. Trained on "
        f"{thousands(first['training_tokens'])} tokens each, side by side in {first['seconds_side_by_side'] / 60:.0f} "
        "minutes on 2 CPU cores that other programs used as well."
    )
    return "\n".join(
        [
            INTRODUCTION,
            table(["name", "architecture", "reads", "stands for", "features"], shapes),
            table(["name", "L0", "explained", "loss: clean / replaced / zero", "recovered", "never active"], figures),
            ways,
        ]
    )
