"""Which candidate of a study to take: one stated rule, and how sure the scores' intervals allow us to be. Pure.

The rule. Of the feasible candidates within the reader's limits, every objective's loss is divided by its span: the
range of losses over their front, or the median width of their 95% intervals where that is larger, so that a difference
that lies within the noise counts for little. The recommended one is the knee: the candidate whose scaled losses above
the best have the smallest sum, which gives up the least in total (on a front, the one that lies furthest from the plane
through its ends). It is always on the front.

Where items are split, rule and limits take the scores of those that choose, and so do the redraws; only how often the
recommended candidate is within each limit is by the items that no choice saw.

The rule and the limits take the scores as measured. How sure that is, redraws say: all scores are drawn again from
their intervals. A candidate at the edge of a limit is outside it in many redraws, and another may be chosen there more
often. That one is named beside the recommended one and not put in its place: to take what most redraws choose gained
little (on muse-mini's candidates scored anew, within a limit in 72 of 100 for 69, and without limits at a cost above
the least of 0.175 for 0.164), and it jumps between candidates that are alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from lethe.fronts import pareto
from lethe.fronts.objectives import Constraint, Objective, as_chosen, chosen_by, loss_array

DRAWS = 1000
CONTENDERS = 50  # candidates that are drawn again; those behind them never win
HALF_WIDTH = 1.959964  # of a 95% interval, in standard deviations
KNEE = "knee"


@dataclass(frozen=True, kw_only=True)
class Limit:
    """What a reader accepts of a score: from `low` to `high`, ends included."""

    score: str
    low: float = -np.inf
    high: float = np.inf

    def holds(self, values: np.ndarray) -> np.ndarray:
        """Return a mask of the values within the limit; a score that was not measured is not."""
        return (values >= self.low) & (values <= self.high)


@dataclass(frozen=True, kw_only=True)
class Rival:
    """A candidate beside the recommended one.

    Its row, how far behind it is by the rule, and in which shares of redraws it is chosen, and is within all limits.
    """

    row: int
    behind: float
    share: float | None
    within: float | None


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """The recommended candidate and why.

    `share` is how often it is still recommended when all scores are drawn again from their intervals, `within` how
    often it is within all limits and constraints, and `holds` how often within each; None, or empty, where a score has
    no interval. `surer` is the candidate that is chosen most often, where that is another.
    """

    row: int  # position in the table of candidates
    rule: str
    considered: int  # candidates that were feasible and within the limits
    front: tuple[int, ...]  # rows of the front of those
    spans: dict[str, float]  # objective -> what its losses were divided by
    given_up: dict[str, float]  # objective -> loss above the best of the front
    near: tuple[Rival, ...]  # the others, nearest first
    surer: Rival | None
    share: float | None
    within: float | None
    holds: dict[str, float]


def accepted(candidates: pd.DataFrame, limits: Sequence[Limit]) -> np.ndarray:
    """Return a mask [candidates] of complete, feasible candidates within all limits."""
    if not len(candidates):
        return np.zeros(0, dtype=bool)
    mask = candidates["feasible"].to_numpy(bool) & (candidates["state"] == "COMPLETE").to_numpy(bool)
    for limit in limits:
        mask &= limit.holds(chosen_by(candidates, limit.score))
    return mask


def recommend(
    candidates: pd.DataFrame,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint] = (),
    limits: Sequence[Limit] = (),
    *,
    rule: str = KNEE,
    near: int = 3,
    seed: int = 0,
) -> Recommendation | None:
    """Return the recommended candidate of a table of candidates; None where no candidate is left.

    `rule` is "knee", or the score of an objective: then the best in that score within the limits, ties by the knee.
    """
    check_rule(rule, objectives)
    rows = np.flatnonzero(accepted(candidates, limits))
    if not len(rows):
        return None
    losses = loss_array(candidates, objectives)[rows]
    on_front = pareto.nondominated(losses)
    spans = scale(losses[on_front], widths(as_chosen(candidates.iloc[rows[on_front]]), objectives))
    best = losses[on_front].min(axis=0)
    cost = rule_cost(losses, best, spans, objectives, rule)
    order = np.lexsort((~on_front, cost))[:CONTENDERS]
    shares, within, holds = _sureness(
        candidates.iloc[rows[order]], objectives, constraints, limits, best=best, spans=spans, rule=rule, seed=seed
    )
    first, *others = _rivals(rows[order], cost[order], shares, within)
    names = [o.score for o in objectives]
    return Recommendation(
        row=first.row,
        rule=rule,
        considered=len(rows),
        front=tuple(int(row) for row in rows[on_front]),
        spans=dict(zip(names, spans.tolist(), strict=True)),
        given_up=dict(zip(names, (losses[order[0]] - best).tolist(), strict=True)),
        near=tuple(others[:near]),
        surer=max(others, key=lambda r: r.share or 0.0) if shares is not None and shares.argmax() else None,
        share=first.share,
        within=first.within,
        holds=holds,
    )


def ranked(candidates: pd.DataFrame, objectives: Sequence[Objective]) -> np.ndarray:
    """The rows of candidates on a front, best first by the knee: where all are feasible the first is recommended."""
    losses = loss_array(candidates, objectives)
    spans = scale(losses, widths(as_chosen(candidates), objectives))
    return np.argsort(rule_cost(losses, losses.min(axis=0), spans, objectives, KNEE), kind="stable")


def _rivals(rows: np.ndarray, cost: np.ndarray, shares: np.ndarray | None, within: np.ndarray | None) -> list[Rival]:
    """The contenders, in the rule's order."""
    return [
        Rival(
            row=int(row),
            behind=float(cost[place] - cost[0]),
            share=None if shares is None else float(shares[place]),
            within=None if within is None else float(within[place]),
        )
        for place, row in enumerate(rows)
    ]


def check_rule(rule: str, objectives: Sequence[Objective]) -> None:
    """ValueError for a rule that is neither the knee nor an objective."""
    allowed = [KNEE, *(o.score for o in objectives)]
    if rule not in allowed:
        raise ValueError(f"rule {rule!r} is unknown: choose {', '.join(allowed)}")


def widths(candidates: pd.DataFrame, objectives: Sequence[Objective]) -> np.ndarray:
    """Median widths [objectives] of the candidates' 95% intervals; 0 where there are none."""
    found = [(candidates[f"{o.score}_high"] - candidates[f"{o.score}_low"]).to_numpy(float) for o in objectives]
    return np.array([np.median(w[np.isfinite(w)]) if np.isfinite(w).any() else 0.0 for w in found])


def scale(front: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Spans [objectives]: the range of a front's losses, at least `noise`; 1 where nothing differs at all."""
    spans = np.maximum(np.ptp(front, axis=0), noise)
    return np.where(spans > 0, spans, 1.0)


def rule_cost(
    losses: np.ndarray, best: np.ndarray, spans: np.ndarray, objectives: Sequence[Objective], rule: str
) -> np.ndarray:
    """What the rule makes smallest, for losses [..., objectives]."""
    scaled = (losses - best) / spans
    knee = scaled.sum(axis=-1)
    if rule == KNEE:
        return knee
    return scaled[..., [o.score for o in objectives].index(rule)] + 1e-6 * knee


def draw_scores(candidates: pd.DataFrame, scores: Sequence[str], draws: int, seed: int) -> dict[str, np.ndarray]:
    """Draw scores [draws, candidates] again from their intervals: two half normals, one for each side of the value.

    Candidates are drawn apart from each other. They share their items, so true differences are surer than these.
    """
    rng = np.random.default_rng(seed)
    drawn = {}
    for score in scores:
        value, low, high = (candidates[f"{score}{end}"].to_numpy(float) for end in ("", "_low", "_high"))
        noise = rng.standard_normal((draws, len(candidates)))
        side = np.where(noise < 0, value - low, high - value) / HALF_WIDTH
        drawn[score] = value + noise * np.maximum(side, 0.0)
    return drawn


def _sureness(
    candidates: pd.DataFrame,
    objectives: Sequence[Objective],
    constraints: Sequence[Constraint],
    limits: Sequence[Limit],
    *,
    best: np.ndarray,
    spans: np.ndarray,
    rule: str,
    seed: int,
) -> tuple[np.ndarray | None, np.ndarray | None, dict[str, float]]:
    """In which shares of redraws each candidate is chosen, each is within all limits, the first within each limit."""
    bounds = [*limits, *(Limit(score=c.score, low=c.low, high=c.high) for c in constraints)]
    scores = list(dict.fromkeys([*(o.score for o in objectives), *(b.score for b in bounds)]))
    ends = [f"{score}{end}" for score in scores for end in ("_low", "_high")]
    if not np.isfinite(candidates[ends].to_numpy(float)).all():
        return None, None, {}
    drawn = draw_scores(as_chosen(candidates), scores, DRAWS, seed)
    reported = draw_scores(candidates, scores, DRAWS, seed)
    allowed, within = (np.ones((DRAWS, len(candidates)), dtype=bool) for _ in range(2))
    holds: dict[str, float] = {}
    for bound in bounds:
        allowed &= bound.holds(drawn[bound.score])
        inside = bound.holds(reported[bound.score])
        within &= inside
        holds[bound.score] = min(holds.get(bound.score, 1.0), float(inside[:, 0].mean()))
    losses = np.stack([o.loss(drawn[o.score]) for o in objectives], axis=-1)
    cost = np.where(allowed, rule_cost(losses, best, spans, objectives, rule), np.inf)
    winners = cost.argmin(axis=1)[allowed.any(axis=1)]
    return np.bincount(winners, minlength=len(candidates)) / DRAWS, within.mean(axis=0), holds


def volume_history(losses: Sequence[np.ndarray]) -> list[float]:
    """Hypervolume of the front after each of several groups of losses [candidates, objectives]."""
    archive: np.ndarray | None = None
    volumes: list[float] = []
    for group in losses:
        if len(group):
            joined = group if archive is None else np.concatenate([archive, group])
            kept = joined[pareto.nondominated(joined)]
            grew = archive is None or len(kept) != len(archive) or not np.array_equal(kept, archive)
            archive = kept
            volumes.append(pareto.hypervolume(archive) if grew else volumes[-1])
        else:
            volumes.append(volumes[-1] if volumes else 0.0)
    return volumes
