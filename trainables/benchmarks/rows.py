"""The rows of a benchmark: which columns each config has, and what stands in them, made text and checked.

Every value is text but those of LISTS, lists of texts, also where they are stored as JSON. What will not do is refused
with its config, split and row. A column of OPTIONAL is in every row of a split, or the split does not have it.
"""

import json
import re
from collections.abc import Iterable
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd

Row = dict[str, Any]

COLUMNS = {
    "raw": {"text"},
    "train": {"text"},
    "verbmem": {"prompt", "gt"},
    "knowmem": {"question", "answer"},
    "privleak": {"text"},
    "scal": {"text"},
    "sust": {"text"},
    "utility": {"prompt", "choices", "answer"},
    # What methods may train on besides texts.
    "facts": {"subject", "type", "prompt", "object"},
    # Questions as TOFU has them too: with the answer in other words, and with wrong answers in the words of that one.
    "qa": {
        *("subject", "type", "question", "answer"),
        *("paraphrased_question", "paraphrased_answer", "perturbed_answers"),
    },
    "mcq": {"question", "choices", "answer", "subject"},
    "style": {"question", "answer", "style", "shared"},
    # Questions by their kind: on other ways to a `fact`, or RWKU's levels, whose attacks have a `type`.
    "probe": {"question", "answer", "kind", "fact", "type"},
    "mia": {"text"},
    "paraphrases": {"text"},
    "neighbours": {"subject", "neighbour", "shares"},
}
OPTIONAL = {"qa": COLUMNS["qa"] - {"question", "answer"}, "mcq": {"subject"}, "probe": {"fact", "type"}}
LISTS = {"choices": 2, "perturbed_answers": 1}  # the fewest texts of each list
DIFFERENT = {"choices"}  # lists of which no two texts are the same
PICKED = {"utility", "mcq"}  # configs whose `answer` is the index of one of its choices
WORDS = {"shared": ("0", "1")}  # columns that hold one of few words
UNFIT = re.compile("[\0\ud800-\udfff]")  # tokenizers raise at half a character, or end at a NUL


def make_rows(records: Iterable[Any]) -> list[Row]:
    """Rows of what a file or the hub holds: numbers become text, and what LISTS names lists, also where they are JSON.

    A missing value is left out, for the check to find; older privleak rows are plain strings.
    """
    rows = (record if isinstance(record, dict) else {"text": record} for record in records)
    return [{str(k): _value(str(k), v) for k, v in row.items() if not _is_missing(v)} for row in rows]


def check_rows(benchmark: str, config: str, split: str, rows: list[Row]) -> None:
    """ValueError for the first column, row or value of a split that the scores cannot use."""
    place = f"benchmark {benchmark!r}: split {config}/{split}"
    if not rows:
        raise ValueError(f"{place} is empty")
    found = dict.fromkeys(name for row in rows for name in row)
    for column in sorted(COLUMNS[config]):
        if column not in found and column in OPTIONAL.get(config, ()):
            continue
        if column not in found:
            raise ValueError(f"{place} has no column {column!r} (found: {', '.join(found)})")
        for number, row in enumerate(rows, 1):
            if fault := fault_of(row, column):
                raise ValueError(f"{place}, row {number}: {column} {fault}")
    for number, row in enumerate(rows if config in PICKED else [], 1):
        if not (row["answer"].isdecimal() and int(row["answer"]) < len(row["choices"])):
            raise ValueError(
                f"{place}, row {number}: answer {row['answer']!r} is not the index, from 0, of one of "
                f"{len(row['choices'])} choices"
            )


def lacking(rows: list[Row], *columns: str) -> str:
    """The first of these columns that a split of checked rows does not have; "" where it has all of them."""
    return next((column for column in columns if not rows or column not in rows[0]), "")


def _value(column: str, value: Any) -> Any:
    if isinstance(value, np.ndarray):  # a list in Parquet
        value = value.tolist()
    if column in LISTS:
        return _texts(value)
    return str(value) if isinstance(value, Number) else value


def _texts(value: Any) -> Any:
    try:
        found = json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return [_value("", text) for text in found] if isinstance(found, list) else value


def _is_missing(value: Any) -> bool:
    return pd.api.types.is_scalar(value) and bool(pd.isna(value))


def fault_of(row: Row, column: str) -> str:
    """What is wrong with a value, as a sentence that begins with its column; empty where nothing is."""
    if column not in row:
        return "is missing"
    if column in LISTS:
        return _fault_of_list(row[column], column)
    if column in WORDS and row[column] not in WORDS[column]:
        return f"{_shortened(row[column])} is none of {', '.join(WORDS[column])}"
    return _fault_of_text(row[column])


def _fault_of_list(texts: Any, column: str) -> str:
    if not isinstance(texts, list) or len(texts) < LISTS[column]:
        least = "one text" if LISTS[column] == 1 else "two texts"
        return f"{_shortened(texts)} is not a list of at least {least}, nor one in JSON"
    fault = next(filter(None, map(_fault_of_text, texts)), "")
    if not fault and column in DIFFERENT and len(set(texts)) < len(texts):
        fault = "stands there twice"
    return fault and f"{_shortened(texts)} will not do: one {fault}"


def _fault_of_text(value: Any) -> str:
    if not isinstance(value, str):
        return f"{_shortened(value)} is a {type(value).__name__}, not text"
    if not value.strip():
        return "is empty"
    unfit = UNFIT.search(value)
    return f"holds {unfit[0]!r}, which no tokenizer takes" if unfit else ""


def _shortened(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "..."
