"""A choice looks at the items that choose, and what a reader sees is of the others."""

import pandas as pd
import pytest
from tiny_study import tiny_facts

from dashboard.reports import reasons
from lethe.analysis.decide import Limit, accepted, recommend
from lethe.analysis.items import all_items_in_words, over_all, split_scores, which_items
from lethe.fronts.objectives import SEEN, Constraint, Objective, as_chosen, loss_array
from lethe.store.facts import Facts

TWO = (Objective(score="forget", goal="minimize"), Objective(score="keep", goal="maximize"))
GUARD = (Constraint(score="utility", floor=40.0),)
SEEN_BY_IT = [(0, 0), (20, 80), (100, 100)]  # of forget and keep; of which the second is the knee
REPORTED = [(0, 0), (60, 40), (10, 90)]


def facts(**about) -> Facts:
    return Facts(objectives=TWO, constraints=GUARD, sampler="tpe", seed=0, about=about)


def table(seen=SEEN_BY_IT, reported=None, *, half: float = 2.0) -> pd.DataFrame:
    """Candidates with the scores forget and keep; with `reported` these are split."""
    found = pd.DataFrame({"trial": range(len(seen)), "axis": "step", "at": 10, "role": "student", "state": "COMPLETE"})
    for kind, rows in (("", reported or seen), *([(SEEN, seen)] if reported else [])):
        for score, values in zip(("forget", "keep"), zip(*rows, strict=True), strict=True):
            for end, by in (("", 0), ("_low", -half), ("_high", half)):
                found[f"{score}{end}{kind}"] = [float(value + by) for value in values]
    return found.assign(utility=50.0, utility_low=45.0, utility_high=55.0, feasible=True, front=True)


def test_losses_and_the_recommendation_are_those_of_the_items_that_choose():
    plain, split = table(), table(reported=REPORTED)
    assert (loss_array(split, TWO) == loss_array(plain, TWO)).all()
    one, other = (recommend(candidates, TWO, GUARD) for candidates in (plain, split))
    assert (one.row, one.spans, one.share, one.within) == (other.row, other.spans, other.share, other.within)
    pd.testing.assert_frame_equal(as_chosen(split)[plain.columns], plain)
    assert as_chosen(plain) is plain


def test_a_limit_is_kept_by_the_items_that_choose_and_how_often_it_holds_is_said_by_the_others():
    split, limit = table(reported=REPORTED), Limit(score="forget", high=25)
    assert accepted(split, [limit]).tolist() == [True, True, False]
    found = recommend(split, TWO, GUARD, [limit], rule="keep")
    assert found.row == 1
    assert found.holds["forget"] < 0.01  # 60 +-2 over the items that no choice saw
    assert found.within == found.holds["forget"]
    (line,) = reasons.beyond(split, found.row, [limit], facts())
    assert line.startswith("forget is 60.0 ±2.0 over the items that no choice saw, and so beyond its limit")
    assert reasons.beyond(table(), 1, [limit], facts()) == []


@pytest.mark.parametrize(
    ("candidates", "about", "begins", "says"),
    [
        (table(), {}, "All items chose the front", "intervals were seen by the choice"),
        (table(), {"split": True}, "All items, too few for two halves, chose", "intervals were seen by the choice"),
        (
            table(reported=REPORTED),
            {"split": True},
            "Half of the items chose the front",
            "Of utility there were too few",
        ),
    ],
)
def test_which_items_chose_and_which_report_is_said(candidates, about, begins, says):
    said = which_items(candidates, facts(**about))
    assert said.startswith(begins)
    assert says in said
    found = recommend(candidates, TWO, GUARD)
    assert reasons.sureness(candidates, found, [], facts(**about))[-1] == said


def test_the_scores_that_are_split_are_known_by_their_columns():
    assert split_scores(table()) == []
    assert split_scores(table(reported=REPORTED)) == ["forget", "keep"]


def test_a_score_over_all_items_stands_beside_what_half_of_them_report_and_is_marked(tmp_path):
    file = str(tmp_path / "items.parquet")
    rows = {"score": "verbmem_f", "item": range(4), "truth": "", "value": [0.0, 10.0, 20.0, 50.0]}
    pd.DataFrame(rows).assign(reports=[True, False, True, False]).to_parquet(file)
    table = pd.DataFrame({"verbmem_f": [10.0], "verbmem_f seen by the choice": [30.0], "items": [file]})
    said = all_items_in_words(table.iloc[0], table, tiny_facts(), ["verbmem_f", "knowmem_r"])
    assert said == "verbmem_f 20.0, over all items, half seen by the choice"
    assert all_items_in_words(table.iloc[0], table[["items"]], tiny_facts(), ["verbmem_f"]) == ""
    assert over_all({"items": "gone.parquet"}, tiny_facts(), ["verbmem_f"]) == {}
