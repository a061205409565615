"""Train the byte-level BPE tokenizer on the training documents alone.

Usage: python train_tokenizer.py [--work DIR] [--out FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

from corpus import BOS, BOS_ID, read_texts

HERE = Path(__file__).resolve().parent
VOCABULARY = 3072


def build(texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY,
        special_tokens=[BOS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{BOS} $A", special_tokens=[(BOS, BOS_ID)])
    return tokenizer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "public/models/attn-2l/tokenizer.json")
    options = parser.parse_args()
    texts = read_texts(options.work, "train")
    tokenizer = build(texts)
    tokenizer.save(str(options.out))
    encoded = tokenizer.encode_batch(texts)
    tokens = sum(len(encoding.ids) for encoding in encoded)
    characters = sum(len(text) for text in texts)
    print(f"{tokenizer.get_vocab_size()} entries, {tokens} training tokens, {characters / tokens:.3f} characters each")


if __name__ == "__main__":
    main()
