"""Reading the corpus and its token streams."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer

Facts = dict[str, Any]

BOS = "<|endoftext|>"
BOS_ID = 0


def read_texts(work: Path, split: str) -> list[str]:
    with (work / "corpus.jsonl").open(encoding="utf-8") as lines:
        documents = [json.loads(line) for line in lines]
    return [document["text"] for document in documents if document["split"] == split]


def encode_split(work: Path, tokenizer: Tokenizer, split: str) -> np.ndarray:
    """All documents of one split as a single stream, each beginning with the BOS token."""
    encodings = tokenizer.encode_batch(read_texts(work, split))
    return np.concatenate([np.asarray(encoding.ids, dtype=np.int64) for encoding in encodings])
