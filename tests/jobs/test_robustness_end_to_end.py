"""A search for robustness: the net recovery under a stress is measured of every candidate, and goes on as it began."""

import pytest
from searching import start_search, trials_of

from lethe.store.snapshot import Reader
from lethe.store.trials import candidates

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
NAME = "net_quant:nf4"
ASKED = ["--objectives", "verbmem_f,quant:nf4", "--constrain", f"{NAME}:100", "--concurrent", "1", "--resume"]


def test_a_search_for_robustness_measures_every_candidate_and_goes_on(place, tiny):
    folder = place / "robust"
    folder.mkdir()
    storage = f"sqlite:///{folder}/studies.db"
    own = ["--storage-path", str(folder / "results"), "--storage", storage]
    for trials in ("1", "2"):
        with start_search([*tiny.flags(), *ASKED, *own, "--trials", trials], folder, tiny.environment()) as search:
            assert search.wait() == 0, search.printed()
            assert NAME in search.printed()
    found = [candidate for trial in trials_of(storage, "data") for candidate in candidates(trial)]
    assert len(found) >= 4
    assert all(candidate["scores"][NAME][0] >= 0 for candidate in found)
    study = Reader(storage, "data").read()
    assert study.facts.references["retrained"][NAME] == [0, 0, 0]
    assert study.facts.card(NAME).goal == "minimize"
    assert NAME in study.candidates.columns
