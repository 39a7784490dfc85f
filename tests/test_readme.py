"""The README's Python is run as it is written."""

import re
from pathlib import Path

import optuna
import pytest
from tiny_study import run_trial, tiny_ledger

from lethe import store

README = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)


def snippet(word: str) -> str:
    """The one snippet that holds a word."""
    (found,) = [text for text in SNIPPETS if word in text]
    return found


def test_the_study_snippet_prints_the_front_of_a_study(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ledger(store.open_storage(url), "muse-mini")
    for verbmem in (30.0, 20.0):
        run_trial(ledger, verbmem_f=verbmem)
    text, changed = re.subn(r'"sqlite:////[^"]+"', repr(url), snippet("read_points"))
    assert changed == 1
    exec(compile(text, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert "verbmem_f" in printed
    assert "20.0" in printed
    assert "30.0" not in printed


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_unlearner_snippet_prints_scores_of_student_and_teacher_at_every_evaluation(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet("Unlearner"), "README.md", "exec"), {})
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert [(step, role) for step, role, _ in lines] == [
        (step, role) for step in ("20", "40", "60") for role in ("student", "teacher")
    ]
    assert (tmp_path / "runs" / "one").is_dir()


def test_optuna_is_enough_to_open_a_study(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    run_trial(tiny_ledger(store.open_storage(url), "muse-mini"))
    assert len(optuna.load_study(study_name="muse-mini", storage=url).best_trials) == 1
