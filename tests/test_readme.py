"""The README's Python is run as it is written."""

import re
import subprocess
import sys
from pathlib import Path

import optuna
import pytest
import tiny_ablation
from searching import ROOT
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


def test_the_ablation_snippet_prints_arms_and_clear_effects(tmp_path, capsys):
    url, name = tiny_ablation.finished(tmp_path)
    text = re.sub(r'"sqlite:////[^"]+", "muse-mini-loco"', f"{url!r}, {name!r}", snippet("read_ablation"))
    exec(compile(text, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["baseline {}", "damping=off {'damping': 0.0}"]
    assert any("loss=ll" in line and "verbmem_f" in line for line in printed[2:])


def on_tiny(text, tiny) -> str:
    """A snippet as it stands but for the task: muse-mini would be trained where the cache does not have it."""
    named = ", ".join(f"{name}={place!r}" for name, place in tiny.places().items())
    text, changed = re.subn(r'Task\(benchmark="muse-mini"\)', f"Task({named})", text)
    assert changed == 1
    return text


@pytest.mark.slow
def test_the_unlearner_snippet_prints_scores_of_student_and_teacher_at_every_evaluation(
    tiny, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exec(compile(on_tiny(snippet("Config(lr=0.3"), tiny), "README.md", "exec"), {})
    lines = [line.split(maxsplit=2) for line in capsys.readouterr().out.splitlines()]
    assert [(step, role) for step, role, _ in lines] == [
        (step, role) for step in ("20", "40", "60") for role in ("student", "teacher")
    ]
    assert (tmp_path / "runs" / "one").is_dir()


STRANGER = """
import sys
sys.path[:0] = {path!r}
{tuner}
assert not results.errors, results.errors
{trainer}
"""
FOLDERS = {"TorchTrainer(": ["/tmp/run"], "warm(session": ["/tmp/trials/ray", "/tmp/trials"]}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_adapters_run_as_a_stranger_uses_them(tiny, place):
    """Both in one script, on one Ray, the one that starts it first."""
    snippets = {word: on_tiny(snippet(word), tiny) for word in FOLDERS}
    for word, folders in FOLDERS.items():
        for folder in folders:
            assert f'"{folder}"' in snippets[word]
            snippets[word] = snippets[word].replace(f'"{folder}"', repr(folder.replace("/tmp", str(place))))
    trainer, tuner = snippets.values()
    script = place / "stranger.py"
    script.write_text(STRANGER.format(path=[str(ROOT), str(ROOT / "platform")], trainer=trainer, tuner=tuner))
    environment = tiny.environment(RAY_TMPDIR=str(place), RAY_ADDRESS="local")
    environment |= {"PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}"}
    run = subprocess.run([sys.executable, script], env=environment, cwd=place, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:] + run.stderr[-3000:]
    points = sorted(f"step-{step:05d}-{role}" for step in (2, 4) for role in ("student", "teacher"))
    for folder in ("run", "trials/trial-00000", "trials/trial-00001"):
        assert sorted(file.parent.name for file in (place / folder).glob("step-*/model.safetensors")) == points


def test_optuna_is_enough_to_open_a_study(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    run_trial(tiny_ledger(store.open_storage(url), "muse-mini"))
    assert len(optuna.load_study(study_name="muse-mini", storage=url).best_trials) == 1
