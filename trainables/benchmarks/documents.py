"""A benchmark from a user's own plain text: passages, VerbMem prompts, and a utility test, in MUSE's layout.

    splits = from_texts(forget=[...], retain=[...], holdout=[...], questions=read_questions(Path("qa.csv")))

Texts are cut into passages of whole sentences; in a script without spaces, a character counts as a word. The first
half of each retain text becomes `retain1`, on which unlearning regularises, the second half `retain2`, on which it is
judged. Without questions there are no KnowMem scores.
"""

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from trainables.benchmarks.files import read_table, read_text
from trainables.benchmarks.layout import Row, Splits, choice_row, cut_at, text_rows
from trainables.benchmarks.overlap import RUN, shared_passages
from trainables.benchmarks.words import split_sentences, split_words, unicode_words

Questions = Mapping[str, Sequence[Row]]  # "forget", "retain" -> rows of question and answer

SHOTS = 10
CONTINUATION = 8  # words of a choice in the utility test
LEAST = 4  # passages that each of forget and holdout, and twice that retain, must give


def read_texts(files: Sequence[Path]) -> list[str]:
    """Read text files; ValueError names a file that is missing, empty or not UTF-8 text.

    Byte-order marks go, also those within, which files that were joined have.
    """
    texts = []
    for file in files:
        texts.append(read_text(file).replace("\ufeff", ""))
        if not texts[-1].strip():
            raise ValueError(f"{str(file)!r} is empty")
    return texts


def read_questions(file: Path) -> Questions:
    """Read questions from a CSV file with the columns `set` (forget or retain), `question` and `answer`.

    ValueError names a missing file, column or value, an unknown set, a question that is asked twice, an answer without
    a letter or digit, or a set with fewer than two questions: at least one has to be a shot and one to be asked.
    """
    table = read_table(file)
    if not table:
        raise ValueError(f"{str(file)!r} has no rows")
    _check_columns(file, list(table[0]))
    seen: dict[str, int] = {}
    for number, row in enumerate(table, 1):
        _check_question(f"{str(file)!r}: row {number}", row)
        if (first := seen.setdefault(row["question"].strip(), number)) < number:
            raise ValueError(f"{str(file)!r}: row {number} asks what row {first} asks")
    questions = {}
    for name in ("forget", "retain"):
        rows = [{"question": row["question"], "answer": row["answer"]} for row in table if row["set"] == name]
        if len(rows) < 2:
            raise ValueError(f"{str(file)!r} has {len(rows)} questions of the set {name}: at least 2 are needed")
        questions[name] = rows
    return questions


def _check_columns(file: Path, found: list[str]) -> None:
    for column in ("set", "question", "answer"):
        if column not in found:
            commas = "; commas separate columns" if any(mark in name for name in found for mark in ";\t|") else ""
            raise ValueError(f"{str(file)!r} has no column {column!r} (found: {', '.join(found)}{commas})")


def _check_question(place: str, row: Mapping[str, str]) -> None:
    """ValueError where a value is missing, the set is unknown, or the answer could not be scored."""
    for column in ("set", "question", "answer"):
        if not row[column].strip():
            raise ValueError(f"{place} has no {column}")
    if row["set"] not in ("forget", "retain"):
        raise ValueError(f"{place}: set {row['set']!r} is unknown: choose forget or retain")
    if not unicode_words(row["answer"]):
        raise ValueError(f"{place}: answer {row['answer']!r} has no letter or digit that could be scored")


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

    ValueError where a side is too short to be judged, a text has fewer than two words, or passages of one side stand
    in another one's texts (overlap.py). Without `holdout` there is no `privleak`, so no PrivLeak.
    """
    passages = {name: cut(texts, words) for name, texts in (("forget", forget), ("holdout", holdout))}
    passages["retain1"], passages["retain2"] = _halves([cut([text], words) for text in retain])
    for name in ("forget", "retain1", "retain2", *(["holdout"] if holdout else [])):
        _check_passages(name, passages[name], words)
    kept = passages["retain1"] + passages["retain2"]
    for side, own, other, texts in (
        ("retain", kept, "forget", forget),
        ("holdout", passages["holdout"], "forget", forget),
        ("holdout", passages["holdout"], "retain", retain),
    ):
        _check_apart(side, own, other, texts)
    return _lay_out(passages, questions, random.Random(seed))


def cut(texts: Sequence[str], words: int) -> list[str]:
    """Cut texts into passages of whole sentences, each of at least `words` words but for a shorter last one.

    A last passage of less than half of `words` joins the one before it. A sentence of more than twice `words`, such as
    a text without marks, is cut into pieces of `words`.
    """
    passages: list[str] = []
    for text in texts:
        own: list[list[str]] = [[]]
        for sentence in split_sentences(" ".join(text.split())):
            for piece in _pieces(split_words(sentence), words):
                if len(own[-1]) >= words:
                    own.append([])
                own[-1] += piece
        if len(own) > 1 and len(own[-1]) < words / 2:
            own[-2:] = [own[-2] + own[-1]]
        passages += ["".join(passage).strip() for passage in own]
    return passages


def _pieces(sentence: list[str], words: int) -> list[list[str]]:
    if len(sentence) <= 2 * words:
        return [sentence]
    return [sentence[i : i + words] for i in range(0, len(sentence), words)]


def _check_passages(name: str, passages: list[str], words: int) -> None:
    """ValueError where a split has too few passages, or one that cannot be cut into a prompt and its continuation."""
    side = name.rstrip("12")
    if len(passages) < LEAST:
        raise ValueError(
            f"the {side} texts give {len(passages)} passages of {words} words for {name}: at least {LEAST} "
            "are needed; add text or make passages shorter (--words)"
        )
    for passage in passages:
        if len(split_words(passage)) < 2:
            raise ValueError(f"a {side} text is {passage!r} alone: a text needs at least two words")


def _check_apart(side: str, passages: list[str], other: str, texts: Sequence[str]) -> None:
    """ValueError where passages of one side stand in another one's texts."""
    if shared := shared_passages(passages, texts):
        raise ValueError(
            f"{len(shared)} of {len(passages)} passages of the {side} texts stand in the {other} texts too (half or "
            f"more of their runs of {RUN} words do), the first: {shared[0][:60]!r}...; take them out of one of the two"
        )


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
        ("verbmem", "forget"): [cut_at(passage, 1 / 2) for passage in passages["forget"]],
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
    endings = sorted({ending for _, ending in pieces})
    rows = []
    for prompt, right in pieces:
        drawn = rng.sample(endings, min(4, len(endings)))  # of which one may be the right one
        choices = [right, *[ending for ending in drawn if ending != right][:3]]
        rng.shuffle(choices)
        rows.append(choice_row(prompt, choices, choices.index(right)))
    return rows


def _piece(passage: str) -> tuple[str, str]:
    """The first two thirds of a passage, and the words that follow, with the space before them."""
    words = split_words(passage)
    cut_at = 2 * len(words) // 3
    return "".join(words[:cut_at]), "".join(words[cut_at : cut_at + CONTINUATION])
