"""What a worker keeps warm: a task's data, models and tokens, loaded once and unlearned again for every trial.

    unlearner = Unlearner(Task(benchmark="muse-mini", cache="/tmp/cache"))
    for evaluation in unlearner(MeanTeacher(steps=60), Path("runs/1")): ...

Every evaluation gives one plain dict that can be sent anywhere: for each of its candidates where it stands, its
scores with their intervals, and where the weights and the per-item outputs were written. A run that was interrupted is
called again with the same arguments: it gives the results it gave before, and goes on behind them. Another run never
goes on from what lies in its folder.
"""

import copy
import functools
import gc
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from trainables.benchmarks.layout import Benchmark, load_benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.derivations import derive
from trainables.derivations.corpus import Models
from trainables.failures import OWN, Diverged, OutOfMemory, Unfit, enough_memory, in_a_line
from trainables.keys import run_key
from trainables.memory.fitting import savings
from trainables.memory.plan import BACKWARD, LOSS, SCORING, UPDATE, Unplanned, shape_of
from trainables.method import Candidate, Run, Start, State, Step
from trainables.methods import find_method, needs_of
from trainables.runs import resume
from trainables.runs.coreset import COST, RANDOM, ranked
from trainables.runs.legs import Leg, legs_of
from trainables.runs.run_folder import RunFolder
from trainables.runs.sameness import bits_of
from trainables.runs.sequences import RETAIN, Cut, Stream, cut_rows, longest, streams
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import protocol_of
from trainables.scores.references import References, measure_references, table_of
from trainables.scores.score import Score
from trainables.settings import Descent, Settings
from trainables.subjects.models import load_model
from trainables.subjects.positions import check_lengths
from trainables.subjects.saving import load_subject, save_subject
from trainables.subjects.subject import models_of
from trainables.subjects.tokenizers import check_vocabulary, load_tokenizer, padding_id, shared_tokenizer
from trainables.task import Task, cache_of, locate
from trainables.training.data import choose_fraction, share_of
from trainables.training.parallel import gathered, whole_state
from trainables.world import World, join

SCORE_BATCH = 128  # prompts or texts scored at once, if nothing else is said
TRAINING = (LOSS, BACKWARD, UPDATE)  # phases of the memory plan
STEPS = "steps.parquet"  # in a run's folder
MOST_CACHED = 8  # of what runs share: of MUSE-News, 3 MB of log-probs each


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """A task's data and models, in memory."""

    benchmark: Benchmark
    tokenizer: Any
    target: Any
    references: References
    evaluator: Evaluator
    world: World
    passes: Passes = FAST  # the ways in which the target is run
    cache: Path | None = None  # folder of derived data; None: it is made anew


def load_task(task: Task, score_batch: int = SCORE_BATCH, beside: Collection[Score] = ()) -> Loaded:
    """Load a task; muse-mini is made, and the reference models are scored, where the cache does not have them yet.

    Every worker of a run loads it; the first makes what is missing. Scores `beside` those that there are, are measured
    too.
    """
    world = join()
    places = locate(task)
    benchmark, tokenizer = load_benchmark(places.data), load_tokenizer(places.tokenizer)
    protocol, cache = protocol_of(task), cache_of(task) / "references"
    references = measure_references(
        benchmark,
        lambda: shared_tokenizer(tokenizer, places.target, places.retrained),
        protocol,
        places,
        cache,
        batch_size=score_batch,
        beside=beside,
    )
    target = load_model(places.target)
    check_vocabulary(target, tokenizer, places.target)
    return Loaded(
        benchmark=benchmark,
        tokenizer=tokenizer,
        target=target,
        references=references,
        evaluator=Evaluator(
            benchmark, tokenizer, protocol, references.reference, world=world, passes=references.passes, beside=beside
        ),
        world=world,
        passes=references.passes,
        cache=cache_of(task) / "derived",
    )


class Unlearner:
    """Runs one configuration after another on the same loaded task; no run leaves a trace in the next."""

    def __init__(
        self,
        task: Task,
        score_batch: int = SCORE_BATCH,
        scores: Collection[str] | None = None,
        beside: Collection[Score] = (),
    ) -> None:
        """`score_batch` is for reference models that nobody scored yet; `scores` are measured, or all there are.

        Those `beside` them are measured too, if they are named.
        """
        self.loaded = load_task(task, score_batch, beside)
        if scores is not None:
            self.loaded = replace(self.loaded, evaluator=self.loaded.evaluator.with_scores(scores))
        self._tokens: dict[Stream, Cut] = {}
        self._cached: dict[Hashable, Any] = {}

    def __call__(self, settings: Settings, folder: Path | str) -> Iterator[dict[str, Any]]:
        """Unlearn the forget split by `settings`, and yield one dict at every evaluation.

        `{"candidates": [{"axis", "at", "role", "scores": {name: [value, low, high]}, "cost", "weights", "items"}, ...],
        "cost": what the run cost so far, in forward passes of a sequence}`
        Where items are split, "scores" are of those that choose, and "reported" has the others' scores likewise.
        Weights, items, the step records and, until the run ends, its state are written into `folder`.
        A run that diverges, cannot write or finds memory full ends with `{"failure": reason, "cost"}`. Of several
        workers one that finds its memory full raises OutOfMemory: the others wait for it in the middle of a step, and
        can only be ended. A run that did not come to its end, for want of room or because it was closed, leaves its
        state: the same call goes on from it, or its folder `state` can be removed. What another configuration, other
        data or other code left there is removed.
        """
        written, failure = RunFolder(folder), ""
        steps: list[dict[str, Any]] = []
        try:
            try:
                with enough_memory("training", lambda: self._lighter(settings, TRAINING)):
                    yield from self._run(settings, written, steps)
                self._forget_state(written)
            except OWN as error:
                if isinstance(error, OutOfMemory) and self.loaded.world.size > 1:
                    raise
                if isinstance(error, Diverged):
                    self._forget_state(written)
                failure = in_a_line(error)
            if failure:
                _free_memory()  # now that the error, and with it all that the run held, is gone
                yield {"failure": failure, "cost": cost_of(steps)}
        finally:
            written.close()

    def _forget_state(self, folder: RunFolder) -> None:
        with suppress(OSError):
            self.loaded.world.on_first(lambda: resume.forget(folder))

    def _run(self, settings: Settings, folder: RunFolder, steps: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Run on from where the folder's state stands; `steps` is filled with the records of all steps."""
        world = self.loaded.world
        key = run_key(settings, self.loaded.references.fingerprint)
        saved = world.on_first(lambda: _begin(folder, key))
        done, results = (saved.step, list(saved.results)) if saved else (0, [])
        yield from results
        steps += world.on_first(lambda: _read_steps(folder, done))
        candidates: list[dict[str, Any]] = []
        known: dict[tuple[str, ...], dict[str, Any]] = {}  # what was measured, by the bits of what it was measured of

        def restore(leg: Leg, state: State) -> None:
            if saved and leg.done:
                resume.load(folder, saved, state, world)
                state.step = leg.done

        method = find_method(settings.method)
        for leg in legs_of(settings, done):
            run = Run(world=world, done=leg.done, evaluated=len(results), restore=functools.partial(restore, leg))
            for record in method.unlearn(self._start(settings, leg, folder), settings, run):
                if isinstance(record, Step):
                    steps.append(record.row() | {"step": leg.before + record.step})
                elif isinstance(record, Candidate):
                    if (candidate := leg.placed(record)) is None:
                        continue
                    candidates.append(self._score(candidate, folder, settings, known) | {"cost": cost_of(steps)})
                    if not leg.last and candidate.role == method.roles[0]:
                        self._write(candidate.subject, str(leg.next().start), folder)
                else:
                    world.on_first(lambda: _write_table(_step_table(steps), folder, STEPS))
                    given = [{"candidates": candidates, "cost": cost_of(steps)}] if candidates else []
                    results += given
                    if record.state is not None:
                        state = replace(record.state, step=leg.before + record.state.step)
                        resume.save(folder, key, state, results, world)
                    elif not leg.last:
                        resume.go_over(folder, key, leg.next().before, results, world)
                        if leg.start:
                            world.on_first(functools.partial(folder.drop, leg.start))
                    yield from given
                    candidates = []

    def _start(self, settings: Settings, leg: Leg, folder: RunFolder) -> Start:
        """What a leg of a run begins with: a copy of the target or what the last one left, and what it reads."""
        forget, retain = self._sequences(settings, leg)
        tokenizer, benchmark = self.loaded.tokenizer, self.loaded.benchmark
        if leg.start:
            self.loaded.world.on_all(functools.partial(folder.get, leg.start))
            model, cached = load_subject(folder.path / leg.start), made_anew
        else:
            model, cached = copy.deepcopy(self.loaded.target), self._once
        return Start(
            model=model,
            forget=[ids for _, ids in forget],
            retain=[ids for _, ids in retain],
            cut_from={"forget": [row for row, _ in forget], "retain": [row for row, _ in retain]},
            pad=padding_id(tokenizer),
            tokenizer=tokenizer,
            texts={
                "forget": benchmark.texts(*settings.requests[leg.number - 1].split("/")),
                "retain": benchmark.texts(*RETAIN.split("/")),
            },
            data={name: self._derived(name, settings, leg) for name in needs_of(settings).data},
            spent=self._spent(settings, leg),
            decode=self.loaded.passes.decode,
            cached=cached,
        )

    def _derived(self, name: str, settings: Settings, leg: Leg) -> Any:
        """Data that is derived for a leg, of its request and of the target; the same on every worker."""
        loaded = self.loaded
        models = Models(
            tokenizer=loaded.tokenizer,
            target=loaded.target,
            key=loaded.references.content,
            decode=loaded.passes.decode,
            batch_size=settings.score_batch,
        )
        request = settings.requests[leg.number - 1]
        found = derive(loaded.benchmark, name, settings.seed, request=request, models=models, cache=loaded.cache)
        return loaded.world.share(found)

    def _once(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """What is made of the target and a key, for the first run that asks; the oldest goes where there are many."""
        if key not in self._cached:
            made = make()
            if len(self._cached) == MOST_CACHED:
                del self._cached[next(iter(self._cached))]
            self._cached[key] = made
        return self._cached[key]

    def _score(
        self, candidate: Candidate, folder: RunFolder, settings: Settings, known: dict[tuple[str, ...], dict[str, Any]]
    ) -> dict[str, Any]:
        """Score a candidate on all workers together, and write its weights.

        One that is to the bit what this run scored before, such as a teacher that did not move, is not scored again.
        """
        bits = bits_of(candidate.subject, self.loaded.world)
        if bits not in known:
            known[bits] = self._measure(candidate, folder, settings)
        self._write(candidate.subject, candidate.name, folder)
        place = {"axis": candidate.axis, "at": candidate.at, "role": candidate.role}
        return place | known[bits] | {"weights": folder.where(candidate.name)}

    def _write(self, subject: Any, name: str, folder: RunFolder) -> None:
        """Write a subject under a name in the run's folder."""
        world = self.loaded.world
        weights = [whole_state(model) if world.size > 1 else None for model in models_of(subject)]
        world.on_first(lambda: save_subject(subject, self.loaded.tokenizer, folder.path / name, weights))
        world.on_first(lambda: folder.put(name, keep=False))

    def _measure(self, candidate: Candidate, folder: RunFolder, settings: Settings) -> dict[str, Any]:
        """A candidate's scores, and where its items are, which are written."""
        models, evaluator = models_of(candidate.subject), self.loaded.evaluator
        _check_positions(evaluator.lengths(candidate.subject), models[0])
        with enough_memory("scoring", lambda: self._lighter(settings, (SCORING,))), gathered(*models):
            evaluation = evaluator.with_batch_size(settings.score_batch)(candidate.subject)
        items = f"{candidate.name}.parquet"
        self.loaded.world.on_first(lambda: _write_table(evaluation.items, folder, items))
        return {
            "scores": table_of(evaluation.scores),
            **({"reported": table_of(evaluation.reported)} if evaluation.reported else {}),
            "items": folder.where(items),
        }

    def _lighter(self, settings: Settings, phases: Sequence[str]) -> str:
        """What would need less memory, as an error says it; "" where the plan knows nothing."""
        try:
            shape = shape_of(self.loaded.target.config, trainable=needs_of(settings).trainable)
        except Unplanned:
            return ""
        changes = savings(shape, settings, self.loaded.world.size, phases)
        return "; less is needed with " + ", or ".join(c.flags() for c in changes) if changes else ""

    def _sequences(self, settings: Settings, leg: Leg) -> tuple[Cut, Cut]:
        """A leg's forget sequences, or the share that is unlearned, and the penalty's; none without training."""
        if not isinstance(settings, Descent):
            return [], []
        check_lengths(
            longest([settings], lambda stream: [ids for _, ids in self._cut(stream)]), self.loaded.target.config
        )
        *requests, regularisation = map(self._cut, streams(settings))
        forget = requests[leg.number - 1]
        return [forget[row] for row in self._part(settings, forget)], regularisation

    def _part(self, settings: Descent, forget: Cut) -> list[int]:
        """The forget sequences that are unlearned: a share that is drawn, or the first of the target's own order."""
        if not _is_selected(settings):
            return choose_fraction(len(forget), settings.forget_fraction, seed=settings.seed)
        sequences, trainable = [ids for _, ids in forget], needs_of(settings).trainable
        way = (settings.forget_selection, settings.micro_batch_size, trainable)

        def order() -> list[int]:
            target = copy.deepcopy(self.loaded.target).to(self.loaded.world.device)
            return ranked(target, sequences, settings, trainable, pad=padding_id(self.loaded.tokenizer))

        found = self._once(("part", *way, tuple(map(tuple, sequences))), lambda: self.loaded.world.on_first(order))
        return sorted(found[: share_of(len(forget), settings.forget_fraction)])

    def _spent(self, settings: Settings, leg: Leg) -> float:
        """What it cost to select a part of a leg's forget set, in forward passes of a sequence."""
        if not isinstance(settings, Descent) or not _is_selected(settings):
            return 0.0
        return COST[settings.forget_selection] * len(self._cut(streams(settings)[leg.number - 1]))

    def _cut(self, stream: Stream) -> Cut:
        """The sequences of a stream, made once."""
        if stream not in self._tokens:
            self._tokens[stream] = cut_rows(stream, self.loaded.benchmark, self.loaded.tokenizer)
        return self._tokens[stream]


def _is_selected(settings: Descent) -> bool:
    """Whether the target says which part of the forget set is unlearned."""
    return settings.forget_selection != RANDOM and settings.forget_fraction < 1


def made_anew(key: Hashable, make: Callable[[], Any]) -> Any:
    """What is made of a model that is no other run's."""
    return make()


def _begin(folder: RunFolder, key: str) -> resume.Saved | None:
    """The state from which a run goes on; without one, what is left of another run's, or of drafts, is removed."""
    folder.path.mkdir(parents=True, exist_ok=True)
    saved = resume.find(folder, key)
    if saved is None:
        resume.forget(folder)
    for draft in folder.path.glob(".*"):  # of a worker that was killed as it wrote
        folder.drop(draft.name)
    return saved


def _check_positions(lengths: dict[str, int], model: Any) -> None:
    """Unfit where what a subject reads, with what it puts before a text, is longer than its model can take."""
    try:
        check_lengths(lengths, model.config)
    except ValueError as error:
        raise Unfit(str(error)) from error


def _free_memory() -> None:
    """Give back what a run that ended held, so that the next one finds all of it."""
    gc.collect()
    torch.cuda.empty_cache()


def _write_table(table: pd.DataFrame, folder: RunFolder, name: str) -> None:
    """Write a table, whole or not at all: a run goes on from that of its steps."""
    draft = folder.path / f".{name}"
    table.to_parquet(draft, index=False)
    draft.replace(folder.path / name)
    folder.put(name)


def _step_table(steps: list[dict[str, Any]]) -> pd.DataFrame:
    """A row a step; a method that takes none has a table without rows."""
    return pd.DataFrame(steps, columns=None if steps else ["step", "cost"])


def _read_steps(folder: RunFolder, done: int) -> list[dict[str, Any]]:
    """The step records of the steps that an interrupted run had done."""
    if not done:
        return []
    folder.get(STEPS)
    rows = pd.read_parquet(folder.path / STEPS).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows if row["step"] <= done]


def cost_of(steps: Sequence[dict[str, Any]]) -> float:
    """What steps cost, in forward passes of a sequence."""
    return float(sum(step["cost"] for step in steps))
