"""What tests/faults.py does to real searches. A killed driver is in test_search_end_to_end.py."""

import os

import pytest
from faults import Place, disk_full, node_killed, nothing, one_of_two_killed, three_killed
from postgres import binaries

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def undisturbed(place, tiny):
    return nothing(Place(place / "none", tiny))


@pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server here (Debian: postgresql)")
def test_a_worker_an_actor_and_the_server_are_killed_in_one_search(place, tiny, undisturbed):
    three_killed(Place(place / "three", tiny), undisturbed)


def test_one_of_two_workers_is_killed(place, tiny, undisturbed):
    one_of_two_killed(Place(place / "two", tiny), undisturbed)


def test_a_whole_node_is_killed(place, tiny, undisturbed):
    node_killed(Place(place / "node", tiny), undisturbed)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
def test_the_disk_is_full_when_a_trial_writes(place, tiny, undisturbed):
    disk_full(Place(place / "disk", tiny), undisturbed)
