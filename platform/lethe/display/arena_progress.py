"""The live display of a running arena: a line for each entrant, with what it spent, what failed and its best so far.

On a terminal it is one table, drawn in place; elsewhere one line for every trial that ends, as of a search.
"""

import textwrap
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from lethe.display.front_table import front_candidates, volume
from lethe.display.progress import MOST_REASON, about, best_of, in_words
from lethe.store.facts import Facts
from lethe.store.places import Place


@dataclass(frozen=True, kw_only=True)
class EntryState:
    """How an entry stands: `far` is the share of all that it may do, `spent` that of its budget alone."""

    done: int  # trials that ended
    failed: int  # of these
    spent: float
    far: float
    front: pd.DataFrame


@dataclass
class LiveEntry:
    """An entrant's search with one seed, as `look` finds it: kept from one end of a trial to the next."""

    entrant: str
    seed: int
    facts: Facts
    look: Callable[[], EntryState]
    running: dict[int, list[Mapping[str, Any]]] = field(default_factory=dict)  # number -> candidates so far

    def __post_init__(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        """Look again."""
        self.now = self.look()
        self.volume = volume(self.now.front, self.facts)
        self.best = ""
        for row in front_candidates(self.now.front, self.facts).head(1).to_dict("records"):
            scores = " ".join(f"{o.score} {row[o.score]:.1f}" for o in self.facts.objectives)
            self.best = f"{Place.of(row).words}: {scores}"


TELLING = 0.01  # of the arena: the first trials start workers, or are stopped at their start


@dataclass
class ArenaProgress:
    """Draws an arena that runs. Use it as a context; `watch` gives the observer of each entry."""

    console: Console
    entries: Sequence[LiveEntry]
    slots: int
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._far_before = self.far
        self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "ArenaProgress":
        if self.console.is_terminal:
            self._live.start()
        else:
            self.say(f"running: {len(self.entries)} searches side by side, {self.slots} trials at a time")
        return self

    def __exit__(self, *error: object) -> None:
        if self.console.is_terminal:
            self._live.stop()

    @property
    def far(self) -> float:
        """How far the arena is: the mean of its entries' shares."""
        return sum(entry.now.far for entry in self.entries) / len(self.entries)

    def say(self, line: str) -> None:
        """Print a line as it is: the reason of a failure may hold brackets."""
        self.console.print(line, soft_wrap=True, highlight=False, markup=False)

    def watch(self, entry: LiveEntry) -> "Watch":
        """The observer of an entry."""
        return Watch(self, entry)

    def left(self) -> str:
        """How long it takes yet, by what was spent so far."""
        gained = self.far - self._far_before
        if gained < TELLING:
            return "time left: unknown yet"
        return about((time.monotonic() - self.began) * (1 - self.far) / gained)

    def _draw(self) -> Group:
        running = sum(len(entry.running) for entry in self.entries)
        head = Text(f"{self.far:.0%} of the arena done", style="bold")
        head.append(f", {running} trial{'s' * (running != 1)} running, {self.left()}", style="default")
        return Group(head, self.table())

    def table(self) -> Table:
        """A line for each entrant, over its seeds; the volume and the candidate are those of its best seed."""
        table = Table(
            header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), expand=True
        )
        table.add_column("entrant", no_wrap=True)
        for name in ("spent", "trials", "failed", "volume"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("best so far", no_wrap=True, ratio=1)  # it alone is cut where there is no room
        for entrant in dict.fromkeys(entry.entrant for entry in self.entries):
            own = [entry for entry in self.entries if entry.entrant == entrant]
            best = max(own, key=lambda entry: entry.volume)
            running = sum(len(entry.running) for entry in own)
            trials = f"{sum(entry.now.done for entry in own)}{f' +{running}' if running else ''}"
            failed = str(sum(entry.now.failed for entry in own) or "")
            spent = sum(entry.now.spent for entry in own) / len(own)
            table.add_row(
                entrant, f"{spent:.0%}", trials, failed, f"{best.volume:.3f}" if best.now.done else "", best.best
            )
        return table


@dataclass(frozen=True)
class Watch:
    """An observer of one entry, which tells the display."""

    display: ArenaProgress
    entry: LiveEntry

    def started(self, number: int, params: Mapping[str, Any]) -> None:
        """See Observer."""
        self.entry.running[number] = []

    def scored(self, number: int, candidate: Mapping[str, Any]) -> None:
        """See Observer."""
        self.entry.running[number].append(candidate)

    def restarted(self, number: int, reason: str) -> None:
        """See Observer."""
        said = textwrap.shorten(reason, MOST_REASON)
        self.display.say(f"{self._name(number)}  goes on from its last candidate in new processes: {said}")

    def stopped(self, number: int, reason: str) -> None:
        """See Observer."""
        if not self.display.console.is_terminal:
            self.display.say(f"{self._name(number)}  stopped at {reason}")

    def finished(self, number: int, failure: str | None) -> None:
        """See Observer."""
        candidates = self.entry.running.pop(number)
        self.entry.refresh()
        if self.display.console.is_terminal:
            return
        facts, best = self.entry.facts, best_of(candidates, self.entry.facts)
        outcome = f"failed: {failure}" if failure or best is None else f"best: {in_words(best, facts)}"
        self.display.say(
            f"{self._name(number)}  {outcome}  volume {self.entry.volume:.3f}  "
            f"{self.display.far:.0%} of the arena done, {self.display.left()}"
        )

    def _name(self, number: int) -> str:
        return f"{self.entry.entrant}, seed {self.entry.seed}, trial {number}"
