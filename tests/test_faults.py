"""What tests/faults.py does to real searches. A killed driver is in test_search_end_to_end.py."""

import os
from functools import partial

import optuna
import pytest
from faults import LENGTH, TRIALS, Place, disk_full, hit, kill_actor, kill_server, kill_worker, node_killed
from plain_loop import plain_search
from postgres import binaries, start_postgres

from lethe import store
from trainables.config import Config

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CONFIG = Config(steps=LENGTH["steps"], eval_every=LENGTH["every"], batch_size=2)


@pytest.fixture(scope="module")
def expected(place, tiny):
    """What the obvious loop gives, for the facts of a search."""
    known = {}

    def of(storage):
        if not known:
            facts = store.load_facts(optuna.load_study(study_name="data", storage=store.open_storage(storage)))
            known["outcome"] = plain_search(facts, tiny, place / "plain", TRIALS, CONFIG)
        return known["outcome"]

    return of


@pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server here (Debian: postgresql)")
def test_a_worker_an_actor_and_the_server_are_killed_under_one_search(place, tiny, expected):
    with start_postgres() as server:
        blows = (kill_worker, kill_actor, partial(kill_server, server))
        hit(Place(place / "three", tiny, server=server.url()), expected, *blows)


def test_a_whole_node_is_killed(place, tiny, expected):
    node_killed(Place(place / "node", tiny), expected)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_the_disk_is_full_when_a_trial_writes(place, tiny, expected):
    disk_full(Place(place / "disk", tiny), expected)
