"""The README's Python is run as it is written; what needs a cluster is in test_jobs.py."""

import re

import optuna
import pytest
import tiny_ablation
from snippets import on_tiny, snippet
from tiny_study import run_trial, tiny_ledger

from lethe.store.storage import open_storage


def test_the_study_snippet_prints_the_front_of_a_study(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ledger(open_storage(url), "muse-mini")
    for verbmem in (30.0, 20.0):
        run_trial(ledger, verbmem_f=verbmem)
    text, changed = re.subn(r'"sqlite:////[^"]+"', repr(url), snippet("Reader(url"))
    assert changed == 1
    exec(compile(text, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "verbmem_f" in printed
    assert "20.0" in printed
    assert "30.0" not in printed


def test_the_ablation_snippet_prints_arms_and_clear_effects(tmp_path, capsys):
    url, name = tiny_ablation.finished(tmp_path)
    text = re.sub(r'"sqlite:////[^"]+", "muse-mini-loco"', f"{url!r}, {name!r}", snippet("read_ablation"))
    exec(compile(text, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["baseline {}", "damping=off {'damping': 0.0}"]
    assert any("loss=ll" in line and "verbmem_f" in line for line in printed[2:])


@pytest.mark.slow
def test_the_unlearner_snippet_prints_scores_of_student_and_teacher_at_every_evaluation(
    tiny, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exec(compile(on_tiny(snippet("Config(lr=0.1"), tiny), "README.md", "exec"), {})
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert [(step, role) for step, role, _ in lines] == [
        (step, role) for step in ("20", "40", "60") for role in ("student", "teacher")
    ]
    assert (tmp_path / "runs" / "one").is_dir()


def test_optuna_is_enough_to_open_a_study(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    run_trial(tiny_ledger(open_storage(url), "muse-mini"))
    assert len(optuna.load_study(study_name="muse-mini", storage=url).best_trials) == 1
