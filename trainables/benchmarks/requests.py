"""Which of the requests that follow one another a benchmark's questions and passages are about. No torch."""

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.rows import Row
from trainables.settings import REQUESTS, SUCCESSIVE

PASSAGES, QUESTIONS, ATTACKED = "verbmem/forget", "knowmem/forget_qa", "privleak/forget"


def all_parts_of(benchmark: Benchmark) -> dict[str, list[int]]:
    """What `parts_of` knows of each split of which it knows anything: "config/split" -> numbers."""
    found = {split: parts_of(benchmark, split) for split in (PASSAGES, QUESTIONS, ATTACKED)}
    return {split: parts for split, parts in found.items() if parts}


def parts_of(benchmark: Benchmark, split: str) -> list[int]:
    """Of every row of a split, the number of the request, from 1, that it is about; empty where one cannot be told.

    A passage belongs to the first request whose texts hold its prompt, a text that is attacked to the first that holds
    it, a question to the first that tells of its subject, as the facts of the benchmark name it.
    """
    requests = [request.split("/") for request in REQUESTS[SUCCESSIVE]]
    if not all(benchmark.has(*request) for request in requests):
        return []
    texts = ["\n".join(benchmark.texts(*request)) for request in requests]
    named = {row["subject"] for row in benchmark.rows("facts", "forget")} if benchmark.has("facts", "forget") else set()
    subjects = sorted(named, key=lambda subject: (-len(subject), subject))  # the longest of names within names

    def sought(row: Row) -> str:
        if split == QUESTIONS:
            return next((subject for subject in subjects if subject in row["question"]), "")
        return str(row["prompt" if split == PASSAGES else "text"])

    parts = [_first(texts, sought(row)) for row in _rows(benchmark, split)]
    return parts if all(parts) else []


def _rows(benchmark: Benchmark, split: str) -> list[Row]:
    return benchmark.rows(*split.split("/")) if benchmark.has(*split.split("/")) else []


def _first(texts: list[str], words: str) -> int:
    """The number of the first text that holds some words; 0 where none does."""
    return next((number for number, text in enumerate(texts, 1) if words and words in text), 0)
