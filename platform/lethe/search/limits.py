"""How far studies are that are run together: which share of its limit each has had, and which one comes next.

A share is read off a study's own trials in the store, so several drivers agree on it, and one that resumes goes on
where the shares stand. Imports no ray.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lethe.search.roster import Roster, Tally

FULL = 1.0  # the share from which on a study begins no further trial
BEGUN = -1.0  # the share of a study with a trial that was interrupted: what was begun is ended before all else


class Limit(Protocol):
    """What a study may take, as shares of it."""

    def had(self, trials: Roster) -> float:
        """The share that is taken for sure; from 1 on, nothing that its running trials do makes room for another."""

    def likely(self, trials: Roster) -> float:
        """The share that is taken once all that runs has ended, as far as one knows."""


@dataclass(frozen=True)
class Count:
    """So many trials, whatever they cost."""

    trials: int

    def had(self, trials: Roster) -> float:
        """See Limit: trials that ended by themselves or run, be it by another driver."""
        return trials.claimed() / self.trials

    def likely(self, trials: Roster) -> float:
        """See Limit."""
        return self.had(trials)


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A cost that a study may spend, in forward passes of a sequence; its last trial may go beyond it.

    Nor does it begin more than `most` trials, which is for those that cost next to nothing; nor any further one once
    `patience` trials ended and all failed. Before a trial has ended, `trial` is what one is taken to cost; from then on
    that is the mean of those that ended.
    """

    cost: float
    trial: float
    most: int
    patience: int

    def had(self, trials: Roster) -> float:
        """See Limit: what was spent, by whatever driver, running trials included."""
        now = trials.tally()
        return self._share(now, sum(now.costs.values()))

    def likely(self, trials: Roster) -> float:
        """See Limit: what was spent, and what those that run are taken to spend yet."""
        now = trials.tally()
        ended = [now.costs[first] for first in now.ended]
        expected = sum(ended) / len(ended) if ended else self.trial
        to_come = sum(max(expected - now.costs[first], 0.0) for first in now.running)
        return self._share(now, sum(now.costs.values()) + to_come)

    def _share(self, now: Tally, cost: float) -> float:
        if now.waiting:
            return BEGUN
        if len(now.ended) == now.failed >= self.patience:
            return FULL
        return max(cost / self.cost, (len(now.ended) + len(now.running)) / self.most)


def next_of(shares: Sequence[float]) -> int | None:
    """Which study begins the next trial: the one with the smallest share, of equals the first; None where all are full.

    So studies with the same limit are equally far whenever they are stopped, up to a trial each.
    """
    first = min(range(len(shares)), key=shares.__getitem__)
    return first if shares[first] < FULL else None
