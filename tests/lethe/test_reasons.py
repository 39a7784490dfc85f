"""What an error says is one line in every layer, also where it says nothing."""

import pytest

from lethe import reasons
from trainables import failures


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [("", "OSError", "OSError"), (" \n\n", "OSError", "OSError"), ("\n a \nb\n", "a", "b"), ("a", "a", "a")],
)
def test_the_first_and_the_last_line_of_an_error_are_those_with_something_on_them_or_its_kind(text, first, last):
    error = OSError(text)
    assert (reasons.first_line(error), reasons.last_line(error)) == (first, last)
    assert (failures.reason_of(error), failures.last_line(error)) == (first, last)


def test_a_line_that_ends_in_a_colon_goes_on():
    assert failures.reason_of(ValueError("it lacks:\n a\nb")) == "it lacks: a"
