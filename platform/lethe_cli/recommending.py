"""The candidate nearest to what is asked, by the rule and in the words of the dashboard's page Decide."""

import math
import shlex
from collections.abc import Sequence

from dashboard.reports import reasons
from dashboard.reports.decision import how_sure, plain
from dashboard.table import candidate_of, recipe
from lethe.analysis import decide, recipes
from lethe.analysis.decide import Limit, Recommendation
from lethe.fronts.objectives import Constraint
from lethe.handover.choice import name_of
from lethe.handover.weights import are_there
from lethe.store.snapshot import Snapshot
from lethe_cli.stored import print_json, read_study, say
from trainables.probes import between_commas

NOTHING = "nothing is left: widen a limit, let the search go on, or ship none"


def run(name: str, url: str, texts: Sequence[str], rule: str, *, as_json: bool) -> bool:
    """Print what the rule takes of a study; returns whether it takes any."""
    study = read_study(name, url)
    limits = choose_limits(texts, study)
    found = take(study, limits, rule)
    if as_json:
        none = {"study": study.name, "candidate": None}
        print_json(none if found is None else plain(study, found, limits, recipes.repeated(study)))
    else:
        for line in [NOTHING] if found is None else in_words(study, found, limits):
            say(line)
    return found is not None


def take(study: Snapshot, limits: Sequence[Limit], rule: str) -> Recommendation | None:
    """What the rule takes of a study; None where nothing is left. ValueError for a rule that is unknown."""
    decide.check_rule(rule, study.facts.objectives)
    if not len(study.candidates):
        return None
    return decide.recommend(study.candidates, study.facts.objectives, study.facts.constraints, limits, rule=rule)


def choose_limits(texts: Sequence[str], study: Snapshot) -> list[Limit]:
    """Limits by texts `SCORE:BOUND,...`; which side of its bound a score must keep to, its goal says."""
    known = [name.removesuffix("_low") for name in study.candidates.columns if name.endswith("_low")]
    limits: dict[str, Limit] = {}
    for item in (part for text in texts for part in between_commas(text)):
        score, bound = item.rpartition(":")[::2] if ":" in item else (item, "")
        if score not in known:
            raise ValueError(f"limit {item!r} is on an unknown score: choose {', '.join(known) or 'none, yet'}")
        if score in limits:
            raise ValueError(f"limit on {score!r} is given twice: name each score once")
        held = Constraint.of(score, study.facts.card(score).goal, _number(bound, item))
        limits[score] = Limit(score=score, low=held.low, high=held.high)
    return list(limits.values())


def _number(text: str, item: str) -> float:
    try:
        bound = float(text)
    except ValueError:
        bound = math.nan
    if not math.isfinite(bound):
        raise ValueError(f"limit {item!r} is not SCORE:NUMBER, for example verbmem_f:20")
    return bound


def in_short(study: Snapshot) -> list[str]:
    """What the knee of the front is and scores, a line each; nothing where there is no feasible candidate."""
    found = take(study, (), decide.KNEE)
    return [] if found is None else _copied(_what_it_is(study, found))


def in_words(study: Snapshot, found: Recommendation, limits: Sequence[Limit]) -> list[str]:
    """The recommendation, a line each, as the page Decide says it, and how to take it away."""
    table, facts, row = study.candidates, study.facts, study.candidates.iloc[found.row]
    which = candidate_of(row)
    away = shlex.join(["lethe", "export", study.name, name_of(which.trial, which.place)])
    against = reasons.against_retrained(table, found.row, facts.objectives, facts)
    lines = [
        *_what_it_is(study, found),
        f"its recipe: {recipe(row, study.parameters)}",
        reasons.rule(found, facts.objectives, limits),
        *([against] if against else []),
        *how_sure(study, found, limits, recipes.repeated(study)),
        *(f"near: {line}" for line in reasons.near(table, found, facts.objectives)),
        f"take it away: {away} DIR" if are_there(row["weights"]) else "its weights are not kept",
    ]
    return _copied(lines)


def _what_it_is(study: Snapshot, found: Recommendation) -> list[str]:
    """Which candidate, and a line for each of its scores."""
    table, facts = study.candidates, study.facts
    scores = reasons.scores(table.iloc[found.row], facts.objectives, facts)
    return [reasons.headline(table, found, facts.objectives, facts), *(f"  {line}" for line in scores)]


def _copied(lines: Sequence[str]) -> list[str]:
    """Lines whose numbers can be copied from a terminal."""
    return [line.replace("−", "-") for line in lines]
