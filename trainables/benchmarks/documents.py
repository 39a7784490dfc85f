"""A benchmark from a user's own plain text: passages, VerbMem prompts, and a utility test, in MUSE's layout.

    splits = from_texts(forget=[...], retain=[...], holdout=[...], questions=read_questions(Path("qa.csv")))

Texts are cut into passages of whole sentences. The first half of each retain text becomes `retain1`, on which
unlearning regularises, the second half `retain2`, on which it is judged. Without questions there are no KnowMem
scores.
"""

import random
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from trainables.benchmarks.layout import Row, Splits, choice_row, cut_in_half, text_rows

Questions = Mapping[str, Sequence[Row]]  # "forget", "retain" -> rows of question and answer

SHOTS = 10
CONTINUATION = 8  # words of a choice in the utility test
LEAST = 4  # passages that each of forget and holdout, and twice that retain, must give


def read_texts(files: Sequence[Path]) -> list[str]:
    """Read text files; ValueError names a file that is missing, empty or not UTF-8 text."""
    texts = []
    for file in files:
        if not file.is_file():
            raise ValueError(f"{str(file)!r} is not a file")
        try:
            texts.append(file.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise ValueError(f"{str(file)!r} is not UTF-8 text") from None
        if not texts[-1].strip():
            raise ValueError(f"{str(file)!r} is empty")
    return texts


def read_questions(file: Path) -> Questions:
    """Read questions from a CSV file with the columns `set` (forget or retain), `question` and `answer`.

    ValueError names a missing file, column or value, an unknown set, or a set with fewer than two questions: at least
    one has to be a shot and one to be asked.
    """
    table = _read_table(file)
    unknown = sorted(set(table["set"]) - {"forget", "retain"})
    if unknown:
        raise ValueError(f"{str(file)!r}: set {unknown[0]!r} is unknown: choose forget or retain")
    questions = {}
    for name in ("forget", "retain"):
        rows = table.loc[table["set"] == name, ["question", "answer"]].to_dict("records")
        if len(rows) < 2:
            raise ValueError(f"{str(file)!r} has {len(rows)} questions of the set {name}: at least 2 are needed")
        questions[name] = [{str(k): str(v) for k, v in row.items()} for row in rows]
    return questions


def _read_table(file: Path) -> pd.DataFrame:
    """The CSV file, with every column there and every value given."""
    if not file.is_file():
        raise ValueError(f"{str(file)!r} is not a file")
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False).fillna("")  # a row that is too short has no value
    except ValueError as error:  # what pandas raises for a broken file
        raise ValueError(f"{str(file)!r} cannot be read: {str(error).splitlines()[0]}") from None
    for column in ("set", "question", "answer"):
        if column not in table:
            raise ValueError(f"{str(file)!r} has no column {column!r} (found: {', '.join(table.columns)})")
        blank = (table[column].str.strip() == "").to_numpy(bool)
        if blank.any():
            raise ValueError(f"{str(file)!r}: row {blank.argmax() + 1} has no {column}")
    return table


def from_texts(
    *,
    forget: Sequence[str],
    retain: Sequence[str],
    holdout: Sequence[str],
    questions: Questions | None = None,
    words: int = 100,
    seed: int = 0,
) -> Splits:
    """Lay texts out as a benchmark of passages of about `words` words.

    ValueError where a side is too short to be judged, or a text is both to forget and not.
    Without `holdout` there is no `privleak`, so no PrivLeak.
    """
    for side, texts in (("retain", retain), ("holdout", holdout)):
        if shared := set(forget) & set(texts):
            raise ValueError(f"one text is both forget and {side}: {' '.join(shared.pop().split())[:60]!r}...")
    passages = {name: cut(texts, words) for name, texts in (("forget", forget), ("holdout", holdout))}
    passages["retain1"], passages["retain2"] = _halves([cut([text], words) for text in retain])
    for name in ("forget", "retain1", "retain2", *(["holdout"] if holdout else [])):
        if len(passages[name]) < LEAST:
            side = name.rstrip("12")
            raise ValueError(
                f"the {side} texts give {len(passages[name])} passages of {words} words for {name}: at least {LEAST} "
                "are needed; add text or make passages shorter (--words)"
            )
    return _lay_out(passages, questions, random.Random(seed))


def cut(texts: Sequence[str], words: int) -> list[str]:
    """Cut texts into passages of whole sentences, each of at least `words` words but for a shorter last one.

    A last passage of less than half of `words` joins the one before it.
    """
    passages: list[str] = []
    for text in texts:
        own: list[list[str]] = [[]]
        for sentence in re.split(r"(?<=[.;:?!])\s+", " ".join(text.split())):
            if len(own[-1]) >= words:
                own.append([])
            own[-1] += sentence.split(" ")
        if len(own) > 1 and len(own[-1]) < words / 2:
            own[-2:] = [own[-2] + own[-1]]
        passages += [" ".join(passage) for passage in own]
    return passages


def _halves(texts: Sequence[list[str]]) -> tuple[list[str], list[str]]:
    """The first half of every text's passages, and the second; an odd passage goes where fewer are."""
    first: list[str] = []
    second: list[str] = []
    for passages in texts:
        middle = (len(passages) + (len(first) <= len(second))) // 2
        first += passages[:middle]
        second += passages[middle:]
    return first, second


def _lay_out(passages: dict[str, list[str]], questions: Questions | None, rng: random.Random) -> Splits:
    retain = passages["retain1"] + passages["retain2"]
    splits: Splits = {("raw", name): text_rows(rows) for name, rows in passages.items() if rows}
    splits |= {
        ("train", "full"): text_rows(passages["forget"] + retain),
        ("train", "retain"): text_rows(retain),
        ("verbmem", "forget"): [cut_in_half(passage) for passage in passages["forget"]],
        ("utility", "test"): _continuations(passages["retain2"], rng),
    }
    if passages["holdout"]:
        pairs = (("forget", "forget"), ("retain", "retain2"), ("holdout", "holdout"))
        splits |= {("privleak", split): text_rows(passages[name]) for split, name in pairs}
    for k in range(1, 5):
        cuts = [round(len(passages["forget"]) * i / 4) for i in range(5)]
        splits["scal", f"forget_{k}"] = text_rows(passages["forget"][: cuts[k]])
        splits["sust", f"forget_{k}"] = text_rows(passages["forget"][cuts[k - 1] : cuts[k]])
    for name, rows in (questions or {}).items():
        shots = min(SHOTS, len(rows) // 2)
        splits["knowmem", f"{name}_qa_icl"] = list(rows[:shots])
        splits["knowmem", f"{name}_qa"] = list(rows[shots:])
    return splits


def _continuations(passages: list[str], rng: random.Random) -> list[Row]:
    """Multiple choice: how does this passage go on? The wrong choices are pieces of other passages."""
    pieces = [_piece(passage) for passage in passages]
    rows = []
    for i, (prompt, right) in enumerate(pieces):
        others = sorted({piece for j, (_, piece) in enumerate(pieces) if j != i and piece != right})
        choices = [right, *rng.sample(others, min(3, len(others)))]
        rng.shuffle(choices)
        rows.append(choice_row(prompt, choices, choices.index(right)))
    return rows


def _piece(passage: str) -> tuple[str, str]:
    """The first two thirds of a passage, and the words that follow, with the space before them."""
    words = passage.split(" ")
    cut_at = 2 * len(words) // 3
    return " ".join(words[:cut_at]), " " + " ".join(words[cut_at : cut_at + CONTINUATION])
