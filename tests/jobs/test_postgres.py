"""A study in PostgreSQL, on a real server: as in SQLite, with several drivers at once, and through the server's death."""

import inspect
import re
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import optuna
import pandas as pd
import psutil
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from postgres import PASSWORD, needs_postgres, start_postgres
from slow_candidates import read_candidates
from tiny_study import SPACE, candidate, made_up, run_trial, tiny_facts, tiny_ledger

from lethe.handover import removal
from lethe.handover.listing import live_studies
from lethe.search.ledger import Ledger, driving
from lethe.search.liveness import DRIVER
from lethe.store import driver
from lethe.store.facts import load_facts
from lethe.store.optuna_tables import study_names
from lethe.store.server_storage import ServerStorage
from lethe.store.snapshot import Reader
from lethe.store.storage import load_study, open_storage
from lethe.store.trials import RERUN_OF, candidates, write_note
from lethe.store.urls import hide_password
from lethe_cli.flags import TuneFlags
from lethe_cli.request import make_request

pytestmark = [pytest.mark.slow, needs_postgres]
ROOT = Path(__file__).parents[2]
DRIVE = """
import sys
from lethe.store.storage import open_storage
from lethe.search.ledger import Ledger, driving
from tiny_study import SPACE, candidate, made_up
url, name, trials, resume, at_once = sys.argv[1:]
ledger = (Ledger.resume if resume == "resume" else Ledger)(open_storage(url), name, SPACE)
print("ready", flush=True)
with driving([ledger]):
    for _ in range(int(trials) // int(at_once)):
        running = [ledger.ask() for _ in range(int(at_once))]
        for number, params in running:
            print("asked", number, flush=True)
            ledger.record(number, candidate(**made_up(params)))
        for number, _ in running:
            ledger.tell(number)
            print("told", number, flush=True)
    if trials == "1":
        print("asked", ledger.ask()[0], flush=True)
        sys.stdin.read()
"""  # a driver, as a process; with one trial it goes on to hold a second one


@pytest.fixture(scope="module")
def server():
    with start_postgres() as started:
        yield started


@pytest.fixture
def name(request):
    """A study of the test's own: the server is shared."""
    return request.node.name


@pytest.fixture
def storage(server):
    return open_storage(server.url())


@pytest.fixture
def drive():
    """Start drivers; they are killed at the end."""
    started = []

    def start(url, name, trials, resume="open", at_once=1):
        process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", DRIVE, url, name, str(trials), resume, str(at_once)],
            cwd=ROOT,
            env={"PYTHONPATH": "platform:.:tests/helpers", "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def numbers(printed, verb):
    return [int(line.split()[1]) for line in printed.splitlines() if line.startswith(f"{verb} ")]


def search(storage, name):
    """A study of complete, failed, infeasible and running trials."""
    ledger = tiny_ledger(storage, name, sampler="random")
    for utility in (50.0, 30.0, 100 / 3, float("nan"), 41.0):
        number, params = ledger.ask()
        ledger.record(number, candidate(5, "teacher", f"w{number}", **made_up(params), mia_ppl=float("nan")))
        ledger.record(number, candidate(10, "student", f"v{number}", verbmem_f=0.1 + 0.2, utility=utility))
        ledger.tell(number)
    ledger.tell(ledger.ask()[0], "out of memory: " + "x" * 5000)
    ledger.record(ledger.ask()[0], candidate(5))
    return ledger


def test_a_study_is_read_back_with_the_same_points_and_failures_as_in_sqlite(server, storage, name, tmp_path):
    file = f"sqlite:///{tmp_path}/s.db"
    ledgers = [search(storage, name), search(open_storage(file), name)]
    studies = [load_study(url, name) for url in (server.url(), file)]
    facts = [load_facts(study) for study in studies]
    assert facts[0] == facts[1] == tiny_facts(sampler="random")
    there, expected = [read_candidates(*pair) for pair in zip(studies, facts, strict=True)]
    pd.testing.assert_frame_equal(there, expected, check_exact=True)
    assert ledgers[0].trials.failures() == ledgers[1].trials.failures()
    assert [ledger.trials.finished() for ledger in ledgers] == [6, 6]
    assert len(there) > 8


def test_the_dashboard_reads_the_same_points_and_sees_what_changes(server, storage, name):
    ledger = search(storage, name)
    reader = Reader(server.url(), name)
    first = reader.read()
    assert name in study_names(server.url())
    expected = read_candidates(ledger.study, ledger.facts)
    found = first.candidates[expected.columns]
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, check_exact=True)
    assert reader.read() is first
    pd.testing.assert_frame_equal(ledger.front(), found[found["front"]], check_dtype=False, check_exact=True)
    number = int(first.trials["number"].iloc[-1])  # it runs
    ledger.record(number, candidate(7))
    ledger.tell(number)
    write_note(server.url(), name, number, "look here")
    second = reader.read()
    assert len(second.candidates) > len(first.candidates)
    assert second.notes == {number: "look here"}
    assert list(second.distributions) == list(first.distributions)


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_may_be_written_as_people_write_it(server, scheme):
    assert isinstance(study_names(server.url().replace("postgresql", scheme, 1)), list)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda url: url.replace(quote(PASSWORD, safe=""), "Zq9wrong"), "password authentication failed"),
        (lambda url: url.replace("127.0.0.1", "no-such-host.invalid"), "no-such-host.invalid"),
        (lambda url: url + "_none", 'database "postgres_none" does not exist'),
    ],
    ids=["password", "host", "database"],
)
def test_what_is_wrong_with_an_address_is_told_at_once_in_one_line_without_the_password(server, change, reason):
    with pytest.raises(ValueError, match="cannot be opened") as error:
        open_storage(change(server.url()))
    assert reason in str(error.value)
    assert "Zq9" not in str(error.value)
    assert "\n" not in str(error.value)


def test_drivers_that_open_an_empty_database_at_once_all_get_it(server):
    with start_postgres() as empty:
        errors = []

        def open_it():
            try:
                open_storage(empty.url())
            except ValueError as error:
                errors.append(error)

        threads = [threading.Thread(target=open_it) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []


def test_drivers_that_start_one_study_at_once_all_get_it(server, name, tmp_path):
    from lethe_cli.search import open_ledger  # loads torch and Ray Tune
    from trainables.scores.references import References

    request = make_request(TuneFlags(name=name, storage=server.url(), storage_path=str(tmp_path)))
    scores = {score: [50.0, 40.0, 60.0] for score in request.guard}
    references = References(target=scores, retrained=None, reference=None, items={}, content="", fingerprint="")
    with ThreadPoolExecutor(4) as drivers:
        started = [drivers.submit(open_ledger, request, open_storage(server.url()), references) for _ in range(4)]
        ledgers = [future.result() for future in started]
    assert len({ledger.study._study_id for ledger in ledgers}) == 1
    assert all(ledger.facts.about["benchmark"] == "muse-mini" for ledger in ledgers)


def test_drivers_that_work_on_one_study_at_once_are_given_each_number_once_and_lose_nothing(
    server, storage, name, drive
):
    ledger = tiny_ledger(storage, name)
    drivers = [drive(server.url(), name, 12) for _ in range(3)]
    printed = [process.communicate(timeout=600)[0] for process in drivers]
    assert [process.returncode for process in drivers] == [0, 0, 0], printed
    asked = [number for text in printed for number in numbers(text, "asked")]
    assert sorted(asked) == list(range(36))
    assert sum(len(numbers(text, "told")) for text in printed) == ledger.trials.finished() == 36
    trials = ledger.study.trials
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert sorted(Counter(trial.user_attrs[DRIVER] for trial in trials).values()) == [12, 12, 12]
    assert len({tuple(trial.params.items()) for trial in trials}) == 36
    for trial in trials:
        (stored,) = candidates(trial)
        assert stored["scores"] == candidate(**made_up(trial.params))["scores"]


@pytest.mark.parametrize("where", ["server", "file"])
def test_64_trials_run_at_once_by_4_drivers_and_none_is_lost_or_doubled(server, drive, where, tmp_path):
    url, name = (server.url() if where == "server" else f"sqlite:///{tmp_path}/s.db"), f"many in a {where}"
    ledger = tiny_ledger(open_storage(url), name)
    drivers = [drive(url, name, 32, at_once=16) for _ in range(4)]
    printed = [process.communicate(timeout=600)[0] for process in drivers]
    assert [process.returncode for process in drivers] == [0] * 4, printed
    for verb in ("asked", "told"):
        assert sorted(number for text in printed for number in numbers(text, verb)) == list(range(128))
    assert len({tuple(trial.params.items()) for trial in ledger.study.trials}) == 128
    for trial in ledger.study.trials:
        (stored,) = candidates(trial)
        assert stored["scores"] == candidate(**made_up(trial.params))["scores"]
    assert (
        ledger.front()["trial"].tolist() == read_candidates(ledger.study, ledger.facts).query("front")["trial"].tolist()
    )


def test_a_resume_while_another_driver_works_leaves_its_trials_and_a_killed_one_s_run_again_at_once(
    server, storage, name, drive, monkeypatch
):
    monkeypatch.setattr(driver, "BEAT", 0.5)
    tiny_ledger(storage, name)
    alive, dead = (drive(server.url(), name, 1) for _ in range(2))
    held = [second_trial(process) for process in (alive, dead)]
    monkeypatch.setattr(driver, "silent", only_gone)
    dead.kill()
    dead.wait()
    ledger = Ledger.resume(storage, name, SPACE)
    trials = ledger.study.trials
    assert trials[held[0]].state == TrialState.RUNNING
    assert ledger.trials.interrupted() == [held[1]]
    assert ledger.ask() == (4, trials[held[1]].params)


def second_trial(process):
    """Read what a driver prints until it holds its second trial; its number."""
    asked = []
    for line in process.stdout:
        asked += numbers(line, "asked")
        if len(asked) == 2:
            return asked[1]
    raise AssertionError("the driver ended")


def test_a_driver_between_two_trials_is_known_and_its_study_is_not_removed(server, storage, name, monkeypatch):
    monkeypatch.setattr(removal, "dead_drivers", lambda studies: set())
    ledger = tiny_ledger(storage, name)
    with driving([ledger]):
        run_trial(ledger)
        assert name in live_studies(server.url())
        with pytest.raises(ValueError, match="stop it first"):
            removal.check_idle(storage, [name])
    assert name not in live_studies(server.url())
    removal.check_idle(storage, [name])


def only_gone(drivers, look):
    """`silent` for drivers of this host: looking for heartbeats would take a minute of the test."""
    return {mark for mark in drivers if driver.is_gone(mark)}


def test_drivers_that_resume_at_the_same_moment_queue_each_interrupted_trial_once(server, storage, name, drive):
    ledger = tiny_ledger(storage, name)
    running = [ledger.ask() for _ in range(8)]
    ledger.interrupt()
    drivers = [drive(server.url(), name, 0, "resume") for _ in range(4)]
    for process in drivers:
        printed, _ = process.communicate(timeout=300)
        assert printed == "ready\n"
    again = [trial for trial in ledger.study.trials if trial.state == TrialState.WAITING]
    assert sorted(trial.user_attrs[RERUN_OF] for trial in again) == [number for number, _ in running]


def test_a_server_that_is_killed_while_drivers_work_and_comes_back_costs_them_nothing(server, storage, name, drive):
    ledger = tiny_ledger(storage, name)
    drivers = [drive(server.url(), name, 15) for _ in range(2)]
    wait_for(drivers, lambda: len(busy(ledger)) == 2)  # a server that is away when a driver starts is an error
    for _ in range(3):
        enough = ledger.trials.finished() + 3
        wait_for(drivers, lambda enough=enough: ledger.trials.finished() >= enough)
        server.kill()
        server.start()
    printed = [process.communicate(timeout=600)[0] for process in drivers]
    assert [process.returncode for process in drivers] == [0, 0], "\n".join(printed)
    told = [number for text in printed for number in numbers(text, "told")]
    assert len(set(told)) == 30
    states = {trial.number: trial.state for trial in ledger.study.trials}
    assert all(states[number] == TrialState.COMPLETE for number in told)
    assert ledger.trials.finished() == 30
    notes = [
        line for text in printed for line in text.splitlines() if line.split()[0] not in ("ready", "asked", "told")
    ]
    assert all("does not answer; trying again for 60 s" in line for line in notes)
    assert "Zq9" not in "".join(printed)


def busy(ledger):
    """The drivers that were given a trial."""
    return {trial.user_attrs[DRIVER] for trial in ledger.study.trials if DRIVER in trial.user_attrs}


def wait_for(drivers, condition):
    while not condition():
        failed = [process.communicate()[0] for process in drivers if process.poll()]
        assert not failed, failed


def test_every_operation_on_studies_and_trials_is_a_patient_one():
    sessions = {name for name, code in vars(RDBStorage).items() if "_create_scoped_session(" in source(code)}
    trials = {name for name in sessions if re.search("trial|stud", name)}
    inner = {"_get_stale_trial_ids", "_get_best_trial_id"}  # heartbeats and single objectives: not used
    assert trials - inner <= vars(ServerStorage).keys()
    assert len(trials) > 20


def source(code):
    return inspect.getsource(code) if inspect.isfunction(code) else ""


@pytest.mark.parametrize("operation", ["ask", "record", "tell", "front"])
def test_every_step_of_a_trial_waits_for_the_server(server, storage, name, operation, caplog):
    ledger = tiny_ledger(storage, name)
    steps = {
        "ask": lambda: ledger.ask(),
        "record": lambda: ledger.record(0, candidate()),
        "tell": lambda: ledger.tell(0),
        "front": lambda: ledger.front(),
    }
    for step, do in steps.items():
        if step == operation:
            server.kill()
            back = threading.Timer(1.5, server.start)
            back.start()
        do()
    back.join()
    assert [trial.state for trial in ledger.study.trials] == [TrialState.COMPLETE]
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"storage {hide_password(server.url())!r} does not answer")


def test_a_server_that_stays_away_is_one_line_and_no_second_wait(server, storage, name, monkeypatch, caplog):
    monkeypatch.setattr("lethe.store.server_storage.PATIENCE", 2.0)
    ledger = tiny_ledger(storage, name)
    run_trial(ledger)
    ledger.ask()
    server.kill()
    for operation in (lambda: ledger.tell(1, "late"), ledger.trials.finished, ledger.front):
        with pytest.raises(ConnectionError, match=r"does not answer \(.*refused\).*--resume goes on") as error:
            operation()
    assert "Zq9" not in str(error.value)
    assert len(caplog.messages) == 1
    server.start()
    ledger = Ledger.resume(storage, name, SPACE)
    assert (ledger.trials.finished(), ledger.trials.interrupted()) == (1, [1])


def test_an_end_that_was_stored_although_its_answer_was_lost_is_no_error(storage, name):
    ledger = tiny_ledger(storage, name)
    number, _ = ledger.ask()
    trial_id = ledger.study.trials[number]._trial_id
    for _ in range(2):
        assert storage.set_trial_state_values(trial_id, TrialState.COMPLETE, [1.0, 2.0, 3.0])
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        storage.set_trial_state_values(trial_id, TrialState.FAIL)


def test_a_driver_s_process_leaves_nothing_behind_of_the_server():
    with start_postgres() as short:
        group = psutil.Process(short.process.pid)
        family = [group, *group.children(recursive=True)]
        folder = short.folder
    assert psutil.wait_procs(family, timeout=90)[1] == []
    assert not folder.exists()
