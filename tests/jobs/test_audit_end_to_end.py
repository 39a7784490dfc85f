"""An audit that loses a process, and is killed, and one that is stopped: the next one measures what is left, on Ray."""

import json
import os
import signal
import sys
from types import SimpleNamespace

import pytest
from searching import assert_calm, interrupt, left_over, start, wait_until
from tiny_handover import run_study

from lethe.analysis.audit import audit_of, stored_items
from lethe.store.snapshot import Reader
from trainables.methods.mean_teacher import MeanTeacher

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
LETHE = [sys.executable, "-c", "from lethe_cli.main import main; main()"]
PROBES = ("quant:nf4", "quant:int3", "relearn_in:k=2,share=0.5", "relearn_benign:k=2", "relearn_unrelated")
MODELS = 3  # the target, the retrained model and a candidate
READINGS = MODELS * (1 + len(PROBES))
WORKER = "ray::Worker"  # how Ray calls a process of a pool


@pytest.fixture(scope="module")
def audited(place, tiny):
    """A study of one trial whose audit is killed after a reading, stopped later, and goes on, losing a process."""
    url = run_study(tiny, place, MeanTeacher(steps=2, batch_size=2, eval_every=2))
    command = [*LETHE, "audit", "real", "0", "--probes", ",".join(PROBES), "--storage", url, "--concurrent", "1"]
    environment = tiny.environment()

    def stored():
        return Reader(url, "real").read().audits

    with start(command, place, environment) as search:
        wait_until(lambda: len(stored()) >= 1, search, every=0.1)
        processes = search.descendants()
        os.kill(search.process.pid, signal.SIGKILL)
        assert search.wait() == -signal.SIGKILL
        killed = SimpleNamespace(left=left_over(processes, search.mark), stored=stored())
    with start(command, place, environment) as search:
        wait_until(lambda: len(stored()) > len(killed.stored), search, every=0.1)
        interrupt(search)
        stopped = SimpleNamespace(code=search.wait(), printed=search.printed(), stored=stored())
    with start(command, place, environment) as search:
        wait_until(lambda: len(stored()) > len(stopped.stored), search, every=0.1)
        (worker,) = search.named(WORKER)
        worker.kill()
        code = search.wait()
        ended = SimpleNamespace(code=code, printed=search.printed(), study=Reader(url, "real").read())
    with start([*command, "--json"], place, environment) as search:
        code = search.wait()
        again = SimpleNamespace(code=code, out=search.output.read_text("utf-8"), err=search.errors.read_text("utf-8"))
    return SimpleNamespace(killed=killed, stopped=stopped, ended=ended, again=again)


def test_what_was_stored_before_a_kill_is_kept_and_no_process_is_left(audited):
    assert audited.killed.left == []
    for before in audited.killed.stored:
        assert before in audited.stopped.stored


def test_ctrl_c_ends_it_in_order_and_says_how_to_go_on(audited):
    assert audited.stopped.code == 130
    assert "the same command goes on" in audited.stopped.printed
    assert_calm(audited.stopped.printed)
    for before in audited.stopped.stored:
        assert before in audited.ended.study.audits


def test_a_lost_process_is_replaced_and_every_reading_is_there(audited):
    assert audited.ended.code == 0, audited.ended.printed
    assert "measured again in a new process" in audited.ended.printed
    readings = audited.ended.study.audits
    assert len(readings) == READINGS
    refused = {r.stress for r in readings if r.refused}
    assert refused == {"relearn_unrelated"}, [r.refused for r in readings]
    assert not any(r.passing for r in readings)


def test_its_items_are_on_disk_and_something_is_said_of_each_stress(audited):
    study = audited.ended.study
    audit = audit_of(study.audits, stored_items, study.facts.card)
    assert {row.stress for row in audit.rows} == {*PROBES} - {"relearn_unrelated"}
    assert "net recovery" in audited.ended.printed


def test_the_same_command_again_measures_nothing_and_starts_no_cluster(audited):
    assert audited.again.code == 0, audited.again.err
    told = json.loads(audited.again.out)
    assert len(told["audits"]) == READINGS
    assert not told["interrupted"]
    assert "measuring" not in audited.again.err
