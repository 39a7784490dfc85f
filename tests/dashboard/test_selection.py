"""A view is its link: every selection comes back from its query parameters, and a strange link shows the defaults."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.outputs import ORDERS
from dashboard.selection import PICTURES, VIEWS, Selection, from_query, to_query
from lethe.analysis.decide import Limit

words = st.text(max_size=20)
many = st.lists(words, max_size=4).map(tuple)
ends = st.floats(-200, 200).map(lambda v: float(f"{v:.10g}"))
limits = st.builds(
    lambda score, low, high: Limit(score=score, low=low, high=high),
    words,
    ends | st.just(-math.inf),
    ends | st.just(math.inf),
)
selections = st.builds(
    Selection,
    **dict.fromkeys(
        ("study", "x", "y", "z", "published", "candidate", "rule", "parameter", "other", "score", "search", "stress"),
        words,
    ),
    others=many,
    objectives=many,
    view=st.sampled_from(VIEWS),
    picture=st.sampled_from(PICTURES),
    order=st.sampled_from(ORDERS),
    intervals=st.booleans(),
    beaten=st.booleans(),
    limits=st.lists(limits, max_size=3).map(tuple),
)


@given(selection=selections)
def test_a_selection_comes_back_from_its_link(selection):
    assert from_query(to_query(selection)) == selection


def test_a_link_holds_only_what_was_chosen():
    assert to_query(Selection()) == {}
    chosen = Selection(study="a&b", x="verbmem_f", intervals=False, limits=(Limit(score="verbmem_f", high=24.5),))
    assert to_query(chosen) == {"study": "a&b", "x": "verbmem_f", "intervals": "no", "limit": ["verbmem_f::24.5"]}


@given(
    query=st.dictionaries(
        st.sampled_from(["study", "limit", "view", "picture", "order", "others", "intervals", "nonsense"]),
        words | st.lists(words),
    )
)
def test_no_link_is_refused(query):
    found = from_query(query)
    assert found.view in VIEWS
    assert found.picture in PICTURES
    assert found.order in ORDERS


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ({"point": "12/20/student"}, "12/step/20/student"),  # a link of before candidates had an axis
        ({"candidate": "12/020/student"}, "12/step/20/student"),
        ({"candidate": "3/alpha/4.0/student"}, "3/alpha/4/student"),
        ({"candidate": "3/alpha/0.5/student", "point": "1/20/teacher"}, "3/alpha/0.5/student"),
        ({"candidate": "nonsense"}, "nonsense"),
    ],
)
def test_a_candidate_is_known_however_a_link_spells_it(query, key):
    assert from_query(query).candidate == key
