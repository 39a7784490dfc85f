"""An Unlearner runs one configuration after another on a task that it loads once; no run leaves a trace in the next."""

import json
import math
import weakref
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from disks import fill, needs_mount, small_disk
from tiny import tiny_benchmark
from tiny_task import tiny_task
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.benchmarks.layout import text_rows, write_benchmark
from trainables.failures import OutOfMemory
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.npo import NPOGDR
from trainables.methods.rmu import RMU
from trainables.runs.legs import legs_of
from trainables.runs.unlearning import Unlearner
from trainables.scores import measured_scores, split
from trainables.scores.references import table_of
from trainables.subjects.models import load_model
from trainables.training import initial
from trainables.workers.session import make_session
from trainables.world import World

RUN = MeanTeacher(steps=3, eval_every=2, batch_size=2, lr=0.5)
SCORES = {"verbmem_f", "knowmem_f", "knowmem_r", "privleak", "utility"}


@pytest.fixture(scope="module")
def task(tmp_path_factory):
    """A benchmark and two models on disk."""
    home = tmp_path_factory.mktemp("task")
    benchmark = tiny_benchmark(2)
    retain = text_rows(["The farm lies near Keld.", "Hal Finch opened a shop in Thorne."])
    return tiny_task(home, benchmark.splits | {("raw", "retain1"): retain})


@pytest.fixture(scope="module")
def unlearner(task):
    return Unlearner(task)


@pytest.fixture(scope="module")
def run(unlearner, tmp_path_factory):
    """One run of three steps, scored after the second and the last: its folder and its results."""
    folder = tmp_path_factory.mktemp("run") / "deep" / "trial"
    return folder, list(unlearner(RUN, folder))


def sequences(unlearner, settings):
    """What the one leg of a run reads: the forget sequences, and the penalty's."""
    (leg,) = legs_of(settings, 0)
    return [[ids for _, ids in cut] for cut in unlearner._sequences(settings, leg)]


def candidates(results):
    return [candidate for result in results for candidate in result["candidates"]]


def weights_of(results):
    return [Path(candidate["weights"], "model.safetensors").read_bytes() for candidate in candidates(results)]


def test_every_evaluation_step_gives_the_student_and_the_teacher(run):
    _, results = run
    assert [result["candidates"][0]["at"] for result in results] == [2, 3]
    expected = [(2, "student"), (2, "teacher"), (3, "student"), (3, "teacher")]
    assert [(candidate["at"], candidate["role"]) for candidate in candidates(results)] == expected


def test_every_candidate_has_every_score_with_its_interval(run):
    _, results = run
    for candidate in candidates(results):
        assert set(candidate["scores"]) >= SCORES
        for value, low, high in candidate["scores"].values():
            assert all(map(math.isfinite, (value, low, high)))
            assert low <= high


def test_where_items_are_split_a_candidate_has_the_scores_of_both_halves_and_its_items_say_which(
    task, tmp_path, monkeypatch
):
    monkeypatch.setattr(split, "MOST_WIDE", math.inf)
    splits = tiny_benchmark().splits | {("raw", "retain1"): text_rows(["The farm lies near Keld."])}
    write_benchmark(tmp_path / "data", splits)
    halves = replace(task, benchmark=str(tmp_path / "data"), cache=str(tmp_path / "cache"), split=True)
    candidate = candidates(Unlearner(halves)(replace(RUN, steps=1), tmp_path / "run"))[0]
    assert set(candidate["reported"]) == set(candidate["scores"])
    items = pd.read_parquet(candidate["items"]).query("score == 'knowmem_f'")
    for reports, kind in ((True, "reported"), (False, "scores")):
        mean = items.value[items.reports == reports].mean()
        assert candidate[kind]["knowmem_f"][0] == pytest.approx(mean)


@pytest.mark.parametrize("rank", [0, 2])
def test_mixtures_are_scored_behind_the_last_step_as_the_ordinary_models_they_are_saved_as(
    rank, run, unlearner, tmp_path
):
    settings = replace(RUN, lora_rank=rank, mixes=1)
    found = candidates(unlearner(settings, tmp_path / "run"))
    places = [(candidate["axis"], candidate["at"], candidate["role"]) for candidate in found]
    assert places[-4:] == [(*at, role) for at in (("step", 3), ("mix", 0.5)) for role in ("student", "teacher")]
    assert len(found) == 2 * settings.evaluations
    for candidate in found:
        again = table_of(unlearner.loaded.evaluator(load_model(candidate["weights"])).scores)
        assert {name: values[0] for name, values in again.items()} == pytest.approx(
            {name: values[0] for name, values in candidate["scores"].items()}, abs=1e-6
        )
    assert len({Path(candidate["weights"], "model.safetensors").read_bytes() for candidate in found}) == len(found)
    assert weights_of(list(unlearner(RUN, tmp_path / "next"))) == weights_of(run[1])


@needs_mount
def test_a_disk_that_is_full_ends_a_run_with_the_reason_and_the_next_one_is_whole(run, unlearner, tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        running = unlearner(RUN, disk / "full")
        before = candidates([next(running)])
        fill(disk / "ballast")
        (end,) = running
        assert "No space left on device" in end["failure"]
        assert all(load_model(candidate["weights"]).num_parameters() > 0 for candidate in before)
        (disk / "ballast").unlink()
        assert weights_of(list(unlearner(RUN, disk / "next"))) == weights_of(run[1])


def test_a_block_that_the_model_has_not_ends_a_run_with_the_reason(unlearner, tmp_path):
    (end,) = unlearner(RMU(layer=9, steps=2), tmp_path / "run")
    assert end["failure"] == "NoSuchWeights: block 9 is to be trained, and the model has 2 blocks, from 0"


@pytest.mark.parametrize(
    "place", ["trainables.scores.evaluate.Evaluator.__call__", "trainables.training.descend._backward"]
)
def test_full_memory_ends_a_run_with_what_needs_less_and_the_next_one_finds_all_of_it(
    place, run, unlearner, tmp_path, monkeypatch
):
    models = []

    def too_much(*arguments):
        models.extend(weakref.ref(model) for model in arguments if isinstance(model, torch.nn.Module))
        torch.empty(10**15)  # what torch really raises

    with monkeypatch.context() as patch:
        patch.setattr(place, too_much)
        (end,) = unlearner(replace(RUN, max_length=512), tmp_path / "full")
    doing, less = SAID[place.rsplit(".", 1)[1]]
    assert end["failure"].startswith(f"OutOfMemory: memory is full while {doing}, where 4000000000000000 bytes")
    assert f"; less is needed with {less}" in end["failure"]
    assert models
    assert not any(model() for model in models)
    assert weights_of(list(unlearner(RUN, tmp_path / "next"))) == weights_of(run[1])


SAID = {"__call__": ("scoring", "--set score_batch="), "_backward": ("training", "--set checkpointing=true")}


@pytest.mark.parametrize("size", [1, 2])
def test_of_several_workers_the_one_whose_memory_is_full_ends_with_an_error_for_the_others_wait(
    size, unlearner, tmp_path, monkeypatch
):
    full = SimpleNamespace(_run=too_little, _lighter=lambda *_: "", loaded=SimpleNamespace(world=World(0, size)))
    if size == 1:
        assert "memory is full" in next(Unlearner.__call__(full, RUN, tmp_path))["failure"]
    else:
        with pytest.raises(OutOfMemory, match="memory is full while training"):
            next(Unlearner.__call__(full, RUN, tmp_path))


def too_little(*_):
    raise MemoryError


def test_a_result_can_be_sent_anywhere(run):
    _, results = run
    assert json.loads(json.dumps(results)) == results


def test_weights_come_back_as_a_model_with_the_same_scores(run, unlearner):
    _, results = run
    for candidate in candidates(results):
        again = unlearner.loaded.evaluator(load_model(candidate["weights"]))
        # Where weights lie in memory decides how products of matrices are rounded; a gap is a difference of such.
        assert table_of(again.scores) == {name: pytest.approx(s, abs=1e-4) for name, s in candidate["scores"].items()}


def test_the_teacher_is_not_the_student_and_both_have_left_the_target(run, unlearner):
    _, results = run
    bits = {Path(candidate["weights"], "model.safetensors").read_bytes() for candidate in candidates(results)}
    assert len(bits) == 4
    target = unlearner.loaded.target.state_dict()
    for candidate in candidates(results):
        assert any(not v.equal(target[k]) for k, v in load_model(candidate["weights"]).state_dict().items())


def test_the_items_of_a_candidate_are_readable_and_mean_what_its_scores_say(run):
    _, results = run
    for candidate in candidates(results):
        items = pd.read_parquet(candidate["items"])
        assert list(items.columns) == ["score", "item", "prompt", "output", "truth", "value"]
        verbmem = items[items.score == "verbmem_f"]
        assert len(verbmem) == 2
        assert verbmem.value.mean() == pytest.approx(candidate["scores"]["verbmem_f"][0])


def test_there_is_one_row_of_losses_for_each_step(run):
    folder, _ = run
    steps = pd.read_parquet(folder / "steps.parquet")
    assert steps.step.tolist() == [1, 2, 3]
    assert {"forget_loss", "penalty", "gradient_norm", "clip_coefficient", "lr"} <= set(steps.columns)
    assert steps.lr.tolist() == pytest.approx([0.25, 0.5, 0.5])


def test_a_run_writes_nothing_outside_its_folder(run):
    folder, _ = run
    assert [entry.name for entry in folder.parent.iterdir()] == ["trial"]
    assert len(list(folder.iterdir())) == 4 + 4 + 1  # weights, items, steps


def test_the_same_configuration_gives_the_same_bits_alone_and_as_the_tenth(unlearner, task, tmp_path):
    others = [
        MeanTeacher(**({"steps": 1, "eval_every": 1, "batch_size": 2, "seed": i} | changes))
        for i, changes in enumerate(
            [
                {"lr": 1.0},
                {"optimizer": "adamw", "lr": 0.01},
                {"forget_loss": "ll"},
                {"forget_loss": "npo_sequence_sum"},
                {"forget_loss": "simnpo"},
                {"penalty": "gdr"},
                {"penalty": "none", "damping": 0.0},
                {"freeze": False, "max_length": 8},
                {"lr": 1e30, "clip": 1e30, "steps": 3},  # diverges
            ]
        )
    ]
    alone = list(Unlearner(task)(RUN, tmp_path / "alone"))
    for i, config in enumerate(others):
        list(unlearner(config, tmp_path / f"other-{i}"))
    tenth = list(unlearner(RUN, tmp_path / "tenth"))
    assert weights_of(tenth) == weights_of(alone)
    assert [candidate["scores"] for candidate in candidates(tenth)] == [
        candidate["scores"] for candidate in candidates(alone)
    ]


def test_what_runs_share_of_the_target_is_made_once_and_leaves_no_trace_in_what_they_give(task, tmp_path, monkeypatch):
    passes = []
    made = initial._log_probs
    monkeypatch.setattr(initial, "_log_probs", lambda *given: passes.append(1) or made(*given))
    monkeypatch.setattr("trainables.runs.unlearning.MOST_CACHED", 2)
    unlearner, npo = Unlearner(task), NPOGDR(steps=1, batch_size=2)
    first, second = (list(unlearner(npo, tmp_path / name)) for name in ("first", "second"))
    assert weights_of(first) == weights_of(second)
    costs = [pd.read_parquet(tmp_path / name / "steps.parquet").cost.tolist() for name in ("first", "second")]
    assert costs[0] == costs[1]
    assert len(passes) == 1
    for size in (1, 2, 3):
        list(unlearner(replace(npo, micro_batch_size=size), tmp_path / f"{size}"))
    assert (len(passes), len(unlearner._cached)) == (4, 2)


def test_another_seed_gives_other_bits(unlearner, run, tmp_path):
    _, results = run
    other = list(unlearner(MeanTeacher(steps=2, eval_every=2, batch_size=2, lr=0.5, seed=1), tmp_path / "other"))
    assert weights_of(other)[0] != weights_of(results)[0]


def test_a_run_that_diverges_ends_with_its_reason(unlearner, tmp_path):
    wild = MeanTeacher(steps=6, eval_every=6, batch_size=2, lr=1e30, clip=1e30, damping=0.0, warmup_steps=0)
    (result,) = unlearner(wild, tmp_path / "wild")
    assert list(result) == ["failure", "cost"]
    assert result["failure"].startswith("Diverged: ")


def test_a_folder_that_cannot_be_written_ends_the_run_with_its_reason(unlearner, tmp_path):
    (tmp_path / "file").write_text("")
    (result,) = unlearner(RUN, tmp_path / "file")
    assert "file" in result["failure"]
    assert result["failure"].startswith("FileExistsError: ")


def test_a_session_runs_a_trial_s_method_in_its_folder_and_measures_of_all_scores_those_that_tables_show(
    task, unlearner, tmp_path
):
    trial = {"folder": str(tmp_path / "7"), "method": "mean_teacher", "steps": 1, "eval_every": 1, "batch_size": 2}
    results = list(make_session(task)(trial | {"lr": 0.9, "delta": 0.5}))
    assert {candidate["weights"].rsplit("/", 2)[1] for candidate in candidates(results)} == {"7"}
    by_hand = list(unlearner(MeanTeacher(steps=1, eval_every=1, batch_size=2, lr=0.9, delta=0.5), tmp_path / "hand"))
    assert weights_of(results) == weights_of(by_hand)
    for shown, every in zip(candidates(results), candidates(by_hand), strict=True):
        assert shown["scores"] == {
            name: pytest.approx(every["scores"][name]) for name in measured_scores() if name in every["scores"]
        }
        assert set(shown["scores"]) < set(every["scores"])


def test_a_teacher_that_did_not_move_is_scored_once_and_its_scores_are_those_of_what_it_still_is(
    unlearner, tmp_path, monkeypatch
):
    scored = []
    measure = Unlearner._measure
    monkeypatch.setattr(Unlearner, "_measure", lambda own, c, *rest: scored.append(c.name) or measure(own, c, *rest))
    found = candidates(unlearner(replace(RUN, delta=0.0), tmp_path / "run"))
    assert scored == ["step-00002-student", "step-00002-teacher", "step-00003-student"]
    first, last = (candidate for candidate in found if candidate["role"] == "teacher")
    assert [first[key] for key in ("at", "scores", "items")] == [2, last["scores"], last["items"]]
    for teacher in (first, last):
        assert table_of(unlearner.loaded.evaluator(load_model(teacher["weights"])).scores) == last["scores"]


def test_a_share_of_the_forget_set_is_drawn_by_the_seed_and_trained_on_alone(unlearner):
    whole = sequences(unlearner, RUN)[0]
    halves = [sequences(unlearner, replace(RUN, forget_fraction=0.5, seed=seed))[0] for seed in range(8)]
    assert all(len(half) == 1 and half[0] in whole for half in halves)
    assert len({tuple(half[0]) for half in halves}) == 2


@pytest.mark.parametrize("rule", ["grand", "moderate", "min_k"])
def test_a_part_that_the_target_selects_is_the_same_for_every_seed_and_is_paid_for_once(unlearner, rule):
    (leg,), half = legs_of(RUN, 0), {"forget_fraction": 0.5, "forget_selection": rule}
    whole = sequences(unlearner, RUN)[0]
    (one,), (other,) = (sequences(unlearner, replace(RUN, seed=seed, **half))[0] for seed in (0, 1))
    assert one == other
    assert one in whole
    cost = {"grand": 3, "moderate": 1, "min_k": 1}[rule]
    assert unlearner._start(replace(RUN, **half), leg, None).spent == cost * len(whole)
    assert unlearner._start(replace(RUN, forget_selection=rule), leg, None).spent == 0


def test_the_penalty_reads_the_user_s_own_texts_in_pieces_of_their_own_length(unlearner, tmp_path):
    (tmp_path / "web.txt").write_text("The mill at Orton makes paper, and the bees of Bo Quill make honey.")
    config = replace(RUN, regularisation="unrelated", unrelated_texts=str(tmp_path), regularisation_length=8)
    tokenizer = unlearner.loaded.tokenizer
    pieces = sequences(unlearner, config)[1]
    assert {len(ids) for ids in pieces[:-1]} == {8}
    assert "".join(tokenizer.decode(ids[1:]) for ids in pieces) == (tmp_path / "web.txt").read_text()
    assert sequences(unlearner, replace(config, regularisation="retain"))[1] != pieces
    assert max(map(len, sequences(unlearner, config)[0])) > 8


def test_long_forget_texts_are_truncated_where_the_run_says_so(unlearner):
    pieces = sequences(unlearner, replace(RUN, max_length=9))[0]
    first = sequences(unlearner, replace(RUN, max_length=9, long_texts="truncate"))[0]
    assert len(first) == len(sequences(unlearner, RUN)[0]) < len(pieces)
    assert [ids for ids in pieces if ids in first] == first


def test_text_that_the_benchmark_lacks_is_named(unlearner, tmp_path):
    with pytest.raises(ValueError, match="no split raw/unrelated"):
        list(unlearner(replace(RUN, regularisation="unrelated"), tmp_path))


def test_sequences_longer_than_the_positions_of_the_model_are_refused_with_both_numbers(
    unlearner, tmp_path, monkeypatch
):
    config = GPT2Config(vocab_size=300, n_positions=16, n_embd=16, n_layer=1, n_head=2)
    few = replace(unlearner.loaded, target=GPT2LMHeadModel(config).eval())
    monkeypatch.setattr(unlearner, "loaded", few)
    monkeypatch.setattr(unlearner, "_tokens", {})
    line = r"training on raw/\w+ \(max_length=512\) needs \d+ tokens, and gpt2 has 16 positions: take shorter texts \(in training"
    with pytest.raises(ValueError, match=line):
        list(unlearner(RUN, tmp_path / "long"))
    assert len(sequences(unlearner, replace(RUN, max_length=16))[0]) > 0
