"""What an audit measures: one model under one stress, by every score that searches measure. Made once, called often.

    auditor = Auditor(Task(benchmark="muse-mini"))
    auditor(Asked(whose="12@step/40/student", place="runs/12/step-40-student", stress="quant:nf4"), "audits")

All items are measured and none is kept for a choice, since nothing is chosen. Those that the stress gives away do not
count: the table of items has a column `counts`, and values and intervals are of the items that do. Without a stress all
of them count, so who compares takes those that count under the stress from both.
"""

import gc
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from trainables.decoding.capabilities import probe
from trainables.failures import OWN, enough_memory
from trainables.probes import parse
from trainables.probes.measuring import Asked
from trainables.probes.stress import Stress, Texts
from trainables.runs.run_folder import RunFolder
from trainables.runs.unlearning import SCORE_BATCH, load_task
from trainables.scores import searched_scores
from trainables.scores.evaluate import Evaluation, Evaluator
from trainables.scores.references import RETRAINED, table_of
from trainables.scores.score import Items, Score
from trainables.subjects.positions import check_lengths
from trainables.subjects.saving import load_subject
from trainables.subjects.subject import models_of
from trainables.subjects.tokenizers import check_vocabulary
from trainables.task import Task, locate
from trainables.world import join


@dataclass(frozen=True)
class _Held:
    """A model in memory, by where it was loaded from."""

    place: str
    subject: Any


class Auditor:
    """Measures one model after another under stresses; the last one stays in memory for the next stress of it."""

    def __init__(self, task: Task, score_batch: int = SCORE_BATCH) -> None:
        """Loads a task; the reference models are scored where the cache does not have that yet."""
        loaded = load_task(task, score_batch)
        self._evaluator = loaded.evaluator.with_scores(searched_scores()).with_batch_size(score_batch)
        self._asked: dict[str, Evaluator] = {}  # by a stress's name, where it asks otherwise
        self.texts = Texts(benchmark=loaded.benchmark, tokenizer=loaded.tokenizer)
        self._held: _Held | None = _Held(locate(task).target, loaded.target)

    def __call__(self, asked: Asked, folder: str) -> dict[str, Any]:
        """One reading; its table of items is written into a folder, or below a URL.

        `{"scores": {name: [value, low, high]}, "items": where the table is, "seconds"}`, or, where it cannot be had,
        `{"refused": why, "passing": whether for something that may pass, "seconds"}`.
        """
        began, told = time.monotonic(), {}
        try:
            with enough_memory(f"measuring {asked.words}"):
                subject = self._take(asked.place)
                told = self._measure(subject, asked, folder)
            self._held = _Held(asked.place, subject)
        except (ValueError, *OWN) as error:
            told = {"refused": " ".join(str(error).split()), "passing": not isinstance(error, ValueError)}
        if self._held is None:
            _free_memory()
        return told | {"seconds": time.monotonic() - began}

    def _take(self, place: str) -> Any:
        """The model of a place, on this process's device; nothing is held until it came through its reading."""
        held, self._held = self._held, None
        if held is not None and held.place == place:
            subject = held.subject
        else:
            del held
            _free_memory()
            with _brought(place) as here:
                subject = _loaded(here)
        for model in models_of(subject):
            check_vocabulary(model, self.texts.tokenizer, place)
            model.to(join().device)
        return subject

    def _measure(self, subject: Any, asked: Asked, folder: str) -> dict[str, Any]:
        evaluation = self.read(subject, parse(asked.stress) if asked.stress else None, whose=asked.whose)
        scores = table_of(evaluation.scores)
        for name, values in scores.items():
            if not np.isfinite(values).all():
                raise ValueError(f"{name} is {values[0]}, not a finite number: the model's outputs are not either")
        return {"scores": scores, "items": _write(evaluation.items, folder, asked.file)}

    def read(self, subject: Any, stress: Stress | None, *, whose: str = "") -> Evaluation:
        """The scores of a subject under a stress, or as it is; it is what it was behind this, also after an error.

        ValueError, in one line, where the stress cannot be put on it, or its model cannot read the texts.
        """
        lacking = [split for split in (stress.needs if stress else ()) if not self.texts.benchmark.has(*split)]
        if stress and lacking:
            raise ValueError(f"the benchmark has no {'/'.join(lacking[0])}, which {stress.kind} reads")
        model, *_ = models_of(subject)
        evaluator = self._asking(stress) if stress else self._evaluator
        lengths = evaluator.lengths(subject)
        check_lengths(lengths, model.config)
        if whose == RETRAINED:  # the others are as the target is, for which the ways to run it are known
            evaluator = evaluator.with_passes(probe(model, longest=max(lengths.values(), default=0)))
        with stress.on(subject, self.texts) if stress else nullcontext(subject) as stressed:
            return evaluator.counting(stressed, self._counts(stress))

    def _asking(self, stress: Stress) -> Evaluator:
        """What measures under a stress: by the scores that it may change, on what is asked under it; made once."""
        own = self._evaluator.with_scores(stress.read_by or searched_scores())
        benchmark = stress.asked(self.texts.benchmark)
        if benchmark is self.texts.benchmark:
            return own
        if stress.name not in self._asked:
            self._asked[stress.name] = own.on(benchmark, self.texts.tokenizer)
        return self._asked[stress.name]

    def _counts(self, stress: Stress | None) -> Callable[[Score, Items], np.ndarray]:
        """Which items of a score say anything: a stress may give away what is to be forgotten, and nothing else."""

        def counts(score: Score, items: Items) -> np.ndarray:
            if stress is None or not score.card.forgotten:
                return np.ones(len(items.prompts), dtype=bool)
            return np.array(stress.unseen(items.prompts, self.texts), dtype=bool)

        return counts


class Gone(OSError):
    """A model's files went while they were asked for, as they do where a search finds a better candidate."""


def _loaded(place: str) -> Any:
    try:
        return load_subject(place)
    except ValueError:
        if Path(place).is_absolute() and not Path(place).exists():
            raise Gone(f"{place!r} is not there any more") from None
        raise


@contextmanager
def _brought(place: str) -> Iterator[str]:
    """A model's folder or hub id as it can be loaded; what lies below a URL is brought here for as long."""
    if "://" not in place:
        yield place
        return
    above, _, name = place.rpartition("/")
    home = RunFolder(above)
    try:
        if not home.get(name):
            raise Gone(f"{place!r} is not there any more")
        yield str(home.path / name)
    finally:
        home.close()


def _write(items: pd.DataFrame, folder: str, name: str) -> str:
    """Write a table, whole or not at all, and return where it is; two who write the same do no harm."""
    written = RunFolder(folder)
    try:
        written.path.mkdir(parents=True, exist_ok=True)
        draft = written.path / f".{uuid.uuid4().hex}"
        items.to_parquet(draft, index=False)
        draft.replace(written.path / name)
        written.put(name)
        return written.where(name)
    finally:
        written.close()


def _free_memory() -> None:
    gc.collect()
    torch.cuda.empty_cache()
