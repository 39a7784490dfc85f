"""The recommended candidate: the knee of what is feasible and within the limits, by hand, and what holds for every table."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.analysis.decide import Limit, accepted, draw_scores, recommend, volume_history
from lethe.fronts import pareto
from lethe.fronts.objectives import Constraint, Objective, loss_array

TWO = (Objective(score="forget", goal="minimize"), Objective(score="keep", goal="maximize"))
GUARD = (Constraint(score="utility", floor=40.0),)


def table(rows: list[tuple[float, float]], *, half: float = 0.0, utility: float = 50.0) -> pd.DataFrame:
    """Candidates with the scores forget, keep and utility, each with an interval of `half` on either side."""
    candidates = pd.DataFrame(rows, columns=["forget", "keep"]).assign(utility=utility, state="COMPLETE")
    for score in ("forget", "keep", "utility"):
        candidates[f"{score}_low"], candidates[f"{score}_high"] = candidates[score] - half, candidates[score] + half
    return candidates.assign(feasible=candidates["utility"] >= 40)


def test_the_knee_gives_up_the_least_in_total_by_hand():
    # losses (0, 100), (20, 20), (100, 0): scaled by the front's range of 100 their sums are 1, 0.4 and 1
    found = recommend(table([(0, 0), (20, 80), (100, 100)]), TWO)
    assert found.row == 1
    assert found.given_up == {"forget": 20, "keep": 20}
    assert found.spans == {"forget": 100, "keep": 100}
    assert [rival.behind for rival in found.near] == pytest.approx([0.6, 0.6])


def test_a_range_within_the_noise_does_not_decide():
    # keep differs by 1 with intervals of width 10: the big loss in forget decides, not the tiny one in keep
    candidates = table([(10, 99), (30, 100)], half=5)
    assert recommend(candidates, TWO).row == 0
    assert recommend(candidates, TWO).spans == {"forget": 20, "keep": 10}


def test_limits_leave_points_out_and_the_best_of_the_rest_is_recommended():
    candidates = table([(0, 0), (20, 80), (90, 100)])
    assert recommend(candidates, TWO, limits=[Limit(score="keep", low=90)]).row == 2
    assert recommend(candidates, TWO, limits=[Limit(score="forget", high=10)]).row == 0
    assert recommend(candidates, TWO, limits=[Limit(score="forget", high=-1)]) is None


def test_the_best_of_one_score_and_ties_by_the_knee():
    candidates = table([(10, 50), (10, 60), (40, 90)])
    assert recommend(candidates, TWO, rule="forget").row == 1
    assert recommend(candidates, TWO, rule="keep").row == 2
    with pytest.raises(ValueError, match="rule 'best' is unknown: choose knee, forget, keep"):
        recommend(candidates, TWO, rule="best")


def test_infeasible_running_and_unmeasured_points_are_never_accepted():
    candidates = table([(1, 99), (2, 98), (3, 97)])
    candidates.loc[0, "feasible"] = False
    candidates.loc[1, "state"] = "RUNNING"
    assert accepted(candidates, []).tolist() == [False, False, True]
    candidates.loc[2, "utility"] = np.nan
    assert accepted(candidates, [Limit(score="utility", low=0)]).tolist() == [False, False, False]
    assert accepted(candidates.iloc[:0], []).tolist() == []


def test_points_far_apart_are_sure_and_equal_points_are_a_toss():
    sure = recommend(table([(5, 95), (80, 20)], half=2), TWO, GUARD)
    assert sure.share == 1.0
    assert sure.holds == {"utility": 1.0}
    toss = recommend(table([(50, 50), (50, 50)], half=5), TWO)
    assert 0.4 < toss.share < 0.6
    assert toss.share + toss.near[0].share == pytest.approx(1)


def test_a_score_at_its_floor_holds_every_second_time():
    found = recommend(table([(5, 95)], half=5, utility=40.0), TWO, GUARD)
    assert 0.45 < found.holds["utility"] < 0.55
    assert found.share == found.holds["utility"]


def test_a_perfect_or_empty_score_of_few_items_holds_a_near_limit_often_and_never_for_certain():
    candidates = table([(0, 95)], utility=100.0).assign(forget_low=0.0, forget_high=16.8, utility_low=83.2)
    candidates = candidates.assign(utility_high=100.0)
    found = recommend(candidates, TWO, (Constraint(score="utility", floor=85.0),), [Limit(score="forget", high=10.0)])
    assert 0.93 < found.holds["utility"] < 1
    assert 0.8 < found.holds["forget"] < 0.95
    assert found.share < 1


def test_the_one_that_most_redraws_choose_is_named_with_how_often_it_is_within_the_limits():
    # by the values the first gives up less; at the edge of the limit it is outside it in every second redraw
    candidates = table([(30, 80), (22, 70)], half=6)
    found = recommend(candidates, TWO, limits=[Limit(score="forget", high=30)])
    assert found.row == 0
    assert 0.45 < found.within < 0.55
    assert found.share <= found.within
    assert found.surer == found.near[0]
    assert found.surer.row == 1
    assert found.surer.within > 0.98
    assert found.surer.share > found.share
    assert recommend(candidates, TWO).surer is None


def test_without_intervals_nothing_is_said_about_sureness():
    candidates = table([(0, 0), (20, 80)]).assign(forget_low=np.nan)
    found = recommend(candidates, TWO)
    assert found.share is None
    assert found.within is None
    assert found.surer is None
    assert found.holds == {}
    assert found.near[0].share is None


def test_draws_have_the_interval_s_ends_as_their_quantiles():
    candidates = pd.DataFrame({"s": [50.0], "s_low": [40.0], "s_high": [52.0]})
    drawn = draw_scores(candidates, ["s"], 40_000, seed=1)["s"]
    assert np.quantile(drawn, [0.025, 0.5, 0.975]) == pytest.approx([40, 50, 52], abs=0.3)


rows = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=12)


@given(rows=rows)
def test_the_recommended_point_is_on_the_front_and_none_costs_less(rows):
    candidates = table([(float(a), float(b)) for a, b in rows], half=3)
    found = recommend(candidates, TWO, near=99)
    assert found.row in found.front
    assert list(found.front) == np.flatnonzero(pareto.nondominated(loss_array(candidates, TWO))).tolist()
    assert all(rival.behind >= 0 for rival in found.near)
    assert len(found.near) == len(rows) - 1
    assert found.share + sum(rival.share for rival in found.near) == pytest.approx(1)


@given(rows=rows, limit=st.integers(0, 100))
def test_what_is_recommended_is_within_the_limits(rows, limit):
    candidates = table([(float(a), float(b)) for a, b in rows])
    found = recommend(candidates, TWO, limits=[Limit(score="forget", high=limit)])
    if found is None:
        assert all(a > limit for a, _ in rows)
    else:
        assert candidates["forget"][found.row] <= limit


def test_the_volume_grows_with_the_front_by_hand():
    groups = [np.array([[50.0, 50.0]]), np.zeros((0, 2)), np.array([[60.0, 60.0]]), np.array([[0.0, 75.0]])]
    assert volume_history(groups) == pytest.approx([0.25, 0.25, 0.25, 0.375])
    assert volume_history([]) == []


@given(rows=rows)
def test_the_last_volume_is_that_of_all_candidates(rows):
    losses = np.array(rows, dtype=float)
    history = volume_history([losses[i : i + 1] for i in range(len(losses))])
    assert history[-1] == pytest.approx(pareto.hypervolume(losses))
    assert history == sorted(history)
