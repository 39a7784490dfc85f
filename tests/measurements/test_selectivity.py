"""What is shared is compared where the forgotten facts are answered no better than the retrained model answers them."""

import pytest

from measurements.selectivity import until_forgotten, verdict

TARGET, RETRAINED = {"knowmem_f": 70.0, "shared_k": 100.0}, {"knowmem_f": 1.0, "shared_k": 99.0}


def test_the_course_ends_where_the_forgotten_facts_are_gone():
    rows = [(str(at), {"knowmem_f": left}) for at, left in enumerate((70.0, 20.0, 1.0, 0.0))]
    assert [name for name, _ in until_forgotten(iter(rows), RETRAINED)] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("last", "said"),
    [
        ({"knowmem_f": 0.0, "shared_k": 85.0}, "shared_k lost 15.0 points, as aimed at"),
        ({"knowmem_f": 1.0, "shared_k": 90.0}, "shared_k lost 10.0 points, fewer than the 15 aimed at"),
        ({"knowmem_f": 2.0, "shared_k": 10.0}, "120 steps did not bring knowmem_f down to the retrained model's 1.0"),
    ],
)
def test_a_course_that_did_not_forget_says_nothing_of_what_is_shared(last, said):
    assert verdict(TARGET, RETRAINED, last) == said
