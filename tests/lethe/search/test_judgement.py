"""A trial is judged by its checkpoints alone: no store, no study."""

import pytest
from tiny_study import checkpoint, tiny_facts

from lethe.search.judgement import judge


def test_a_trial_is_worth_its_feasible_checkpoint_with_the_smallest_worst_loss():
    points = [
        checkpoint(10, "student", verbmem_f=10, knowmem_r=90, utility=39),  # infeasible
        checkpoint(10, "teacher", verbmem_f=70, knowmem_r=60),
        checkpoint(20, "student", verbmem_f=60, privleak=-7, knowmem_r=50),
    ]
    found = judge(points, tiny_facts())
    assert found.losses == [60.0, 7.0, 50.0]
    assert found.violations == {"utility": -10.0}
    assert found.representative == "20/student"


def test_where_none_is_feasible_it_is_worth_the_one_that_violates_least():
    found = judge([checkpoint(10, utility=10), checkpoint(20, utility=35), checkpoint(30, utility=30)], tiny_facts())
    assert (found.representative, found.violations) == ("20/student", {"utility": 5.0})


@pytest.mark.parametrize("points", [[], [checkpoint(10), checkpoint(20, utility=float("nan"))]])
def test_what_cannot_be_judged_says_why(points):
    with pytest.raises(ValueError, match="no checkpoint was scored|score 'utility' is nan"):
        judge(points, tiny_facts())
