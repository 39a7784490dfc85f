"""An audit's reading: every item, those that count, and the model as it was; what cannot be had is one line."""

import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from tiny import tiny_model, tiny_tokenizer

from trainables.probes import auditing, parse, parse_probe
from trainables.probes.auditing import Auditor
from trainables.probes.measuring import PLAIN, Asked
from trainables.runs.sameness import bits_of
from trainables.runs.unlearning import load_task
from trainables.scores import measured_scores
from trainables.subjects.saving import save_subject
from trainables.task import Task
from trainables.world import ALONE


@pytest.fixture(scope="module")
def task(tiny):
    return Task(**tiny.places(), cache=tiny.cache())


@pytest.fixture(scope="module")
def auditor(task):
    return Auditor(task, score_batch=8)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A candidate's folder: neither of the reference models."""
    folder = tmp_path_factory.mktemp("run") / "step-1-student"
    save_subject(tiny_model(7, num_hidden_layers=1), tiny_tokenizer(), folder)
    return str(folder)


def asked(place, stress=PLAIN, whose="1@step/1/student"):
    return Asked(whose=whose, place=place, stress=stress)


def test_as_it_is_a_model_has_the_scores_of_all_items(auditor, task, tiny, tmp_path):
    told = auditor(asked(tiny.places()["model"], whose="target"), str(tmp_path))
    loaded = load_task(task)
    known = loaded.evaluator.with_scores(measured_scores())(loaded.target)
    assert told["scores"] == {name: [r.value, r.low, r.high] for name, r in known.scores.items()}
    items = pd.read_parquet(told["items"])
    assert items["counts"].all()
    pd.testing.assert_frame_equal(items.drop(columns="counts"), known.items, check_dtype=False)
    assert told["seconds"] > 0


def test_a_split_task_is_audited_by_all_items(tiny, auditor, tmp_path):
    halved = Auditor(Task(**tiny.places(), cache=tiny.cache(), split=True), score_batch=8)
    one, two = (a(asked(tiny.places()["retrained"], whose="retrained"), str(tmp_path)) for a in (auditor, halved))
    assert one["scores"] == two["scores"]
    assert one["scores"]["privleak"] == [0.0, 0.0, 0.0]


def test_what_a_stress_gives_away_does_not_count(auditor, place, tmp_path):
    told = auditor(asked(place, "relearn_in:k=1,share=0.5"), str(tmp_path))
    items = pd.read_parquet(told["items"])
    of = items[items["score"] == "knowmem_f"]
    assert of["counts"].tolist() == [False, False, True, True]
    assert told["scores"]["knowmem_f"][0] == pytest.approx(of[of["counts"]]["value"].mean())
    assert items[items["score"] == "knowmem_r"]["counts"].all()


@pytest.mark.parametrize("stress", ["quant:int3", "relearn_in:k=1,share=0.5"])
def test_behind_a_whole_reading_the_model_is_what_it_was_to_the_bit(auditor, stress):
    model = tiny_model(3, num_hidden_layers=1)
    before = bits_of(model, ALONE)
    plain = auditor.read(model, None)
    stressed = auditor.read(model, parse(stress))
    again = auditor.read(model, None)
    assert bits_of(model, ALONE) == before
    assert not np.array_equal(plain.items["value"], stressed.items["value"])
    pd.testing.assert_frame_equal(plain.items, again.items)
    assert not model.training
    assert all(weight.grad is None for weight in model.parameters())


def test_so_it_is_where_scoring_breaks_under_the_stress(auditor, monkeypatch):
    model = tiny_model(3, num_hidden_layers=1)
    before = bits_of(model, ALONE)

    def fails(*args, **options):
        raise ArithmeticError("in the middle")

    monkeypatch.setattr(type(auditor._evaluator), "counting", fails)
    with pytest.raises(ArithmeticError):
        auditor.read(model, parse("quant"))
    assert bits_of(model, ALONE) == before


def test_a_stress_that_cannot_be_put_on_is_refused_in_a_line_and_the_next_reading_is_made(auditor, place, tmp_path):
    told = auditor(asked(place, "relearn_unrelated"), str(tmp_path))
    assert told["refused"] == "the benchmark has no raw/unrelated, which relearn_unrelated reads"
    assert not told["passing"]
    assert "scores" not in told
    assert auditor(asked(place, "quant"), str(tmp_path))["scores"]


def test_a_stress_that_breaks_the_numbers_is_refused(auditor, place, tmp_path, monkeypatch):
    real = auditor.read

    def read(subject, stress, **more):
        found = real(subject, stress, **more)
        found.scores["knowmem_r"] = type(found.scores["knowmem_r"])(value=np.nan, low=0.0, high=0.0, n=4)
        return found

    monkeypatch.setattr(auditor, "read", read)
    told = auditor(asked(place, "quant"), str(tmp_path))
    assert told["refused"].startswith("knowmem_r is nan, not a finite number")


def test_what_may_pass_is_told_apart_memory_that_is_full_and_weights_that_went(auditor, place, tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    shutil.copytree(place, gone)
    shutil.rmtree(gone)
    told = auditor(asked(str(gone)), str(tmp_path))
    assert (told["refused"], told["passing"]) == (f"{str(gone)!r} is not there any more", True)

    def full(*args, **more):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(auditor, "read", full)
    told = auditor(asked(place, "quant"), str(tmp_path))
    assert told["refused"].startswith("memory is full while measuring 1@step/1/student under quant")
    assert told["passing"]


def test_a_model_is_loaded_once_for_all_its_stresses(auditor, place, tiny, tmp_path, monkeypatch):
    loaded, load = [], auditing.load_subject
    monkeypatch.setattr(auditing, "load_subject", lambda here: loaded.append(here) or load(here))
    for whose in (tiny.places()["model"], place):
        for stress in (PLAIN, "quant", "quant:int8"):
            auditor(asked(whose, stress), str(tmp_path))
    assert loaded[-1] == place
    assert len(loaded) == len(set(loaded))


def test_a_model_that_lies_below_a_url_is_brought_and_its_table_too(auditor, place, tmp_path):
    told = auditor(asked(f"file://{place}", "quant"), f"file://{tmp_path}/audits")
    here = auditor(asked(place, "quant"), str(tmp_path))
    assert told["items"].startswith(f"file://{tmp_path}/audits/1-step-1-student-quant")
    assert told["scores"] == here["scores"]
    pd.testing.assert_frame_equal(pd.read_parquet(told["items"]), pd.read_parquet(here["items"]))


def test_a_trace_is_read_beside_the_target_and_is_no_score(auditor, place, tiny, tmp_path):
    told = {
        whose: auditor(asked(where, "same_code", whose=whose), str(tmp_path))
        for whose, where in (("1@step/1/student", tiny.places()["retrained"]), ("target", tiny.places()["model"]))
    }
    assert told["target"]["scores"]["same_code_nf4"] == pytest.approx([100.0, 100.0, 100.0])
    value, low, high = told["1@step/1/student"]["scores"]["same_code_nf4"]
    assert low <= value <= high < 100
    assert told["target"]["tells"]["same_code_int8"]
    items = pd.read_parquet(told["target"]["items"])
    assert set(items["score"]) == {"same_code_nf4", "same_code_int8"}
    assert items["counts"].all()
    assert not auditor(asked(place, "quant"), str(tmp_path)).get("tells")


def test_a_model_of_other_shapes_is_refused_by_a_trace_that_compares_weights(auditor, tmp_path):
    save_subject(tiny_model(7, num_hidden_layers=2), tiny_tokenizer(), tmp_path / "two")
    told = auditor(asked(str(tmp_path / "two"), "same_code"), str(tmp_path))
    assert told["refused"] == "its weights are not of the target's shapes: 14 matrices against 7"
    assert told["tells"]  # it is known for a trace nonetheless


def test_behind_a_trace_the_model_is_what_it_was_to_the_bit(auditor):
    model = tiny_model(3, num_hidden_layers=1)
    before = bits_of(model, ALONE)
    auditor.trace(model, parse_probe("cka"))
    assert bits_of(model, ALONE) == before
    assert not model.training
