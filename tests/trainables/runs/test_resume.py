"""A saved state is taken up by its own run only, whole or not at all, and nothing that is read of it runs code."""

import json
import pickle
import shutil
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from test_unlearning import RUN, candidates, task, unlearner, weights_of  # noqa: F401
from tiny import tiny_model
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.method import Candidate, Evaluated, State, Step
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.pdu import PDU
from trainables.methods.task_vector import TaskVector
from trainables.runs import resume
from trainables.runs.resume import STATE
from trainables.runs.run_folder import RunFolder
from trainables.training import descend
from trainables.world import ALONE

TEXTS = [[3 + (7 * i + j) % 200 for j in range(8 + i)] for i in range(5)]
LONG = replace(RUN, steps=6)  # scored, and saved, after steps 2 and 4


@pytest.fixture(scope="module")
def whole(unlearner, tmp_path_factory):  # noqa: F811
    """The run of LONG that nothing happened to."""
    return list(unlearner(LONG, tmp_path_factory.mktemp("whole")))


def begin(unlearner, folder, config=LONG):  # noqa: F811
    """A run that was closed behind its first evaluation."""
    running = unlearner(config, folder)
    first = next(running)
    running.close()
    return first


def scored_anew(folder):
    """When the first candidate of a run was written: a run that goes on does not write it again."""
    return (folder / "step-00002-student" / "model.safetensors").stat().st_mtime_ns


def test_all_that_a_run_goes_on_from_lies_in_one_folder(unlearner, tmp_path):  # noqa: F811
    begin(unlearner, tmp_path)
    state = tmp_path / STATE
    assert {file.suffix for file in state.rglob("*") if file.is_file()} == {".safetensors", ".json"}
    shutil.rmtree(state)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {f"step-00002-{role}{end}" for role in ("student", "teacher") for end in ("", ".parquet")} | {
        "steps.parquet"
    }


def test_a_run_that_was_closed_goes_on_and_its_state_goes_as_it_ends(unlearner, whole, tmp_path):  # noqa: F811
    begin(unlearner, tmp_path)
    before = scored_anew(tmp_path)
    again = list(unlearner(LONG, tmp_path))
    assert scored_anew(tmp_path) == before
    assert weights_of(again) == weights_of(whole)
    assert [result["candidates"][0]["at"] for result in again] == [2, 4, 6]
    assert not (tmp_path / "state").exists()


@pytest.mark.parametrize("other", [{"lr": 1e-9}, {"alpha": 10.0}, {"seed": 1}, {"steps": 2}, {"steps": 1}])
def test_another_configuration_s_state_is_not_taken_up_but_removed(unlearner, tmp_path, other):  # noqa: F811
    begin(unlearner, tmp_path / "one")
    config = replace(LONG, **other)
    found = list(unlearner(config, tmp_path / "one"))
    alone = list(unlearner(config, tmp_path / "two"))
    assert [candidate["scores"] for candidate in candidates(found)] == [
        candidate["scores"] for candidate in candidates(alone)
    ]
    assert [result["candidates"][0]["at"] for result in found] == [result["candidates"][0]["at"] for result in alone]
    assert weights_of(found) == weights_of(alone)
    assert not (tmp_path / "one" / "state").exists()


def test_the_state_of_other_data_is_not_taken_up(unlearner, tmp_path, monkeypatch):  # noqa: F811
    begin(unlearner, tmp_path)
    before = scored_anew(tmp_path)
    other = replace(unlearner.loaded, references=replace(unlearner.loaded.references, fingerprint="other"))
    monkeypatch.setattr(unlearner, "loaded", other)
    list(unlearner(replace(LONG, steps=3), tmp_path))
    assert scored_anew(tmp_path) > before


def cut(folder):
    (folder / "step-000002" / "teacher.safetensors").write_bytes(b"\0" * 20)


def lose(folder):
    (folder / "step-000002" / "optimizer.momentum_buffer.safetensors").unlink()


def scribble(folder):
    (folder / "progress.json").write_text('{"key": ')


def mistype(folder):
    stored = json.loads((folder / "progress.json").read_text())
    (folder / "progress.json").write_text(json.dumps(stored | {"step": "../../.."}))


@pytest.mark.parametrize("damage", [cut, lose, scribble, mistype])
def test_a_damaged_state_is_no_state(unlearner, whole, tmp_path, damage):  # noqa: F811
    begin(unlearner, tmp_path)
    damage(tmp_path / "state")
    before = scored_anew(tmp_path)
    assert weights_of(list(unlearner(LONG, tmp_path))) == weights_of(whole)
    assert scored_anew(tmp_path) > before


def test_a_state_of_other_tensors_ends_the_run_with_the_reason(unlearner, tmp_path):  # noqa: F811
    begin(unlearner, tmp_path)
    file = tmp_path / "state" / "step-000002" / "student.safetensors"
    tensors = load_file(file)
    name = next(iter(tensors))
    save_file(tensors | {name: torch.ones(1)}, file)
    *_, end = unlearner(LONG, tmp_path)
    assert "is not of this model" in end["failure"]


class Bomb:
    """Writes a file as it is unpickled."""

    def __init__(self, file):
        self.file = file

    def __reduce__(self):
        return (open, (str(self.file), "w"))


@pytest.mark.parametrize("place", ["state-000002", "state", "state/step-000002"])
def test_a_crafted_pickle_where_the_state_lies_runs_no_code(unlearner, whole, tmp_path, place):  # noqa: F811
    begin(unlearner, tmp_path / "run")
    folder = tmp_path / "run" / place
    folder.mkdir(exist_ok=True)
    for name in (".metadata", "__0_0.distcp", "optimizer.momentum_buffer.safetensors", "random.safetensors"):
        (folder / name).write_bytes(pickle.dumps(Bomb(tmp_path / "ran")))
    (tmp_path / "run" / "progress.json").write_text('{"step": 2, "state": "state-000002", "results": []}')
    assert weights_of(list(unlearner(LONG, tmp_path / "run"))) == weights_of(whole)
    assert not (tmp_path / "ran").exists()
    pickle.loads(pickle.dumps(Bomb(tmp_path / "ran"))).close()
    assert (tmp_path / "ran").exists()  # it would have


def test_a_run_that_diverges_leaves_no_state_and_one_that_cannot_write_leaves_it(unlearner, tmp_path, monkeypatch):  # noqa: F811
    begin(unlearner, tmp_path / "full")
    monkeypatch.setattr("trainables.runs.unlearning.save_subject", fail)
    *_, end = unlearner(LONG, tmp_path / "full")
    assert end["failure"] == "OSError: No space left on device"
    assert resume.PROGRESS.startswith("state/")
    assert (tmp_path / "full" / resume.PROGRESS).exists()
    monkeypatch.undo()
    wild = replace(LONG, lr=1e30, clip=1e30, warmup_steps=0, eval_every=1)
    *_, end = unlearner(wild, tmp_path / "wild")
    assert end["failure"].startswith("Diverged")
    assert not (tmp_path / "wild" / "state").exists()


SWEEP = TaskVector(steps=4, eval_every=2, batch_size=2, lr=1e-3, alpha=4.0, halvings=2)


@pytest.fixture(scope="module")
def swept(unlearner, tmp_path_factory):  # noqa: F811
    """The run of SWEEP that nothing happened to."""
    return list(unlearner(SWEEP, tmp_path_factory.mktemp("swept")))


def test_a_sweep_gives_a_candidate_for_each_strength(swept):
    assert [(c["axis"], c["at"]) for c in candidates(swept)] == [("alpha", 1.0), ("alpha", 2.0), ("alpha", 4.0)]
    assert [len(result["candidates"]) for result in swept] == [1, 1, 1]


@pytest.mark.parametrize("scored", [1, 2])
def test_a_sweep_that_was_closed_between_strengths_trains_no_more_and_scores_the_rest(
    unlearner,  # noqa: F811
    swept,
    tmp_path,
    monkeypatch,
    scored,
):
    running = unlearner(SWEEP, tmp_path)
    before = [next(running) for _ in range(scored)]
    running.close()
    files = {c["weights"]: Path(c["weights"], "model.safetensors").stat().st_mtime_ns for c in candidates(before)}
    monkeypatch.setattr("trainables.training.descend._backward", fail)
    again = list(unlearner(SWEEP, tmp_path))
    assert weights_of(again) == weights_of(swept)
    assert files == {place: Path(place, "model.safetensors").stat().st_mtime_ns for place in files}
    assert pd.read_parquet(tmp_path / "steps.parquet").step.tolist() == [1, 2, 3, 4]
    assert not (tmp_path / STATE).exists()


def test_a_sweep_that_was_ended_as_it_trained_goes_on_from_its_state(unlearner, swept, tmp_path, monkeypatch):  # noqa: F811
    done, backward = [], descend._backward

    def fail_in_the_third_step(*given):
        done.append(given)
        return fail() if len(done) == 3 else backward(*given)

    monkeypatch.setattr(descend, "_backward", fail_in_the_third_step)
    assert [end["failure"] for end in unlearner(SWEEP, tmp_path)] == ["OSError: No space left on device"]
    assert weights_of(list(unlearner(SWEEP, tmp_path))) == weights_of(swept)
    assert len(done) == 3 + 2  # two steps before and two behind


def fail(*args, **kwargs):
    raise OSError("No space left on device")


def test_drafts_of_a_worker_that_was_killed_are_removed(unlearner, tmp_path):  # noqa: F811
    (tmp_path / ".step-00002-student-x1y2" / "draft").mkdir(parents=True)
    list(unlearner(replace(RUN, steps=1), tmp_path))
    assert not list(tmp_path.glob(".*"))


def tied(**more):
    return tiny_model(tie_word_embeddings=True, **more)


def with_dropout():
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(vocab_size=300, n_positions=64, n_embd=32, n_layer=1, n_head=2))


def with_views():
    """A model of which two weights are views of one storage."""
    model = tiny_model(num_hidden_layers=1)
    norms = [model.model.layers[0].input_layernorm, model.model.norm]
    shared = torch.ones(2, 32)
    for norm, row in zip(norms, shared, strict=True):
        norm.weight = torch.nn.Parameter(row)
    return model


@pytest.mark.parametrize(
    ("make", "settings"),
    [
        (tied, {}),
        (tied, {"freeze": False, "optimizer": "adamw", "lr": 0.01}),
        (tiny_model, {"momentum": 0.0}),
        (tiny_model, {"warm_start": 2, "momentum": 0.0}),
        (tiny_model, {"warm_start": 3}),
        (with_dropout, {"freeze": False}),
        (with_views, {"freeze": False}),
    ],
)
def test_a_run_that_goes_on_has_the_bits_of_one_that_did_not_stop(tmp_path, make, settings):
    config = MeanTeacher(**({"steps": 4, "eval_every": 2, "batch_size": 3, "lr": 0.1} | settings))
    folder = RunFolder(tmp_path)
    straight = list(run(make, config, folder))  # saves behind step 2, and runs on

    def restore(state: State) -> None:
        resume.load(folder, resume.find(folder, "key"), state, ALONE)

    again = list(run(make, config, folder, done=2, restore=restore))
    assert len(again) == 2
    for found, expected in zip(again, straight[2:], strict=True):
        assert all(torch.equal(value, found[name]) for name, value in expected.items())
    assert any(not torch.equal(value, straight[0][name]) for name, value in straight[2].items())


def run(make, config, folder, **going_on):
    """Every candidate's weights; the state is saved behind step 2."""
    for record in unlearn(make(), TEXTS, TEXTS[::-1], config, pad=2, **going_on):
        if isinstance(record, Candidate):
            yield {name: value.clone() for name, value in record.subject.state_dict().items()}
        if isinstance(record, Evaluated) and record.state and record.state.step == 2 and not going_on:
            resume.save(folder, "key", record.state, [], ALONE)


DUAL = PDU(steps=4, eval_every=2, batch_size=3, lr=1e-3, lam0=1.0, lam_warmup=0)


def gone_on(folder) -> list[dict[str, float]]:
    """The steps of DUAL behind its state."""

    def restore(state: State) -> None:
        resume.load(folder, resume.find(folder, "key"), state, ALONE)

    records = unlearn(tiny_model(), TEXTS, TEXTS[::-1], DUAL, pad=2, done=2, restore=restore)
    return [record.row() for record in records if isinstance(record, Step)]


def test_the_numbers_that_a_method_keeps_are_plain_data_and_decide_how_it_goes_on(tmp_path):
    folder, file = RunFolder(tmp_path), tmp_path / resume.PROGRESS
    list(run(tiny_model, DUAL, folder))
    stored = json.loads(file.read_text())
    assert stored["kept"].keys() == {"lam"}
    first, _ = gone_on(folder)
    assert first["lam"] == stored["kept"]["lam"] != DUAL.lam0
    file.write_text(json.dumps(stored | {"kept": {"lam": 7.0}}))
    other, _ = gone_on(folder)
    assert other["lam"] == 7.0
    assert other["gradient_norm"] != first["gradient_norm"]


def test_a_state_from_before_methods_kept_numbers_is_taken_up(tmp_path):
    folder, file = RunFolder(tmp_path), tmp_path / resume.PROGRESS
    config = MeanTeacher(steps=4, eval_every=2, batch_size=3)
    straight = list(run(tiny_model, config, folder))
    stored = json.loads(file.read_text())
    assert stored.pop("kept") == {}
    file.write_text(json.dumps(stored))
    going_on = {"done": 2, "restore": lambda state: resume.load(folder, resume.find(folder, "key"), state, ALONE)}
    for found, expected in zip(run(tiny_model, config, folder, **going_on), straight[2:], strict=True):
        assert all(torch.equal(value, found[name]) for name, value in expected.items())


def test_a_state_that_keeps_other_numbers_is_told_and_changes_nothing(tmp_path):
    folder, file = RunFolder(tmp_path), tmp_path / resume.PROGRESS
    list(run(tiny_model, DUAL, folder))
    file.write_text(json.dumps(json.loads(file.read_text()) | {"kept": {}}))
    with pytest.raises(OSError, match="is not of this method: it keeps other numbers"):
        gone_on(folder)


def test_frozen_weights_are_not_kept_and_a_tied_one_once(tmp_path):
    list(run(tied, MeanTeacher(steps=3, eval_every=2, freeze=False), RunFolder(tmp_path / "all")))
    names = set(load_file(tmp_path / "all" / "state" / "step-000002" / "student.safetensors"))
    assert names == dict(tied().named_parameters()).keys()
    assert "lm_head.weight" not in names
    list(run(tied, MeanTeacher(steps=3, eval_every=2), RunFolder(tmp_path / "matrices")))
    names = set(load_file(tmp_path / "matrices" / "state" / "step-000002" / "student.safetensors"))
    assert names
    assert all("proj" in name for name in names)


def test_where_a_state_lies_follows_from_its_step_and_not_from_what_a_file_says():
    assert Path(resume.Saved(key="", step=7, results=[], parts=[]).place) == Path("state/step-000007")
    for wrong in (
        {"step": "../7"},
        {"key": 1},
        {"results": [1]},
        {"results": {}},
        {"parts": [[]]},
        {"parts": "a"},
        {"kept": {"lam": "1"}},
        {"kept": [1]},
    ):
        with pytest.raises(ValueError, match="no state of a run"):
            resume.Saved(**({"key": "", "step": 7, "results": [], "parts": []} | wrong))
