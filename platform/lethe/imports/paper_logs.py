"""The logs of the mean-teacher paper's public code (arXiv 2504.13388), as they are or gathered in a table. Pure.

A log is JSON, a line each: `{"args": ...}`; a `{"global_step": ...}` a step; `{"epoch": N, "metrics": {...}}` an epoch,
of which -1 is the model that the run starts from; at last, sometimes, `{"privleak": ...}` of the model where it ends. A
table has a column `log`, the arguments, `epoch` and the scores. The code scores the student, with a teacher or without.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lethe.imports.rows import Found, Oddity, Reference, Row, number, plain, records, text_of
from lethe.store.places import Place

PROTOCOL = "mean-teacher paper"
ARGUMENTS = (
    *("loss", "penalty", "optimizer", "lr", "momentum", "alpha", "beta", "delta", "damp", "clip", "tol"),
    *("begin", "seed"),
)
NAMES = {"mmlu_val": "utility"}  # MMLU stands for general utility; other scores have the names that they have here
SCORES = ("verbmem_f", "knowmem_f", "knowmem_r", "mmlu_val", "privleak")  # of a table


def is_log(file: Path) -> bool:
    """Whether a file begins as a log does."""
    with file.open(encoding="utf-8", errors="replace") as lines:
        return lines.readline(1000).lstrip().startswith('{"args"')


def is_table(head: list[str]) -> bool:
    """Whether a CSV file has the columns of a table of logs."""
    return {"log", "loss", "penalty", "epoch", "verbmem_f"} <= set(head)


def read_log(file: Path) -> Found:
    """The epochs of a log, each a candidate; a log that was begun anew is another run."""
    log = _Log(str(file))
    for line, text in enumerate(text_of(file).splitlines(), start=1):
        try:
            log.take(line, text)
        except ValueError as error:
            log.found.oddities.append(Oddity(str(file), line, str(error)))
    return _with_target(log.found)


@dataclass
class _Log:
    """A log as far as it is read."""

    file: str
    run: Mapping[str, Any] = field(default_factory=dict)  # the run's own fields of its rows
    runs: int = 0
    found: Found = field(default_factory=Found)

    def take(self, line: int, text: str) -> None:
        """Take one line; ValueError says what is wrong with it."""
        if not text.strip():
            return
        try:
            said = json.loads(text)
        except ValueError:
            raise ValueError("it is no JSON") from None
        match said:
            case {"args": dict() as args}:
                self._begin(args)
            case {"global_step": _}:
                pass
            case {"epoch": epoch, "metrics": dict() as metrics}:
                self._epoch(line, epoch, metrics)
            case {"privleak": _}:
                self._last(said)
            case _:
                raise ValueError("it is neither arguments, a step, an epoch nor a PrivLeak")

    def _begin(self, args: Mapping[str, Any]) -> None:
        self.runs += 1
        self.run = {}  # what comes is of no run before, also where these arguments cannot be read
        name = Path(self.file).name
        facts = {"benchmark": _benchmark(args), "model": str(args.get("network") or ""), "protocol": PROTOCOL}
        self.run = {
            "run": name if self.runs == 1 else f"{name} #{self.runs}",
            "parameters": _parameters(args),
            "facts": {what: value for what, value in facts.items() if value},
        }

    def _epoch(self, line: int, epoch: Any, metrics: Mapping[str, Any]) -> None:
        if not self.run:
            raise ValueError("an epoch stands before the arguments of its run")
        self.found.rows.append(Row(file=self.file, line=line, place=_place(epoch), scores=_scores(metrics), **self.run))

    def _last(self, said: Mapping[str, Any]) -> None:
        if not self.found.rows or self.found.rows[-1].run != self.run.get("run"):
            raise ValueError("a PrivLeak stands before any epoch of its run")
        last = self.found.rows[-1]
        self.found.rows[-1] = replace(last, scores={**last.scores, **_scores({"privleak": said["privleak"]})})


def read_table(file: Path) -> Found:
    """The rows of a table of logs."""
    found = Found()
    for line, record in records(file)[1]:
        try:
            found.rows.append(_row(str(file), line, record))
        except ValueError as error:
            found.oddities.append(Oddity(str(file), line, str(error)))
    return _with_target(found)


def _row(file: str, line: int, record: Mapping[str, str] | str) -> Row:
    if isinstance(record, str):
        raise ValueError(record)
    if not record["log"]:
        raise ValueError("it names no log")
    measured = {name: record[name] for name in SCORES if record.get(name)}
    return Row(
        file=file,
        line=line,
        run=record["log"],
        parameters=_parameters(record),
        place=_place(record["epoch"]),
        scores=_scores(measured),
        facts={"protocol": PROTOCOL},
    )


def _parameters(args: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: plain(args[name], name) for name in ARGUMENTS if name in args}
    return {name: value for name, value in found.items() if value is not None}


def _place(epoch: Any) -> Place:
    """How many epochs a student was trained."""
    ended = number(epoch, "its epoch") + 1
    if ended < 0 or ended != int(ended):
        raise ValueError(f"its epoch is {epoch!r}: it must be -1, 0, 1, ...")
    return Place("epoch", ended, "student")


def _scores(metrics: Mapping[str, Any]) -> dict[str, float]:
    measured = {NAMES.get(name, name): value for name, value in metrics.items() if value is not None}
    if not measured:
        raise ValueError("it has no scores")
    return {name: number(value, name) for name, value in measured.items()}


def _benchmark(args: Mapping[str, Any]) -> str:
    corpus = str(args.get("gen_eval_name") or "")
    return f"muse-{corpus}" if corpus in ("news", "books") else corpus


def _with_target(found: Found) -> Found:
    """What was found, with the models that runs start from among the references: most start from the target."""
    starts = [row for row in found.rows if row.place.at == 0]
    return replace(found, references=[Reference(name="target", scores=row.scores, facts=row.facts) for row in starts])
