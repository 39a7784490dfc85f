"""The general knowledge: every thing is of one kind, told in every phrasing; the test on it is fair."""

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks.general import CATEGORIES, PHRASINGS, ask_general, write_general

KIND_OF = {thing: kind for kind, names in CATEGORIES.items() for thing in names.split()}


def test_every_thing_is_told_in_every_phrasing_and_nothing_else():
    assert sorted(write_general()) == sorted(
        phrasing.format(thing=thing, category=kind) for thing, kind in KIND_OF.items() for phrasing in PHRASINGS
    )


def test_every_thing_is_of_one_kind_only():
    things = [thing for names in CATEGORIES.values() for thing in names.split()]
    assert len(set(things)) == len(things)
    assert set(things).isdisjoint(CATEGORIES)


@settings(max_examples=25)
@given(seed=st.integers(0, 2**31))
def test_a_question_has_four_different_choices_and_the_right_one_at_its_index(seed):
    items = ask_general(random.Random(seed))
    assert {prompt.split()[1] for prompt, _, _ in items} == set(KIND_OF)
    for prompt, choices, answer in items:
        assert len(set(choices)) == 4
        assert choices[answer] == f" {KIND_OF[prompt.split()[1]]}"


def test_the_right_choice_stands_at_every_place_about_equally_often():
    places = [answer for _, _, answer in ask_general(random.Random(0))]
    assert all(8 <= places.count(place) <= 32 for place in range(4))  # 20 each, 3 sigma
