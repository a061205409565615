"""Checks the reference against `transformer_lens`: logits in float64 of every TransformerLens fixture.

Usage: python verify_lens.py, in an environment with `transformer_lens` 2, such as that of auto-circuit in bench/peers.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch

from families import read_model
from forward import run_tokens

FIXTURES = Path(__file__).resolve().parents[2] / "server/engine/fixtures"
TOLERANCE = 1e-9


def lens_logits(folder: Path, tokens: list[int]) -> torch.Tensor:
    """Logits [S, V] of `transformer_lens`; its weights are loaded as stored and then upcast."""
    from safetensors.torch import load_file
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    config = json.loads((folder / "config.json").read_text())
    model = HookedTransformer(HookedTransformerConfig.from_dict(config | {"dtype": torch.float64, "device": "cpu"}))
    stored = load_file(str(folder / "model.safetensors"))
    found = model.load_state_dict({name: tensor.double() for name, tensor in stored.items()}, strict=False)
    buffers = (".mask", ".IGNORE", ".rotary_sin", ".rotary_cos")
    missing = [name for name in found.missing_keys if not name.endswith(buffers)]
    if missing or found.unexpected_keys:
        raise RuntimeError(f"{folder.name}: missing {missing}, unexpected {found.unexpected_keys}")
    with torch.no_grad():
        return model(torch.tensor([tokens]), prepend_bos=False)[0]


def main() -> None:
    good = True
    for folder in sorted(place.parent for place in FIXTURES.glob("*/config.json")):
        if "model_type" in json.loads((folder / "config.json").read_text()):
            continue
        model = read_model(folder)
        tokens = [(7 * place + 3) % model.vocabulary for place in range(12)]
        error = float((run_tokens(model, tokens).logits - lens_logits(folder, tokens)).abs().max())
        good = good and error < TOLERANCE
        print(f"{'ok ' if error < TOLERANCE else 'BAD'} {folder.name:24} logits against transformer_lens {error:.1e}")
    raise SystemExit(0 if good else 1)


if __name__ == "__main__":
    main()
