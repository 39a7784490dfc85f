"""What the mean teacher is for, on muse-mini: the order of three recipes over three seeds, not their digits."""

import pytest

from measurements.science import run_all

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


@pytest.fixture(scope="module")
def results():
    return run_all(seeds=3, processes=2, shown=("verbmem_f", "knowmem_f", "knowmem_r", "utility"))


def test_the_mean_teacher_with_nlul_loses_most_of_the_wording_and_more_of_the_facts_than_of_the_others(results):
    retrained, target = results["retrained"][0], results["target"][0]
    for scores in results["MT + NLUL"]:
        assert target["verbmem_f"] - scores["verbmem_f"] > 0.5 * (target["verbmem_f"] - retrained["verbmem_f"])
        # How much of either is kept hangs on the CPU that the small models were trained on.
        assert scores["knowmem_r"] / target["knowmem_r"] > scores["knowmem_f"] / target["knowmem_f"]


def test_the_mean_teacher_with_gradient_ascent_hardly_leaves_the_start(results):
    target = results["target"][0]
    for scores, with_nlul in zip(results["MT + LL"], results["MT + NLUL"], strict=True):
        way = target["verbmem_f"] - with_nlul["verbmem_f"]
        assert target["verbmem_f"] - scores["verbmem_f"] < 0.25 * way  # not a quarter of the way that NLUL goes


def test_without_teacher_and_damping_nlul_loses_utility(results):
    for scores, with_teacher in zip(results["NLUL, no teacher, no damping"], results["MT + NLUL"], strict=True):
        assert scores["knowmem_r"] < 0.5 * with_teacher["knowmem_r"]
        assert scores["utility"] < with_teacher["utility"]
