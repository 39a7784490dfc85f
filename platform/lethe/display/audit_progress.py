"""The live display of a running audit: readings done and running, time left; elsewhere one line for each reading."""

import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from lethe.display.progress import MOST_REASON, about


@dataclass
class AuditProgress:
    """Draws an audit that runs; `words` says of a reading what it is. Use it as a context."""

    console: Console
    readings: int
    slots: int
    words: Callable[[Any], str]
    done: int = 0
    refused: int = 0
    running: list[Any] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self._live = Live(get_renderable=self._draw, console=self.console, refresh_per_second=2, transient=True)

    def __enter__(self) -> "AuditProgress":
        if self.console.is_terminal:
            self._live.start()
        else:
            many = self.readings != 1
            self._say(f"measuring: {self.readings} reading{'s' * many}, {self.slots} at a time")
        return self

    def __exit__(self, *error: object) -> None:
        if self.console.is_terminal:
            self._live.stop()

    def started(self, job: Any) -> None:
        """A process has begun a reading."""
        if not self.running and not self.done:
            self.began = time.monotonic()  # what is loaded before is loaded once
        self.running.append(job)

    def restarted(self, job: Any, reason: str) -> None:
        """Its process died, and another one does it."""
        self.running.remove(job)
        self._say(f"{self.words(job)}: measured again in a new process: {textwrap.shorten(reason, MOST_REASON)}")

    def finished(self, job: Any, outcome: str, *, refused: bool) -> None:
        """A reading is stored."""
        self.running.remove(job)
        self.done += 1
        self.refused += refused
        if refused or not self.console.is_terminal:
            self._say(f"{self.done}/{self.readings}  {self.words(job)}: {outcome}  {self._time_left()}")

    def _say(self, line: str) -> None:
        """Print a line as it is: a reason may hold brackets."""
        self.console.print(line, soft_wrap=True, highlight=False, markup=False)

    def _draw(self) -> Group:
        head = Text(f"{self.done} of {self.readings} readings done", style="bold")
        head.append(f", {len(self.running)} running, {self.refused} refused, {self._time_left()}", style="default")
        running = [Text(f"  {self.words(job)}", style="dim") for job in self.running]
        return Group(head, *(running or [Text("  models are loaded", style="dim")]))

    def _time_left(self) -> str:
        if not self.done:
            return "time left: unknown yet"
        halves = len(self.running) / 2  # those that run are taken to be half done
        return about((time.monotonic() - self.began) / (self.done + halves) * (self.readings - self.done - halves))
