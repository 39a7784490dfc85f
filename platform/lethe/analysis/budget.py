"""What of a study counts under a budget: trials in the order in which they first ran, as far as the budget goes.

Costs are in forward passes of a sequence. A trial that repeats an interrupted one is one trial with it, and its cost is
counted once. A candidate counts while the trials before its own, and its own run up to it, cost no more than the budget
together; whatever costs nothing counts always. Pure functions of a `Snapshot`.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from lethe.store.facts import ARENA
from lethe.store.snapshot import Snapshot
from lethe.store.trials import INTERRUPTED

SPENT = "spent"  # what a study had spent when a candidate was there
ROUNDING = 1e-9  # of a budget


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a study is: what its ended trials cost, how many there are, why those failed that did, its share."""

    spent: float
    trials: int
    reasons: tuple[str, ...]
    share: float  # of its budget; 1 where it is through

    @property
    def lasts(self) -> bool:
        """Whether it may be compared at any budget: it is through, or its trials cost nothing."""
        return self.share >= 1 or (self.trials > 0 and self.spent == 0)


def progress(study: Snapshot, budget: float) -> Progress:
    """How far a study is: through where its budget is spent, and where it begins no further trial for another reason.

    It does not where as many trials ended as it may have, or so many that its patience is at an end, and all failed.
    """
    ended = _ended(study.trials)
    spent = float(_costs(study, ended["first"]).sum()) if len(ended) else 0.0
    reasons = tuple(str(reason or "unknown") for reason in ended.loc[ended["state"] == "FAIL", "failure"])
    through = (
        spent >= budget * (1 - ROUNDING)
        or (study.planned is not None and len(ended) >= study.planned)
        or len(ended) == len(reasons) >= study.facts.about[ARENA].get("patience", np.inf)  # given up
    )
    share = 1.0 if through else spent / budget
    return Progress(spent=spent, trials=len(ended), reasons=reasons, share=share)


def placed(study: Snapshot) -> pd.DataFrame:
    """The candidates of a study's complete trials with what it had `spent` by then, in that order; empty for none."""
    if not len(study.candidates):
        return pd.DataFrame()
    costs = _costs(study, study.trials["first"]).sort_index()
    before = dict(zip(costs.index, np.cumsum(costs.to_numpy()) - costs.to_numpy(), strict=True))
    table = study.candidates[study.candidates["state"] == "COMPLETE"]
    first = study.trials["first"].reindex(table["trial"]).to_numpy()
    table = table.assign(first=first, spent=[before[trial] for trial in first] + table["cost"].fillna(0.0).to_numpy())
    return table.sort_values([SPENT, "first"], kind="stable", ignore_index=True)


def within(candidates: pd.DataFrame, budget: float) -> pd.DataFrame:
    """The candidates that count under a budget."""
    return candidates[candidates[SPENT] <= budget * (1 + ROUNDING)] if len(candidates) else candidates


def _ended(trials: pd.DataFrame) -> pd.DataFrame:
    """The trials that ended by themselves, well or badly."""
    if not len(trials):
        return trials
    return trials[trials["state"].isin(("COMPLETE", "FAIL")) & (trials["failure"] != INTERRUPTED)]


def _costs(study: Snapshot, which: pd.Series) -> pd.Series:
    """What each trial cost, by the number by which it first ran; `which` are those."""
    own = study.trials[study.trials["first"].isin(set(which))]
    cost = own["cost"]
    if len(study.candidates):  # of a driver that died between the two, the candidates know more
        cost = cost.fillna(study.candidates.groupby("trial")["cost"].max().reindex(own["number"]))
    return cost.fillna(0.0).groupby(own["first"]).max()
