"""What an audit read of candidates that no answer shows, beside the target and the retrained model, which never knew.

A row for each candidate and each score of a trace. Good is what the retrained model has, on whichever side of it a
candidate lies: whether it can be told from that is tested by flipping the signs of items' differences, and the p, which
are two-sided, are corrected by Holm's method over all of an audit's traces. Pure functions over items.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from lethe.analysis.effects import ALPHA, corrected
from lethe.analysis.flips import sign_flip_p
from lethe.analysis.recovery import Estimated, Readings, recovery
from lethe.store.audits import Audited

Items = Mapping[str, pd.Series]  # of each score the values by item
MODELS = ("target", "retrained")


@dataclass(frozen=True, kw_only=True)
class Traced:
    """One candidate in one score of a trace."""

    candidate: str
    trace: str
    score: str
    tells: str  # what the value says, in a reader's words
    n: int  # items
    value: float
    target: float | None
    retrained: float | None
    apart: Estimated | None  # from the retrained model
    position: Estimated | None  # 0: as the retrained model, 1: as the target; None where these may as well be the same
    p: float = np.nan  # two-sided, of being as the retrained model; NaN where that is not known
    corrected: float = np.nan  # the same for all of an audit at once

    @property
    def told(self) -> bool:
        """Whether it can be told from the retrained model, beyond what chance explains."""
        return bool(self.corrected < ALPHA)


def traced(
    candidates: Sequence[str], own: Mapping[tuple[str, str], Audited], items: Mapping[tuple[str, str], Items]
) -> tuple[Traced, ...]:
    """The rows of some candidates, from readings and their items by whose and which trace."""
    traces = sorted({trace for (_, trace), r in own.items() if r.is_trace})
    rows = [
        _row(name, trace, score, tells, items)
        for name in candidates
        for trace in traces
        if (name, trace) in items
        for score, tells in own[name, trace].tells.items()
        if score in items[name, trace]  # a share of nothing is not there
    ]
    known = corrected(np.array([row.p for row in rows])).tolist()
    return tuple(replace(row, corrected=p) for row, p in zip(rows, known, strict=True))


def _row(candidate: str, trace: str, score: str, tells: str, items: Mapping[tuple[str, str], Items]) -> Traced:
    models = [whose for whose in (candidate, *MODELS) if score in items.get((whose, trace), {})]
    there = {whose: items[whose, trace][score] for whose in models}
    joined = pd.concat(there, axis=1, join="inner").sort_index()
    read = {whose: Readings(*[joined[whose].to_numpy(float)] * 2) for whose in there}
    own, target, retrained = (read.get(whose) for whose in (candidate, *MODELS))
    assert own is not None
    found = recovery(own, target, retrained)
    apart = own.plain - retrained.plain if retrained else None
    return Traced(
        candidate=candidate,
        trace=trace,
        score=score,
        tells=tells,
        n=len(own.plain),
        value=float(own.plain.mean()),
        target=float(target.plain.mean()) if target else None,
        retrained=float(retrained.plain.mean()) if retrained else None,
        apart=found.above,
        position=found.position,
        p=np.nan if apart is None else min(1.0, 2 * min(sign_flip_p(apart), sign_flip_p(-apart))),
    )
