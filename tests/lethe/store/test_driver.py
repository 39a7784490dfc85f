"""Drivers of one study: each marks its trials, and only those of a dead one are taken over."""

import itertools
import os
import shutil
import subprocess
import sys
from threading import Event

import psutil
import pytest
from optuna.exceptions import StorageInternalError
from optuna.storages import InMemoryStorage
from optuna.trial import TrialState, create_trial
from tiny_study import SPACE, candidate, run_trial, tiny_ledger

from lethe.search import liveness
from lethe.search.ledger import TAKEN_OVER, Ledger, driving, requeue_interrupted
from lethe.search.liveness import DRIVER
from lethe.store import driver
from lethe.store.driver import is_gone, silent, this_driver
from lethe.store.trials import candidates

ELSEWHERE = "another-node 0 4711 1.5"


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch):
    monkeypatch.setattr(driver, "BEAT", 0)


@pytest.fixture
def child():
    """A process on this host, and its mark."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process, mark_of(process.pid)
    process.kill()
    process.wait()
    process.stdin.close()


def mark_of(pid):
    place = this_driver().rsplit(" ", 2)[0]
    return f"{place} {pid} {driver._start(psutil.Process(pid))}"


def by_the_clock(mark):
    """The mark that an earlier version gave the same process."""
    place, number, _ = mark.rsplit(" ", 2)
    return f"{place} {number} {psutil.Process(int(number)).create_time()}"


def set_clock(monkeypatch, seconds):
    """What psutil sees once the machine's clock was set: it tells when the machine was started by the clock."""
    booted = psutil.boot_time()
    monkeypatch.setattr("psutil._pslinux.boot_time", lambda: booted + seconds)


def forbidden():
    raise AssertionError("looked for heartbeats of drivers whose process is gone")


def test_a_driver_on_this_host_is_gone_as_soon_as_its_process_is_even_where_nobody_waited_for_it(child):
    process, mark = child
    assert not is_gone(mark)
    process.kill()
    while psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert is_gone(mark)
    process.wait()
    assert is_gone(mark)
    assert silent({mark}, forbidden) == {mark}


def test_a_process_that_took_over_the_number_is_another_driver():
    place, number, started = this_driver().rsplit(" ", 2)
    assert not is_gone(this_driver())
    ticks = int(started.removeprefix(driver.TICKS))
    assert is_gone(f"{place} {number} {driver.TICKS}{ticks - 1}")


@pytest.mark.parametrize("seconds", [-86_400, -1, 1, 86_400])
def test_a_driver_that_lives_is_not_gone_because_the_clock_was_set(child, monkeypatch, seconds):
    _, mark = child
    before = psutil.Process(child[0].pid).create_time()
    set_clock(monkeypatch, seconds)
    assert psutil.Process(child[0].pid).create_time() == pytest.approx(before + seconds)
    assert not is_gone(mark)
    assert silent({mark}, lambda: {mark: object()}) == set()


@pytest.mark.parametrize(("seconds", "gone"), [(-30, False), (0, False), (1, False), (86_400, True)])
def test_a_mark_of_an_earlier_version_is_only_gone_where_its_start_is_far_from_the_process_s(
    child, monkeypatch, seconds, gone
):
    process, mark = child
    earlier = by_the_clock(mark)
    set_clock(monkeypatch, seconds)
    assert is_gone(earlier) is gone
    process.kill()
    process.wait()
    assert is_gone(earlier)


@pytest.mark.parametrize("name", ["a b", "x) S 1 (y", ") 1 2 3"])
def test_the_start_of_a_process_is_found_whatever_it_is_called(name, tmp_path):
    program = shutil.copy(shutil.which("sleep"), tmp_path / name)
    process = subprocess.Popen([program, "60"])
    try:
        while psutil.Process(process.pid).name() != name:  # until it is executed it is a copy of this one
            pass
        ticks = float(driver._start(psutil.Process(process.pid)).removeprefix(driver.TICKS))
        started = psutil.boot_time() + ticks / os.sysconf("SC_CLK_TCK")
        assert started == pytest.approx(psutil.Process(process.pid).create_time(), abs=0.02)
    finally:
        process.kill()
        process.wait()


def test_a_driver_elsewhere_is_never_known_to_be_gone_but_only_silent():
    assert not is_gone(ELSEWHERE)
    assert silent({ELSEWHERE}, lambda: {ELSEWHERE: "same"}) == {ELSEWHERE}
    assert silent({ELSEWHERE}, dict) == {ELSEWHERE}


@pytest.mark.parametrize("looks", range(1, driver.LOOKS + 1))
def test_a_new_sign_of_life_in_any_look_is_enough(looks):
    signs = iter(["old"] * looks + ["new"] * driver.LOOKS)
    assert silent({ELSEWHERE}, lambda: {ELSEWHERE: next(signs), "others": "x"}) == set()


def test_a_sign_that_comes_after_the_last_look_is_too_late():
    signs = iter(["old"] * (driver.LOOKS + 1) + ["new"])
    assert silent({ELSEWHERE}, lambda: {ELSEWHERE: next(signs)}) == {ELSEWHERE}


def test_a_driver_gives_signs_as_long_as_it_drives_and_fails_what_runs_at_its_end():
    ledger = tiny_ledger()
    with driving([ledger]):
        ledger.ask()
        first = wait_for_another_sign(ledger, None)
        wait_for_another_sign(ledger, first)
    assert ledger.trials.interrupted() == [0]


def test_a_driver_drives_all_its_studies_between_two_trials_too_until_it_leaves_them():
    ledgers = [tiny_ledger(name=name) for name in ("a", "b")]
    with driving(ledgers):
        assert [liveness.drivers_of(ledger.study) for ledger in ledgers] == [{this_driver()}] * 2
        wait_for_another_sign(ledgers[0], liveness.heartbeats_of(ledgers[0].study)[this_driver()])
    assert [liveness.drivers_of(ledger.study) for ledger in ledgers] == [set()] * 2


def test_a_resume_ends_the_marks_of_drivers_that_died_on_this_host_and_leaves_those_of_others(child):
    process, mark = child
    ledger = tiny_ledger()
    for driver_ in (mark, ELSEWHERE):
        ledger._mark(driver_, "then")
    process.kill()
    process.wait()
    requeue_interrupted([ledger])
    assert liveness.drivers_of(ledger.study) == {ELSEWHERE}


def wait_for_another_sign(ledger, before):
    while (now := liveness.heartbeats_of(ledger.study).get(this_driver())) == before:
        pass
    return now


def ask_elsewhere(ledger, monkeypatch):
    """Ask as a driver on another machine would."""
    with monkeypatch.context() as there:
        there.setattr(driver, "this_driver", lambda: ELSEWHERE)
        return ledger.ask()


def states(ledger):
    return [trial.state for trial in ledger.study.trials]


def resume(storage, monkeypatch, gives_signs):
    signs = iter(range(100)) if gives_signs else iter([0] * 100)
    monkeypatch.setattr(liveness, "heartbeats_of", lambda study: {ELSEWHERE: next(signs)})
    return Ledger.resume(storage, "tiny", SPACE)


def test_a_resume_leaves_the_trials_of_a_driver_that_lives(monkeypatch):
    storage = InMemoryStorage()
    other = tiny_ledger(storage)
    number, _ = ask_elsewhere(other, monkeypatch)
    own = resume(storage, monkeypatch, gives_signs=True)
    assert states(own) == [TrialState.RUNNING]
    assert own.trials.claimed() == 1
    other.record(number, candidate())
    assert other.tell(number) is None
    assert (own.trials.finished(), own.trials.claimed()) == (1, 1)


def test_a_resume_takes_over_the_trials_of_a_driver_that_is_silent_and_drops_what_it_tells_later(monkeypatch):
    storage = InMemoryStorage()
    other = tiny_ledger(storage)
    number, params = ask_elsewhere(other, monkeypatch)
    own = resume(storage, monkeypatch, gives_signs=False)
    assert states(own) == [TrialState.FAIL, TrialState.WAITING]
    other.record(number, candidate())  # it was only asleep
    assert other.tell(number) == TAKEN_OVER
    assert own.ask() == (1, params)
    assert list(candidates(own.study.trials[0])) == []
    run_trial(own)
    assert (own.trials.finished(), own.trials.interrupted(), own.trials.failures()) == (1, [0], {})


def test_a_trial_that_was_not_marked_yet_is_taken_over_only_if_it_stays_so(monkeypatch):
    storage = InMemoryStorage()
    ledger = tiny_ledger(storage)
    ledger.study.add_trial(create_trial(state=TrialState.RUNNING))
    ledger.study.add_trial(create_trial(state=TrialState.RUNNING))
    marks = iter([(), (), (0,)])

    def look(study):
        for number in next(marks, ()):
            storage.set_trial_user_attr(number, DRIVER, ELSEWHERE)
        return {}

    monkeypatch.setattr(liveness, "heartbeats_of", look)
    assert states(Ledger.resume(storage, "tiny", SPACE))[:2] == [TrialState.RUNNING, TrialState.FAIL]


def test_two_drivers_that_ask_at_the_same_moment_get_different_suggestions(monkeypatch):
    """The second trial is made before the first has its parameters."""
    ledger, params = tiny_ledger(sampler="random"), []
    begin = Ledger._begin

    def interleaved(self, trial):
        if not params:
            params.append(None)
            params.append(Ledger(self._storage, "tiny", SPACE).ask()[1])
        return begin(self, trial)

    monkeypatch.setattr(Ledger, "_begin", interleaved)
    assert ledger.ask()[1] != params[1]


@pytest.mark.parametrize("failure", [StorageInternalError("disk is full"), ConnectionError("no answer")])
def test_heartbeats_outlast_a_store_that_fails_for_a_while(failure):
    """An error in a thread that nobody catches is an error of the test too."""
    beats, came = iter([failure, None]), Event()

    def beat(now):
        if (error := next(beats, None)) is not None:
            raise error
        came.set()

    with driver.heartbeats(beat):
        assert came.wait(60)


def test_a_driver_of_several_studies_is_looked_for_once_and_lives_by_a_heartbeat_with_any_of_them(monkeypatch):
    storage, looks = InMemoryStorage(), itertools.count()
    ledgers = [tiny_ledger(storage, name=name) for name in ("a", "b", "c")]
    for ledger in ledgers[:2]:
        ask_elsewhere(ledger, monkeypatch)
    heartbeats = {"a": itertools.repeat(0), "b": looks, "c": itertools.repeat(0)}
    monkeypatch.setattr(liveness, "heartbeats_of", lambda study: {ELSEWHERE: next(heartbeats[study.study_name])})
    requeue_interrupted(ledgers)
    assert [states(ledger) for ledger in ledgers] == [[TrialState.RUNNING], [TrialState.RUNNING], []]
    assert next(looks) == 3  # before the first wait, behind it, and as the study is gone on with
