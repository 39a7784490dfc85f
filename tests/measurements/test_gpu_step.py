"""The GPU measurement runs anywhere on a tiny shape, and counts FLOPs by hand."""

import json
import sys

import pytest
import torch
from seven import seven_shape

from measurements import gpu_step
from trainables.memory.plan import plan
from trainables.methods.mean_teacher import MeanTeacher

TINY = "--layers 2 --width 64 --vocabulary 300 --length 32 --batch 4 --micro 2 --steps 3 --warmup 1 --items 3 --new 4 --precision fp32".split()


def test_it_runs_on_a_cpu_prints_a_table_and_writes_json(tmp_path, monkeypatch, capsys):
    out = tmp_path / "gpu_step.json"
    monkeypatch.setattr(sys, "argv", ["gpu_step", *TINY, "--checkpointing", "--out", str(out)])
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    gpu_step.main()
    written, printed = json.loads(out.read_text()), capsys.readouterr().out
    assert "step over floor" in printed
    assert (written["device"], written["share_of_peak"]) == ("cpu", None)
    assert {written[name] for name in ("peak_bytes", "scoring_peak_bytes", "used_bytes")} == {None}
    assert written["scoring_s"] > 0
    assert written["over_floor"] == pytest.approx(written["step_s"] / written["floor_s"])
    assert written["tokens_per_s"] == pytest.approx(2 * 4 * 32 / written["step_s"])


def test_flops_of_a_7b_step_are_about_fourteen_a_weight_and_token():
    run = MeanTeacher(batch_size=40, max_length=1024)
    matrices = 6_738_415_616 - 32000 * 4096 - 65 * 4096  # embeddings are looked up, norms are small
    expected = 40 * 1024 * 14 * matrices
    assert expected < gpu_step.step_flops(seven_shape(), run) < 1.06 * expected


def test_the_floor_reaches_every_trainable_weight():
    arguments = gpu_step.parse(TINY)
    config, run = gpu_step.make_config(arguments), gpu_step.make_run(arguments)
    cpu = torch.device("cpu")
    student, teacher = gpu_step.make_model(config, cpu), gpu_step.make_model(config, cpu)
    gpu_step.freeze(student)
    gpu_step.floor_step(student, teacher, gpu_step.random_sequences(config, run), run, cpu)
    assert all((p.grad is not None) == p.requires_grad for p in student.parameters())
    assert all(p.grad is None for p in teacher.parameters())


@pytest.mark.parametrize("phase", ["loss", "backward", "update", "scoring"])
def test_what_is_planned_is_a_phase_without_its_reserve(phase):
    needed = plan(seven_shape(), MeanTeacher())
    assert gpu_step.planned(needed, phase) + needed.phases[phase]["reserve"] == needed.need(phase)


@pytest.mark.parametrize(("name", "peak"), [("NVIDIA H100 PCIe", 756e12), ("NVIDIA H100 80GB HBM3", 989e12), ("NVIDIA A100-SXM4-80GB", 312e12), ("GeForce", None)])  # fmt: skip
def test_the_peak_goes_by_the_device_s_name(name, peak, monkeypatch):
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: name)
    assert gpu_step.peak_flops(torch.device("cuda")) == peak


def test_a_run_without_a_step_behind_the_warm_up_is_refused():
    with pytest.raises(ValueError, match="--steps is 3: it must be more than --warmup, 3"):
        gpu_step.parse(["--steps", "3", "--warmup", "3"])
