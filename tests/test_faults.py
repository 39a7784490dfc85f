"""What tests/faults.py does to real searches, once each."""

import os

import pytest
from faults import FAULTS, Place, nothing
from postgres import binaries

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def undisturbed(place, tiny):
    return nothing(Place(place / "none", tiny))


# A killed driver is in test_search_end_to_end.py.
@pytest.mark.parametrize("fault", [name for name in FAULTS if name != "driver killed"])
def test_a_search_ends_as_if_nothing_had_happened(fault, place, tiny, undisturbed):
    if fault == "disk full" and os.geteuid() != 0:
        pytest.skip("only root can mount a small disk")
    if fault == "PostgreSQL killed" and binaries() is None:
        pytest.skip("no PostgreSQL server here (Debian: postgresql)")
    FAULTS[fault](Place(place / str(list(FAULTS).index(fault)), tiny), undisturbed)
