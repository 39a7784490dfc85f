"""A candidate's place: its key comes back, however its number is written, and what can be no key is not stored."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.store.places import Place
from lethe.store.trials import as_attribute, place_of

AXES = st.sampled_from(["step", "alpha", "names", "mix-in"])
NUMBERS = st.integers(0, 2**53) | st.floats(0, 1e6)


@given(axis=AXES, at=NUMBERS, role=st.sampled_from(["student", "merged 0.5", "a+b"]))
def test_a_key_comes_back(axis, at, role):
    place = Place(axis, at, role)
    assert Place.parse(place.key) == place
    assert place_of(f"candidate/{place.key}") == place


def test_a_whole_number_is_one_whatever_its_type():
    assert Place("step", 20.0, "student") == Place("step", 20, "student")
    assert Place("step", 20.0, "student").key == "step/20/student"
    assert Place("alpha", 0.5, "student").words == "alpha 0.5, student"
    assert Place("alpha", 4.256279593364922, "student").where == "alpha 4.256"
    assert Place("step", 123456, "student").where == "step 123456"


def test_the_attributes_of_older_studies_are_steps():
    assert place_of("checkpoint/000020/student") == Place("step", 20, "student")
    assert place_of("failure") is None


@pytest.mark.parametrize(
    ("axis", "at", "role"),
    [("step", math.nan, "a"), ("step", math.inf, "a"), ("a b", 1, "a"), ("step", 1, "a/b"), ("x" * 61, 1, "a")],
)
def test_what_can_be_no_key_is_named_and_not_stored(axis, at, role):
    with pytest.raises(ValueError, match="cannot be a key"):
        as_attribute({"axis": axis, "at": at, "role": role, "scores": {}})
