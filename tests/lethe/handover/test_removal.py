"""A study goes with its own folders and nothing else; never one that a live driver runs."""

import optuna
import pytest
from tiny_study import candidate, run_trial, tiny_ledger

from lethe.handover import removal
from lethe.handover.removal import borrowers, check_idle, doomed, remove
from lethe.store.storage import open_storage
from lethe.store.trials import TAKEN_FROM


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"sqlite:///{tmp_path}/studies.db")


def written(folder):
    (folder / "trial-00000").mkdir(parents=True)
    (folder / "trial-00000" / "weights").write_text("")
    return folder


def test_its_folder_goes_and_that_of_another_study_of_the_same_name_stays(storage, tmp_path):
    tiny_ledger(storage, "a study", id="0a1b2c3d")
    own, other = written(tmp_path / "a-study-0a1b2c3d"), written(tmp_path / "a-study-ffffffff")
    remove(storage, doomed(storage, "a study", str(tmp_path)))
    assert (own.exists(), other.exists()) == (False, True)
    assert optuna.get_all_study_names(storage) == []


def test_what_was_written_below_another_results_folder_is_found_by_its_candidates(storage, tmp_path):
    ledger = tiny_ledger(storage, id="0a1b2c3d")
    elsewhere = written(tmp_path / "elsewhere" / "tiny-0a1b2c3d")
    run_trial(ledger, weights=str(elsewhere / "trial-00000" / "weights"))
    remove(storage, doomed(storage, "tiny", str(tmp_path)))
    assert not elsewhere.exists()
    assert (tmp_path / "elsewhere").exists()


def test_a_row_that_names_a_folder_of_somebody_else_removes_nothing_there(storage, tmp_path):
    ledger = tiny_ledger(storage, id="0a1b2c3d")
    (tmp_path / "theirs").mkdir()
    (tmp_path / "tiny-0a1b2c3d").symlink_to(tmp_path / "theirs")
    run_trial(ledger, weights=f"{tmp_path}/theirs/10-student")
    remove(storage, doomed(storage, "tiny", str(tmp_path / "none")))
    assert (tmp_path / "theirs").exists()


def test_a_study_without_an_id_loses_no_folder_which_may_be_another_s(storage, tmp_path):
    tiny_ledger(storage)
    kept = written(tmp_path / "tiny")
    going = doomed(storage, "tiny", str(tmp_path))
    remove(storage, going)
    assert (going.folders, kept.exists()) == ((), True)


def test_a_study_that_a_live_driver_runs_is_refused_and_one_that_a_dead_one_left_is_not(storage, monkeypatch):
    ledger = tiny_ledger(storage)
    number, _ = ledger.ask()
    ledger.record(number, candidate())
    monkeypatch.setattr(removal, "dead_drivers", lambda studies: {ledger_mark(ledger)})
    check_idle(storage, ["tiny"])
    monkeypatch.setattr(removal, "dead_drivers", lambda studies: set())
    with pytest.raises(ValueError, match=r"^study 'tiny' runs \(1 trials, by .*\): stop it first"):
        check_idle(storage, ["tiny"])


def ledger_mark(ledger):
    (trial,) = ledger.study.get_trials(deepcopy=False)
    return removal.driver_of(trial)


def test_who_took_over_its_results_is_known(storage, tmp_path):
    tiny_ledger(storage, "lender")
    other = tiny_ledger(storage, "an ablation")
    number, _ = other.ask()
    storage.set_trial_user_attr(other.study.trials[number]._trial_id, TAKEN_FROM, "lender/0")
    url = f"sqlite:///{tmp_path}/studies.db"
    assert borrowers(url, ["lender"]) == ["an ablation"]
    assert borrowers(url, ["lender", "an ablation"]) == []
    assert borrowers(url, ["lend"]) == []
