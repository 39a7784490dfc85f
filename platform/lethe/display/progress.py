"""The live display of a running search: trials done and running, the best front so far, time left.

On a terminal it is one table, drawn in place; elsewhere (a job's log, CI) one line for every trial that ends. On
both a trial that goes on in new processes is a line.
"""

import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lethe.analysis.cells import listed
from lethe.analysis.judgement import judge
from lethe.display.front_table import recipe
from lethe.store.facts import Facts
from lethe.store.places import Place

MOST_ROWS = 8
MOST_REASON = 160  # characters


class Observer(Protocol):
    """What a search tells whoever watches it."""

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """A trial was handed out."""

    def scored(self, number: int, candidate: Mapping[str, Any]) -> None:
        """A candidate of a running trial was scored."""

    def restarted(self, number: int, reason: str) -> None:
        """A trial lost its processes, and goes on in new ones."""

    def stopped(self, number: int, reason: str) -> None:
        """A trial is about to be ended before its end; where and why."""

    def finished(self, number: int, failure: str | None) -> None:
        """A trial ended; `failure` is its reason, or None."""


@dataclass
class Running:
    """A trial that runs, and its candidates so far."""

    params: Mapping[str, Any]
    candidates: list[Mapping[str, Any]] = field(default_factory=list)

    @property
    def newest(self) -> Mapping[str, Any] | None:
        """The candidate that was scored last."""
        return self.candidates[-1] if self.candidates else None


@dataclass
class Progress:
    """An observer that draws. Use it as a context; `best` gives what came of it so far: a table, and that in a word."""

    console: Console
    facts: Facts
    trials: int
    done: int
    slots: int
    best: Callable[[], tuple[Table, str]]
    running: dict[int, Running] = field(default_factory=dict)
    failed: int = 0
    early: int = 0  # trials that were stopped
    noun: str = "trial"  # what each run is called
    at_most: bool = False  # whether there may be fewer than `trials`
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._done_before = self.done
        self._best: tuple[Table, str] | None = None
        self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "Progress":
        if self.console.is_terminal:
            self._live.start()
        else:
            left = self.trials - self.done
            self.console.print(f"running: {self._of()}{left} {self.noun}{'s' * (left != 1)}, {self.slots} at a time")
        return self

    def __exit__(self, *error: object) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """See Observer."""
        self.running[number] = Running(params)

    def scored(self, number: int, candidate: Mapping[str, Any]) -> None:
        """See Observer."""
        self.running[number].candidates.append(candidate)

    def restarted(self, number: int, reason: str) -> None:
        """See Observer."""
        said = textwrap.shorten(reason, MOST_REASON)
        self._say(f"{self.noun} {number:>4}  goes on from its last candidate in new processes: {said}")

    def stopped(self, number: int, reason: str) -> None:
        """See Observer."""
        self.early += 1
        if not self.console.is_terminal:
            self._say(f"{self.noun} {number:>4}  stopped at {reason}")

    def finished(self, number: int, failure: str | None) -> None:
        """See Observer."""
        trial = self.running.pop(number)
        self.done += 1
        self.failed += failure is not None
        self._best = self.best()
        if not self.console.is_terminal:
            outcome = (
                f"failed: {failure}" if failure else f"best: {self._scores(best_of(trial.candidates, self.facts))}"
            )
            self._say(
                f"{self.noun} {number:>4}  {self.done}/{self.trials}  {_parameters(trial.params)}  {outcome}  "
                f"{self._best[1]}  {self._time_left()}"
            )

    def _of(self) -> str:
        return "at most " if self.at_most else ""

    def _say(self, line: str) -> None:
        """Print a line as it is: the reason of a failure may hold brackets."""
        self.console.print(line, soft_wrap=True, highlight=False, markup=False)

    def _draw(self) -> Group:
        head = Text(f"{self.done} of {self._of()}{self.trials} {self.noun}s done", style="bold")
        stopped = f"{self.early} stopped early, " if self.early else ""
        head.append(
            f", {stopped}{len(self.running)} running, {self.failed} failed, {self._time_left()}", style="default"
        )
        running = [
            Text(f"  {self.noun} {number}: {_parameters(trial.params)}  {self._scores(trial.newest)}", style="dim")
            for number, trial in sorted(self.running.items())[:MOST_ROWS]
        ]
        parts: list[Any] = [head, *running]
        if self._best:
            parts += [Text(f"so far: {self._best[1]}"), self._best[0]]
        return Group(*parts)

    def _scores(self, candidate: Mapping[str, Any] | None) -> str:
        if candidate is None:
            return "no score yet" if self.done > self._done_before else "workers are starting"
        return in_words(candidate, self.facts)

    def _time_left(self) -> str:
        spent, done = time.monotonic() - self.began, self.done - self._done_before
        if done == 0:
            return "time left: unknown yet"
        halves = len(self.running) / 2  # those that run are taken to be half done
        return about(spent / (done + halves) * (self.trials - self.done - halves))


def best_of(candidates: Sequence[Mapping[str, Any]], facts: Facts) -> Mapping[str, Any] | None:
    """The candidate that represents a trial; the newest where one lacks a score."""
    try:
        return candidates[judge(candidates, facts).chosen]
    except ValueError:
        return candidates[-1] if candidates else None


def in_words(candidate: Mapping[str, Any], facts: Facts) -> str:
    """Where a candidate stands, the scores that are searched for, and those by which it is not feasible."""
    scores = {**candidate["scores"], **candidate.get("reported", {})}
    shown = " ".join(f"{o.score} {scores[o.score][0]:.1f}" for o in facts.objectives if o.score in scores)
    chosen = candidate["scores"]
    broken = listed([f"{c.score} {chosen[c.score][0]:.1f}" for c in facts.constraints if c.broken_by(chosen)])
    return f"{Place.of(candidate).words}: {shown}" + (f", not feasible by {broken}" if broken else "")


def about(seconds: float) -> str:
    """How long it takes yet."""
    return f"about {seconds / 60:.0f} min left" if seconds >= 90 else f"about {seconds:.0f} s left"


def _parameters(params: Mapping[str, Any]) -> str:
    return recipe(params, list(params))
