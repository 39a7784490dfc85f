"""A search whose recipes are run again with other seeds, killed among these: its resume ends all, and each once."""

import os
import signal
from types import SimpleNamespace

import pytest
from optuna.trial import TrialState
from searching import start_search, trials_of, wait_until

from lethe.analysis.recipes import repeated
from lethe.store.snapshot import Reader
from lethe.store.trials import REPEAT_SEED, REPEATS, RERUN_OF, is_interrupted
from trainables.runs.resume import PROGRESS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TRIALS = 2
ASKED = ["--trials", str(TRIALS), "--concurrent", "1", "--sampler", "random", "--stop", "none", "--resume"]
SEARCHED = ["--objectives", "verbmem_f,knowmem_r", "--range", "lr=0.5:5"]  # rates that move the tiny model


@pytest.fixture(scope="module")
def repeated_search(place, tiny):
    """A search that was through, whose repeats were killed once one of them ran, and gone on with."""
    folder = place / "repeats"
    folder.mkdir()
    storage = f"sqlite:///{folder}/studies.db"
    where = ["--storage-path", str(folder / "results"), "--storage", storage]
    flags = [*tiny.flags(steps=4, every=1), *ASKED, *SEARCHED, *where, "--repeats", "2"]

    def underway():
        own = [t for t in trials_of(storage, "data") if REPEATS in t.user_attrs and t.state == TrialState.RUNNING]
        return any(list((folder / "results").glob(f"*/trial-{t.number:05d}/{PROGRESS}")) for t in own)

    with start_search(flags, folder, tiny.environment()) as search:
        wait_until(underway, search, every=0.2)
        os.kill(search.process.pid, signal.SIGKILL)
        assert search.wait() == -signal.SIGKILL
    killed = [t.number for t in trials_of(storage, "data") if t.state == TrialState.RUNNING]
    with start_search(flags, folder, tiny.environment()) as search:
        assert search.wait() == 0, search.printed()
        yield SimpleNamespace(
            trials=trials_of(storage, "data"),
            killed=killed,
            study=Reader(storage, "data").read(),
            printed=search.printed(),
            results=folder / "results",
        )


def test_no_place_of_the_search_goes_to_a_repeat_and_none_has_more_than_was_asked_for(repeated_search):
    own = [t for t in repeated_search.trials if REPEATS not in t.user_attrs]
    assert [t.state for t in own] == [TrialState.COMPLETE] * TRIALS
    ended = [t for t in repeated_search.trials if REPEATS in t.user_attrs and not is_interrupted(t)]
    runs = [(t.user_attrs[REPEATS], t.user_attrs[REPEAT_SEED]) for t in ended]
    assert runs
    assert len(set(runs)) == len(runs)
    assert all(seed in (1, 2) for _, seed in runs)


def test_the_killed_repeat_is_run_on_with_its_seed(repeated_search):
    (killed,) = repeated_search.killed
    first = repeated_search.trials[killed]
    (again,) = [t for t in repeated_search.trials if t.user_attrs.get(RERUN_OF) == killed]
    assert is_interrupted(first)
    assert again.state == TrialState.COMPLETE
    assert again.user_attrs[REPEAT_SEED] == first.user_attrs[REPEAT_SEED]


def test_another_seed_gives_other_scores_and_what_they_say_is_shown(repeated_search):
    study = repeated_search.study
    points = repeated(study)
    assert (points["seeds"] > 1).any()
    assert "stays" in repeated_search.printed
    one = study.repeats.iloc[0]
    same = study.candidates[(study.candidates["trial"] == one[REPEATS]) & (study.candidates["at"] == one["at"])]
    assert not (same["verbmem_f"] == one["verbmem_f"]).all() or not (same["knowmem_r"] == one["knowmem_r"]).all()


def test_repeats_leave_no_state_and_no_weights(repeated_search):
    assert not list(repeated_search.results.glob(f"*/trial-*/{PROGRESS}"))
    numbers = {t.user_attrs.get(RERUN_OF, t.number) for t in repeated_search.trials if REPEATS in t.user_attrs}
    assert not [f for n in numbers for f in repeated_search.results.glob(f"*/trial-{n:05d}/**/*.safetensors")]
