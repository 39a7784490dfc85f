"""A study goes with its own folders and nothing else; never one that a live driver runs."""

import optuna
import pytest
from tiny_study import candidate, run_trial, tiny_ledger

from lethe.handover import removal
from lethe.handover.removal import borrowers, check_idle, doomed, remove
from lethe.search.ledger import driving
from lethe.store import study_folder
from lethe.store.storage import open_storage
from lethe.store.trials import TAKEN_FROM, TOLD_FROM


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
    ledger, theirs = tiny_ledger(storage, id="0a1b2c3d"), written(tmp_path / "theirs")
    run_trial(ledger, weights=f"{tmp_path}/theirs/10-student")
    remove(storage, doomed(storage, "tiny", str(tmp_path)))
    assert (theirs / "trial-00000" / "weights").exists()


@pytest.mark.parametrize("told", ["x/../../home/work", 7])
def test_an_id_that_leads_out_of_the_results_removes_nothing(storage, tmp_path, told):
    tiny_ledger(storage, id=told)
    work = written(tmp_path / "home" / "work")
    (tmp_path / "results" / "tiny-x").mkdir(parents=True)
    going = doomed(storage, "tiny", str(tmp_path / "results"))
    remove(storage, going)
    assert (going.folders, (work / "trial-00000" / "weights").exists()) == ((), True)


@pytest.mark.parametrize("theirs", ["results/shared", "apart"])
@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_link_in_the_place_of_its_folder_is_not_followed_and_the_study_is_kept(storage, tmp_path, theirs, scheme):
    tiny_ledger(storage, id="0a1b2c3d")
    shared, own = written(tmp_path / theirs), tmp_path / "results" / "tiny-0a1b2c3d"
    own.parent.mkdir(exist_ok=True)
    own.symlink_to(shared)
    with pytest.raises(ValueError, match=r"tiny-0a1b2c3d' could not be removed, and study 'tiny' is kept"):
        remove(storage, doomed(storage, "tiny", f"{scheme}{tmp_path}/results"))
    assert (shared / "trial-00000" / "weights").exists()
    assert optuna.get_all_study_names(storage) == ["tiny"]
    own.unlink()
    remove(storage, doomed(storage, "tiny", f"{scheme}{tmp_path}/results"))
    assert optuna.get_all_study_names(storage) == []


def test_a_study_whose_folder_cannot_be_removed_is_kept(storage, tmp_path, monkeypatch):
    tiny_ledger(storage, id="0a1b2c3d")
    written(tmp_path / "tiny-0a1b2c3d")
    monkeypatch.setattr(study_folder.shutil, "rmtree", lambda place, ignore_errors: None)  # as where it may not write
    with pytest.raises(ValueError, match="could not be removed"):
        remove(storage, doomed(storage, "tiny", str(tmp_path)))
    assert optuna.get_all_study_names(storage) == ["tiny"]


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
    with pytest.raises(ValueError, match=r"^study 'tiny' runs \(1 trials now, by .*\): stop it first"):
        check_idle(storage, ["tiny"])


def test_a_study_that_a_live_driver_runs_is_refused_between_two_trials_and_not_once_it_left(storage, monkeypatch):
    monkeypatch.setattr(removal, "dead_drivers", lambda studies: set())
    ledger = tiny_ledger(storage)
    with driving([ledger]):
        run_trial(ledger)
        with pytest.raises(ValueError, match=r"^study 'tiny' runs \(0 trials now, by .*\): stop it first"):
            check_idle(storage, ["tiny"])
    check_idle(storage, ["tiny"])


def ledger_mark(ledger):
    (trial,) = ledger.study.get_trials(deepcopy=False)
    return removal.driver_of(trial)


@pytest.mark.parametrize("scheme", ["", "s3:/"])
def test_whoever_has_weights_in_its_folder_is_known_however_they_came_there(storage, tmp_path, scheme):
    lent = f"{scheme}{tmp_path}/a-lender-0a1b2c3d/trial-00000/10-student"
    run_trial(tiny_ledger(storage, "a lender", id="0a1b2c3d"), weights=lent)
    told, chain, apart = (tiny_ledger(storage, name, id=f"{i:08x}") for i, name in enumerate(("told", "chain", "own")))
    told.take_over({"lr": 0.1, "delta": 0.5}, [candidate(weights=lent)], {TOLD_FROM: "a lender/0"})
    chain.take_over({"lr": 0.1, "delta": 0.5}, [candidate(weights=lent)], {TAKEN_FROM: "told/0"})
    run_trial(apart, weights=f"{tmp_path}/own-00000002/trial-00000/10-student")
    url = f"sqlite:///{tmp_path}/studies.db"
    lender, other = (doomed(storage, name, str(tmp_path)) for name in ("a lender", "told"))
    assert borrowers(url, [lender]) == ["chain", "told"]
    assert borrowers(url, [lender, other]) == ["chain"]
    assert borrowers(url, [other]) == []
