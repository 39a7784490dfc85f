"""A trial is judged by its candidates alone: no store, no study."""

import pytest
from tiny_study import candidate, tiny_facts

from lethe.analysis.judgement import judge


def test_a_trial_is_worth_its_feasible_candidate_with_the_smallest_worst_loss():
    candidates = [
        candidate(10, "student", verbmem_f=10, knowmem_r=90, utility=39),  # infeasible
        candidate(10, "teacher", verbmem_f=70, knowmem_r=60),
        candidate(20, "student", verbmem_f=60, privleak=-7, knowmem_r=50),
    ]
    found = judge(candidates, tiny_facts())
    assert found.losses == [60.0, 7.0, 50.0]
    assert found.violations == {"utility": -10.0}
    assert found.representative == "step/20/student"


def test_where_none_is_feasible_it_is_worth_the_one_that_violates_least():
    found = judge([candidate(10, utility=10), candidate(20, utility=35), candidate(30, utility=30)], tiny_facts())
    assert (found.representative, found.violations) == ("step/20/student", {"utility": 5.0})


@pytest.mark.parametrize("candidates", [[], [candidate(10), candidate(20, utility=float("nan"))]])
def test_what_cannot_be_judged_says_why(candidates):
    with pytest.raises(ValueError, match="no candidate was scored|score 'utility' is nan"):
        judge(candidates, tiny_facts())
