"""MUSE's layout: configs and splits of rows, read from a folder or a hub id by one loader, and written as a folder.

A folder holds `<config>/<split>.parquet` and a README.md that names them in the hub's own way, so that
`datasets.load_dataset(folder, "knowmem")` reads it just as it reads "muse-bench/MUSE-News". Names and columns
are those of arXiv 2407.06460. Lethe adds one config of its own, `utility`: multiple choice on general text.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from trainables.hub import check_hub

Row = dict[str, str]
Splits = dict[tuple[str, str], list[Row]]

COLUMNS = {
    "raw": {"text"},
    "train": {"text"},
    "verbmem": {"prompt", "gt"},
    "knowmem": {"question", "answer"},
    "privleak": {"text"},
    "scal": {"text"},
    "sust": {"text"},
    "utility": {"prompt", "choices", "answer"},
}
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

    ValueError, in one line: a folder or hub id that is not there, a missing config, split or column, an empty split.
    """
    folder = Path(reference)
    splits = _read_folder(folder) if folder.is_dir() else _read_hub(str(reference))
    benchmark = Benchmark(str(reference), splits)
    check_benchmark(benchmark)
    return benchmark


def check_benchmark(benchmark: Benchmark) -> None:
    """ValueError for the first split or column that the scores need and do not find."""
    for config in REQUIRED_CONFIGS:
        if not benchmark.has(config):
            there = ", ".join(sorted({c for c, _ in benchmark.splits})) or "none"
            raise ValueError(f"benchmark {benchmark.name!r} has no config {config!r} (configs found: {there})")
    for config, needed in NEEDED.items():
        for split in needed if benchmark.has(config) else ():
            benchmark.rows(config, split)
    for (config, split), rows in benchmark.splits.items():
        _check_rows(benchmark.name, config, split, rows)


def write_benchmark(folder: Path, splits: Splits) -> None:
    """Write splits as a folder that `load_benchmark` and `datasets.load_dataset(folder, config)` both read."""
    for (config, split), rows in splits.items():
        (folder / config).mkdir(parents=True, exist_ok=True)
        pd.DataFrame(rows).to_parquet(folder / config / f"{split}.parquet", index=False)
    (folder / "README.md").write_text(_card(splits))


def text_rows(texts: Iterable[str]) -> list[Row]:
    """Rows of the one column `text`."""
    return [{"text": text} for text in texts]


def choice_row(prompt: str, choices: list[str], answer: int) -> Row:
    """One multiple-choice row; `answer` is the index of the right choice."""
    return {"prompt": prompt, "choices": json.dumps(choices), "answer": str(answer)}


def cut_in_half(text: str) -> Row:
    """One VerbMem row: the first half of a text's words as `prompt`, the rest as `gt`."""
    words = text.split(" ")
    middle = len(words) // 2
    return {"prompt": " ".join(words[:middle]), "gt": " " + " ".join(words[middle:])}


def _read_folder(folder: Path) -> Splits:
    files = sorted(p for p in folder.glob("*/*") if p.parent.name in COLUMNS and p.suffix in READERS)
    if not files:
        configs = ", ".join(COLUMNS)
        raise ValueError(
            f"{str(folder)!r} holds no benchmark: no <config>/<split>.parquet, .jsonl, .json or .csv ({configs})"
        )
    splits: Splits = {}
    for file in files:
        split = file.stem.split("-0")[0]  # the hub's shards are named <split>-00000-of-00001.parquet
        splits.setdefault((file.parent.name, split), []).extend(_rows(_read_file(file)))
    return splits


READERS: dict[str, Callable[[Path], Any]] = {
    ".parquet": lambda file: pd.read_parquet(file).to_dict("records"),
    ".csv": lambda file: pd.read_csv(file, dtype=str, keep_default_na=False).to_dict("records"),
    ".jsonl": lambda file: [json.loads(line) for line in file.read_text("utf-8").split("\n") if line.strip()],
    ".json": lambda file: json.loads(file.read_text("utf-8")),
}


def read_rows(file: Path) -> list[Row]:
    """The rows of one file with an ending of READERS; ValueError names a file that cannot be read."""
    return _rows(_read_file(file))


def _read_file(file: Path) -> list[Any]:
    try:
        records = READERS[file.suffix](file)
        if not isinstance(records, list):
            raise ValueError("it holds no list of rows")
    except ValueError as error:  # what json, pandas and pyarrow raise for a broken file
        raise ValueError(f"{str(file)!r} cannot be read: {str(error).splitlines()[0]}") from None
    return records


def _rows(records: Iterable[Any]) -> list[Row]:
    """Rows of text. A missing value is left out, for the check to find; older privleak rows are plain strings."""
    rows = (record if isinstance(record, dict) else {"text": record} for record in records)
    return [{str(k): str(v) for k, v in row.items() if not _is_missing(v)} for row in rows]


def _is_missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def _read_hub(reference: str) -> Splits:
    from datasets import get_dataset_config_names, load_dataset

    check_hub(reference, "dataset")
    try:
        configs = get_dataset_config_names(reference)
        loaded = {config: load_dataset(reference, config) for config in configs if config in COLUMNS}
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"no benchmark {reference!r}: neither a folder nor a hub id that can be read ({reason})"
        ) from None
    return {(config, split): _rows(table) for config, tables in loaded.items() for split, table in tables.items()}


def _check_rows(name: str, config: str, split: str, rows: list[Row]) -> None:
    if not rows:
        raise ValueError(f"benchmark {name!r}: split {config}/{split} is empty")
    for row in rows:
        missing = COLUMNS[config] - row.keys()
        if missing:
            found = ", ".join(row)
            raise ValueError(
                f"benchmark {name!r}: split {config}/{split} has no column {sorted(missing)[0]!r} (found: {found})"
            )


def _card(splits: Splits) -> str:
    """The README.md of a benchmark folder: the hub's metadata block, one config a folder."""
    lines = ["---", "configs:"]
    for config in dict.fromkeys(config for config, _ in splits):
        lines += [f"- config_name: {config}", "  data_files:"]
        for split in (s for c, s in splits if c == config):
            lines += [f"  - split: {split}", f"    path: {config}/{split}.parquet"]
    return "\n".join([*lines, "---", "", "A benchmark in MUSE's layout, written by Lethe.", ""])
