"""An arena's studies are made when there is a cluster to run them; who cannot run on the model is told before."""

from contextlib import nullcontext
from dataclasses import replace
from io import StringIO

import optuna
import pytest
from rich.console import Console
from searching import make_tiny
from tiny_study import candidate, scores

from lethe.cluster import connection as cluster
from lethe.fronts.objectives import Constraint
from lethe.search.limits import FULL
from lethe.store.facts import PLANNED
from lethe.store.storage import open_storage
from lethe_cli import arena_run, checks, search
from lethe_cli.arena_request import make_arena
from lethe_cli.arena_run import of_those_that_can, run_arena
from lethe_cli.flags import ArenaFlags
from trainables.scores.references import References

REFERENCES = References(
    target=scores(knowmem_f=90.0), retrained=scores(knowmem_f=5.0), reference=None, items={}, content="", fingerprint=""
)
QUIET = Console(quiet=True)
TWO = "mean_teacher,guard_prompt"


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("tiny")).places()


@pytest.fixture
def ask(places, tmp_path, monkeypatch):
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)
    monkeypatch.setattr(arena_run, "begin", lambda *_: REFERENCES)
    return lambda **flags: make_arena(
        ArenaFlags(**places, **({"storage_path": str(tmp_path), "method": TWO, "seeds": 2, "trials": 1} | flags))
    )


def no_cluster(*_, **__):
    raise ConnectionError("there is no cluster")


def names(request):
    return optuna.get_all_study_names(open_storage(request.storage))


def test_an_arena_whose_cluster_does_not_come_up_makes_no_study(ask, monkeypatch):
    monkeypatch.setattr(cluster, "connect", no_cluster)
    with pytest.raises(ConnectionError):
        run_arena(ask(), QUIET)
    assert names(ask()) == []


def begun(ask, monkeypatch):
    """An arena whose studies are made, and of which nothing ran."""
    with monkeypatch.context() as patched:
        patched.setattr(cluster, "connect", lambda modules: nullcontext(cluster.Cluster(nodes=((2.0, 0.0),))))
        patched.setattr(arena_run, "run_entries", no_cluster)
        with pytest.raises(ConnectionError):
            run_arena(ask(), QUIET)
    return ask(resume=True)


def test_every_entry_has_its_study_with_the_most_trials_that_it_may_have(ask, monkeypatch):
    request = begun(ask, monkeypatch)
    assert names(request) == [entry.name for entry in request.searches()]
    for name in names(request):
        study = optuna.load_study(study_name=name, storage=open_storage(request.storage))
        assert study.user_attrs[PLANNED] == request.budget.most


def test_an_arena_that_has_nothing_left_to_run_joins_no_cluster_and_shows_its_table(ask, monkeypatch):
    request = begun(ask, monkeypatch)
    for entry in request.searches():
        ledger = search.open_ledger(entry, open_storage(request.storage), REFERENCES)
        while request.budget.had(ledger.trials) < FULL:
            number, _ = ledger.ask()
            ledger.record(number, candidate(knowmem_f=1.0))
            ledger.spend(number, 5000.0)
            ledger.tell(number)
    monkeypatch.setattr(cluster, "connect", no_cluster)
    console = Console(file=StringIO(), width=100)
    outcome = run_arena(request, console)
    assert (outcome["interrupted"], outcome["failure"]) == (False, None)
    assert {row["entrant"] for row in outcome["entrants"]} == set(TWO.split(","))
    assert outcome["words"][0] in console.file.getvalue()


def test_an_arena_that_was_stopped_says_so_and_how_to_go_on(ask, monkeypatch):
    request = begun(ask, monkeypatch)
    monkeypatch.setattr(cluster, "connect", lambda modules: nullcontext(cluster.Cluster(nodes=((2.0, 0.0),))))
    monkeypatch.setattr(arena_run, "run_entries", lambda *_: None)
    monkeypatch.setattr("sys.argv", ["lethe", "arena", "--methods", TWO, "--seeds", "2"])
    console = Console(file=StringIO(), width=100)
    outcome = run_arena(request, console)
    assert outcome["interrupted"]
    text = console.file.getvalue()
    assert "interrupted after 0% of the arena; the same command with --resume goes on" in text
    assert f"arena --methods {TWO} --seeds 2 --resume" in text


def test_where_all_trials_of_all_failed_that_is_the_outcome(ask, monkeypatch):
    request = begun(ask, monkeypatch)
    for entry in request.searches():
        ledger = search.open_ledger(entry, open_storage(request.storage), REFERENCES)
        ledger.tell(ledger.ask()[0], "out of memory")
    assert run_arena(request, QUIET)["failure"] == "all trials of all entrants failed"


def test_who_cannot_run_on_the_model_is_left_out_of_all_with_a_note_and_refused_where_it_is_named(ask):
    """The tiny target has one block, and RMU's default layer is none of it."""
    console = Console(file=StringIO(), width=200)
    everyone = ask(method="all")
    able = [entrant.label for entrant in of_those_that_can(everyone, console).entrants]
    assert "rmu_adaptive" in {entrant.label for entrant in everyone.entrants} - set(able)
    assert able[0] == "mean_teacher"
    assert "note: rmu_adaptive is left out: " in console.file.getvalue()
    with pytest.raises(ValueError, match=r"^entrant 'rmu_adaptive' cannot run on this model: "):
        of_those_that_can(ask(method="mean_teacher,rmu_adaptive"), QUIET)


def test_what_every_entry_was_made_from_is_known_before_anything_is_scored(ask, monkeypatch):
    request = begun(ask, monkeypatch)
    assert set(search.stored_content(request)) == set(names(request))


def test_entries_that_come_later_have_the_guard_of_those_that_were_begun(ask, monkeypatch):
    loops = replace(REFERENCES, target=scores(repetition_f=1.0))
    storage, first = open_storage(ask().storage), ask(seeds=1)
    for entry in first.searches():
        search.open_ledger(replace(entry, guard={"utility": 0.8}), storage, loops)
    later = ask(seeds=2, resume=True)
    ledgers = search.open_ledgers(later.searches(), storage, loops)
    assert {ledger.facts.constraints for ledger in ledgers} == {(Constraint(score="utility", floor=40.0),)}
    assert set(first.guard) == {"utility", "repetition_f", "nonwords_f"}
