"""Some of what tests/faults.py does to real searches: that list is longer, and takes longer.

A killed driver is in test_ablate_end_to_end.py, a killed node in test_elastic.py, a full disk in test_unlearning.py.
"""

from functools import partial

import optuna
import pytest
from faults import LENGTH, TRIALS, Place, hit, kill_actor, kill_server, kill_worker
from plain_loop import plain_search
from postgres import needs_postgres, start_postgres

from lethe import store
from trainables.config import Config

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CONFIG = Config(steps=LENGTH["steps"], eval_every=LENGTH["every"], batch_size=2)


@needs_postgres
def test_a_worker_an_actor_and_the_server_are_killed_under_one_search_that_ends_as_the_obvious_loop(place, tiny):
    def expected(storage):
        facts = store.load_facts(optuna.load_study(study_name="data", storage=store.open_storage(storage)))
        return plain_search(facts, tiny, place / "plain", TRIALS, CONFIG)

    with start_postgres() as server:
        blows = (kill_worker, kill_actor, partial(kill_server, server))
        hit(Place(place / "three", tiny, server=server.url()), expected, *blows)
