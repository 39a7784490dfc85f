"""A recommendation in words: why this candidate, whether it will do, what was near, how sure that is. Plain text."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from dashboard.table import candidate_of, score_text
from lethe.analysis import recipes
from lethe.analysis.cells import listed, number, percent, with_interval
from lethe.analysis.decide import KNEE, Limit, Recommendation, Rival, accepted
from lethe.analysis.items import split_scores, which_items
from lethe.analysis.outcome import reaches
from lethe.fronts.objectives import ENDS, WISHES, Objective
from lethe.store.facts import REFERENCE_NOTES, Facts

RETRAINED = "retrained"  # the reference model that is the goal
SHORT = "falls short"
EDGE = 0.05  # a difference in shares of redraws that is more than chance
WORDS = {"minimize": "lower", "maximize": "higher", "zero": "nearer 0"}


def headline(candidates: pd.DataFrame, found: Recommendation, objectives: Sequence[Objective], facts: Facts) -> str:
    """Which candidate is the one to look at; recommended is only one that comes up to the retrained model."""
    row = candidates.iloc[[found.row]]
    reached = [reaches(row, o, facts)[0] for o in measured(objectives, facts)]
    kind = "Recommended" if reached and all(reached) else "Nearest to what you ask"
    return f"{kind}: {candidate_of(row.iloc[0]).words}"


def rule(found: Recommendation, objectives: Sequence[Objective], limits: Sequence[Limit]) -> str:
    """The rule, in one sentence."""
    pool = f"the {found.considered} feasible candidate{'s' if found.considered != 1 else ''}"
    if limits:
        pool += " within your limits"
    if found.rule == KNEE:
        return (
            f"Of {pool} it gives up the least in total: every objective's distance from the best on the front, "
            "divided by its range there (or by the width of its interval, where that is larger), summed. "
            "This is the knee of the front."
        )
    goal = next(o.goal for o in objectives if o.score == found.rule)
    return f"Of {pool} it has the {found.rule} that is {superlative(goal)}; ties go to the knee of the front."


def superlative(goal: str) -> str:
    """A goal's best."""
    return {"minimize": "lowest", "maximize": "highest", "zero": "nearest 0"}[goal]


def scores(row: pd.Series, objectives: Sequence[Objective], facts: Facts) -> list[str]:
    """Each objective of the candidate against the target and the retrained model; then the constraints."""
    lines = []
    for objective in objectives:
        score = objective.score
        said = facts.card(score).meaning
        meaning = f" ({said}; better: {WISHES[objective.goal]})" if said else ""
        beside = [f"{name} {number(values[score][0])}" for name, values in facts.references.items() if score in values]
        lines.append(f"{score} {score_text(row, score)}{meaning}" + (f"; {', '.join(beside)}" if beside else ""))
    for constraint in facts.constraints:
        lines.append(f"{constraint.score} {score_text(row, constraint.score)}; has to stay {constraint.words}")
    return lines


def measured(objectives: Sequence[Objective], facts: Facts) -> list[Objective]:
    """What is compared with the retrained model: the objectives and the constraints' scores that are known of it."""
    names = {o.score for o in objectives}
    guarded = [Objective(score=c.score, goal=c.goal) for c in facts.constraints if c.score not in names]
    return [o for o in (*objectives, *guarded) if o.score in facts.references.get(RETRAINED, {})]


def against_retrained(candidates: pd.DataFrame, row: int, objectives: Sequence[Objective], facts: Facts) -> str:
    """Where the candidate at `row` comes up to the retrained model, and whether any does; "" where there is none.

    It does in an objective, or a constraint's score, that is no worse there as far as intervals tell.
    """
    compared, one = measured(objectives, facts), candidates.iloc[[row]]
    if not compared:
        return ""
    reached = [o.score for o in compared if reaches(one, o, facts)[0]]
    known = facts.references[RETRAINED]
    short = [
        f"{o.score} ({score_text(one.iloc[0], o.score)} against {number(known[o.score][0])})"
        for o in compared
        if o.score not in reached
    ]
    if not short:
        return "It comes up to the retrained model in every score."
    comes = f"comes up to it in {listed(reached)}, but " if reached else ""
    said = f"Against the retrained model, which never saw the forgotten text, it {comes}{SHORT} in {listed(short)}."
    return f"{said} {of_all(candidates, compared, facts)}"


def of_all(candidates: pd.DataFrame, compared: Sequence[Objective], facts: Facts) -> str:
    """Whether any feasible candidate comes up to the retrained model in all scores, and in which scores none does."""
    pool = candidates[accepted(candidates, ())]
    masks = {o.score: reaches(pool, o, facts) for o in compared}
    count = int(np.all(list(masks.values()), axis=0).sum())
    if count:
        return f"{count} of the {len(pool)} feasible candidates come up to it in every score."
    never = [score for score, mask in masks.items() if not mask.any()]
    alone = f", and in {listed(never)} none does even alone" if never else ""
    return (
        f"None of the {len(pool)} feasible candidates comes up to it in all of these at once{alone}: "
        "if that must hold, ship none."
    )


def near(candidates: pd.DataFrame, found: Recommendation, objectives: Sequence[Objective]) -> list[str]:
    """Each runner-up: what it does better and worse than the recommended candidate, by more than rounding."""
    chosen, lines = candidates.iloc[found.row], []
    for rival in found.near:
        row = candidates.iloc[rival.row]
        gains: list[str] = []
        losses: list[str] = []
        for objective in objectives:
            difference = objective.loss(float(row[objective.score])) - objective.loss(float(chosen[objective.score]))
            if abs(difference) >= 0.05:
                (gains if difference < 0 else losses).append(f"{objective.score} by {number(abs(difference))}")
        told = [f"better in {', '.join(gains)}"] if gains else []
        told += [f"worse in {', '.join(losses)}"] if losses else []
        lines.append(f"{candidate_of(row).words}: {'; '.join(told) or 'the same scores'}{chosen_in(rival, found)}")
    return lines


def chosen_in(rival: Rival, found: Recommendation) -> str:
    """How often another candidate is chosen, and within the limits; "" where that cannot be said."""
    if rival.share is None or rival.within is None:
        return ""
    within = f", and within all limits in {percent(rival.within)}" if found.holds else ""
    return f"; chosen in {percent(rival.share)} of redraws{within}"


def sureness(candidates: pd.DataFrame, found: Recommendation, limits: Sequence[Limit], facts: Facts) -> list[str]:
    """How sure the intervals allow the recommendation to be, and which candidate is surer, if one is."""
    if found.share is None:
        return ["How sure this is cannot be said: some of these scores have no intervals."]
    grade = "clear" if found.share >= 0.8 else "likely" if found.share >= 0.5 else "a close call"
    lines = [
        f"{grade.capitalize()} among these candidates: when all scores are drawn again from their 95% intervals, the "
        f"same rule and limits choose this one in {percent(found.share)} of 1,000 redraws. Candidates share their test "
        "items, so true differences are somewhat surer than that. Swings between training seeds are not in it: run it "
        "again with other seeds."
    ]
    lines += [surer(candidates, found)] if found.surer else []
    bounds = {limit.score for limit in limits} | {constraint.score for constraint in facts.constraints}
    for score in sorted(bounds & found.holds.keys()):
        lines.append(f"{score} stays within its limit in {percent(found.holds[score])} of the redraws.")
    return [*lines, *beyond(candidates, found.row, limits, facts), which_items(candidates, facts)]


def seeds(points: pd.DataFrame, row: int, facts: Facts) -> list[str]:
    """What the candidate at `row` scores over the seeds of its recipe, and how probable it is that none beats it.

    Nothing where no recipe of the study was run again; `points` are as `recipes.repeated` gives them.
    """
    point = recipes.by_row(points).get(row)
    if point is None:
        return []
    share = percent(point[recipes.SHARE])
    seeds_, failed = point[recipes.SEEDS], point[recipes.FAILED]
    if seeds_ == 1:
        return [f"Its recipe ran with one seed: by items alone no other candidate beats it in {share} of redraws."]
    means = [f"{o.score} {with_interval(*(point[f'{o.score}{end}'] for end in ENDS))}" for o in facts.objectives]
    return [
        f"Over {seeds_} seeds its recipe has {listed(means)}: means, with 95% intervals over seeds and items."
        + (f" {failed} more failed." if failed else "")
        + f" When its seeds, and items that no choice saw, are drawn again, no other candidate beats it in {share} of "
        "redraws."
    ]


def beyond(candidates: pd.DataFrame, row: int, limits: Sequence[Limit], facts: Facts) -> list[str]:
    """The limits and constraints that a candidate keeps to by the items that chose it, and not by the others."""
    halved, one = split_scores(candidates), candidates.iloc[row]
    bounds = {**{c.score: c.holds for c in facts.constraints}, **{limit.score: limit.holds for limit in limits}}
    return [
        f"{score} is {score_text(one, score)} over the items that no choice saw, and so beyond its limit, which it "
        "keeps to over those by which it was chosen."
        for score, holds in bounds.items()
        if score in halved and not holds(candidates[score].to_numpy(float))[row]
    ]


def surer(candidates: pd.DataFrame, found: Recommendation) -> str:
    """Why another candidate is chosen in more redraws than this one, and which to take."""
    rival = found.surer
    assert rival is not None
    assert rival.share is not None
    assert rival.within is not None
    assert found.within is not None
    who = candidate_of(candidates.iloc[rival.row]).words
    more = f"{capital(who)} is chosen in more redraws, {percent(rival.share)}, though as measured it is behind"
    if rival.within - found.within > EDGE:
        return (
            f"{more}: it is within all limits in {percent(rival.within)} of them, and this one, which lies at their "
            f"edge, in {percent(found.within)}. If your limits must hold, take {who}."
        )
    return f"{more}: by these scores either may be taken."


def capital(words: str) -> str:
    """Words as they stand at the beginning of a sentence."""
    return words[:1].upper() + words[1:]


def reference_notes(facts: Facts) -> list[str]:
    """What was seen as the study's texts and reference models were read: a line each, none where all was as usual."""
    return [str(note) for note in facts.about.get(REFERENCE_NOTES, ())]
