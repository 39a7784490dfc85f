"""`lethe plan` prints what a run needs on hardware that is not here, and a run on GPUs prints it before it loads."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from seven import seven_folder, seven_shape
from transformers import MambaConfig

from lethe_cli import plan_table
from lethe_cli.main import main
from lethe_cli.plan import plan as command
from lethe_cli.plan_table import announce_plan, draw_plan, here
from search_spaces.presets import PRESET_SETTINGS
from trainables.memory.fitting import Memory
from trainables.memory.plan import GIB, plan
from trainables.methods import find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.task import Task

NEWS = MeanTeacher(**PRESET_SETTINGS["muse-news"])


@pytest.fixture
def folder(tmp_path):
    return str(seven_folder(tmp_path / "seven"))


@pytest.mark.parametrize("benchmark", PRESET_SETTINGS)
def test_the_presets_fit_on_eight_gpus_of_80_gib_as_they_are(folder, benchmark, capsys):
    command(benchmark=benchmark, model=folder, gpu_memory=80)
    out = " ".join(capsys.readouterr().out.split())
    assert f"note: preset {benchmark}: lr=0.0005" in out
    assert "6.74B parameters on 8 workers" in out
    assert "sum, of 80.0" in out


def test_hardware_that_is_too_small_is_refused_after_the_table(folder, capsys):
    with pytest.raises(
        ValueError, match=r"needs [\d.]+ GiB on each GPU \(scoring\), and there are 24.0: it fits with --workers 32"
    ):
        command(benchmark="muse-news", model=folder, gpu_memory=24)
    assert "sum, of 24.0" in capsys.readouterr().out


def test_a_block_that_the_model_has_not_is_told_by_the_setting_that_numbers_it(folder):
    with pytest.raises(ValueError, match="^layer is 40: it must be one of the model's 32 blocks, counted from 0"):
        command(model=folder, method="rmu_adaptive", settings=["layer=40"])


def test_the_plan_as_json_is_in_bytes(folder, capsys):
    command(benchmark="muse-news", model=folder, workers=4, as_json=True)
    printed = capsys.readouterr()
    needed = plan(seven_shape(), NEWS, 4)
    assert json.loads(printed.out) == {"phases": needed.phases, "host": needed.host}
    assert "memory plan" in printed.err


def test_settings_and_presets_meet_as_in_a_run(folder, capsys):
    command(model=folder, settings=["precision=bf16", "max_length=64"], as_json=True)
    config = MeanTeacher(precision="bf16", max_length=64)
    assert json.loads(capsys.readouterr().out)["phases"] == plan(seven_shape(), config, 1).phases


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({}, "which model is planned"),
        ({"benchmark": "muse-mini"}, "which model is planned"),
        ({"benchmark": "nosuch"}, "benchmark 'nosuch' is unknown"),
        ({"benchmark": "muse-news", "workers": 0}, "--workers is 0: it must be at least 1"),
        ({"benchmark": "muse-news", "gpus_per_node": 0}, "--gpus-per-node is 0: it must be at least 1"),
        ({"benchmark": "muse-news", "gpu_memory": -1.0}, "--gpu-memory is -1: it must be a number of GiB"),
        ({"benchmark": "muse-news", "gpu_memory": float("nan")}, "--gpu-memory is nan: it must be a number of GiB"),
        ({"benchmark": "muse-news", "gpu_memory": 1e308}, r"--gpu-memory is 1e\+308: it must be a number of GiB"),
        ({"model": "/no/such"}, "^--model '/no/such' is neither a folder nor a hub id owner/name$"),
        ({"model": __file__}, f"^--model '{__file__}' is a file, not a folder$"),
        ({"model": str(Path(__file__).parent)}, r"^--model '[^\n]*' has no configuration \(looked for config.json\)$"),
    ],
)
def test_bad_input_is_one_line(flags, message):
    with pytest.raises(ValueError, match=message):
        command(**flags)


def test_a_model_that_cannot_be_had_is_asked_for_once(monkeypatch, tmp_path):
    asked = []

    def away(self, reference, **_):
        asked.append(reference)
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", away)
    with pytest.raises(ValueError, match="^no model 'muse-bench/MUSE-News_target': .* the hub does not answer"):
        command(benchmark="muse-news")
    assert asked == ["muse-bench/MUSE-News_target"]


def test_the_table_adds_up():
    needed = plan(seven_shape(), NEWS, 8)
    table = draw_plan(needed, Memory(gpu=80 * GIB))
    cells = [list(column.cells) for column in table.columns]
    for column, phase in zip(cells[1:], needed.phases, strict=True):
        assert sum(float(cell) for cell in column if cell) == pytest.approx(needed.need(phase) / GIB, abs=0.5)


def said(task, config, memory, monkeypatch, workers=8, others=()):
    """What is printed before a run, and others with it, on a machine with this memory."""
    monkeypatch.setattr(plan_table, "here", lambda gpus: memory)
    console = Console(record=True, width=200)
    announce_plan(task, [config, *others], workers=workers, gpus=1, console=console)
    return console.export_text()


def test_a_machine_without_a_gpu_refuses_nothing_and_says_nothing_of_small_runs(folder, monkeypatch):
    assert "6.74B parameters" in said(Task(benchmark="muse-news", model=folder), NEWS, Memory(), monkeypatch, workers=1)
    assert said(Task(benchmark="own", model=folder), NEWS, Memory(), monkeypatch) == ""
    assert said(Task(benchmark="muse-mini"), MeanTeacher(), Memory(gpu=GIB), monkeypatch) == ""


def test_a_machine_with_gpus_refuses_what_cannot_fit(folder, monkeypatch):
    small = Memory(gpu=24 * GIB)
    with pytest.raises(ValueError, match="it fits with --workers 32"):
        said(Task(benchmark="muse-news", model=folder), NEWS, small, monkeypatch)


OTHERS = {
    "all weights": {"freeze": False},
    "two moments": {"optimizer": "adamw"},
    "kept activations": {"checkpointing": False},
    "four bytes": {"precision": "fp32"},
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_of_several_configurations_the_one_that_needs_most_is_shown_and_refused(folder, other, monkeypatch):
    task, heavier = Task(benchmark="muse-news", model=folder), replace(NEWS, **other)
    alone = said(task, heavier, Memory(), monkeypatch)
    assert alone != said(task, NEWS, Memory(), monkeypatch)
    assert said(task, NEWS, Memory(), monkeypatch, others=[heavier]) == alone
    just = Memory(gpu=plan(seven_shape(), NEWS, 8).peak)
    assert said(task, NEWS, just, monkeypatch)
    with pytest.raises(ValueError, match=r"^this run needs [\d.]+ GiB on each GPU"):
        said(task, NEWS, just, monkeypatch, others=[heavier])


def test_of_an_architecture_that_the_plan_does_not_know_a_run_says_so_and_goes_on(tmp_path, monkeypatch):
    MambaConfig(hidden_size=32, num_hidden_layers=2).save_pretrained(tmp_path)
    told = said(Task(benchmark="muse-news", model=str(tmp_path)), MeanTeacher(), Memory(gpu=GIB), monkeypatch)
    assert told.startswith("note: the memory of a model of type mamba cannot be planned: ")
    assert told.rstrip().endswith("; whether the run fits is not known")


def test_a_gpu_s_memory_is_what_nvidia_smi_tells_and_workers_share_it(tmp_path, monkeypatch):
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho 81920\necho 40960\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert (here(1).gpu, here(1).per_node, here(0.5).gpu, here(0.5).per_node) == (40 * GIB, 2, 20 * GIB, 4)
    assert here(0) == Memory()


def test_the_command_is_there_and_ends_with_exit_code_2_where_nothing_fits(folder, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["lethe", "plan", "--model", folder, "--gpu-memory", "4"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_of_several_methods_the_heaviest_is_shown_and_the_one_that_cannot_fit_is_named(folder, monkeypatch):
    task, light = Task(benchmark="muse-news", model=folder), find_method("guard_prompt").settings()
    text = said(task, light, Memory(gpu=200 * GIB, host=2000 * GIB), monkeypatch, others=[NEWS])
    assert "of the methods guard_prompt needs most memory:" in text
    with pytest.raises(ValueError, match=r"^guard_prompt: this run needs [\d.]+ GiB on each GPU"):
        said(task, light, Memory(gpu=24 * GIB, host=2000 * GIB), monkeypatch, others=[NEWS])
