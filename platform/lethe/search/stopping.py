"""Whether a trial is stopped before its end, and why: a pure function of what was scored so far. No Ray, no store.

Ray Tune's schedulers and Optuna's pruners compare one number; here a trial is compared by all its objectives, and by
what a search for unlearning knows besides:

- collapsed: a constraint that the target keeps is broken at evaluation after evaluation.
- stuck: no objective is on its way out of the intervals around the target's value: at its pace so far it would still be
  within them at the trial's end.
- good enough: all constraints hold, also those that the target breaks, and the trial's hypervolume grows no more.
- halving: at a rung, a place that is `reduction` times as far as the one before, one trial of so many goes on. It is
  told as it comes there, by those that came before: asynchronous successive halving on non-dominated rank, ties by
  what a trial adds to the hypervolume (MO-ASHA, Schmucker et al. 2021, arXiv 2106.12639). What we add: a trial on the
  front of its rung always goes on.

The first three look at a trial's own candidates alone. No trial is stopped at its end, where nothing is saved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from lethe.analysis.judgement import Candidate
from lethe.fronts import pareto
from lethe.fronts.objectives import losses, violations
from lethe.search.rule import Rule
from lethe.store.facts import Facts
from lethe.store.places import Place

TARGET = "target"  # among a study's references
LATE = 3  # a trial is stuck only behind this part of its run: the first steps may move next to nothing


@dataclass(frozen=True)
class Point:
    """A candidate as it is compared: its losses, and by how much it breaks the constraints, 0 or less where none."""

    losses: tuple[float, ...]
    violation: float


def points_of(candidates: Sequence[Candidate], facts: Facts) -> list[Point]:
    """Some candidates as they are compared, each once; ValueError where a score is missing or not finite."""
    found = [
        Point(
            tuple(losses(facts.objectives, candidate["scores"])),
            max(violations(facts.constraints, candidate["scores"]).values(), default=0.0),
        )
        for candidate in candidates
    ]
    return list(dict.fromkeys(found))


def stop(
    own: Sequence[Candidate], others: Mapping[int, Sequence[Point]], length: float, facts: Facts, rule: Rule
) -> str | None:
    """Why a trial is stopped behind its newest candidates, in a sentence that says where; None where it goes on.

    `own` are its candidates on one axis, in their order, `length` is where the axis ends; `others` are those of the
    other trials at the place of the newest ones, by trial, which `halving` compares: at places that are no rung none
    are needed. A trial with a score that is missing or not finite is not judged: it fails at its end.
    """
    evaluations = [list(group) for _, group in groupby(own, key=lambda candidate: candidate["at"])]
    if not evaluations or own[-1]["at"] >= length:
        return None
    try:
        points = [points_of(evaluation, facts) for evaluation in evaluations]
    except ValueError:
        return None
    places = [evaluation[0]["at"] for evaluation in evaluations]
    rung = is_rung(places, rule.reduction)
    late = places[-1] * LATE >= length
    reason = (
        _collapsed(evaluations, facts, rule)
        or (_stuck(evaluations[-1], length / places[-1], facts) if late else None)
        or _good_enough(points, facts, rule)
        or (_behind(points[-1], others, rule) if rung and rule.halving else None)
    )
    return f"{Place.of(own[-1]).where}: {reason}" if reason else None


def is_rung(places: Sequence[float], reduction: int) -> bool:
    """Whether the last of a trial's evaluations, whose places are given, is the first that reaches a rung.

    The first rung is where the first evaluation is; each is `reduction` times as far as the one before.
    """
    before, rung = (places[-2] if len(places) > 1 else 0), places[0]
    while 0 < rung <= before:
        rung *= reduction
    return places[-1] >= rung


def _behind(own: Sequence[Point], others: Mapping[int, Sequence[Point]], rule: Rule) -> str | None:
    """Halving: as many trials as go on are ahead of this one; before there are so many that one would, all go on."""
    trials = [own, *others.values()]
    going_on = len(trials) // rule.reduction
    points = [point for trial in trials for point in trial]
    owner = np.repeat(np.arange(len(trials)), [len(trial) for trial in trials])
    values = np.array([point.losses for point in points])
    rank = pareto.ranks(values, np.array([point.violation for point in points]))
    best = np.full(len(trials), len(points))
    np.minimum.at(best, owner, rank)
    if not going_on or best[0] == 0:
        return None
    ahead, equal = int((best < best[0]).sum()), rank == best[0]
    if ahead < going_on < ahead + int((best == best[0]).sum()):  # the cut goes through its rank
        added = np.zeros(len(trials))
        np.maximum.at(added, owner[equal], pareto.contributions(values[equal]))
        ahead += int((added[best == best[0]] > added[0]).sum())
    if ahead < going_on:
        return None
    return f"{ahead} of the {len(trials)} trials that came there are ahead of it, and {going_on} of so many go on"


def _collapsed(evaluations: Sequence[Sequence[Candidate]], facts: Facts, rule: Rule) -> str | None:
    """A constraint that the target keeps is broken by every candidate of the last evaluations."""
    last = evaluations[-rule.broken :]
    for constraint in facts.constraints:
        held = not constraint.broken_by(facts.seen_references.get(TARGET, {}))
        if held and len(last) == rule.broken and all(constraint.broken_by(c["scores"]) for e in last for c in e):
            nearest = min((c["scores"][constraint.score][0] for c in last[-1]), key=constraint.violation)
            return (
                f"collapsed: {rule.broken} evaluations one after the other break a constraint: {constraint.score} is "
                f"{nearest:.1f} and has to stay {constraint.words}"
            )
    return None


def _stuck(newest: Sequence[Candidate], times: float, facts: Facts) -> str | None:
    """No objective of any candidate, `times` as far from the target's, leaves the interval of either."""
    target = facts.seen_references.get(TARGET, {})
    names = [objective.score for objective in facts.objectives]
    if not all(name in target and _near(c["scores"][name], target[name], times) for c in newest for name in names):
        return None
    scores = ", ".join(f"{name} {newest[0]['scores'][name][0]:.1f}" for name in names)
    return f"stuck: at this pace all stays as it was in the target, within the intervals ({scores})"


def _near(score: Sequence[float], target: Sequence[float], times: float) -> bool:
    """Whether of a score [value, low, high], `times` as far from the target's, one lies in the other's interval."""
    more = (score[0] - target[0]) * (times - 1)
    value, low, high = (number + more for number in score)
    return low <= target[0] <= high or target[1] <= value <= target[2]


def _good_enough(points: Sequence[Sequence[Point]], facts: Facts, rule: Rule) -> str | None:
    """All constraints hold, also some that the target breaks, and the last evaluations added next to nothing."""
    limits = [c for c in facts.constraints if c.broken_by(facts.seen_references.get(TARGET, {}))]
    before, now = _volume(points[: -rule.idle]), _volume(points)
    if not limits or not before or now - before > rule.gain * before:
        return None
    asked = ", ".join(f"{c.score} {c.words}" for c in limits)
    return (
        f"good enough: it keeps what is asked for ({asked}), and the last {rule.idle} evaluations added "
        f"{(now - before) / before:.1%} to its hypervolume of {before:.3f}"
    )


def _volume(evaluations: Sequence[Sequence[Point]]) -> float:
    """The hypervolume of what keeps all constraints."""
    kept = [point.losses for points in evaluations for point in points if point.violation <= 0]
    return pareto.hypervolume(np.array(kept)) if kept else 0.0
