"""What a task is made of, known by what is in it: every row of the benchmark, both models and the tokenizer. No torch.

A copy is the same task wherever it lies, and whenever it was made; other texts or weights in the same place are not.
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any, BinaryIO

from trainables.benchmarks.layout import Benchmark
from trainables.hub import commit
from trainables.keys import hash_of
from trainables.task import Places

SMALL = 2**26  # bytes of a file of which all is read; of a larger one parts are
BLOCKS, BLOCK = 64, 2**16  # of a larger file: so many parts of so many bytes


def content(benchmark: Benchmark, places: Places) -> str:
    """Hash of what is unlearned and judged: every row of the benchmark, both models and the tokenizer.

    Neither the protocol nor the code is any part of it.
    """
    rows = sorted((c, s, json.dumps(rows, sort_keys=True)) for (c, s), rows in benchmark.splits.items())
    return hash_of([rows, [stamp(place) for place in (places.target, places.retrained, places.tokenizer)]])


def stamp(model: str | None) -> list[Any]:
    """What tells one model from another: a hub id and its commit, or every file below a folder and what it holds.

    Hidden files (.git, .cache) are left out. Of a file above 64 MiB the size counts, the header of its safetensors, and
    64 blocks of 64 KiB that lie evenly from its beginning to its end, since nobody waits for a hash of 27 GB. Training
    changes every block; an edit that lies wholly between two of them, as of a few rows of one matrix, or of one matrix
    in a single file of many gigabytes, is not seen.
    """
    if model is None or not Path(model).is_dir():
        return [model, model and commit(model)]
    return [[str(file.relative_to(model)), _hash_file(file)] for file in _files(Path(model))]


def _files(folder: Path) -> list[Path]:
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(place) / name for name in names if not name.startswith(".")]
    return sorted(file for file in found if file.is_file())


def _hash_file(file: Path) -> str:
    size = file.stat().st_size
    if size <= SMALL:
        return hashlib.sha256(file.read_bytes()).hexdigest()
    with file.open("rb") as opened:
        return _hash_parts(opened, size, header=file.suffix == ".safetensors")


def _hash_parts(opened: BinaryIO, size: int, *, header: bool) -> str:
    found = hashlib.sha256(str(size).encode())
    if header:  # its length stands in the first eight bytes
        found.update(opened.read(min(int.from_bytes(opened.read(8), "little"), SMALL)))
    for i in range(BLOCKS):
        opened.seek(i * max(size - BLOCK, 0) // (BLOCKS - 1))
        found.update(opened.read(BLOCK))
    return found.hexdigest()
