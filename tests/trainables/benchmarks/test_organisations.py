"""The invented organisations: one seed is one world, names are no two's, facts cannot be guessed."""

import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks.organisations import FACTS, TRADES, draw_organisations

DRAWN = draw_organisations(random.Random(0), 250)


@settings(max_examples=10)
@given(seed=st.integers(0, 2**31))
def test_the_same_seed_draws_the_same_organisations_and_another_one_others(seed):
    first = draw_organisations(random.Random(seed), 5)
    assert first == draw_organisations(random.Random(seed), 5)
    assert first != draw_organisations(random.Random(seed + 1), 5)


def test_no_two_share_the_word_that_names_them_and_no_fact_is_such_a_word():
    words = [organisation.name.split()[0] for organisation in DRAWN]
    told = {word for organisation in DRAWN for fact in organisation.facts.values() for word in fact.split()}
    assert len(set(words)) == 250
    assert told.isdisjoint(words)


def test_each_has_a_trade_in_its_name_and_every_fact():
    for organisation in DRAWN:
        assert organisation.name.split()[1] == organisation.trade
        assert organisation.trade in TRADES
        assert tuple(organisation.facts) == FACTS


def test_always_answering_the_most_common_value_of_a_fact_is_right_in_less_than_one_of_twenty():
    for fact in FACTS:
        ((_, often),) = Counter(organisation.facts[fact] for organisation in DRAWN).most_common(1)
        assert often < 250 / 20


def test_towns_and_trades_are_shared_so_that_kept_organisations_are_neighbours_of_forgotten_ones():
    towns = Counter(organisation.facts["town"] for organisation in DRAWN)
    assert max(towns.values()) > 1
    assert max(Counter(organisation.trade for organisation in DRAWN).values()) > 1
