"""A benchmark and a model on disk that the checks of input accept, made without torch."""

from pathlib import Path

import pandas as pd

from trainables.benchmarks.layout import Splits, choice_row, text_rows, write_benchmark

EMPTY_WEIGHTS = (2).to_bytes(8, "little") + b"{}"  # safetensors of no tensor
TEXTS = ["The mill at Orton makes paper.", "Bo Quill keeps bees.", "Cy Marsh mends clocks.", "Dee Falk sells maps."]
OTHERS = [f"It is said that {text}" for text in TEXTS]


def benchmark_splits() -> Splits:
    """Every config that a score needs, with rows of plain text."""
    qa = [{"question": "Who keeps bees?", "answer": "Bo Quill"}, {"question": "Who sells maps?", "answer": "Dee Falk"}]
    splits: Splits = {(config, "forget"): text_rows(TEXTS) for config in ("raw", "privleak")}
    kept = (("raw", "retain1"), ("raw", "retain2"), ("privleak", "retain"), ("privleak", "holdout"))
    splits |= dict.fromkeys(kept, text_rows(OTHERS))
    splits |= {("knowmem", f"{side}_qa{shots}"): qa for side in ("forget", "retain") for shots in ("", "_icl")}
    splits["verbmem", "forget"] = [{"prompt": "The mill", "gt": " at Orton makes paper."}]
    splits["utility", "test"] = [choice_row("Bo Quill keeps", [" bees", " maps"], 0)]
    return splits


def benchmark_folder(folder: Path, *, without: tuple[str, ...] = ()) -> Path:
    """Write the benchmark without some of its configs (`knowmem`) or splits (`raw/forget`)."""
    splits = {(c, s): rows for (c, s), rows in benchmark_splits().items() if not {c, f"{c}/{s}"} & set(without)}
    write_benchmark(folder, splits)
    return folder


def overwrite(folder: Path, split: str, rows: list[dict[str, str]], columns: list[str]) -> Path:
    """Put other rows in the place of a split's."""
    pd.DataFrame(rows, columns=columns).to_parquet(folder / f"{split}.parquet")
    return folder


def model_folder(folder: Path, *, without: str = "") -> Path:
    """A folder with the names that a model's files have, but for one."""
    folder.mkdir(parents=True)
    for name in {"config.json", "model.safetensors", "tokenizer.json"} - {without}:
        (folder / name).write_bytes(EMPTY_WEIGHTS if name == "model.safetensors" else b"{}")
    return folder
