"""What repeats say of a front: each point over its seeds, and how probable it is that no other dominates it. Pure.

A recipe is what a trial sets, but for its seed, and a place of its run; a repeat is that trial's run with another seed.
A point is compared by the mean of its losses over its seeds. How probable it is to be non-dominated is the share of
redraws (bootstrap) in which it meets the constraints and no other point that does so dominates it. A redraw takes

- items: the same ones for every run, for all are scored by the same (`redraws`), of those that no choice saw;
- seeds: of a recipe's n seeds n - 1 with replacement, which gives the mean its right variance also for few seeds (Rao
  and Wu, 1988, on the rescaled bootstrap); recipes of equally many seeds the same ones, for those share their batches.

A recipe that ran once is redrawn by items alone, which says nothing of its seed. The interval of a mean is that of an
ablation's arms (`effects.estimate`): Student's t over seeds, and the items' variance.
"""

import functools
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lethe.analysis import effects
from lethe.analysis.cells import listed, percent
from lethe.analysis.decide import HALF_WIDTH, accepted, ranked
from lethe.analysis.redraws import Redraw, half_of, read_items, redrawer
from lethe.fronts import pareto
from lethe.fronts.objectives import ENDS, TWO_SIDED, WORST, Objective, as_chosen, loss_array
from lethe.store.facts import Facts
from lethe.store.places import PLACE, Place
from lethe.store.snapshot import Snapshot
from lethe.store.trials import INTERRUPTED, REPEAT_SEED, REPEATS

MOST = 100  # points that are compared: the front, and those nearest to it
SURE = 0.95  # of redraws: by so many a point is on the front for sure, and by the rest for sure not
SHARE, RUNS, SEEDS, FAILED = "non-dominated", "runs", "seeds", "failed"
Array = np.ndarray


@dataclass(frozen=True)
class Drawn:
    """A score of the runs of one point: its values [runs], its redraws [redraws, runs]; 0 items: not known by item."""

    values: Array
    redraws: Array
    items: int


def repeated(study: Snapshot, **how: Any) -> pd.DataFrame:
    """`over_seeds` of a study that has repeats; empty for one that has none, whose points stay as they are."""
    return over_seeds(study, **how) if study.trials[REPEATS].notna().any() else pd.DataFrame()


def by_row(points: pd.DataFrame) -> dict[int, dict[str, Any]]:
    """What is known of each point over its seeds: row in the study's candidates -> its columns."""
    return {int(point["row"]): {str(k): v for k, v in point.items()} for point in points.to_dict("records")}


def over_seeds(study: Snapshot, *, chosen: bool = False, read: Callable[[Any], Any] = read_items) -> pd.DataFrame:
    """Each point that is on the front or could be, over its seeds, best first; empty where nothing was scored.

    Columns: row (in the study's candidates), trial, axis, at, role, front (whether its first run is on it), runs (the
    trials), seeds (how many of them), failed (repeats that failed), non-dominated (the share of redraws), and of every
    objective and constraint the mean over seeds with its interval. By the items that report; with `chosen`, by those
    that choose.
    """
    if not len(study.candidates):
        return pd.DataFrame()
    rows = contenders(study)
    runs_of = functools.partial(_runs_of, study)
    points = [as_chosen(runs_of(row)) if chosen else runs_of(row) for row in rows]
    draw = _drawer(study.facts, read, chosen=chosen)
    drawn = [{score: draw(score, runs) for score in _scores(study.facts)} for runs in points]
    shares = nondominated_shares(*_redrawn(drawn, study.facts))
    failed = _failed(study.trials)
    found = [
        {
            "row": int(row),
            **{name: runs.iloc[0][name] for name in ("trial", *PLACE, "front")},
            RUNS: runs["trial"].tolist(),
            SEEDS: len(runs),
            FAILED: failed.get(int(runs["trial"].iloc[0]), 0),
            SHARE: float(share),
            **{k: v for score, known in own.items() for k, v in _mean(score, known, runs, study.facts).items()},
        }
        for row, runs, own, share in zip(rows, points, drawn, shares, strict=True)
    ]
    return pd.DataFrame(found)


def contenders(study: Snapshot) -> Array:
    """Rows of the points of a front, best first, then of those that would be on it by their intervals' better ends.

    That is the front of the means over seeds: what a lucky run beat is a contender once others like it were worse. The
    nearest come first, by how much all their losses would have to fall; at most MOST in all.
    """
    candidates, objectives = study.candidates, study.facts.objectives
    able, front = (np.flatnonzero(mask) for mask in (accepted(candidates, ()), candidates["front"].to_numpy(bool)))
    if not len(front):
        return front
    front = front[ranked(candidates.iloc[front], objectives)]
    others = np.setdiff1d(able, front)
    losses = mean_losses(study)
    lucky = losses - loss_array(candidates, objectives)
    near = _best_losses(as_chosen(candidates.iloc[others]), objectives) + lucky[others]
    behind, could = np.zeros(len(others)), np.ones(len(others), bool)
    for held in losses[able][pareto.nondominated(losses[able])]:
        behind = np.maximum(behind, (losses[others] - held).min(axis=1))
        could &= ~((near >= held).all(axis=1) & (near > held).any(axis=1))
    order = np.argsort(behind[could], kind="stable")
    return np.concatenate([front, others[could][order]])[:MOST]


def mean_losses(study: Snapshot) -> Array:
    """Losses [candidates, objectives] by the items that choose, each the mean over the seeds that a candidate has."""
    losses = loss_array(study.candidates, study.facts.objectives)
    if not len(study.repeats):
        return losses
    done = study.repeats[study.repeats["state"] == "COMPLETE"].assign(trial=lambda table: table[REPEATS])
    points = pd.concat([table[["trial", *PLACE]] for table in (study.candidates, done)], ignore_index=True)
    both = pd.DataFrame(np.concatenate([losses, loss_array(done, study.facts.objectives)]))
    return both.groupby([points[name] for name in points]).transform("mean").to_numpy()[: len(losses)]


def _best_losses(table: pd.DataFrame, objectives: Sequence[Objective]) -> Array:
    """Losses [rows, objectives] at the better end of every interval."""
    columns = [o.best_loss(*(table[f"{o.score}{end}"].to_numpy(float) for end in ENDS)) for o in objectives]
    return np.stack(columns, axis=-1)


def _runs_of(study: Snapshot, row: int) -> pd.DataFrame:
    """The runs of a point, as rows of candidates: its own, then its repeats by their seeds, as far as they are done."""
    first = study.candidates.iloc[[row]]
    if not len(study.repeats):
        return first
    own = first.iloc[0]
    same = (study.repeats[REPEATS] == own["trial"]) & (study.repeats["state"] == "COMPLETE")
    for name in PLACE:
        same &= study.repeats[name] == own[name]
    return pd.concat([first, study.repeats[same].sort_values(REPEAT_SEED)]) if same.any() else first


def _failed(trials: pd.DataFrame) -> dict[int, int]:
    """How many repeats of each trial failed by themselves."""
    repeats = trials[trials[REPEATS].notna() & (trials["state"] == "FAIL") & (trials["failure"] != INTERRUPTED)]
    counts = repeats[REPEATS].value_counts()
    return dict(zip(counts.index.astype(int).tolist(), counts.tolist(), strict=True))


def _scores(facts: Facts) -> list[str]:
    return list(dict.fromkeys([*(o.score for o in facts.objectives), *(c.score for c in facts.constraints)]))


def _drawer(facts: Facts, read: Callable[[Any], Any], *, chosen: bool) -> Callable[[str, pd.DataFrame], Drawn]:
    """A function from a score and a point's runs to that score of them, over redrawn items of one half."""
    halved = functools.cache(lambda file: half_of(read(file), chosen=chosen))
    reference = halved(facts.about.get("items", {}).get("retrained"))
    known = {score: redrawer(facts.card(score), reference) for score in _scores(facts)}

    def draw(score: str, runs: pd.DataFrame) -> Drawn:
        whose = " ".join(str(runs.iloc[0][name]) for name in ("trial", *PLACE))
        ends = runs[[f"{score}{end}" for end in ENDS]].to_numpy(float)
        return _by_items(known[score], [halved(f) for f in runs["items"]], ends, whose) or _by_interval(ends, whose)

    return draw


def _by_items(redraw: Redraw | None, items: Sequence[Any], ends: Array, whose: str) -> Drawn | None:
    """By the items of every run; None where those of one are not at hand, or do not give its score."""
    drawn = [redraw(table, whose) if redraw else None for table in items]
    found = [one for one in drawn if one is not None]
    if len(found) < len(drawn):
        return None
    for one, value in zip(found, ends[:, 0], strict=True):
        if not abs(one[0] - value) < 1e-6 * max(1.0, abs(value)):
            return None
    redraws = np.column_stack([one[1] for one in found])
    return Drawn(ends[:, 0], np.where(np.isfinite(redraws), redraws, ends[:, 0]), found[0][2])


def _by_interval(ends: Array, whose: str) -> Drawn:
    """By two half normals, one for each side of a run's interval [runs, 3]; without one the value stays as it is."""
    value, low, high = ends.T
    noise = np.random.default_rng(zlib.crc32(whose.encode())).standard_normal((effects.RESAMPLES, 1))
    side = np.nan_to_num(np.maximum(np.where(noise < 0, value - low, high - value), 0.0)) / HALF_WIDTH
    return Drawn(value, value + noise * side, 0)


def _redrawn(points: Sequence[Mapping[str, Drawn]], facts: Facts) -> tuple[Array, Array]:
    """In every redraw losses [redraws, points, objectives], and who meets the constraints [redraws, points]."""
    most = max(len(next(iter(own.values())).values) for own in points)
    uniform = np.random.default_rng(0).random((effects.RESAMPLES, most))
    losses = np.stack(
        [
            np.stack([mean_of_seeds(o.loss(own[o.score].redraws), uniform) for o in facts.objectives], axis=-1)
            for own in points
        ],
        axis=1,
    )
    feasible = np.ones(losses.shape[:2], bool)
    for constraint in facts.constraints:
        means = [mean_of_seeds(own[constraint.score].redraws, uniform) for own in points]
        feasible &= constraint.holds(np.stack(means, axis=1))
    return losses, feasible


def mean_of_seeds(redraws: Array, uniform: Array) -> Array:
    """The mean [redraws] of n - 1 of the n runs of `redraws` [redraws, n], which `uniform` in [0, 1) takes of them."""
    n = redraws.shape[1]
    if n == 1:
        return redraws[:, 0]
    taken = (uniform[:, : n - 1] * n).astype(int)
    return np.take_along_axis(redraws, taken, axis=1).mean(axis=1)


def nondominated_shares(losses: Array, feasible: Array) -> Array:
    """In which share of redraws each point is feasible and no other feasible one dominates it: [points].

    `losses` are [redraws, points, objectives], smaller is better, `feasible` [redraws, points].
    """
    shares = np.zeros(losses.shape[1])
    for point in range(losses.shape[1]):
        own = losses[:, point : point + 1]
        beaten = feasible & (losses <= own).all(axis=2) & (losses < own).any(axis=2)
        shares[point] = (feasible[:, point] & ~beaten.any(axis=1)).mean()
    return shares


def _mean(score: str, drawn: Drawn, runs: pd.DataFrame, facts: Facts) -> dict[str, float]:
    """A score's mean over the runs of a point and its interval; of one run its own.

    It lies within the score's range, and is never narrower than the runs' own intervals over items.
    """
    names = [f"{score}{end}" for end in ENDS]
    value, low, high = runs[names].to_numpy(float).mean(axis=0)
    if len(runs) > 1:
        found = effects.estimate(drawn.values, drawn.redraws if drawn.items else None, drawn.items)
        least, most = (-np.inf, np.inf) if facts.card(score).goal == TWO_SIDED else (0.0, WORST)
        low, high = max(np.fmin(low, found.low), least), min(np.fmax(high, found.high), most)
    return dict(zip(names, (value, low, high), strict=True))


def by_seed(study: Snapshot, points: pd.DataFrame) -> pd.DataFrame:
    """The scores of points run after run, with the column `set`: each set has all points, each by one of its seeds.

    So many sets as the point with most seeds has; one with fewer gives its own in turn. Empty without a second seed.
    """
    if not len(points) or points[SEEDS].max() < 2:
        return pd.DataFrame()
    keys = ["trial", *PLACE]
    known = pd.concat([study.candidates, study.repeats], ignore_index=True)
    sets = [
        points[keys].assign(trial=[runs[which % len(runs)] for runs in points[RUNS]], set=which)
        for which in range(points[SEEDS].max())
    ]
    return pd.concat(sets, ignore_index=True).merge(known, on=keys, how="left")


def settled(share: float) -> bool:
    """Whether it is sure that a point is on the front, or that it is not."""
    return share >= SURE or share <= 1 - SURE


def plain(point: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What repeats say of a point, as plain data; None where they say nothing."""
    if point is None:
        return None
    scores = [name.removesuffix("_low") for name in point if name.endswith("_low")]
    told = {name: point[name] for name in (RUNS, SEEDS, FAILED, SHARE)}
    return told | {"means": {score: [point[f"{score}{end}"] for end in ENDS] for score in scores}}


def stays(point: Mapping[str, Any]) -> str:
    """How probable it is that a point stays on the front, in a few words."""
    by = f"{point[SEEDS]} seeds" if point[SEEDS] > 1 else "items alone"
    return f"{percent(point[SHARE])} ({by})"


def in_words(points: pd.DataFrame) -> list[str]:
    """What repeats say of a front, a sentence each; none where there are no repeats."""
    if not len(points):
        return []
    front, share = points[points["front"].to_numpy(bool)], points[SHARE]
    sure, never = int((front[SHARE] >= SURE).sum()), int((front[SHARE] <= 1 - SURE).sum())
    lines = [
        f"of the {len(front)} points of the front {sure} are non-dominated in {SURE:.0%} of redraws or more, {never} "
        f"in {1 - SURE:.0%} or less; a redraw takes other seeds and other items that no choice saw, and of a point "
        "that ran once, (1), items alone"
    ]
    failed = front[front[FAILED] > 0]
    lines += [f"{_named(point)}: {point[FAILED]} of its repeats failed" for _, point in failed.iterrows()]
    beyond = points[~points["front"].to_numpy(bool) & (points[SEEDS] > 1) & (share >= 0.5)]
    if len(beyond):
        said = [
            f"{_named(point)} ({percent(point[SHARE])} over {point[SEEDS]} seeds)" for _, point in beyond.iterrows()
        ]
        lines.append(f"not on it by their first seed, but non-dominated in most redraws: {listed(said)}")
    return lines


def _named(point: "pd.Series[Any]") -> str:
    return f"trial {point['trial']}, {Place.of(point).words}"
