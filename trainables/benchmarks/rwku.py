"""RWKU as it is on the hub, or a folder of its files, as rows of MUSE's layout, `probe` and `mia`.

    splits = read_rwku("jinzhuoran/RWKU", ["Stephen King"])    # or a folder that holds forget_level1.json, ...

RWKU (arXiv 2406.10890) asks what a model knows of famous people: by cloze (level 1), by question (level 2), in words of
an attack (level 3, whose `type` it is), and of their neighbours by the first two. It brings no retained model, and no
texts to forget but those that a model itself wrote of a person, `train_positive_llama3` and `_phi3`: these are
`raw/forget`; as many of other people are `raw/retain1`, in turn one of each. KnowMem asks level 2. Texts for membership
inference are in `mia`: nobody knows of them that no model read them, so there is no PrivLeak.
"""

from collections.abc import Sequence
from typing import Any

from trainables.benchmarks.configs import read_config
from trainables.benchmarks.files import READERS
from trainables.benchmarks.layout import Row, Splits, cut_at, text_rows
from trainables.benchmarks.rows import make_rows

LEVELS = {  # kind -> its config of the forgotten, and of their neighbours
    "level1": ("forget_level1", "neighbor_level1"),
    "level2": ("forget_level2", "neighbor_level2"),
    "level3": ("forget_level3", ""),
}
FILES = {  # configs whose files in the hub's folder, and in that of a person, are called otherwise
    "mia_forget": "forget_mia",
    "mia_retain": "retain_mia",
    "train_positive_llama3": "positive",
    "train_positive_phi3": "positive_phi",
}
CORPORA = {"llama3": "train_positive_llama3", "phi3": "train_positive_phi3"}  # by who wrote it
SHOTS = 2
NAMED = 5  # people that a refusal names


def read_rwku(place: str, subjects: Sequence[str], corpus: str = "llama3") -> Splits:
    """The rows of RWKU in which some people are to be forgotten, from a folder or a hub id.

    ValueError, in one line, for nobody, for a person who is not there, for another corpus, and for a config that is
    not there or cannot be read.
    """
    if not subjects:
        raise ValueError("nobody is to be forgotten: name at least one subject of RWKU")
    if corpus not in CORPORA:
        raise ValueError(f"corpus is {corpus!r}: one of {', '.join(CORPORA)}")
    written = _read(place, CORPORA[corpus], "train", ("text",), needed=False)
    if not written:
        raise ValueError(
            f"{place!r} has no texts to forget: RWKU brings none but {CORPORA[corpus]}, which a model wrote itself"
        )
    asked = {config: _read(place, config, "test", ("query", "answer")) for _, config in _configs()}
    there = dict.fromkeys(row["subject"] for row in asked["forget_level2"])
    for subject in subjects:
        if subject not in there:
            some = ", ".join(list(there)[:NAMED])
            raise ValueError(f"{place!r} has nobody called {subject!r} (there are {len(there)}: {some}, ...)")
    mia = {split: _read(place, f"mia_{split}", "test", ("text",), needed=False) for split in ("forget", "retain")}
    return to_splits(written, asked, mia, set(subjects))


def to_splits(written: list[Row], asked: dict[str, list[Row]], mia: dict[str, list[Row]], subjects: set[str]) -> Splits:
    """RWKU's rows, by what they are, in the layout's splits; those on some subjects are to be forgotten."""
    forget = [row["text"] for row in written if row["subject"] in subjects]
    retain = _in_turn([row for row in written if row["subject"] not in subjects])[: len(forget)]
    for texts, whom in ((forget, "those to be forgotten"), (retain, "anybody else")):
        if not texts:
            raise ValueError(f"RWKU's self-written texts have none on {whom}: unlearning needs both")
    splits: Splits = {
        ("raw", "forget"): text_rows(forget),
        ("raw", "retain1"): text_rows(retain),
        ("verbmem", "forget"): [cut_at(text, 1 / 2) for text in forget if len(text.split()) > 1],
    }
    own = {config: [row for row in rows if row["subject"] in subjects] for config, rows in asked.items()}
    for split, config in (("forget", "forget_level2"), ("retain", "neighbor_level2")):
        pairs = [{"question": row["query"], "answer": row["answer"]} for row in own[config]]
        splits["knowmem", f"{split}_qa"], splits["knowmem", f"{split}_qa_icl"] = pairs[:-SHOTS], pairs[-SHOTS:]
        splits["probe", split] = []
    for kind, config in _configs():
        split = "forget" if config.startswith("forget") else "retain"
        splits["probe", split] += [
            {"question": row["query"], "answer": row["answer"], "kind": kind, "type": row.get("type", kind)}
            for row in own[config]
        ]
    for split, rows in mia.items():
        if texts := [row["text"] for row in rows if row["subject"] in subjects]:
            splits["mia", split] = text_rows(texts)
    return splits


def _configs() -> list[tuple[str, str]]:
    return [(kind, config) for kind, configs in LEVELS.items() for config in configs if config]


def _in_turn(rows: list[Row]) -> list[str]:
    """The texts of all subjects, the first of each before the second of any."""
    turns: dict[str, int] = {}
    numbered = []
    for row in rows:
        turns[row["subject"]] = turns.get(row["subject"], 0) + 1
        numbered.append((turns[row["subject"]], row["text"]))
    return [text for _, text in sorted(numbered, key=lambda pair: pair[0])]


def _read(place: str, config: str, split: str, columns: tuple[str, ...], *, needed: bool = True) -> list[Row]:
    files = (FILES[config],) if config in FILES else ()
    records: list[Any] | None = read_config(place, config, what="RWKU", split=split, files=files)
    if records is None:
        if needed:
            raise ValueError(f"{place!r} is not RWKU's layout: no config {config} ({config}{', '.join(READERS)})")
        return []
    rows = make_rows(records)
    for number, row in enumerate(rows, 1):
        for column in ("subject", *columns):
            if column not in row:
                raise ValueError(
                    f"{place!r}: {config}, row {number} has no {column!r} (found: {', '.join(row) or 'nothing'})"
                )
    return rows
