"""A recommendation in words: why this candidate, what was near, how sure the intervals allow it to be. Plain text."""

import math
from collections.abc import Sequence

import pandas as pd

from dashboard.charts.fronts import WISHES
from dashboard.table import candidate_of, score_text
from lethe.analysis.cells import number
from lethe.analysis.decide import KNEE, Limit, Recommendation
from lethe.fronts.objectives import Objective
from lethe.store.facts import REFERENCE_NOTES, Facts

SHORT = "falls short"
WORDS = {"minimize": "lower", "maximize": "higher", "zero": "nearer 0"}


def headline(candidates: pd.DataFrame, found: Recommendation) -> str:
    """Which candidate is recommended."""
    return f"Recommended: {candidate_of(candidates.iloc[found.row]).words}"


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
        floor = number(constraint.floor)
        lines.append(f"{constraint.score} {score_text(row, constraint.score)}; has to stay at {floor} or above")
    return lines


def against_retrained(row: pd.Series, objectives: Sequence[Objective], facts: Facts) -> str:
    """Where the candidate comes up to the retrained model, which never saw the forgotten text; "" where there is none.

    It does in an objective, or a constraint's score, whose 95% interval reaches the retrained model's value or better.
    """
    known = facts.references.get("retrained", {})
    names = {o.score for o in objectives}
    guarded = [Objective(score=c.score, goal="maximize") for c in facts.constraints if c.score not in names]
    measured = [o for o in (*objectives, *guarded) if o.score in known]
    reached = [o.score for o in measured if best_loss(row, o) <= o.loss(known[o.score][0])]
    short = [f"{o.score} ({score_text(row, o.score)} against {number(known[o.score][0])})" for o in measured]
    short = [text for o, text in zip(measured, short, strict=True) if o.score not in reached]
    if not measured:
        return ""
    if not short:
        return "It comes up to the retrained model in every score."
    comes = f"comes up to it in {listed(reached)}, but " if reached else ""
    return f"Against the retrained model, which never saw the forgotten text, it {comes}{SHORT} in {listed(short)}."


def best_loss(row: pd.Series, objective: Objective) -> float:
    """The smallest loss of an objective within the candidate's interval; of its value where it has none."""
    value, low, high = (float(row.get(f"{objective.score}{end}", math.nan)) for end in ("", "_low", "_high"))
    ends = [v for v in (value, low, high) if math.isfinite(v)]
    inside = [0.0] if objective.goal == "zero" and low < 0 < high else []
    return min(objective.loss(v) for v in [*ends, *inside])


def listed(words: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


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
        share = f"; would be recommended in {percent(rival.share)} of redraws" if rival.share is not None else ""
        lines.append(f"{candidate_of(row).words}: {'; '.join(told) or 'the same scores'}{share}")
    return lines


def sureness(found: Recommendation, limits: Sequence[Limit], facts: Facts) -> list[str]:
    """How sure the intervals allow the recommendation to be."""
    if found.share is None:
        return ["How sure this is cannot be said: some of these scores have no intervals."]
    grade = "clear" if found.share >= 0.8 else "likely" if found.share >= 0.5 else "a close call"
    lines = [
        f"{grade.capitalize()} among these candidates: when all scores are drawn again from their 95% intervals, this "
        f"one is still recommended in {percent(found.share)} of 1,000 redraws. Candidates share their test items, "
        "so true differences are somewhat surer than that. Swings between training seeds are not in it: run it again "
        "with other seeds."
    ]
    bounds = {limit.score for limit in limits} | {constraint.score for constraint in facts.constraints}
    for score in sorted(bounds & found.holds.keys()):
        lines.append(f"{score} stays within its limit in {percent(found.holds[score])} of the redraws.")
    return lines


def percent(share: float) -> str:
    """A share of redraws, rounded; never 0% or 100%, which a sample cannot show."""
    return "under 1%" if share < 0.01 else "over 99%" if share > 0.99 else f"{share:.0%}"


def reference_notes(facts: Facts) -> list[str]:
    """What was seen as the study's texts and reference models were read: a line each, none where all was as usual."""
    return [str(note) for note in facts.about.get(REFERENCE_NOTES, ())]
