"""A front as a table in which every name and value is whole, and as plain data."""

import json
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console
from slow_candidates import read_candidates
from tiny_study import SEVERAL, candidate, tables_in_memory, tiny_facts, tiny_ledger

from lethe.analysis.decide import recommend
from lethe.display import front_table
from lethe.fronts.objectives import Constraint, Objective

FOUR = tuple(
    Objective(score=score, goal=goal)
    for score, goal in {
        "verbmem_f": "minimize",
        "knowmem_f": "minimize",
        "privleak": "zero",
        "knowmem_r": "maximize",
    }.items()
)
REFERENCES = {
    "target": {"verbmem_f": [100.0, 99.0, 100.0], "privleak": [-100.0, -100.0, -100.0], "knowmem_r": [99.8, 98, 100]},
    "retrained": {"verbmem_f": [20.8, 16.8, 24.8], "privleak": [0.0, 0.0, 0.0], "knowmem_r": [100.0, 100.0, 100.0]},
}


@pytest.fixture(scope="module")
def study():
    """Three trials: two on the front, one of which twice, and one that both beat."""
    ledger = tiny_ledger(objectives=FOUR, constraints=(Constraint(score="utility", floor=41.2),), references=REFERENCES)
    rows = [
        (60.0, -99.9, [("student", 10.0), ("teacher", 10.0)]),
        (30.0, 12.0, [("student", 55.5)]),
        (90.0, 100.0, [("student", 99.0)]),
    ]
    for knowmem, privleak, roles in rows:
        number, _ = ledger.ask()
        for role, verbmem in roles:
            values = {"verbmem_f": verbmem, "knowmem_f": knowmem, "privleak": privleak, "utility": 88.8}
            ledger.record(number, candidate(60, role, f"w{number}{role}", **values))
        ledger.tell(number)
    return read_candidates(ledger.study, ledger.facts), ledger.facts


def drawn(table, width=100):
    console = Console(file=StringIO(), width=width)
    console.print(table)
    return console.file.getvalue()


def test_how_many_are_on_the_front_is_told_and_why_none_is(study):
    candidates, facts = study
    assert front_table.size_in_words(candidates, facts) == "3 of 4 scored candidates are on the front"
    none = candidates.assign(feasible=False, front=False)
    assert front_table.size_in_words(none, facts) == (
        "the front is empty, of 4 scored candidates: none keeps utility at 41.2 or above"
    )
    assert front_table.size_in_words(candidates.head(0), facts) == "the front is empty, of 0 scored candidates"


def test_every_name_and_value_is_whole_at_width_100(study):
    candidates, facts = study
    text = drawn(front_table.draw_front(candidates, facts, ["lr", "delta"]))
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 100
    for name in ("candidate", "step", "lr", "delta", "verbmem_f", "knowmem_f", "privleak", "knowmem_r", "utility"):
        assert name in text
    for word in (
        "(low)",
        "(near 0)",
        "(high)",
        "(≥ 41.2)",
        "target",
        "retrained",
        "0 student",
        "0 teacher",
        "1 student",
    ):
        assert word in text
    for value in ("-99.9 ±2", "-100.0 ±0", "20.8 ±4", "55.5 ±2", "88.8 ±2", "100.0 -1"):
        assert value in text


def test_three_parameters_four_objectives_and_the_guard_fit_at_their_widest():
    ledger = tiny_ledger(objectives=FOUR, constraints=(Constraint(score="utility", floor=41.2),), references=REFERENCES)
    for _ in range(101):
        number, _ = ledger.ask()
        ledger.record(number, candidate(2000, "student", verbmem_f=100, knowmem_f=100, privleak=-100, utility=100))
        ledger.tell(number)
    candidates = read_candidates(ledger.study, ledger.facts).assign(
        alpha=0.000123456, lr=0.000123456, delta=0.000123456
    )
    text = drawn(front_table.draw_front(candidates, ledger.facts, ["delta", "alpha", "lr"], most=200))
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 100
    assert all(word in text for word in ("100 student", "0.000123", "-100.0 ±2", "knowmem_r", "retrained"))


def test_more_settings_than_there_is_room_for_share_a_column_and_no_number_is_cut(study):
    candidates, facts = study
    many = {f"setting_{i}": 0.000123456 * (i + 1) for i in range(8)}
    text = drawn(front_table.draw_front(candidates.assign(**many), facts, list(many)))
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= 100
    words = " ".join(text.split())
    assert "settings" in text.splitlines()[1].split() + text.splitlines()[0].split()
    for name, value in many.items():
        assert f"{name}" in words
        assert f"{value:.3g}" in words
    for value in ("-99.9 ±2", "-100.0 ±0", "20.8 ±4", "55.5 ±2", "88.8 ±2", "100.0 -1"):
        assert value in text


def test_reference_rows_stand_above_the_front_and_what_they_lack_is_a_dash(study):
    candidates, facts = study
    lines = drawn(front_table.draw_front(candidates, facts, ["lr"])).splitlines()
    order = [next(i for i, line in enumerate(lines) if word in line) for word in ("target", "retrained", "1 student")]
    assert order == sorted(order)
    assert lines[order[0]].split() == ["target", "100.0", "-1", "-", "-100.0", "±0", "99.8", "-2", "-"]


def test_the_front_stands_by_the_rule_of_the_recommendation_and_only_the_front_is_drawn(study):
    candidates, facts = study
    front = front_table.front_candidates(candidates, facts)
    assert front[["trial", "role"]].to_numpy().tolist() == [[1, "student"], [0, "student"], [0, "teacher"]]
    assert front.index[0] == recommend(candidates, facts.objectives, facts.constraints).row
    assert list(front.columns) == list(candidates.columns)
    assert "2 student" not in drawn(front_table.draw_front(candidates, facts, ["lr"]))


def test_an_axis_that_is_called_as_a_setting_stands_with_its_number(study):
    candidates, facts = study
    table = front_table.draw_front(candidates.assign(axis="lr", at=0.123456), facts, ["lr"])
    assert [column.header for column in table.columns][:3] == ["candidate", "at", "lr"]
    assert "lr 0.1235" in drawn(table)


def test_of_a_long_front_the_best_are_drawn(study):
    candidates, facts = study
    text = drawn(front_table.draw_front(candidates, facts, ["lr"], most=1))
    assert "1 student" in text
    assert "0 student" not in text


def test_an_empty_study_has_an_empty_front_and_a_table_of_references():
    ledger = tiny_ledger(references=REFERENCES)
    candidates = read_candidates(ledger.study, ledger.facts)
    assert front_table.volume(candidates, ledger.facts) == 0.0
    assert front_table.plain_front(candidates, ledger.facts, ["lr"]) == []
    assert "retrained" in drawn(front_table.draw_front(candidates, ledger.facts, ["lr", "delta"]))


def test_the_volume_is_that_of_the_front_by_hand():
    ledger = tiny_ledger()
    for verbmem, privleak, utility in ((50.0, 0.0, 50), (20.0, -50.0, 50), (0.0, 0.0, 10)):
        number, _ = ledger.ask()
        ledger.record(number, candidate(verbmem_f=verbmem, privleak=privleak, utility=utility))
        ledger.tell(number)
    candidates = read_candidates(ledger.study, ledger.facts)
    # Two boxes of depth .5 (knowmem_r): .5 x 1 and .8 x .5, which share .5 x .5; the third candidate is infeasible.
    assert front_table.volume(candidates, ledger.facts) == pytest.approx(0.5 * (0.5 + 0.4 - 0.25))


def test_plain_data_has_parameters_scores_and_places_and_can_be_sent_as_json(study):
    candidates, facts = study
    front = front_table.plain_front(candidates, facts, ["lr", "delta"])
    best = json.loads(json.dumps(front[0]))
    assert (best["trial"], best["at"], best["role"], best["weights"]) == (1, 60, "student", "w1student")
    assert best["items"] == "60-student.parquet"
    assert set(best["parameters"]) == {"lr", "delta"}
    assert best["scores"]["verbmem_f"] == [55.5, 53.5, 57.5]
    assert set(best["scores"]) == {"verbmem_f", "knowmem_f", "privleak", "knowmem_r", "utility"}


def test_the_columns_are_the_objectives_and_one_other_constraint_and_a_line_says_what_else_holds():
    guard = Constraint(score="utility", floor=40), Constraint(score="verbmem_f", floor=1)
    more = Constraint(score="repetition_f", ceiling=10.46), Constraint(score="nonwords_f", ceiling=10)
    shown = {"verbmem_f": "low, ≥ 1", "privleak": "near 0", "knowmem_r": "high", "utility": "≥ 40"}
    for facts in (tiny_facts(constraints=guard), tiny_facts(constraints=guard + more)):
        assert front_table.score_columns(facts) == shown
    assert front_table.also_held(facts) == ["every row keeps repetition_f ≤ 10.5 and nonwords_f ≤ 10 as well"]
    assert front_table.also_held(tiny_facts(constraints=guard)) == []


@pytest.mark.parametrize(
    ("score", "text"),
    [
        (None, "-"),
        ([50, 46, 53], "50.0 ±4"),
        ([-0.04, 0, 0], "0.0 ±0"),
        ([0, 0, 16.8], "0.0 +17"),
        ([100, 83.2, 100], "100.0 -17"),
        ([-100, -100, -67.7], "-100.0 +32"),
        ([3.0, 0.4, 18.0], "3.0 ±15"),
    ],
)
def test_a_score_is_followed_by_how_far_its_interval_reaches_and_to_which_side_if_to_one(score, text):
    assert front_table.interval(score) == text


def test_the_parameters_are_those_of_the_space_that_the_table_has(study):
    candidates, _ = study
    assert front_table.parameter_names(candidates, {"lr": (), "nosuch": ()}) == ["lr"]


def test_a_constraint_on_an_objective_stands_below_its_goal_and_widens_no_column():
    facts = tiny_facts(constraints=(Constraint(score="verbmem_f", ceiling=20), Constraint.of("privleak", "zero", 10)))
    heads = drawn(front_table.draw_front(pd.DataFrame(), facts, ["lr"])).splitlines()[:3]
    assert [head.split() for head in heads] == [
        ["verbmem_f", "privleak"],
        ["(low,", "(near", "0,", "knowmem_r"],
        ["candidate", "at", "lr", "≤", "20)", "±10)", "(high)"],
    ]


def several(*methods):
    """A table of a study over two methods, of which some had their turn."""
    ledger = tiny_ledger(tables_in_memory(), space=SEVERAL, about={"space": SEVERAL})
    asked = {
        "quick": {"method": "quick", "quick.lr": 0.5, "quick.delta": 0.25},
        "slow": {"method": "slow", "slow.lr": 0.01, "slow.layer": 3, "slow.kind": True},
    }
    for i, method in enumerate(methods):
        ledger.take_over(asked[method], [candidate(10, verbmem_f=10.0 + i, knowmem_r=50.0 + i)], {})
    return ledger.read().candidates, ledger.facts


def test_of_several_methods_one_column_has_each_candidate_s_method_and_its_own_settings():
    candidates, facts = several("quick", "slow")
    text = drawn(front_table.draw_front(candidates, facts, list(SEVERAL)))
    assert "method and settings" in text
    assert "quick lr 0.5 delta 0.25" in text
    assert "slow lr 0.01 layer 3 kind True" in text
    plain = {row["trial"]: row["parameters"] for row in front_table.plain_front(candidates, facts, list(SEVERAL))}
    assert json.loads(json.dumps(plain)) == {
        "0": {"method": "quick", "quick.lr": 0.5, "quick.delta": 0.25},
        "1": {"method": "slow", "slow.lr": 0.01, "slow.layer": 3, "slow.kind": True},
    }


def test_a_method_that_had_no_turn_yet_is_not_missed():
    candidates, facts = several("quick")
    assert "quick lr 0.5" in drawn(front_table.draw_front(candidates, facts, list(SEVERAL)))
    assert len(front_table.plain_front(candidates, facts, list(SEVERAL))[0]["parameters"]) == 3
