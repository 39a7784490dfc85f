"""`lethe list`, `front`, `recommend` and `delete` say what the dashboard says, as words and as JSON; mistakes are one line."""

import io
import json
import shlex
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace

import optuna
import pytest
from tiny_arena import Entered, Made, make_arena
from tiny_dashboard import REFERENCES, make_study
from tiny_study import candidate, run_trial, tiny_ledger
from typer import Abort, Exit

from dashboard.reports import reasons
from lethe.analysis.decide import Limit
from lethe.analysis.decide import recommend as by_rule
from lethe.handover import removal
from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage
from lethe.store.trials import TOLD_FROM
from lethe_cli import hints, recommending
from lethe_cli.handing_over import delete, export, front, list_studies, recommend


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A study that somebody runs."""
    return make_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def study(url):
    return Reader(url, "tiny").read()


def as_json(capsys):
    return json.loads(capsys.readouterr().out)


def test_the_list_has_every_study_with_what_is_known_of_it(url, capsys):
    list_studies(url)
    assert "tiny" in capsys.readouterr().out
    list_studies(url, as_json=True)
    (found,) = as_json(capsys)["studies"]
    assert (found["benchmark"], found["complete"], found["failed"], found["state"]) == ("muse-mini", 6, 1, "running")


def test_the_front_is_that_of_the_study_with_the_references(url, study, capsys):
    front("tiny", url, as_json=True)
    told = as_json(capsys)
    assert len(told["front"]) == study.candidates["front"].sum()
    assert told["references"] == REFERENCES
    front("tiny", url)
    assert f"{len(told['front'])} of 28 scored candidates are on the front" in capsys.readouterr().out


def test_of_many_settings_every_one_is_told_in_a_column_that_they_share(tmp_path, capsys):
    space = {f"setting_{i}": ("uniform", 0.0, 1.0) for i in range(8)}
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ledger(open_storage(url), space=space)
    for i in range(2):
        ledger.study.enqueue_trial({name: (number + i / 2) / 8 for number, name in enumerate(space)})
        run_trial(ledger, verbmem_f=10.0 * i, knowmem_r=50.0 + i)
    front("tiny", url)
    told = " ".join(capsys.readouterr().out.split())
    for number, name in enumerate(space):
        assert f"{name} {number / 8:.3g}" in told


def test_what_is_recommended_is_the_rule_s_and_in_the_words_of_the_page_decide(url, study, capsys):
    facts = study.facts
    found = by_rule(study.candidates, facts.objectives, facts.constraints)
    recommend("tiny", storage=url)
    said = capsys.readouterr().out.replace("-", "−")
    assert reasons.headline(study.candidates, found, facts.objectives, facts) in said
    for line in reasons.sureness(study.candidates, found, (), facts):
        assert line.replace("-", "−") in said


def test_limits_go_by_each_score_s_goal_and_the_rule_may_be_an_objective(url, study, capsys):
    limits = [Limit(score="privleak", low=-50, high=50), Limit(score="knowmem_r", low=80)]
    found = by_rule(study.candidates, study.facts.objectives, study.facts.constraints, limits, rule="knowmem_r")
    recommend("tiny", ["privleak:50,knowmem_r:80"], "knowmem_r", url, as_json=True)
    told = as_json(capsys)
    row = study.candidates.iloc[found.row]
    assert told["candidate"] == {name: row[name] for name in ("trial", "axis", "at", "role")}
    assert told["limits"][0] == {"score": "privleak", "low": -50.0, "high": 50.0}


@pytest.mark.parametrize("plain", [True, False])
def test_where_nothing_is_left_it_says_to_ship_none_and_ends_with_1(url, capsys, plain):
    with pytest.raises(Exit) as ended:
        recommend("tiny", ["verbmem_f:1"], storage=url, as_json=plain)
    assert ended.value.exit_code == 1
    out = capsys.readouterr().out
    assert json.loads(out)["candidate"] is None if plain else "or ship none" in out


BAD = {
    r"limit 'verb:20' is on an unknown score: choose verbmem_f, ": {"limit": ["verb:20"]},
    r"limit 'verbmem_f:low' is not SCORE:NUMBER, for example verbmem_f:20$": {"limit": ["verbmem_f:low"]},
    r"limit 'verbmem_f' is not SCORE:NUMBER": {"limit": ["verbmem_f"]},
    r"limit on 'verbmem_f' is given twice": {"limit": ["verbmem_f:20", "verbmem_f:30"]},
    r"^rule 'best' is unknown: choose knee, verbmem_f, privleak, knowmem_r$": {"rule": "best"},
    r"has no study 'tinny': the nearest is 'tiny' \(there: tiny\)$": {"study": "tinny"},
}


@pytest.mark.parametrize(("message", "asked"), BAD.items(), ids=BAD)
def test_a_mistake_is_one_line(url, message, asked):
    with pytest.raises(ValueError, match=message):
        recommend(**({"study": "tiny", "storage": url} | asked))


def test_every_command_tells_a_study_that_is_not_there_in_the_same_words(url, tmp_path):
    told = set()
    for ask in (front, recommend, delete, lambda s, storage: export(s, "1", str(tmp_path / "x"), storage=storage)):
        with pytest.raises(ValueError, match="tinny") as error:
            ask("tinny", storage=url)
        told.add(str(error.value))
    assert len(told) == 1


def test_an_arena_is_no_study_of_which_one_candidate_is_taken(tmp_path):
    url = make_arena(tmp_path, [Entered(entrant="npo", seed=0, trials=[])], name="all")
    for ask in (front, recommend):
        with pytest.raises(ValueError, match="^'all' is an arena: name one of its studies"):
            ask("all", storage=url)


def test_an_arena_s_studies_are_deleted_by_its_name_and_no_other(tmp_path, capsys):
    url = make_arena(tmp_path, [Entered(entrant=name, seed=0, trials=[]) for name in ("npo", "rmu")], name="all")
    tiny_ledger(open_storage(url), "mine")
    delete("all", yes=True, storage=url, storage_path=str(tmp_path))
    assert capsys.readouterr().out.count("removed study") == 2
    assert optuna.get_all_study_names(url) == ["mine"]


def test_a_study_that_waits_is_kept_while_another_of_its_arena_runs(tmp_path, monkeypatch):
    entered = [
        Entered(entrant="npo", seed=0, trials=[]),
        Entered(entrant="rmu", seed=0, trials=[Made(state="RUNNING")]),
    ]
    url = make_arena(tmp_path, entered, name="all")
    monkeypatch.setattr(removal, "dead_drivers", lambda studies: set())
    with pytest.raises(ValueError, match="^study 'all: rmu 0' runs"):
        delete("all: npo 0", yes=True, storage=url, storage_path=str(tmp_path))
    monkeypatch.setattr(removal, "dead_drivers", lambda studies: {""})
    delete("all: npo 0", yes=True, storage=url, storage_path=str(tmp_path))
    assert optuna.get_all_study_names(url) == ["all: rmu 0"]


def test_nothing_is_deleted_while_a_live_driver_runs_it(url, monkeypatch):
    monkeypatch.setattr(removal, "dead_drivers", lambda studies: set())
    with pytest.raises(ValueError, match="^study 'tiny' runs"):
        delete("tiny", yes=True, storage=url)
    assert Reader(url, "tiny").read().name == "tiny"


def test_nothing_is_deleted_that_nobody_was_asked_about(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    run_trial(tiny_ledger(open_storage(url)))
    done = subprocess.run(
        [sys.executable, "-c", "from lethe_cli.main import main; main()", "delete", "tiny", "--storage", url],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert done.stderr == "error: nobody can be asked whether 'tiny' is to go: say so with --yes\n"
    assert (done.returncode, optuna.get_all_study_names(url)) == (2, ["tiny"])


def test_a_search_ends_with_what_would_be_recommended_of_its_front(url, study, capsys):
    recommend("tiny", storage=url)
    whole = capsys.readouterr().out.splitlines()
    short = recommending.in_short(study)
    assert short == whole[: len(short)]
    assert len(short) == 1 + len(study.facts.objectives) + len(study.facts.constraints)


def test_nothing_is_recommended_where_nothing_is_feasible(study):
    none = replace(study, candidates=study.candidates.assign(feasible=False))
    assert recommending.in_short(none) == recommending.in_short(replace(study, candidates=none.candidates[:0])) == []


def test_a_search_ends_with_the_command_that_recommends(url, tmp_path):
    words = shlex.split(hints.recommend("a study", f"sqlite:///{tmp_path}/s.db"))
    assert words[-4:] == ["recommend", "a study", "--storage", f"sqlite:///{tmp_path}/s.db"]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("answer", ["y", "n"])
def test_who_is_asked_decides(tmp_path, monkeypatch, answer):
    url = f"sqlite:///{tmp_path}/studies.db"
    run_trial(tiny_ledger(open_storage(url), id="0a1b2c3d"))
    (tmp_path / "tiny-0a1b2c3d" / "trial-00000").mkdir(parents=True)
    monkeypatch.setattr("sys.stdin", Terminal(f"{answer}\n"))
    with nullcontext() if answer == "y" else pytest.raises(Abort):
        delete("tiny", storage=url, storage_path=str(tmp_path))
    kept = answer == "n"
    assert (optuna.get_all_study_names(url) == ["tiny"], (tmp_path / "tiny-0a1b2c3d").exists()) == (kept, kept)


def test_what_another_study_took_over_goes_only_where_somebody_was_asked(tmp_path, monkeypatch, capsys):
    url, lent = f"sqlite:///{tmp_path}/studies.db", str(tmp_path / "tiny-0a1b2c3d" / "trial-00000" / "10-student")
    run_trial(tiny_ledger(open_storage(url), id="0a1b2c3d"), weights=lent)
    other = tiny_ledger(open_storage(url), "other", id="ffffffff")
    other.take_over({"lr": 0.1, "delta": 0.5}, [candidate(weights=lent)], {TOLD_FROM: "tiny/0"})
    with pytest.raises(ValueError, match=r"^'tiny' is not removed with --yes, for weights and outputs of other lie in"):
        delete("tiny", yes=True, storage=url, storage_path=str(tmp_path))
    monkeypatch.setattr("sys.stdin", Terminal("n\n"))
    with pytest.raises(Abort):
        delete("tiny", storage=url, storage_path=str(tmp_path))
    assert "note: other took over results of it" in capsys.readouterr().out
    assert len(optuna.get_all_study_names(url)) == 2
