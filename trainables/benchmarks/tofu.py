"""TOFU as it is on the hub, or a folder of its files, as rows of MUSE's layout and `qa`.

    splits = read_tofu("locuslab/TOFU", "forget10")    # or a folder that holds full.json, forget10.json, ...

Its configs are `full`, `forgetXX` and `retainYY` of question and answer, those with `_perturbed` have a paraphrase and
wrong answers (arXiv 2401.06121). Texts are "Question: ...\nAnswer: ...", the prompt format `plain`: models that were
trained in a chat template read something else there. VerbMem stops in the middle of an answer; KnowMem asks TOFU's own
questions; PrivLeak needs a config `holdoutXX`, and is absent without. No text is unrelated, so there is no `utility`.
"""

import re
from typing import Any

from trainables.benchmarks.configs import read_config
from trainables.benchmarks.files import READERS
from trainables.benchmarks.layout import Row, Splits, cut_at, text_rows
from trainables.benchmarks.rows import make_rows

SETS = {"authors": "real_authors_perturbed", "facts": "world_facts_perturbed"}
COLUMNS = {"perturbed_answer": "perturbed_answers"}  # what is called otherwise here
KEPT = ("question", "answer", "paraphrased_question", "paraphrased_answer", "perturbed_answers")
SHOTS = 2


def read_tofu(place: str, forget: str) -> Splits:
    """The rows of TOFU in which a config such as `forget10` is to be forgotten, from a folder or a hub id.

    ValueError, in one line, for another name, and for a config that is not there or cannot be read.
    """
    if not re.fullmatch(r"forget\d\d", forget):
        raise ValueError(f"forget is {forget!r}: one of TOFU's configs forget01, forget05, forget10")
    share = int(forget.removeprefix("forget"))
    names = {
        "full": "full",
        "forget": forget,
        "retain": f"retain{100 - share}",
        "asked forget": f"{forget}_perturbed",
        "asked retain": "retain_perturbed",
    }
    rows = {key: _read(place, name) for key, name in (names | SETS).items()}
    return to_splits(rows, _read(place, f"holdout{share:02}", needed=False))


def to_splits(rows: dict[str, list[Row]], holdout: list[Row]) -> Splits:
    """TOFU's rows, by what they are, in the layout's splits; `retain2` are the retained questions that are asked."""
    asked = {row["question"] for row in rows["asked retain"]}
    parts = {
        "forget": rows["forget"],
        "retain1": [row for row in rows["retain"] if row["question"] not in asked],
        "retain2": [row for row in rows["retain"] if row["question"] in asked],
        "holdout": holdout,
    }
    splits: Splits = {("raw", name): _texts(own) for name, own in parts.items() if own}
    splits |= {("train", "full"): _texts(rows["full"]), ("train", "retain"): _texts(rows["retain"])}
    splits["verbmem", "forget"] = [_cut(row) for row in rows["forget"]]
    for split, name in (("forget", "forget"), ("retain", "retain2")):
        pairs = [{"question": row["question"], "answer": row["answer"]} for row in parts[name]]
        splits["knowmem", f"{split}_qa"], splits["knowmem", f"{split}_qa_icl"] = pairs[:-SHOTS], pairs[-SHOTS:]
    if holdout:
        for split, name in (("forget", "forget"), ("retain", "retain2"), ("holdout", "holdout")):
            splits["privleak", split] = _texts(parts[name])
        splits["qa", "holdout"] = holdout
    for split, name in (
        ("forget", "asked forget"),
        ("retain", "asked retain"),
        ("authors", "authors"),
        ("facts", "facts"),
    ):
        splits["qa", split] = rows[name]
    return splits


def _texts(rows: list[Row]) -> list[Row]:
    return text_rows(f"Question: {row['question']}\nAnswer: {row['answer']}" for row in rows)


def _cut(row: Row) -> Row:
    """A question with its answer, up to the middle of the answer's words and from there on."""
    cut = cut_at(row["answer"], 1 / 2)
    return {"prompt": f"Question: {row['question']}\nAnswer: {cut['prompt']}", "gt": cut["gt"]}


def _read(place: str, config: str, *, needed: bool = True) -> list[Row]:
    records = read_config(place, config, what="TOFU")
    if records is None:
        if needed:
            raise ValueError(f"{place!r} is not TOFU's layout: no config {config} ({config}{', '.join(READERS)})")
        return []
    rows = make_rows(map(_renamed, records))
    for number, row in enumerate(rows, 1):
        if not {"question", "answer"} <= row.keys():
            raise ValueError(
                f"{place!r}: {config}, row {number} has no question or no answer (found: {', '.join(row)})"
            )
    return [{name: row[name] for name in KEPT if name in row} for row in rows]


def _renamed(record: Any) -> Any:
    # before values are read: a list of wrong answers is known by its column
    return {COLUMNS.get(name, name): value for name, value in record.items()} if isinstance(record, dict) else record
