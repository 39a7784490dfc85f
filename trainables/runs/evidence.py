"""What a model that is handed over is known and checked by, without its texts: hashes, revisions, readings. No torch.

Texts are told by the sha256 of their UTF-8 bytes. The retrained model's readings are a number an item of each score
that is read against it; with them, and the benchmark, who gets the model alone can measure all scores again.
"""

import hashlib
import json
import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainables.benchmarks import EMBEDDED, find_source
from trainables.benchmarks.layout import Benchmark, load_benchmark, write_benchmark
from trainables.content import content, stamp
from trainables.hub import commit
from trainables.keys import hash_of
from trainables.task import Task, locate

REFERENCES = "references.json"  # beside the per-item outputs of the reference models (scores/references.py)


def load_rows(benchmark: str) -> Benchmark:
    """The rows of a benchmark by its name, folder or hub id; those of muse-mini without its models, which take minutes.

    ValueError, in one line, where it cannot be had.
    """
    source = find_source(benchmark)
    if source.data != EMBEDDED:
        return load_benchmark(source.data)
    from trainables.benchmarks.muse_mini import make_world, to_splits

    with tempfile.TemporaryDirectory(prefix="lethe-") as room:
        write_benchmark(Path(room) / "data", to_splits(make_world(0), random.Random(0)))
        return load_benchmark(Path(room) / "data")


def rows_hash(benchmark: Benchmark) -> str:
    """Hash of every row of a benchmark, wherever it lies."""
    return hash_of(sorted((c, s, json.dumps(rows, sort_keys=True)) for (c, s), rows in benchmark.splits.items()))


def forgotten(benchmark: Benchmark) -> list[str]:
    """The sha256 of each document that is to be forgotten, in the benchmark's order."""
    return [hashlib.sha256(text.encode()).hexdigest() for text in benchmark.texts("raw", "forget")]


def is_unchanged(benchmark: Benchmark, task: Task, known: str | None) -> bool:
    """Whether texts and models are those of which `known` is the hash; so much is taken for granted of muse-mini."""
    if known is None or find_source(task.benchmark).data == EMBEDDED:
        return True
    return content(benchmark, locate(task)) == known


def revision_of(model: str) -> str:
    """What tells a model from others of its name: a hub id's commit, or a hash of a folder's files."""
    if model == EMBEDDED:
        return "made by Lethe's own code, from seed 0"
    if Path(model).is_dir():
        return f"files {hash_of(stamp(model))}"
    return f"commit {commit(model) or 'not known'}"


def readings_beside(items: Mapping[str, Any]) -> dict[str, Any]:
    """The retrained model's readings and the ways models were run, kept beside a study's `items`; empty where gone."""
    try:
        stored = json.loads(Path(str(items["target"])).with_name(REFERENCES).read_text("utf-8"))
        return {"reference": stored["reference"], "passes": stored["passes"]}
    except (OSError, ValueError, LookupError, TypeError):
        return {}
