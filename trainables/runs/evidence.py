"""What a model that is handed over is known and checked by, without its texts: hashes, revisions, readings. No torch.

Texts are told by the sha256 of their UTF-8 bytes. The retrained model's readings are a number an item of each score
that is read against it; with them, and the benchmark, who gets the model alone can measure all scores again.
"""

import hashlib
import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from trainables.benchmarks import MADE, find_source
from trainables.benchmarks.embedded import embedded
from trainables.benchmarks.layout import Benchmark, load_benchmark, write_benchmark
from trainables.content import content, stamp
from trainables.hub import commit
from trainables.keys import SCORES, hash_of, program_hash
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.references import fingerprint
from trainables.scores.score import Score
from trainables.settings import FORGET
from trainables.task import Places, Task, cache_of, locate

REFERENCES = "references.json"  # beside the per-item outputs of the reference models (scores/references.py)


def load_rows(benchmark: str) -> Benchmark:
    """The rows of a benchmark by its name, folder or hub id; of one that is made here, without its models.

    ValueError, in one line, where it cannot be had.
    """
    source = find_source(benchmark)
    if source.data not in MADE:
        return load_benchmark(source.data)
    with tempfile.TemporaryDirectory(prefix="lethe-") as room:
        write_benchmark(Path(room) / "data", embedded()[source.data].splits(0))
        return load_benchmark(Path(room) / "data")


def rows_hash(benchmark: Benchmark) -> str:
    """Hash of every row of a benchmark, wherever it lies."""
    return hash_of(sorted((c, s, json.dumps(rows, sort_keys=True)) for (c, s), rows in benchmark.splits.items()))


def forgotten(benchmark: Benchmark, requests: Sequence[str] = (FORGET,)) -> list[str]:
    """The sha256 of each document of the splits that were to be forgotten, once each, in the benchmark's order."""
    texts = [text for request in requests for text in benchmark.texts(*request.split("/"))]
    return [hashlib.sha256(text.encode()).hexdigest() for text in dict.fromkeys(texts)]


def find_made_from(task: Task, known: str | None) -> tuple[Benchmark, Places] | None:
    """The very texts and models of which `known` is the hash (`content.content`), and where they are; None if gone.

    Of what is made here the caches of all versions are looked through: nothing is made. ValueError or OSError where
    none of them is it, and one could not be read.
    """
    refused: ValueError | OSError | None = None
    for places in _places(task):
        try:
            benchmark = load_benchmark(places.data)
            if content(benchmark, places) == known:
                return benchmark, places
        except (ValueError, OSError) as error:
            refused = error
    if refused:
        raise refused
    return None


def _places(task: Task) -> Iterator[Places]:
    """Where a task's data and models may be."""
    source = find_source(task.benchmark)
    if source.data not in MADE:
        yield locate(task)
        return
    for folder in sorted(cache_of(task).glob(f"{source.data}-*")):
        target, retrained = str(folder / "target"), str(folder / "retrained")
        yield Places(
            data=str(folder / "data"),
            target=task.model or target,
            retrained=task.retrained or retrained,
            tokenizer=task.model or target,
        )


def revision_of(model: str) -> str:
    """What tells a model from others of its name: a hub id's commit, or a hash of a folder's files."""
    return f"files {hash_of(stamp(model))}" if Path(model).is_dir() else f"commit {commit(model) or 'not known'}"


def code_that_scored(
    items: Mapping[str, Any],
    content: str | None,
    protocol: str,
    *,
    split: bool = False,
    beside: Collection[Score] = (),
) -> str:
    """Hash of the code and libraries that are here, where the reference models were scored by them; else "".

    `beside` are scores that were measured besides those that there are.
    """
    code = program_hash(SCORES)
    if content is None or protocol not in PROTOCOLS:
        return ""
    folder = hash_of([fingerprint(content, replace(PROTOCOLS[protocol], split=split), beside), code])
    return code if Path(str(items.get("target", ""))).parent.name == folder else ""


def readings_beside(items: Mapping[str, Any]) -> dict[str, Any]:
    """The retrained model's readings and the ways models were run, kept beside a study's `items`; empty where gone."""
    try:
        stored = json.loads(Path(str(items["target"])).with_name(REFERENCES).read_text("utf-8"))
        return {"reference": stored["reference"], "passes": stored["passes"]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}
