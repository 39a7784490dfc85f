"""The scores of a folder that was handed over, measured again: the folder, a benchmark and the readings are enough."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import DECODE, FAST, TEXTS, Passes
from trainables.runs.unlearning import SCORE_BATCH
from trainables.scores import all_scores
from trainables.scores.evaluate import Evaluator, Reference
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.references import table_of
from trainables.scores.score import Score
from trainables.subjects.positions import check_lengths
from trainables.subjects.saving import load_subject, tokenizer_of
from trainables.subjects.subject import models_of
from trainables.subjects.tokenizers import check_vocabulary
from trainables.world import join


def measure_again(
    folder: Path,
    benchmark: Benchmark,
    protocol: str,
    readings: Mapping[str, Any],
    scores: Collection[str],
    *,
    batch_size: int = SCORE_BATCH,
    beside: Collection[Score] = (),
) -> dict[str, list[float]]:
    """Score -> [value, low, high] of the subject in a folder, of these scores, on this process's device.

    `readings` are what `evidence.readings_beside` gave, and whether items are `split`: then the scores are of those
    that report. Without a reference the scores that need one are absent. Scores `beside` those that there are may be
    among them.
    ValueError, in one line, where the folder cannot be loaded or its model cannot read the texts.
    """
    subject = load_subject(folder)
    tokenizer = tokenizer_of(folder, subject)
    for model in models_of(subject):
        check_vocabulary(model, tokenizer, str(folder))
        model.to(join().device)
    evaluator = Evaluator(
        benchmark,
        tokenizer,
        replace(PROTOCOLS[protocol], split=bool(readings.get("split"))),
        _reference(readings, scores, beside),
        batch_size=batch_size,
        passes=_passes(readings),
        beside=beside,
    ).with_scores(scores)
    check_lengths(evaluator.lengths(subject), models_of(subject)[0].config)
    found = evaluator(subject)
    return table_of(found.scores) | table_of(found.reported)


def _reference(readings: Mapping[str, Any], scores: Collection[str], beside: Collection[Score]) -> Reference | None:
    """The retrained model's readings as arrays; None where there are none. ValueError where they lack one of these."""
    told = readings.get("reference")
    if not told:
        return None
    try:
        found = {name: {s: np.array(v, dtype=float) for s, v in own.items()} for name, own in told.items()}
    except (AttributeError, TypeError, ValueError, OverflowError):
        raise ValueError("the card's readings of the retrained model are no numbers") from None
    read = {score.name for score in (*all_scores().values(), *beside) if score.relative}
    lacks = [name for name in scores if name in read and name not in found]
    if lacks:
        raise ValueError(f"the card has no readings of {', '.join(lacks)}: it is of another version of Lethe")
    return found


def _passes(readings: Mapping[str, Any]) -> Passes:
    """The ways in which the model was run; ValueError for one that is unknown."""
    told = readings.get("passes") or asdict(FAST)
    if not isinstance(told, dict) or told.get("decode") not in DECODE or told.get("texts") not in TEXTS:
        raise ValueError(f"the card's ways to run the model ({told!r}) are unknown")
    return Passes(decode=told["decode"], texts=told["texts"])
