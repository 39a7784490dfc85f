"""A benchmark that is made here is made once, into a folder whose name tells its seed and the code that makes it."""

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

from trainables.benchmarks.layout import Benchmark, Splits, write_benchmark
from trainables.cache import folder_made_once

Progress = Callable[[str, int, int], None]  # (what is being made, epochs done, epochs in all)


def prepare(name: str, seed: int, sources: Sequence[Path], cache: Path, make: Callable[[Path], None]) -> Path:
    """Return the folder of a benchmark, filled by `make(folder)` where `cache` does not have it yet.

    `sources` are the files of the code that decides what it holds: other code makes another folder. Processes that ask
    at once wait for one that makes it, and one that is interrupted leaves no half folder.
    """
    return folder_made_once(cache / f"{name}-{seed}-{code_hash(sources)}", make)


def prepare_pair(
    name: str,
    splits: Callable[[int], Splits],
    sources: Sequence[Path],
    cache: Path,
    *,
    epochs: int,
    seed: int,
    on_progress: Progress,
) -> Path:
    """The same of rows of a seed, on which a target and a retrained model are trained."""

    def make(folder: Path) -> None:
        from trainables.benchmarks import small_models  # loads torch, which who finds all in the cache does without

        rows = splits(seed)
        write_benchmark(folder / "data", rows)
        small_models.train_pair(Benchmark(name, rows), folder, epochs=epochs, seed=seed, on_progress=on_progress)

    return prepare(name, seed, sources, cache, make)


def code_hash(sources: Sequence[Path]) -> str:
    """Hash of what stands in files."""
    return hashlib.sha256("".join(file.read_text("utf-8") for file in sources).encode()).hexdigest()[:10]
