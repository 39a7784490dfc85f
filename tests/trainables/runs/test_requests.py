"""Requests that grow, and requests that follow one another: what is unlearned, from where, and how a run goes on."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file
from tiny import article, tiny_benchmark
from tiny_task import tiny_task

from trainables.benchmarks.layout import text_rows, write_benchmark
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.npo import NPOGDR
from trainables.methods.task_vector import TaskVector
from trainables.runs.legs import legs_of
from trainables.runs.unlearning import Unlearner
from trainables.settings import REQUESTS

PARTS = [[article(2 * k), article(2 * k + 1)] for k in range(4)]
SPLITS = {("sust", f"forget_{k}"): PARTS[k - 1] for k in (1, 2, 3, 4)} | {
    ("scal", f"forget_{k}"): sum(PARTS[:k], []) for k in (1, 2, 3, 4)
}
RUN = NPOGDR(steps=4, eval_every=2, batch_size=2, lr=0.05)  # its reference is the model that a request begins with


def rows_of(forget, requests=SPLITS):
    rest = {("raw", "retain1"): ["The farm lies near Keld."], ("raw", "forget"): forget} | requests
    return tiny_benchmark(2).splits | {key: text_rows(texts) for key, texts in rest.items()}


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    return tiny_task(tmp_path_factory.mktemp("requests"), rows_of(sum(PARTS, [])))


@pytest.fixture(scope="module")
def unlearner(task):
    return Unlearner(task)


@pytest.fixture(scope="module")
def successive(unlearner, tmp_path_factory):
    """A run over four requests that nothing happened to."""
    return list(unlearner(replace(RUN, request="sust"), tmp_path_factory.mktemp("whole") / "run"))


def candidates(results):
    return [candidate for result in results for candidate in result["candidates"]]


def weights(candidate):
    return load_file(f"{candidate['weights']}/model.safetensors")


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def alone(task, forget, folder, model=None):
    """The last candidate of a run on a benchmark whose whole forget set is these texts."""
    write_benchmark(folder / "data", rows_of(forget, {}))
    other = replace(task, benchmark=str(folder / "data"), model=model or task.model)
    return candidates(Unlearner(other)(RUN, folder / "run"))[-1]


def test_a_part_of_the_forget_set_is_unlearned_as_if_it_were_all(task, unlearner, tmp_path):
    found = candidates(unlearner(replace(RUN, request="scal_2"), tmp_path / "run"))
    assert [candidate["at"] for candidate in found] == [2, 4]
    assert same(weights(found[-1]), weights(alone(task, SPLITS["scal", "forget_2"], tmp_path / "alone")))


def test_each_request_begins_with_the_model_that_the_last_one_left(task, successive, tmp_path):
    model = None
    for k, (candidate, part) in enumerate(zip(candidates(successive), PARTS, strict=True), 1):
        last = alone(task, part, tmp_path / str(k), model)
        assert same(weights(candidate), weights(last))
        model = last["weights"]


def test_a_run_over_requests_is_scored_behind_each(successive):
    found = candidates(successive)
    assert [(candidate["axis"], candidate["at"]) for candidate in found] == [("request", k) for k in (1, 2, 3, 4)]
    costs = [candidate["cost"] for candidate in found]
    assert costs == pytest.approx([costs[0] * k for k in (1, 2, 3, 4)])


def test_its_steps_are_counted_on(unlearner, tmp_path):
    import pandas as pd

    list(unlearner(replace(RUN, request="sust"), tmp_path / "run"))
    assert pd.read_parquet(tmp_path / "run" / "steps.parquet")["step"].tolist() == list(range(1, 17))


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_run_that_was_closed_between_requests_goes_on_to_the_same_bits(unlearner, successive, tmp_path, after):
    settings = replace(RUN, request="sust")
    running = unlearner(settings, tmp_path / "run")
    for _ in range(after):
        next(running)
    running.close()
    kept = {path.name for path in (tmp_path / "run" / "state").iterdir()}
    assert kept == {"progress.json", f"request-{after + 1}"}
    first = tmp_path / "run" / "request-00001-student" / "model.safetensors"
    written = first.stat().st_mtime_ns
    again = candidates(unlearner(settings, tmp_path / "run"))
    assert first.stat().st_mtime_ns == written
    assert all(same(weights(one), weights(two)) for one, two in zip(again, candidates(successive), strict=True))
    assert not (tmp_path / "run" / "state").exists()


def test_a_run_that_was_ended_within_a_request_goes_on_to_the_same_bits(unlearner, successive, tmp_path, monkeypatch):
    settings, folder = replace(RUN, request="sust"), tmp_path / "run"
    given = unlearner.__call__(settings, folder)
    next(given)
    monkeypatch.setattr(unlearner, "_score", lambda *rest: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):  # where the second request would be scored: two of its steps are kept
        next(given)
    monkeypatch.undo()
    assert (folder / "state" / "step-000006").is_dir()
    again = candidates(unlearner(settings, folder))
    assert all(same(weights(one), weights(two)) for one, two in zip(again, candidates(successive), strict=True))


def test_the_first_role_of_a_method_goes_on(unlearner, tmp_path):
    settings = MeanTeacher(steps=2, eval_every=2, batch_size=2, lr=0.5, request="sust")
    running = unlearner(settings, tmp_path / "run")
    found = {candidate["role"]: candidate for candidate in next(running)["candidates"]}
    running.close()
    begun = load_file(tmp_path / "run" / "state" / "request-2" / "model.safetensors")
    assert same(begun, weights(found["student"]))
    assert not same(begun, weights(found["teacher"]))


def test_the_legs_that_are_left():
    settings = replace(RUN, request="sust")
    assert [(leg.number, leg.before, leg.done) for leg in legs_of(settings, 6)] == [(2, 4, 2), (3, 8, 0), (4, 12, 0)]
    assert [(leg.number, leg.done) for leg in legs_of(settings, 8)] == [(3, 0), (4, 0)]
    assert [(leg.of, leg.done, leg.start) for leg in legs_of(RUN, 3)] == [(1, 3, None)]


def test_the_splits_of_a_request():
    assert REQUESTS["scal_3"] == ("scal/forget_3",)
    assert replace(RUN, request="sust").requests == tuple(f"sust/forget_{k}" for k in (1, 2, 3, 4))
    assert replace(RUN, request="sust").evaluations == 4


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(RUN, request="sust", mixes=2), "mixes is 2 and request sust: only a single request has"),
        (lambda: TaskVector(request="sust"), "request 'sust' is unknown: choose one of all, scal_1"),
        (lambda: replace(RUN, request="scal_5"), "request 'scal_5' is unknown: choose one of all, scal_1"),
    ],
    ids=["mixes", "strengths", "unknown"],
)
def test_what_cannot_be_asked_for_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
