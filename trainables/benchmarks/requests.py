"""Which of the requests that follow one another a benchmark's questions and passages are about. No torch."""

from trainables.benchmarks.layout import Benchmark
from trainables.settings import REQUESTS, SUCCESSIVE

PASSAGES, QUESTIONS, ATTACKED = "verbmem/forget", "knowmem/forget_qa", "privleak/forget"


def parts_of(benchmark: Benchmark) -> dict[str, list[int]]:
    """Of every row of a split, the number of the request, from 1, that it is about: "config/split" -> numbers.

    A passage belongs to the first request whose texts hold its prompt, a text that is attacked to the first that holds
    it, a question to the first that tells of its subject, as the facts of the benchmark name it. A split of which one
    row cannot be told is left out.
    """
    splits = [split.split("/") for split in REQUESTS[SUCCESSIVE]]
    if not all(benchmark.has(*split) for split in splits):
        return {}
    texts = ["\n".join(benchmark.texts(*split)) for split in splits]
    named = {row["subject"] for row in benchmark.rows("facts", "forget")} if benchmark.has("facts", "forget") else set()
    subjects = sorted(named, key=lambda subject: (-len(subject), subject))  # the longest of names within names

    def about(row: dict[str, str]) -> str:
        return next((subject for subject in subjects if subject in row["question"]), "")

    sought = {
        PASSAGES: [row["prompt"] for row in _rows(benchmark, PASSAGES)],
        QUESTIONS: [about(row) for row in _rows(benchmark, QUESTIONS)],
        ATTACKED: [row["text"] for row in _rows(benchmark, ATTACKED)],
    }
    found = {split: [_first(texts, words) for words in rows] for split, rows in sought.items() if rows}
    return {split: parts for split, parts in found.items() if all(parts)}


def _rows(benchmark: Benchmark, split: str) -> list[dict[str, str]]:
    return benchmark.rows(*split.split("/")) if benchmark.has(*split.split("/")) else []


def _first(texts: list[str], words: str) -> int:
    """The number of the first text that holds some words; 0 where none does."""
    return next((number for number, text in enumerate(texts, 1) if words and words in text), 0)
