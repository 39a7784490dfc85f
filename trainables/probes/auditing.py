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

from trainables.decoding.capabilities import probe as probe_passes
from trainables.failures import OWN, enough_memory
from trainables.probes import parse_probe, worst_of
from trainables.probes.measuring import Asked
from trainables.probes.probe import Texts
from trainables.probes.resampling import interval_of
from trainables.probes.stress import READS, Stress
from trainables.probes.trace import Trace
from trainables.runs.run_folder import RunFolder
from trainables.runs.unlearning import SCORE_BATCH, load_task
from trainables.scores import measured_scores
from trainables.scores.evaluate import Evaluation, Evaluator, table_of_items
from trainables.scores.reductions import Reading
from trainables.scores.references import RETRAINED, table_of
from trainables.scores.score import COUNTS, Items, Score
from trainables.subjects.positions import check_lengths
from trainables.subjects.saving import load_subject
from trainables.subjects.subject import models_of
from trainables.subjects.tokenizers import check_vocabulary
from trainables.task import Task, locate
from trainables.world import join

NOTHING = "no forgotten text holds the answer to a question that names whom or what it is about"


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
        self._evaluator = loaded.evaluator.with_scores(measured_scores()).with_batch_size(score_batch)
        self._asked: dict[str, Evaluator] = {}  # by a stress's name, where it asks otherwise
        self.texts = Texts(benchmark=loaded.benchmark, tokenizer=loaded.tokenizer)
        self._target = locate(task).target
        self._held: _Held | None = _Held(self._target, loaded.target)
        self._kept: dict[str, Any] = {}  # by a trace's name, what it keeps of the target
        self._unread: dict[str, str] = {}  # by a stress's name, why the target shows that it tells nothing; "" if not

    def __call__(self, asked: Asked, folder: str) -> dict[str, Any]:
        """One reading; its table of items is written into a folder, or below a URL.

        `{"scores": {name: [value, low, high]}, "items": where the table is, "seconds"}`, or, where it cannot be had,
        `{"refused": why, "passing": whether for something that may pass, "seconds"}`.
        """
        began, told = time.monotonic(), {}
        probe = parse_probe(asked.stress) if asked.stress else None
        try:
            with enough_memory(f"measuring {asked.words}"):
                self._check(probe)
                subject = self._take(asked.place)
                told = self._measure(subject, asked, probe, folder)
            self._held = _Held(asked.place, subject)
        except (ValueError, *OWN) as error:
            told = {"refused": " ".join(str(error).split()), "passing": not isinstance(error, ValueError)}
            told |= {"tells": dict(probe.tells)} if isinstance(probe, Trace) else {}
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

    def _check(self, probe: Stress | Trace | None) -> None:
        """ValueError for a probe that says nothing here: the benchmark lacks what it reads, or the target shows it.

        Of the target is kept what a trace compares with.
        """
        lacking = [split for split in (probe.needs if probe else ()) if not self.texts.benchmark.has(*split)]
        if probe and lacking:
            raise ValueError(f"the benchmark has no {'/'.join(lacking[0])}, which {probe.kind} reads")
        if isinstance(probe, Trace) and probe.name not in self._kept:
            with self._target_taken() as target:
                self._kept[probe.name] = probe.of_target(target, self.texts)
        shows = probe.readable(self.texts) if isinstance(probe, Stress) else None
        if probe and shows is not None and probe.name not in self._unread:
            own = self._evaluator.with_scores(("knowmem_f",)).on(shows, self.texts.tokenizer)
            with self._target_taken() as target:
                self._unread[probe.name] = _unread(own(target)) if shows.rows("knowmem", "forget_qa") else NOTHING
        if probe and self._unread.get(probe.name):
            raise ValueError(self._unread[probe.name])

    @contextmanager
    def _target_taken(self) -> Iterator[Any]:
        """The target, which is held behind the block where it came through it."""
        target = self._take(self._target)
        yield target
        self._held = _Held(self._target, target)

    def _measure(self, subject: Any, asked: Asked, probe: Stress | Trace | None, folder: str) -> dict[str, Any]:
        if isinstance(probe, Trace):
            evaluation = self.trace(subject, probe, whose=asked.whose)
            about: dict[str, Any] = {"tells": dict(probe.tells)}
        else:
            evaluation = self.read(subject, probe, whose=asked.whose)
            about = {"asks": probe is not None and probe.asks, "worst_of": worst_of(asked.stress)}
        scores = table_of(evaluation.scores)
        for name, values in scores.items():
            if not np.isfinite(values).all():
                raise ValueError(f"{name} is {values[0]}, not a finite number: the model's outputs are not either")
        return {"scores": scores, "items": _write(evaluation.items, folder, asked.file), **about}

    def trace(self, subject: Any, trace: Trace, *, whose: str = "") -> Evaluation:
        """The scores of a trace of a subject, which is what it was behind this; ValueError where it has none."""
        self._check(trace)
        evaluator = self._running(subject, whose, self._evaluator)
        found = trace.read(
            subject,
            self.texts,
            self._kept[trace.name],
            batch_size=evaluator.batch_size,
            passes=evaluator.passes,
        )
        readings = {name: _reading(items.values) for name, items in found.items()}
        tables = [table_of_items(name, items).assign(**{COUNTS: True}) for name, items in found.items()]
        return Evaluation(protocol=evaluator.protocol.name, scores=readings, items=pd.concat(tables, ignore_index=True))

    def _running(self, subject: Any, whose: str, evaluator: Evaluator) -> Evaluator:
        """An evaluator that runs a subject in the ways that are right for it; ValueError where texts are too long."""
        model, *_ = models_of(subject)
        lengths = evaluator.lengths(subject)
        check_lengths(lengths, model.config)
        if whose == RETRAINED:  # the others are as the target is, for which the ways to run it are known
            return evaluator.with_passes(probe_passes(model, longest=max(lengths.values(), default=0)))
        return evaluator

    def read(self, subject: Any, stress: Stress | None, *, whose: str = "") -> Evaluation:
        """The scores of a subject under a stress, or as it is; it is what it was behind this, also after an error.

        ValueError, in one line, where the stress cannot be put on it, or its model cannot read the texts.
        """
        evaluator = self._running(subject, whose, self._asking(stress) if stress else self._evaluator)
        with stress.on(subject, self.texts) if stress else nullcontext(subject) as stressed:
            return evaluator.counting(stressed, self._counts(stress))

    def _asking(self, stress: Stress) -> Evaluator:
        """What measures under a stress: by the scores that it may change, on what is asked under it; made once."""
        own = self._evaluator.with_scores(stress.read_by or measured_scores())
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


def _reading(values: np.ndarray) -> Reading:
    low, high = interval_of(values)
    return Reading(value=float(values.mean()), low=low, high=high, n=len(values))


def _unread(found: Evaluation) -> str:
    """Why the target shows that it does not read what stands before a question; "" where it does."""
    value = found.scores["knowmem_f"].value
    if value >= READS:
        return ""
    return (
        f"the target does not read what stands before a question: where only that holds the answer, its KnowMem_f is "
        f"{value:.1f}, and at least {READS:.0f} shows that it reads"
    )


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
