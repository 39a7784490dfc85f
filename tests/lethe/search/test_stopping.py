"""When a trial is stopped, and why: tables made by hand with the answer by hand, and what holds for every table."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_study import candidate, scores, tiny_facts

from lethe.fronts.objectives import Constraint, Objective
from lethe.fronts.pareto import contributions, ranks
from lethe.search.rule import RULES, STOP, Rule
from lethe.search.stopping import Point, is_rung, points_of, stop
from lethe.store.facts import SEEN_REFERENCES

TWO = (Objective(score="verbmem_f", goal="minimize"), Objective(score="knowmem_r", goal="maximize"))
FACTS = tiny_facts(objectives=TWO)
HALVING, SETTLED = Rule(), Rule(halving=False)
END = 90


def point(forgets, loses, violation=-10.0):
    return Point((forgets, loses), violation)


def scored(at=10, forgets=50.0, loses=50.0, **values):
    return candidate(at, verbmem_f=forgets, knowmem_r=100 - loses, **values)


def told(own, others=(), facts=FACTS, rule=HALVING, length=END):
    return stop(own, {number: [one] for number, one in enumerate(others)}, length, facts, rule)


def referring(**target):
    return replace(FACTS, references={"target": scores(**target)})


def test_ranks_are_those_of_fronts_taken_away_one_after_the_other_and_behind_them_violations():
    losses = np.array([[1, 9], [9, 1], [2, 9.5], [3, 10], [0, 0], [0, 0.5], [50, 50]])
    violation = np.array([-1, 0, -1, -1, 5, 2, 5])
    assert ranks(losses, violation).tolist() == [0, 0, 1, 2, 4, 3, 4]
    assert ranks(losses, np.ones(7)).tolist() == [0] * 7


def test_a_point_adds_the_part_of_the_box_that_no_other_reaches():
    losses = np.array([[20.0, 80.0], [80.0, 20.0], [120.0, 0.0], [50.0, 50.0], [50.0, 50.0]])
    assert contributions(losses) == pytest.approx([0.30 * 0.20, 0.20 * 0.30, 0, 0, 0])


def test_of_one_objective_the_best_alone_adds_something():
    assert contributions(np.array([[30.0], [10.0], [120.0]])) == pytest.approx([0, 0.9, 0])
    assert contributions(np.array([[10.0], [10.0]])).tolist() == [0, 0]


def test_of_one_objective_the_best_third_goes_on_and_equals_share_their_rank():
    facts = replace(FACTS, objectives=TWO[:1])
    others = {number: [Point((float(loss),), -10.0)] for number, loss in enumerate((5, 50, 50, 60, 70))}
    assert stop([scored(10, 50)], others, END, facts, HALVING) is None  # one of three with the second rank
    assert stop([scored(10, 60)], others, END, facts, HALVING).startswith("step 10: 3 of the 6")


def test_before_there_are_three_at_a_rung_all_go_on():
    assert told([scored(10, 90, 90)], [point(0, 0)]) is None


def test_of_three_the_one_that_both_others_beat_is_stopped_and_the_numbers_are_said():
    assert told([scored(10, 90, 90)], [point(10, 10), point(20, 20)]) == (
        "step 10: 2 of the 3 trials that came there are ahead of it, and 1 of so many go on"
    )


def test_a_trial_is_as_good_as_the_better_of_its_roles():
    own = [scored(10, 90, 90), scored(10, 5, 95, role="teacher")]
    assert told(own, [point(10, 10), point(20, 20)]) is None


def test_at_the_cut_of_a_rank_those_go_on_that_add_more_to_its_hypervolume():
    others = [point(1, 1), point(40, 60), point(45, 55), point(90, 90), point(91, 91)]
    assert told([scored(10, 41, 59)], others).startswith("step 10: 3 of the 6 trials")  # adds next to nothing
    assert told([scored(10, 80, 10)], others) is None  # 2 go on: the first, and this one of three of its rank


def test_what_breaks_a_constraint_is_behind_all_that_does_not_and_then_goes_by_how_much():
    feasible, broken = [point(90, 90), point(95, 95), point(99, 99)], [point(0, 0, 30.0), point(0, 0, 20.0)]
    own = [scored(10, 0, 0, utility=15.0)]  # 25 below the guard
    assert told(own, feasible).startswith("step 10: 3 of the 4")
    assert told(own, [*broken[:1], *broken[:1]]) is None  # nearer than both
    assert told(own, broken).startswith("step 10: 1 of the 3")


def test_rungs_are_thrice_as_far_each_and_what_lies_between_halves_nothing():
    rungs = [n for n in range(1, 31) if is_rung(range(1, n + 1), 3)]
    assert rungs == [1, 3, 9, 27]
    assert [is_rung(places, 3) for places in ([20], [20, 40], [20, 40, 60], [20, 40, 70])] == [True, False, True, True]
    better = [point(10, 10), point(20, 20)]
    assert told([scored(10, 90, 90), scored(20, 90, 90)], better) is None
    assert told([scored(10, 90, 90), scored(20, 90, 90), scored(30, 90, 90)], better).startswith("step 30: ")


def test_no_trial_is_stopped_at_its_end():
    assert told([scored(90, 90, 90)], [point(10, 10)] * 5) is None
    assert told([], [point(10, 10)] * 5) is None


def test_without_halving_others_do_not_count():
    assert told([scored(10, 90, 90)], [point(10, 10)] * 5, rule=SETTLED) is None


@pytest.mark.parametrize("broken", [{"privleak": float("nan")}, {"utility": float("inf")}])
def test_a_trial_with_a_score_that_is_no_number_is_left_to_fail_at_its_end(broken):
    assert told([scored(10, 90, 90), scored(20, 90, 90, **broken)], facts=tiny_facts()) is None


def test_two_evaluations_that_break_what_the_target_keeps_are_a_collapse():
    own = [scored(at, utility=value) for at, value in ((10, 45), (20, 30), (30, 12.3))]
    assert told(own[:2], rule=SETTLED) is None
    assert told(own, rule=SETTLED) == (
        "step 30: collapsed: 2 evaluations one after the other break a constraint: utility is 12.3 and has to stay at "
        "40.0 or above"
    )


def test_one_role_that_keeps_it_or_an_evaluation_between_is_no_collapse():
    down, up = {"utility": 10.0}, {"utility": 60.0}
    assert told([scored(10, **down), scored(20, **up), scored(30, **down)], rule=SETTLED) is None
    roles = [scored(20, **down), scored(20, **up, role="teacher"), scored(30, **down)]
    assert told(roles, rule=SETTLED) is None


LIMIT = Constraint(score="verbmem_f", ceiling=20.0)  # which the target breaks: it is what is searched for


def test_what_the_target_breaks_itself_is_no_collapse():
    facts = replace(referring(verbmem_f=99.0), constraints=(*FACTS.constraints, LIMIT))
    assert told([scored(at, 80) for at in (10, 20, 30)], rule=SETTLED, facts=facts) is None


def test_stuck_is_what_after_a_third_of_the_run_would_at_its_pace_end_as_the_target_within_the_intervals():
    facts = referring(verbmem_f=50.6, knowmem_r=50.0)  # intervals of 2 to either side
    assert told([scored(at) for at in (10, 20)], facts=facts, rule=SETTLED) is None
    assert told([scored(at) for at in (10, 20, 30)], facts=facts, rule=SETTLED) == (
        "step 30: stuck: at this pace all stays as it was in the target, within the intervals "
        "(verbmem_f 50.0, knowmem_r 50.0)"
    )  # 0.6 in a third of the run: 1.8 at its end
    every_five = [scored(at) for at in range(5, 25, 5)]
    assert told(every_five[:-1], length=60, facts=facts, rule=SETTLED) is None
    assert told(every_five, length=60, facts=facts, rule=SETTLED).startswith("step 20: stuck")
    moved = scored(30, 49.9)  # 0.7: 2.1
    assert told([scored(10), scored(20), moved], facts=facts, rule=SETTLED) is None
    assert told([scored(10), scored(20), scored(30), scored(30, 40, role="teacher")], facts=facts, rule=SETTLED) is None


def test_what_has_moved_within_the_intervals_goes_on_while_enough_of_its_run_is_left():
    facts = referring(verbmem_f=52.0, knowmem_r=50.0)
    assert told([scored(30)], facts=facts, rule=SETTLED) is None  # 2 in a third: 6 at the end
    assert told([scored(80)], facts=facts, rule=SETTLED) is None  # 2.25 at the end
    assert told([scored(81, 50.3)], facts=facts, rule=SETTLED).startswith("step 81: stuck")  # 1.89


def test_where_items_are_split_the_target_is_that_of_the_items_that_choose():
    seen = {SEEN_REFERENCES: {"target": {"verbmem_f": [50.0, 48.0, 52.0]}}}
    facts = replace(referring(verbmem_f=60.0), about=seen)
    assert told([scored(at=30)], facts=facts).startswith("step 30: stuck")
    assert told([scored(at=30)], facts=referring(verbmem_f=60.0)) is None


def test_good_enough_is_what_keeps_what_was_asked_for_and_gains_no_more():
    facts = replace(referring(verbmem_f=99.0), constraints=(*FACTS.constraints, LIMIT))
    own = [scored(10, 15, 30), scored(20, 15, 30), scored(30, 16, 30)]
    assert told(own[:2], facts=facts, rule=SETTLED) is None
    assert told(own, facts=facts, rule=SETTLED) == (
        "step 30: good enough: it keeps what is asked for (verbmem_f at 20.0 or below), and the last 2 evaluations "
        "added 0.0% to its hypervolume of 0.595"
    )
    gains = [*own[:2], scored(30, 13, 30)]  # 0.85 -> 0.87 of one side
    assert told(gains, facts=facts, rule=SETTLED) is None
    assert told(own, facts=referring(verbmem_f=99.0), rule=SETTLED) is None  # nothing was asked for


TABLE = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(-2, 2)), min_size=3, max_size=30)


def as_trial(row):
    forgets, loses, violation = row
    return [scored(10, forgets, loses, utility=40.0 - violation)]


def others_of(rows):
    return {number: points_of(as_trial(row), FACTS) for number, row in enumerate(rows)}


@given(TABLE)
def test_the_last_of_a_rung_is_stopped_and_a_trial_on_its_front_never_is(rows):
    worst = [scored(10, 101, 101, utility=37.0)]  # beaten by all in all
    assert stop(worst, others_of(rows), END, FACTS, HALVING)
    rank = ranks(np.array([row[:2] for row in rows], float), np.array([row[2] for row in rows], float))
    for number in np.flatnonzero(rank == 0):
        others = {other: points for other, points in others_of(rows).items() if other != number}
        assert stop(as_trial(rows[number]), others, END, FACTS, HALVING) is None


@given(TABLE, st.randoms())
def test_who_came_before_counts_and_not_in_which_order(rows, random):
    own, others = as_trial(rows[0]), list(others_of(rows[1:]).items())
    answer = stop(own, dict(others), END, FACTS, HALVING)
    random.shuffle(others)
    assert stop(own, dict(others), END, FACTS, HALVING) == answer


@given(TABLE)
def test_no_more_go_on_from_a_rung_than_one_of_three_and_its_front(rows):
    facts = FACTS
    for number, row in enumerate(rows):
        others = {other: points for other, points in others_of(rows).items() if other != number}
        if stop(as_trial(row), others, END, facts, HALVING) is None:
            points = [points_of(as_trial(r), facts)[0] for r in rows]
            rank = ranks(np.array([p.losses for p in points]), np.array([p.violation for p in points]))
            assert rank[number] == 0 or (rank < rank[number]).sum() < len(rows) // 3


def arrive(order):
    """Trials come to a rung one after the other, each told by those before: which of them go on."""
    before, on = {}, []
    for number, loss in enumerate(order):
        own = [scored(10, loss, loss)]
        if stop(own, before, END, FACTS, HALVING) is None:
            on.append(number)
        before[number] = points_of(own, FACTS)
    return on


def test_who_comes_early_goes_on_whoever_comes_later():
    assert arrive(range(10, 90, 10)) == [0, 1]  # before there are three, none is stopped
    assert arrive(range(90, 10, -10)) == [*range(8)]  # each is the best so far


def test_a_rule_is_known_again_from_the_facts_of_its_study_and_by_its_name():
    for name in RULES[1:]:
        rule = Rule.named(name)
        assert (Rule.of(rule.about()), rule.name) == (rule, name)
    assert Rule.named("none") is None
    assert Rule.of({"space": {}}) is None
    assert set(Rule().about()) == {STOP}
    with pytest.raises(ValueError, match="rule 'early' for stopping trials is unknown: choose none, settled, halving"):
        Rule.named("early")
