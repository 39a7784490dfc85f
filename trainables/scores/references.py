"""The two rows every front is read against: the scores of the target and of the retrained model, measured once.

Some scores are read against the retrained model's items, so these are kept too. The result is
cached by a hash of the benchmark, the protocol, the models' files and the program; who only reads it loads no torch.
"""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.overlap import overlap_notes
from trainables.cache import made_once
from trainables.content import content
from trainables.decoding.passes import FAST, Passes
from trainables.failures import enough_memory
from trainables.keys import SCORES, hash_of, program_hash
from trainables.scores.protocol import Protocol
from trainables.scores.reductions import Reading
from trainables.scores.score import Score
from trainables.subjects.positions import check_lengths, end_of_positions
from trainables.task import Places

if TYPE_CHECKING:
    from trainables.scores.evaluate import Evaluation, Evaluator, Reference

Table = dict[str, list[float]]  # score -> [value, low, high]
BENCHMARK, TOKENIZER, TARGET, RETRAINED = "benchmark", "tokenizer", "target", "retrained"  # what a note is about


@dataclass(frozen=True, kw_only=True)
class References:
    """Scores of the target and, where there is one, of the retrained model.

    Where items are split, `target` and `retrained` are of those that choose, and `reported` has the others'.
    """

    target: Table
    retrained: Table | None
    reference: "Reference | None"  # the retrained model's items of the scores that are read against them
    items: dict[str, str]  # "target", "retrained" -> Parquet file of per-item outputs
    content: str  # hash of the benchmark and the models
    fingerprint: str  # of these and the protocol
    notes: tuple[str, ...] = ()  # what a reader should know of the texts, the models and how they were read
    passes: Passes = FAST  # the ways in which the target, and what comes of it, may be run
    positions: int | None = None  # tokens beyond which the target fails; None where it goes on
    reported: dict[str, Table] = field(default_factory=dict)  # "target", "retrained" -> the scores that are split

    @property
    def rows(self) -> dict[str, Table]:
        """What a reader sees of each model: the scores of the items that no choice sees, or else of all."""
        return {role: table | self.reported.get(role, {}) for role, table in self._tables.items()}

    @property
    def seen(self) -> dict[str, Table]:
        """Of the scores that are split, what each model has over the items that choose."""
        return {
            role: {name: self._tables[role][name] for name in table} for role, table in self.reported.items() if table
        }

    @property
    def _tables(self) -> dict[str, Table]:
        return {TARGET: self.target} | ({RETRAINED: self.retrained} if self.retrained else {})


def measure_references(
    benchmark: Benchmark,
    tokenizer: Callable[[], Any],
    protocol: Protocol,
    places: Places,
    cache: Path,
    *,
    batch_size: int,
    load: Callable[[str], Any] | None = None,
    beside: Collection[Score] = (),
) -> References:
    """Score both models on this process's device, or read what was measured before from `cache`.

    `tokenizer` makes the tokenizer; `load` makes a model of its name, `models.load_model` where it is not given; scores
    do not depend on `batch_size`. Scores `beside` those that there are, are measured too. OutOfMemory, with what needs
    less, where memory does not hold it.
    """
    made_from = content(benchmark, places)
    data = fingerprint(made_from, protocol, beside)
    folder = cache / hash_of([data, program_hash(SCORES)])

    def measure() -> None:
        from trainables.scores.evaluate import Evaluator  # torch, which who reads them does without

        with enough_memory("scoring the reference models", lambda: _lighter(batch_size)):
            made = tokenizer()
            evaluator = Evaluator(benchmark, made, protocol, None, batch_size=batch_size, beside=beside)
            _measure(benchmark, made, evaluator, places, folder, load)

    made_once(folder / "references.json", measure)
    return _read(folder, places, made_from, data)


def fingerprint(made_from: str, protocol: Protocol, beside: Collection[Score] = ()) -> str:
    """Hash of what is unlearned and judged (`content.content`), and of the protocol by which; the code is no part.

    But for that of scores which are measured beside those that there are.
    """
    return hash_of([made_from, asdict(protocol), *sorted([score.name, score.made_by] for score in beside)])


def _lighter(batch_size: int) -> str:
    return f"; less is needed with --set score_batch={batch_size // 4 or 1}" if batch_size > 1 else ""


def _measure(
    benchmark: Benchmark,
    tokenizer: Any,
    evaluator: "Evaluator",
    places: Places,
    folder: Path,
    load: Callable[[str], Any] | None,
) -> None:
    """Score the retrained model, if there is one, then the target against it; write down what came of it."""
    from trainables.subjects.tokenizers import tokenizer_notes

    tables, reported = {}, {}
    reference: Reference = {}
    notes = [(BENCHMARK, overlap_notes(benchmark)), (TOKENIZER, tokenizer_notes(tokenizer))]
    if places.retrained is not None:
        model, evaluator, told = _ready(places.retrained, tokenizer, evaluator, load)
        notes.append((RETRAINED, told))
        reference, evaluation = evaluator.of_retrained(model)
        evaluator = evaluator.with_reference(reference) if reference else evaluator
        tables[RETRAINED], reported[RETRAINED] = _keep(evaluation, folder / "retrained.parquet", places.retrained)
    model, evaluator, told = _ready(places.target, tokenizer, evaluator, load, trained=True)
    notes.append((TARGET, told))
    tables[TARGET], reported[TARGET] = _keep(evaluator(model), folder / "target.parquet", places.target)
    stored = {
        "tables": tables,
        "reported": reported,
        "reference": {score: {s: v.tolist() for s, v in own.items()} for score, own in reference.items()} or None,
        "notes": notes,
        "passes": asdict(evaluator.passes),
        "positions": end_of_positions(model.config),
    }
    draft = folder / "references.draft"
    draft.write_text(json.dumps(stored))
    draft.replace(folder / "references.json")


def _ready(
    reference: str, tokenizer: Any, evaluator: "Evaluator", load: Callable[[str], Any] | None, *, trained: bool = False
) -> tuple[Any, "Evaluator", list[str]]:
    """A model on this device, the evaluator in the ways that are right for it, and notes on it.

    ValueError, with the model's name, where it cannot be scored, or not be `trained`, which the target has to be.
    """
    from trainables.decoding.capabilities import check_training, probe
    from trainables.subjects.models import load_model, model_notes, storage_notes
    from trainables.subjects.tokenizers import check_vocabulary
    from trainables.world import join

    model = (load or load_model)(reference)
    check_vocabulary(model, tokenizer, reference)
    model = model.to(join().device)
    lengths = evaluator.lengths()
    try:
        notes = check_lengths(lengths, model.config) + model_notes(model)
        passes = probe(model, longest=max(lengths.values(), default=0))
        if trained:
            notes += storage_notes(reference)
            check_training(model)
    except ValueError as error:
        raise ValueError(f"model {reference!r}: {error}") from error
    return model, evaluator.with_passes(passes), notes


def _keep(evaluation: "Evaluation", file: Path, reference: str) -> tuple[Table, Table]:
    """The scores of the items that choose, and of those that report."""
    tables = table_of(evaluation.scores), table_of(evaluation.reported)
    for name, values in [*tables[0].items(), *tables[1].items()]:
        if not np.isfinite(values).all():
            raise ValueError(
                f"model {reference!r} has {name} {values[0]}, not a finite number: its outputs are not either"
            )
    evaluation.items.to_parquet(file, index=False)
    return tables


def table_of(readings: Mapping[str, Reading]) -> Table:
    """Scores as plain numbers: name -> [value, low, high]."""
    return {name: [score.value, score.low, score.high] for name, score in readings.items()}


def _told(role: str, note: str, places: Places) -> str:
    """A note with the place of what it is about: what was measured once may lie elsewhere the next time."""
    if role == BENCHMARK:
        return note
    return f"{role if role == TOKENIZER else 'model'} {getattr(places, role)!r}: {note}"


def _read(folder: Path, places: Places, made_from: str, data: str) -> References:
    stored = json.loads((folder / "references.json").read_text())
    reference = stored["reference"]
    return References(
        target=stored["tables"]["target"],
        retrained=stored["tables"].get("retrained"),
        reference=reference and {n: {s: np.array(v) for s, v in own.items()} for n, own in reference.items()},
        items={name: str(folder / f"{name}.parquet") for name in stored["tables"]},
        passes=Passes(**stored["passes"]),
        positions=stored["positions"],
        reported=stored["reported"],
        notes=tuple(_told(role, note, places) for role, notes in stored["notes"] for note in notes),
        content=made_from,
        fingerprint=data,
    )


def read_items(file: str) -> pd.DataFrame:
    """Read the per-item outputs of one evaluation: score, item, prompt, output, truth, value."""
    return pd.read_parquet(file)
