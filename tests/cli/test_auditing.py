"""An audit is stored as it comes, goes on where it was stopped, and says what comes back; its processes are made up."""

from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console
from tiny_handover import run_study

from lethe.cluster.connection import Cluster
from lethe.cluster.pool import Answer
from lethe.store.audits import Audited
from lethe.store.snapshot import Reader
from lethe.store.storage import load_study
from lethe_cli import auditing
from lethe_cli.audit_request import make_request
from lethe_cli.auditing import Queue, audit_front, audited, check_probes, readings, run_audit
from trainables.methods.mean_teacher import MeanTeacher
from trainables.probes.measuring import audit_code
from trainables.probes.session import Job, make_auditor
from trainables.task import Task

MODELS = {"target": "t", "retrained": "r", "1@step/2/student": "s"}


def known(*asked, **changes):
    found = [audited(one, {"seconds": 1.0, "scores": {}, "items": "", **changes}) for one in asked]
    return {(one.whose, one.stress): one for one in found}


def test_the_readings_are_every_model_under_every_stress():
    asked = readings(MODELS, ["", "quant:nf4"])
    assert [(one.whose, one.stress) for one in asked[:3]] == [
        ("target", ""),
        ("target", "quant:nf4"),
        ("retrained", ""),
    ]
    assert len(asked) == 6


@pytest.mark.parametrize(
    ("probes", "message"),
    [
        (("quant:nf4", "squeeze"), "probe 'squeeze' is unknown: choose one of quant"),
        (("relearn_in:k=ten",), "k is 'ten'"),
    ],
)
def test_a_search_that_is_to_be_audited_is_refused_for_a_probe_before_it_starts(probes, message):
    with pytest.raises(ValueError, match=message):
        check_probes(probes)


def test_a_stress_of_too_long_a_name_is_refused_before_anything_is_measured():
    with pytest.raises(ValueError, match="is too long a name"):
        readings(MODELS, ["x" * 600])


def test_a_process_keeps_its_model_and_takes_one_that_no_other_has_then():
    queue = Queue(readings(MODELS, ["", "a", "b"]), dict)
    one, two = queue.take(None), queue.take(None)
    assert (one.whose, two.whose) == ("target", "retrained")
    assert [queue.take(one).stress, queue.take(one).stress] == ["a", "b"]
    assert queue.take(one).whose == "1@step/2/student"
    assert queue.take(two).whose == "retrained"


def test_where_no_model_is_left_alone_the_one_with_most_left_is_shared():
    queue = Queue(readings({"target": "t"}, ["", "a", "b"]), dict)
    assert {queue.take(None).stress, queue.take(None).stress} == {"", "a"}
    assert queue.take(None).stress == "b"
    assert queue.take(None) is None


def test_what_is_stored_by_the_same_code_is_not_measured_again_and_what_may_pass_is():
    asked = readings(MODELS, ["", "a"])
    assert Queue(asked, lambda: known(*asked)).left() == 0
    assert Queue(asked, lambda: known(*asked, refused="no such layer")).left() == 0
    assert Queue(asked, lambda: known(*asked, refused="memory is full", passing=True)).left() == 6
    older = {key: Audited(**one.to_json() | {"code": "older"}) for key, one in known(*asked).items()}
    assert Queue(asked, lambda: older).left() == 6


def test_what_another_driver_stored_meanwhile_is_not_begun():
    asked = readings({"target": "t"}, ["", "a", "b"])
    stored = {}
    queue = Queue(asked, lambda: stored)
    assert queue.take(None).stress == ""
    stored |= known(asked[1])
    assert queue.take(None).stress == "b"


@pytest.fixture(scope="module")
def url(tiny, tmp_path_factory):
    return run_study(tiny, tmp_path_factory.mktemp("real"), MeanTeacher(steps=2, batch_size=2, eval_every=2))


class Pool:
    """Jobs done in this process; `stop` jobs are done before Ctrl-C, those of `lost` stresses lose their process."""

    def __init__(self, stop=1000, lost=()):
        self.stop, self.lost, self.done = stop, lost, []

    def __call__(self, load, take, observer, *, slots, cpus, gpus):
        work, job = load(), None
        while (job := take(job)) is not None:
            if len(self.done) == self.stop:
                raise KeyboardInterrupt
            observer.started(job)
            self.done.append((job.whose, job.stress))
            lost = job.stress in self.lost
            yield Answer(job=job, failure="its process was lost 2 times") if lost else Answer(job=job, value=work(job))


@contextmanager
def joined(modules):
    """A cluster of two cores, which nobody starts."""
    yield Cluster(nodes=((2.0, 0.0),))


@pytest.fixture
def run(url, tiny, monkeypatch, capsys):
    """Run an audit of a pool in this process; what it printed and returned."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(Path(tiny.cache()).parent))
    monkeypatch.setattr(auditing.cluster, "connect", joined)

    def audit(pool, probes=("quant:nf4,relearn_in:k=1,share=0.5,relearn_unrelated",)):
        monkeypatch.setattr(auditing, "work_off", pool)
        request = make_request("real", ("0",), probes, url, most=8)
        outcome = run_audit(request, Console(width=120, markup=False))
        return SimpleNamespace(**outcome, printed=capsys.readouterr().out, name=request.candidates[0])

    return audit


def test_an_audit_goes_on_where_it_was_stopped_and_ends_at_once_when_all_is_there(run, url):
    first = run(Pool(stop=5))
    assert first.interrupted
    assert "interrupted after 5 of 12 readings; the same command goes on" in first.printed
    assert len(Reader(url, "real").read().audits) == 5
    rest = Pool()
    second = run(rest)
    assert len(rest.done) == 7
    assert not second.interrupted
    again = Pool()
    third = run(again)
    assert again.done == []
    assert third.audits == second.audits
    assert {(a["whose"], a["stress"]) for a in third.audits} == {
        (whose, stress)
        for whose in ("target", "retrained", first.name)
        for stress in ("", "quant:nf4", "relearn_in:k=1,share=0.5", "relearn_unrelated")
    }


def test_it_says_what_comes_back_and_what_was_refused(run):
    told = run(Pool())
    assert "knowmem_f of each candidate before and under each stress, and of the retrained model" in told.printed
    assert f"{told.name}  quant:nf4" in told.printed
    assert "the benchmark has no raw/unrelated, which relearn_unrelated reads" in told.printed
    assert "dashboard" in told.printed
    assert told.failure is None


def test_a_process_that_was_lost_is_a_refusal_that_the_next_run_tries_again(run, url):
    lost = run(Pool(lost=("quant:int8",)), probes=("quant:int8",))
    found = [a for a in Reader(url, "real").read().audits if a.stress == "quant:int8"]
    assert [(a.refused, a.passing) for a in found] == [("its process was lost 2 times", True)] * 3
    assert "its process was lost 2 times" in lost.printed
    assert "is measured by the same command again" in lost.printed
    again = Pool()
    run(again, probes=("quant:int8",))
    assert len(again.done) == 3
    assert all(a.scores for a in Reader(url, "real").read().audits if a.stress == "quant:int8")


def test_readings_by_other_code_are_measured_again(run, url):
    run(Pool(), probes=("quant:nf4",))
    study = load_study(url, "real")
    reading = next(a for a in Reader(url, "real").read().audits if (a.whose, a.stress) == ("target", "quant:nf4"))
    study.set_user_attr(reading.key, Audited(**reading.to_json() | {"code": "older"}).to_json())
    pool = Pool()
    run(pool, probes=("quant:nf4",))
    assert pool.done == [("target", "quant:nf4")]
    assert all(a.code == audit_code() for a in Reader(url, "real").read().audits)


def test_an_audit_writes_nothing_but_its_readings(run, url):
    before = Reader(url, "real").read()
    run(Pool(), probes=("quant:int4",))
    after = Reader(url, "real").read()
    assert after.trials.equals(before.trials)
    assert after.facts == before.facts


def test_another_copy_of_the_code_in_the_cluster_is_told():
    job = Job(task=Task(benchmark="b"), score_batch=8, folder="f", cpus=1, code="there", path="/code")
    with pytest.raises(ValueError, match="^a process of the cluster runs another copy of the code"):
        make_auditor(job)


def test_the_front_of_a_search_is_audited_where_its_trials_ran(monkeypatch):
    asked = {}

    def request_of(name, candidates, probes, url, **room):
        asked.update({"name": name, "candidates": candidates, "probes": probes, "url": url, **room})
        return "request"

    monkeypatch.setattr(auditing, "make_request", request_of)
    monkeypatch.setattr(auditing, "run_audit", lambda request, console: {"interrupted": False, "failure": "all"})
    flags = SimpleNamespace(concurrent=3)
    search = SimpleNamespace(name="s", storage="sqlite:///s.db", flags=flags, cpus=2.0, gpus=0.5)
    found = audit_front(search, ("quant:nf4",), 8, Console())
    assert (found["failure"], found["interrupted"]) == ("all", False)
    assert asked == {
        **{"name": "s", "candidates": (), "probes": ("quant:nf4",), "url": "sqlite:///s.db"},
        **{"most": 8, "concurrent": 3, "cpus": 2.0, "gpus": 0.5},
    }
