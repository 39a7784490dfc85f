"""What the candidates of `lethe train` take on the disk is told before it starts."""

from collections import namedtuple

import pytest
from rich.console import Console
from transformers import LlamaConfig

from lethe_cli import room
from lethe_cli.room import announce_room, candidates
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.whp_logits import WhpLogits
from trainables.task import Task

Usage = namedtuple("Usage", "total used free")
SHAPE = {"hidden_size": 4, "intermediate_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
PARAMETERS = 2 * 10 * 4 + 4 * 4 * 4 + 3 * 4 * 8 + 3 * 4  # embedding and head, attention, MLP, norms

TRAINED = MeanTeacher(steps=60, eval_every=20)


@pytest.fixture
def task(tmp_path, monkeypatch):
    LlamaConfig(vocab_size=10, **SHAPE).save_pretrained(tmp_path / "model")
    monkeypatch.setattr(room, "GB", 1)
    return Task(benchmark="muse-news", model=str(tmp_path / "model"), cache=str(tmp_path))


def announced(task, folder, monkeypatch, *, free=10**6, note=0, settings=TRAINED):
    monkeypatch.setattr(room.shutil, "disk_usage", lambda place: Usage(0, 0, free))
    monkeypatch.setattr(room, "WORTH_A_NOTE", note)
    console = Console(record=True, width=500)
    announce_room(task, settings, folder, console)
    return console.export_text()


@pytest.mark.parametrize(("steps", "every", "count"), [(60, 20, 6), (61, 20, 8), (5, 20, 2), (1200, 60, 40)])
def test_every_evaluation_has_two_candidates_and_the_last_step_is_one(steps, every, count):
    assert candidates(MeanTeacher(steps=steps, eval_every=every)) == count


def test_what_is_much_is_told_and_what_is_little_is_not(task, tmp_path, monkeypatch):
    size = 4 * PARAMETERS
    told = f"note: the weights of 6 candidates of {size}.0 GB each take {6 * size} GB in {tmp_path}; none is removed"
    assert announced(task, tmp_path, monkeypatch) == told + "\n"
    assert announced(task, tmp_path, monkeypatch, note=6 * size) == ""


def test_what_the_disk_does_not_hold_is_refused_before_anything_is_written(task, tmp_path, monkeypatch):
    free = 6 * 4 * PARAMETERS
    assert announced(task, tmp_path / "a" / "b", monkeypatch, free=free)
    with pytest.raises(
        ValueError, match=rf"take {free} GB, and the disk of '.*/a/b' has {free - 1} GB free: give anot"
    ):
        announced(task, tmp_path / "a" / "b", monkeypatch, free=free - 1)
    assert not (tmp_path / "a").exists()


def test_a_candidate_of_two_models_takes_the_room_of_both(task, tmp_path, monkeypatch):
    told = announced(task, tmp_path, monkeypatch, settings=WhpLogits(halvings=2))
    assert told.startswith(f"note: the weights of 3 candidates of {2 * 4 * PARAMETERS}.0 GB each take")


def test_of_the_small_model_that_lethe_makes_nothing_is_asked(tmp_path, monkeypatch):
    assert announced(Task(benchmark="muse-mini", cache=str(tmp_path)), tmp_path, monkeypatch, free=0) == ""
