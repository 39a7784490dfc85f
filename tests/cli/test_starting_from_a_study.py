"""`--start-from` names a study of Lethe's, in the same store or in another: what is none is told before anything runs."""

from dataclasses import dataclass

import optuna
import pytest
from tiny_study import candidate, tiny_facts, tiny_ledger

from lethe.analysis.ablation import DESIGN
from lethe.analysis.designs import one_at_a_time
from lethe.search.ledger import Ledger
from lethe.store.storage import open_storage
from lethe_cli.flags import ArenaFlags, TuneFlags
from lethe_cli.starting import check_start, known_of, source_of
from trainables.methods.mean_teacher import MeanTeacher


@dataclass
class Asked:
    """Of a request what is looked at here."""

    flags: TuneFlags | ArenaFlags
    storage: str
    name: str = "new"


@pytest.fixture
def url(tmp_path):
    found = f"sqlite:///{tmp_path}/studies.db"
    tiny_ledger(open_storage(found), "old")
    optuna.create_study(storage=found, study_name="theirs")
    return found


def asked(url, start_from, **changes):
    return Asked(flags=TuneFlags(start_from=start_from), storage=url, **changes)


def test_a_study_is_named_by_itself_or_behind_its_store(url):
    assert source_of(asked(url, "old")) == (url, "old")
    assert source_of(asked("sqlite:///elsewhere.db", f"{url}#old")) == (url, "old")
    assert source_of(asked(url, None)) is None
    assert source_of(Asked(flags=ArenaFlags(), storage=url)) is None
    check_start(asked(url, "old"))


MISTAKES = {
    "nosuch": r"has no study 'nosuch' \(there: theirs, old\)$",
    "theirs": "^study 'theirs' was not made by Lethe$",
    "new": "^--start-from names the search's own study 'new': choose another --name$",
    "sqlite:///nosuch.db#old": "^there is no store 'sqlite:///nosuch.db' yet",
    "sqlite:///nosuch.db": "^--start-from 'sqlite:///nosuch.db' names no study: give STORAGE_URL#STUDY$",
}


@pytest.mark.parametrize(("start_from", "message"), MISTAKES.items(), ids=MISTAKES)
def test_a_mistake_is_told_in_one_line_and_makes_no_store(url, start_from, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        check_start(asked(url, start_from))
    assert not (tmp_path / "nosuch.db").exists()


def test_an_ablation_is_refused_for_the_settings_of_its_arms_are_not_among_its_trials_parameters(url):
    design = one_at_a_time({"loss": {"nlul": {}, "ll": {"forget_loss": "ll"}}})
    arms = {"arm": ("choice", tuple(arm.name for arm in design)), "seed": ("integer", 0, 9)}
    about = {"method": "mean_teacher", "settings": MeanTeacher.defaults(), DESIGN: design.to_json()}
    Ledger.create(open_storage(url), "arms", tiny_facts(about=about), arms)
    with pytest.raises(ValueError, match=r"^--start-from names the ablation 'arms', whose arms set what [^\n]*$"):
        check_start(asked(url, "arms"))


def test_settings_that_came_later_have_their_defaults_in_an_older_study(url):
    about = {"method": "mean_teacher", "settings": {"steps": 30}}
    Ledger.create(open_storage(url), "older", tiny_facts(about=about), {"lr": ("uniform", 0.0, 1.0)})
    known = known_of(url, "older")
    assert known.facts.about["settings"] == MeanTeacher.defaults() | {"steps": 30}


def test_only_trials_that_are_complete_are_known(url):
    ledger = Ledger(open_storage(url), "old", {"lr": ("uniform", 0.0, 1.0)})
    for failure in (None, "it broke"):
        number, _ = ledger.ask()
        ledger.record(number, candidate())
        ledger.tell(number, failure)
    ledger.ask()
    known = known_of(url, "old")
    assert [trial.number for trial in known.trials] == [0]
    assert known.best == {0}
