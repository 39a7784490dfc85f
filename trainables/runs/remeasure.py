"""The scores of a folder that was handed over, measured again: the folder, a benchmark and the readings are enough."""

from pathlib import Path
from typing import Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import Passes
from trainables.runs.unlearning import SCORE_BATCH, score_table
from trainables.scores.evaluate import Evaluator, Reference
from trainables.scores.protocol import PROTOCOLS
from trainables.subjects.model_files import PARTS
from trainables.subjects.positions import check_lengths
from trainables.subjects.saving import load_subject
from trainables.subjects.subject import models_of
from trainables.subjects.tokenizers import check_vocabulary, load_tokenizer
from trainables.world import join


def measure_again(
    folder: Path, benchmark: Benchmark, protocol: str, readings: dict[str, Any], *, batch_size: int = SCORE_BATCH
) -> dict[str, list[float]]:
    """Score -> [value, low, high] of the subject in a folder, on this process's device.

    `readings` are what `evidence.readings_beside` gave; without a reference the scores that need one are absent.
    ValueError, in one line, where the folder cannot be loaded or its model cannot read the texts.
    """
    subject, tokenizer = load_subject(folder), load_tokenizer(_home_of_tokenizer(folder))
    for model in models_of(subject):
        check_vocabulary(model, tokenizer, str(folder))
        model.to(join().device)
    evaluator = Evaluator(
        benchmark,
        tokenizer,
        PROTOCOLS[protocol],
        _as_arrays(readings.get("reference")),
        batch_size=batch_size,
        passes=Passes(**readings.get("passes", {})),
    )
    check_lengths(evaluator.lengths(subject), models_of(subject)[0].config)
    return score_table(evaluator(subject))


def _as_arrays(reference: dict[str, dict[str, list[float]]] | None) -> Reference | None:
    if not reference:
        return None
    return {n: {s: np.array(v) for s, v in own.items()} for n, own in reference.items()}


def _home_of_tokenizer(folder: Path) -> Path:
    """Where the tokenizer's files are: beside a plain model's, or of a subject of models beside the first one's."""
    if not (folder / PARTS).is_file():
        return folder
    return next((inner for inner in sorted(folder.iterdir()) if (inner / "tokenizer_config.json").is_file()), folder)
