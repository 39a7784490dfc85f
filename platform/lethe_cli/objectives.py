"""Which scores a study asks for: --objectives, and what has to hold by --constrain, checked without torch or Ray.

Every function raises ValueError with one line: what was wrong, which value, what is allowed.
"""

import math
from collections.abc import Mapping, Sequence

from lethe.fronts.objectives import GOALS, MAXIMIZE, MINIMIZE, WORST, Constraint, Objective
from search_spaces.objectives import (
    BESIDE_RETRAINED,
    FALLBACKS,
    INSISTED,
    LANGUAGE_GUARD,
    OBJECTIVES,
    UTILITY_GUARD,
)
from trainables.probes import between_commas
from trainables.probes.robustness import NAMED, is_robustness, stress_of
from trainables.scores import searched_scores
from trainables.scores.score import GAP, RETRAINED


def choose_objectives(text: str | None, available: Mapping[str, str]) -> tuple[list[Objective], list[str]]:
    """Return the objectives and a note for each default one that the benchmark cannot give.

    `text` is the user's list, `score`, `score:goal`, `score:retrained`, which is the score's gap, or a stress, with
    commas between them; None means the defaults, in which some give way to others where they cannot be measured. Those
    that are insisted on never give way in silence.
    """
    if text is not None:
        objectives = [_objective(item, available) for item in between_commas(text)]
        scores = [objective.score for objective in objectives]
        for score in scores:
            if scores.count(score) > 1:
                raise ValueError(f"objective {score!r} is given twice: name each score once")
        return objectives, []
    chosen = _defaults(available)
    for score in INSISTED:
        if available[score]:
            raise ValueError(
                f"{score} is among the objectives, but {available[score]}; without it, choose --objectives "
                f"{without_insisted(available)}"
            )
    notes = [f"{score} is absent: {available[score]}" for score in OBJECTIVES if score not in chosen]
    return [Objective(score=score, goal=goal) for score, goal in chosen.items()], notes


def without_insisted(available: Mapping[str, str]) -> str:
    """The default objectives that are left without those that are insisted on, as --objectives takes them."""
    return ",".join(score for score in _defaults(available) if score not in INSISTED)


def _defaults(available: Mapping[str, str]) -> dict[str, str]:
    chosen = {score: goal for score, goal in OBJECTIVES.items() if score in INSISTED or not available[score]}
    for score, others in FALLBACKS.items():
        if score not in chosen:
            chosen |= {other: goal for other, goal in others.items() if not available[other]}
    return chosen


def asked_stresses(objectives: str | None, constraints: Sequence[str]) -> tuple[str, ...]:
    """The stresses that are among objectives and constraints, by their names, each once.

    No torch is loaded where there is none.
    """
    items = between_commas(objectives or "")
    items += [item.rpartition(":")[0] for text in constraints for item in between_commas(text)]
    return tuple(dict.fromkeys(stress_of(item).name for item in items if is_robustness(item)))


def _objective(item: str, available: Mapping[str, str]) -> Objective:
    if is_robustness(item):
        return Objective(score=_robustness(item, "objectives", available), goal=MINIMIZE)
    score, _, goal = item.partition(":")
    known = searched_scores()
    if score not in known:
        raise ValueError(f"objective {score!r} is unknown: choose {', '.join(known)}")
    gap = f"{score}{GAP}"
    if goal == RETRAINED and gap in known:
        score, goal = gap, ""
    if available[score]:
        raise ValueError(f"{score} is among the objectives, but {available[score]}")
    if goal and goal not in GOALS:
        choices = [*GOALS, *([RETRAINED] if gap in known else [])]
        raise ValueError(f"goal {goal!r} of objective {score!r} is unknown: choose {', '.join(choices)}")
    return Objective(score=score, goal=goal or known[score].card.goal)


def _robustness(item: str, among: str, available: Mapping[str, str]) -> str:
    """The score of a stress that an item names."""
    name = f"{NAMED}{stress_of(item).name}"
    if available[name]:
        raise ValueError(f"{name} is among the {among}, but {available[name]}")
    return name


def choose_constraints(
    texts: Sequence[str], objectives: Sequence[Objective], available: Mapping[str, str]
) -> tuple[Constraint, ...]:
    """What must hold, by texts `SCORE:BOUND,...`; which side of its bound a score must keep to, its goal says."""
    goals = {name: score.card.goal for name, score in searched_scores().items()} | {o.score: o.goal for o in objectives}
    chosen = [_constraint(item, goals, available) for text in texts for item in between_commas(text)]
    scores = [constraint.score for constraint in chosen]
    for score in scores:
        if scores.count(score) > 1:
            raise ValueError(f"constraint on {score!r} is given twice: name each score once")
    return tuple(chosen)


def check_guard(available: Mapping[str, str], constraints: Sequence[Constraint]) -> dict[str, float]:
    """The guard, where the benchmark can measure it and no constraint stands in its place: score -> how much.

    Of a score that is to be high that is the share of the target's that has to be kept; of one that is to be low, by
    how many points it may be above the target's or the retrained model's, whichever is higher.
    """
    own = {constraint.score for constraint in constraints}
    guard = {**UTILITY_GUARD, **LANGUAGE_GUARD}
    return {score: much for score, much in guard.items() if not available[score] and score not in own}


def bounds_of(
    guard: Mapping[str, float], target: Mapping[str, Sequence[float]], retrained: Mapping[str, Sequence[float]]
) -> list[Constraint]:
    """The guard as constraints, by the scores of the reference models; without those that need the retrained one's."""
    known = {score: [float(table[score][0]) for table in (target, retrained) if score in table] for score in guard}
    lacking = [score for score in BESIDE_RETRAINED if score not in retrained]
    return [_bound(score, much, known[score]) for score, much in guard.items() if known[score] and score not in lacking]


def _bound(score: str, much: float, known: Sequence[float]) -> Constraint:
    if searched_scores()[score].card.goal == MAXIMIZE:
        return Constraint(score=score, floor=much * known[0])
    return Constraint(score=score, ceiling=min(WORST, max(known) + much))


def _constraint(item: str, goals: Mapping[str, str], available: Mapping[str, str]) -> Constraint:
    score, _, text = item.partition(":")
    if is_robustness(item):
        score, _, text = item.rpartition(":")
        score = _robustness(score, "constraints", available)
        goals = {**goals, score: MINIMIZE}
    if score not in goals:
        raise ValueError(f"constraint {item!r} is on an unknown score: choose {', '.join(goals)}")
    if available[score]:
        raise ValueError(f"{score} is among the constraints, but {available[score]}")
    try:
        bound = float(text)
    except ValueError:
        bound = math.nan
    if math.isnan(bound):
        raise ValueError(f"constraint {item!r} is not SCORE:NUMBER, for example {score}:80")
    if not 0 <= bound <= WORST:
        raise ValueError(f"constraint {item!r} is beyond what any model scores: give a number between 0 and 100")
    return Constraint.of(score, goals[score], bound)
