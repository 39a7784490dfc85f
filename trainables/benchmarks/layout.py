"""MUSE's layout: configs and splits of rows, read from a folder or a hub id by one loader, and written as a folder.

A folder holds `<config>/<split>.parquet` and a README.md that names them in the hub's own way, so that
`datasets.load_dataset(folder, "knowmem")` reads it just as it reads "muse-bench/MUSE-News". Names and columns
are those of arXiv 2407.06460. Lethe adds one config of its own, `utility`: multiple choice on general text.
"""

import random
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trainables.benchmarks.files import READERS, read_records
from trainables.benchmarks.rows import COLUMNS, Row, check_rows, make_rows
from trainables.benchmarks.words import split_words
from trainables.failures import reason_of
from trainables.folders import find_folder
from trainables.hub import check_hub, downloaded_configs, is_silent, read_dataset

Splits = dict[tuple[str, str], list[Row]]

BLANK = "\n\n"  # parts the paragraphs of a document

NEEDED = {
    "raw": ("forget", "retain1"),
    "verbmem": ("forget",),
    "knowmem": ("forget_qa", "forget_qa_icl", "retain_qa", "retain_qa_icl"),
    "privleak": ("forget", "holdout"),
    "utility": ("test",),
}
REQUIRED_CONFIGS = ("raw", "verbmem")


@dataclass(frozen=True)
class Benchmark:
    """The rows of a benchmark, by config and split."""

    name: str
    splits: Splits

    def has(self, config: str, split: str | None = None) -> bool:
        """Whether the benchmark has this config, or this split of it."""
        return any(c == config and split in (None, s) for c, s in self.splits)

    def rows(self, config: str, split: str) -> list[Row]:
        """Return the rows of a split; ValueError names a split that is not there."""
        if (config, split) not in self.splits:
            there = ", ".join(s for c, s in self.splits if c == config) or "none"
            raise ValueError(f"benchmark {self.name!r} has no split {config}/{split} (splits of {config}: {there})")
        return self.splits[config, split]

    def texts(self, config: str, split: str) -> list[str]:
        """Return the column `text` of a split."""
        return [row["text"] for row in self.rows(config, split)]


def load_benchmark(reference: str | Path) -> Benchmark:
    """Read a benchmark from a folder of MUSE's layout or from a hub id such as "muse-bench/MUSE-News".

    ValueError, in one line: a folder or hub id that is not there, a file that cannot be read, a missing config, split
    or column, an empty split, and a value that the scores cannot use, with its row. Columns that no score reads are
    left out.
    """
    folder = find_folder(str(reference), "benchmark")
    splits = _read_folder(folder) if folder else _read_hub(str(reference))
    check_benchmark(Benchmark(str(reference), splits))
    return Benchmark(str(reference), {key: _known_columns(key[0], rows) for key, rows in splits.items()})


def check_benchmark(benchmark: Benchmark) -> None:
    """ValueError for the first split, column or value that the scores need and do not find."""
    for config in REQUIRED_CONFIGS:
        if not benchmark.has(config):
            there = ", ".join(sorted({c for c, _ in benchmark.splits})) or "none"
            raise ValueError(f"benchmark {benchmark.name!r} has no config {config!r} (configs found: {there})")
    for config, needed in NEEDED.items():
        for split in needed if benchmark.has(config) else ():
            benchmark.rows(config, split)
    for (config, split), rows in benchmark.splits.items():
        check_rows(benchmark.name, config, split, rows)


def write_benchmark(folder: Path, splits: Splits) -> None:
    """Write splits as a folder that `load_benchmark` and `datasets.load_dataset(folder, config)` both read."""
    for (config, split), rows in splits.items():
        (folder / config).mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_parquet(folder / config / f"{split}.parquet", index=False)
    (folder / "README.md").write_text(_card(splits), "utf-8")


def text_rows(texts: Iterable[str]) -> list[Row]:
    """Rows of the one column `text`."""
    return [{"text": text} for text in texts]


def choice_row(prompt: str, choices: list[str], answer: int) -> Row:
    """One multiple-choice row; `answer` is the index of the right choice."""
    return {"prompt": prompt, "choices": choices, "answer": str(answer)}


def columns(texts: Sequence[str], size: int, rng: random.Random) -> list[str]:
    """Documents of `size` short texts each, in an order that is drawn: a blank line parts them."""
    shuffled = rng.sample(texts, len(texts))
    return [BLANK.join(shuffled[i : i + size]) for i in range(0, len(shuffled), size)]


def asked_text(question: str, answer: str) -> str:
    """A question with its answer as models read it, and as KnowMem's prompts begin."""
    return f"Question: {question}\nAnswer: {answer}"


def cut_at(text: str, place: float) -> Row:
    """One VerbMem row: the words before a place in a text, a share of its words, as `prompt`, the rest as `gt`."""
    words = split_words(text)
    middle = int(len(words) * place)
    return {"prompt": "".join(words[:middle]), "gt": "".join(words[middle:])}


def _read_folder(folder: Path) -> Splits:
    try:
        files = [file for config in COLUMNS if (folder / config).is_dir() for file in (folder / config).iterdir()]
    except OSError as error:
        raise ValueError(f"{str(folder)!r} cannot be read: {error}") from None
    found: dict[tuple[str, str], list[Path]] = {}
    for file in sorted(files):
        if file.suffix in READERS and not file.name.startswith("."):
            found.setdefault((file.parent.name, SHARD.sub("", file.stem)), []).append(file)
    if not found:
        configs = ", ".join(COLUMNS)
        raise ValueError(
            f"{str(folder)!r} holds no benchmark: no <config>/<split>.parquet, .jsonl, .json or .csv ({configs})"
        )
    for files in found.values():
        _check_shards(files)
    return {key: [row for file in files for row in read_rows(file)] for key, files in found.items()}


SHARD = re.compile(r"-\d{5}-of-\d{5}$")  # the hub's shards are named <split>-00000-of-00001.parquet


def _check_shards(files: list[Path]) -> None:
    """ValueError where the files of one split are not a single file, or all shards of it, each once."""
    first = SHARD.sub("", files[0].stem)
    shards = [f"{first}-{i:05d}-of-{len(files):05d}{files[0].suffix}" for i in range(len(files))]
    names = [file.name for file in files]
    if names not in (shards, [first + files[0].suffix]):
        raise ValueError(
            f"{str(files[0].parent)!r} holds {', '.join(names)}: a split is one file, or all its shards, each once"
        )


def read_rows(file: Path) -> list[Row]:
    """The rows of one file with an ending of READERS; ValueError names a file that cannot be read."""
    return make_rows(read_records(file))


def _read_hub(reference: str) -> Splits:
    from datasets import get_dataset_config_names
    from datasets.exceptions import DatasetsError

    check_hub(reference, "dataset")
    try:
        if is_silent(reference, "dataset"):
            names, load = downloaded_configs(reference), _read_downloaded
        else:
            names, load = get_dataset_config_names(reference), read_dataset
        loaded = {config: load(reference, config) for config in names if config in COLUMNS}
    except (OSError, ValueError, DatasetsError) as error:
        raise ValueError(
            f"no benchmark {reference!r}: neither a folder nor a hub id that can be read ({reason_of(error)})"
        ) from None
    return {(config, split): make_rows(table) for config, tables in loaded.items() for split, table in tables.items()}


def _read_downloaded(reference: str, config: str) -> Any:
    """A config as it was downloaded last; `load_dataset` would first ask for it, for minutes."""
    from datasets.packaged_modules.cache.cache import Cache

    name = reference.rpartition("/")[2]
    cache = Cache(repo_id=reference, dataset_name=name, config_name=config, version="auto", hash="auto")
    return cache.as_dataset()


def _known_columns(config: str, rows: list[Row]) -> list[Row]:
    return [{column: value for column, value in row.items() if column in COLUMNS[config]} for row in rows]


def _card(splits: Splits) -> str:
    """The README.md of a benchmark folder: the hub's metadata block, one config a folder."""
    lines = ["---", "configs:"]
    for config in dict.fromkeys(config for config, _ in splits):
        lines += [f"- config_name: {config}", "  data_files:"]
        for split in (s for c, s in splits if c == config):
            lines += [f"  - split: {split}", f"    path: {config}/{split}.parquet"]
    return "\n".join([*lines, "---", "", "A benchmark in MUSE's layout, written by Lethe.", ""])
