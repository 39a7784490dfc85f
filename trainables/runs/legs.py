"""The legs of a run: one for each request that it unlearns, one after the other.

Most runs have one. A run over several requests (MUSE's sustainability, C6, arXiv 2407.06460) begins each leg with the
model that the last one left, takes `steps` steps anew in it, and is scored behind it: its candidates stand on the axis
`request`, at 1, 2, ... Between two legs that model lies in the run's state.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from trainables.method import STEP, Candidate
from trainables.runs.resume import STATE
from trainables.settings import Descent, Settings

REQUEST = "request"  # the axis of candidates of several requests


@dataclass(frozen=True, kw_only=True)
class Leg:
    """One request of a run: its number, from 1, of how many, the steps before it, and how many of its own are done."""

    number: int
    of: int
    before: int = 0
    done: int = 0
    steps: int = 0

    @property
    def last(self) -> bool:
        """Whether the run ends with it."""
        return self.number == self.of

    @property
    def start(self) -> str | None:
        """Where in the run's folder the model lies that it begins with; None: it is the target."""
        return f"{STATE}/{REQUEST}-{self.number}" if self.number > 1 else None

    def next(self) -> "Leg":
        """The one behind it."""
        return replace(self, number=self.number + 1, before=self.before + self.steps, done=0)

    def placed(self, candidate: Candidate) -> Candidate | None:
        """A candidate where it stands in the whole run; None for one in the middle of one request of several."""
        if self.of == 1:
            return candidate
        ends = candidate.axis == STEP and candidate.at == self.steps
        return replace(candidate, axis=REQUEST, at=self.number) if ends else None


def legs_of(settings: Settings, done: int) -> Iterator[Leg]:
    """The legs that are left where so many steps of the whole run are done."""
    count = len(settings.requests)
    if count == 1 or not isinstance(settings, Descent):
        yield Leg(number=1, of=1, done=done)
        return
    number = min(done // settings.steps, count - 1) + 1
    before = (number - 1) * settings.steps
    leg = Leg(number=number, of=count, before=before, done=done - before, steps=settings.steps)
    while True:
        yield leg
        if leg.last:
            return
        leg = leg.next()
