"""Which items scores are of: in words, and the scores over all items, half of which candidates were chosen by."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd

from lethe.analysis.cells import listed, number
from lethe.analysis.redraws import read_items, value_of
from lethe.fronts.objectives import ENDS, SEEN
from lethe.store.facts import SPLIT, Facts

CHOSEN_BY = "chosen by"  # key of plain data, beside `scores`: those of a candidate by which it was chosen
ALL_ITEMS = "over all items, half seen by the choice"  # how the protocol's own figure of a chosen candidate is marked
SEEN_BY_CHOICE = "intervals were seen by the choice, and hold their truth less often than 95 times in 100"


def split_scores(candidates: pd.DataFrame) -> list[str]:
    """The scores of a table of candidates that are reported by other items than candidates are chosen by."""
    ends = (f"_low{SEEN}", f"_high{SEEN}")
    seen = [str(name) for name in candidates.columns if str(name).endswith(SEEN)]
    return [name.removesuffix(SEEN) for name in seen if not name.endswith(ends)]


def chosen_by(row: Mapping[Any, Any], halved: Sequence[str]) -> dict[str, list[float]]:
    """The scores, with intervals, by which a candidate was chosen where others are reported, which are `halved`."""
    return {score: [row[f"{score}{end}{SEEN}"] for end in ENDS] for score in halved}


def over_all(
    candidate: Mapping[Any, Any], facts: Facts, scores: Sequence[str], read: Callable[[Any], Any] = read_items
) -> dict[str, float]:
    """Scores of a candidate over all items, as published figures are; without those whose items are not at hand.

    Where items are split, the choice saw half of them, so such a figure is a little too good: it is for comparison with
    what others measured over all, and stands beside what is reported.
    """
    items, reference = read(candidate.get("items")), read(facts.about.get("items", {}).get("retrained"))
    found = {score: value_of(facts.card(score), items, reference) for score in scores}
    return {score: value for score, value in found.items() if value is not None}


def all_items_in_words(candidate: Any, candidates: pd.DataFrame, facts: Facts, scores: Sequence[str]) -> str:
    """What a candidate of a table scores over all items, where others are shown; "" where nothing is split."""
    halved = [score for score in split_scores(candidates) if score in scores]
    found = over_all(candidate, facts, halved)
    return f"{listed([f'{s} {number(v)}' for s, v in found.items()])}, {ALL_ITEMS}" if found else ""


def which_items(candidates: pd.DataFrame, facts: Facts) -> str:
    """By which items the candidates were chosen, and of which the scores are that a reader sees: one sentence."""
    scores, halved = facts.judged, split_scores(candidates)
    whole = [score for score in scores if score not in halved]
    if len(whole) == len(scores):
        few = ", too few for two halves," if facts.about.get(SPLIT) else ""
        return f"All items{few} chose the front and give its scores: its {SEEN_BY_CHOICE}."
    said = (
        "Half of the items chose the front, and its hypervolume is by them; its scores and intervals are of the other "
        "half, which no choice saw."
    )
    return f"{said} Of {listed(whole)} there were too few for that: these {SEEN_BY_CHOICE}." if whole else said
