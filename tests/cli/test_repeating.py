"""Once a search is through, `--repeats` runs the recipes of its front with other seeds: at once, or when it is resumed."""

import itertools
from contextlib import contextmanager
from io import StringIO

import pytest
from ray.tune.search import Searcher
from rich.console import Console
from searching import make_tiny
from tiny_study import candidate, scores

from lethe.cluster.connection import Cluster
from lethe.search.searcher import LedgerSearcher
from lethe.store.snapshot import Reader
from lethe.store.trials import REPEATS
from lethe_cli import checks, search
from lethe_cli.flags import TuneFlags
from lethe_cli.request import make_request
from trainables.scores.references import References

REFERENCES = References(
    target=scores(knowmem_f=90.0), retrained=scores(knowmem_f=5.0), reference=None, items={}, content="", fingerprint=""
)


@contextmanager
def joined(request, console):
    """A cluster that runs nothing."""
    yield lambda: Cluster(nodes=((2.0, 0.0),))


def played(searches, request, slots):
    """What workers would do: every trial scores by its rate, and its seed moves that."""
    searcher = LedgerSearcher(searches)
    for name in map(str, itertools.count()):
        trial = searcher.suggest(name)
        if trial == Searcher.FINISHED:
            return
        if trial is not None:
            forgot = 20 + trial["seed"] + trial["lr"]
            own = {"verbmem_f": forgot, "knowmem_r": forgot, "knowmem_f": 50.0}
            searcher.on_trial_complete(name, {"candidates": [candidate(**own)], "seed": trial["seed"]})


@pytest.fixture
def tune(tmp_path, monkeypatch):
    """Run a search of two trials on workers that are made up; returns what came of it, and what was printed."""
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)
    for name, stand_in in (("begin", lambda *_: REFERENCES), ("joining", joined), ("run_together", played)):
        monkeypatch.setattr(search, name, stand_in)
    places = make_tiny(tmp_path / "tiny").places()

    def run(repeats, trials=2):
        flags = TuneFlags(
            **places, storage_path=str(tmp_path), trials=trials, sampler="random", repeats=repeats, resume=True
        )
        request, console = make_request(flags), Console(file=StringIO(), width=200)
        outcome = search.run_search(request, console)
        return outcome, console.file.getvalue(), Reader(request.storage, request.name).read()

    return run


def test_repeats_follow_a_search_are_shown_with_its_front_and_may_be_added_to_one_that_is_through(tune):
    outcome, printed, study = tune(repeats=0)
    assert "over seeds" not in outcome["front"][0]
    assert "stays" not in printed
    outcome, printed, study = tune(repeats=2)
    begun = study.trials[REPEATS].notna()
    assert (outcome["trials"], outcome["repeats"], outcome["interrupted"]) == (2, int(begun.sum()), False)
    assert 2 <= begun.sum() <= 4
    assert "repeat    2" in printed
    assert "stays" in printed
    over = outcome["front"][0]["over seeds"]
    assert over["seeds"] == len(over["runs"]) > 1
    assert 0 <= over["non-dominated"] <= 1
    _, printed, after = tune(repeats=2)
    assert "running" not in printed
    assert len(after.trials) == len(study.trials)


def test_a_search_goes_on_after_its_repeats_by_its_own_trials(tune):
    tune(repeats=1)
    outcome, _, study = tune(repeats=0, trials=3)
    assert (outcome["trials"], len(study.own_trials)) == (3, 3)
    assert "over seeds" in outcome["front"][0] or study.trials[REPEATS].notna().any()
