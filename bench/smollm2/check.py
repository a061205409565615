"""Holds Pathboard's logits against transformers, and the converted folder against transformers' own reading of the GGUF.

    npm run bench:smollm2 -- FOLDER --logits FILE
    python check.py GGUF FOLDER FILE

transformers names and orders the GGUF's tensors, and makes its tokenizer, by code of its own (dequantising is the
`gguf` package's in both). Fails where any weight differs, where tokens do, or where logits are further apart than two
float32 forward passes may be.
"""

import argparse
import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, AutoTokenizer

# Largest difference of a logit, in units of the largest logit.
ALLOWED = 1e-5


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("gguf", "folder", "logits"):
        arguments.add_argument(name, type=Path)
    given = arguments.parse_args()
    torch.set_grad_enabled(False)

    theirs = AutoModelForCausalLM.from_pretrained(given.gguf.parent, gguf_file=given.gguf.name, dtype=torch.float32)
    ours = AutoModelForCausalLM.from_pretrained(given.folder, dtype=torch.float32)
    state = ours.state_dict()
    differing = [name for name, weight in theirs.state_dict().items() if not torch.equal(weight, state[name])]
    print(f"weights: {len(state)} tensors, {len(differing)} differ {differing[:3]}")

    # In float64 they are what both aim at.
    exact = ours.to(torch.float64)
    wide = AutoTokenizer.from_pretrained(given.gguf.parent, gguf_file=given.gguf.name)
    narrow = Tokenizer.from_file(str(given.folder / "tokenizer.json"))
    worst = 0.0
    wrong = []
    for row in json.loads(given.logits.read_text()):
        readings = [row["tokens"], narrow.encode(row["text"]).ids, wide(row["text"])["input_ids"]]
        if not all(reading == readings[0] for reading in readings):
            wrong.append(row["text"])
        expected = exact(torch.tensor([row["tokens"]])).logits[0, -1]
        got = torch.tensor(row["logits"], dtype=torch.float64)
        error = ((got - expected).abs().max() / expected.abs().max()).item()
        worst = max(worst, error)
        print(f"{row['text'][:40]!r}: {len(got)} logits, largest {expected.abs().max().item():.2f}, differ by at most {error:.1e} of it")
    print(f"tokens: {len(wrong)} prompts read differently {wrong[:2]}")
    print(f"logits: worst {worst:.1e} (allowed {ALLOWED:.0e})")
    if differing or wrong or worst > ALLOWED:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
