"""`lethe train` goes on only with --resume, only with its own run, and says what it found; nothing is written over."""

import json
import signal
from pathlib import Path

import pytest
from searching import make_tiny

from lethe_cli import benchmark, main, request, run_file
from lethe_cli.run_file import RunFile, check_folder
from lethe_cli.train import train
from trainables.methods.mean_teacher import MeanTeacher
from trainables.runs import unlearning
from trainables.task import Task

STEPS = ["steps=4", "eval_every=2", "batch_size=2"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def lethe(tiny, tmp_path, monkeypatch, capsys):
    """`lethe train` of a tiny task with some settings and flags: what it printed as JSON, and what else it said."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(request, "default_cache", lambda: Path(tiny.cache()))

    def run(*settings, **flags):
        train(settings=[*STEPS, *settings], as_json=True, **(tiny.places() | flags))
        printed = capsys.readouterr()
        return json.loads(printed.out), " ".join(printed.err.split())

    return run


@pytest.fixture
def interrupted(lethe, monkeypatch, capsys):
    """A `lethe train` that gets Ctrl-C behind its first evaluation: what it said."""

    def run(*settings, **flags):
        def stopping(unlearner, config, folder):
            yield next(call(unlearner, config, folder))
            signal.raise_signal(signal.SIGINT)

        call = unlearning.Unlearner.__call__
        with monkeypatch.context() as patch:
            patch.setattr(unlearning.Unlearner, "__call__", stopping)
            with pytest.raises(KeyboardInterrupt):
                lethe(*settings, **flags)
        return " ".join(capsys.readouterr().err.split())

    return run


def scores(outcome):
    return [(candidate["at"], candidate["role"], candidate["scores"]) for candidate in outcome["candidates"]]


def test_another_configuration_begins_in_a_folder_of_its_own(lethe, interrupted):
    interrupted("lr=0.5", "alpha=10")
    other, _ = lethe("lr=1e-9", "alpha=1e-6", "steps=1")
    assert {candidate["at"] for candidate in other["candidates"]} == {1}
    assert other["candidates"][0]["scores"]["verbmem_f"] == other["references"]["target"]["verbmem_f"]
    assert Path(other["folder"]).name == other["run"]
    assert len(list(Path(other["folder"]).parent.iterdir())) == 2


def test_a_run_goes_on_with_resume_only_and_says_so(lethe, interrupted):
    said = interrupted()
    assert "up to step 2" in said
    with pytest.raises(ValueError, match="holds this run: go on with --resume, or choose another --out$"):
        lethe()
    went_on, said = lethe(resume=True)
    assert f"run {went_on['run']} goes on behind step 2" in said
    straight, _ = lethe(out=str(Path(went_on["folder"]).parent / "straight"))
    assert scores(went_on) == scores(straight)


def test_a_run_that_has_ended_is_shown_again_and_not_run_again(lethe, monkeypatch):
    before, said = lethe(resume=True)
    assert f"run {before['run']} begins: there is nothing to go on from in {before['folder']}" in said
    monkeypatch.setattr("lethe_cli.single.Unlearner", None)
    again, said = lethe(resume=True)
    assert "has ended before, and is not run again" in said
    assert again == before


@pytest.mark.parametrize("resume", [False, True])
def test_a_folder_of_another_run_is_left_alone_and_told_in_one_line(lethe, interrupted, tmp_path, resume):
    out = str(tmp_path / "out")
    interrupted("lr=0.5", "alpha=10", out=out)
    before = {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*")}
    differs = r"holds another run \(lr 0.5, not 1e-09; alpha 10.0, not 1e-06\): choose another --out$"
    with pytest.raises(ValueError, match=differs):
        lethe("lr=1e-9", "alpha=1e-6", out=out, resume=resume)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "out").rglob("*")} == before


def test_a_run_that_failed_is_no_run_that_has_ended(lethe, monkeypatch, capsys):
    def full(*_):
        raise OSError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(unlearning, "save_subject", full)
        with pytest.raises(main.typer.Exit):
            lethe()
    assert "No space left on device" in capsys.readouterr().out
    again, said = lethe(resume=True)
    assert "begins: there is nothing to go on from" in said
    assert "failure" not in again


ASKED = RunFile.of(Task(benchmark="data", cache="here"), MeanTeacher(), "key")


def write(folder, **changes):
    other = RunFile.of(Task(**({"benchmark": "data"} | changes.pop("task", {}))), MeanTeacher(**changes), "key")
    other.write(folder)


def test_a_folder_that_is_new_or_empty_is_free_and_its_own_run_s_is_told_apart(tmp_path):
    for folder in (tmp_path, tmp_path / "new"):
        assert check_folder(folder, ASKED, resume=False) is None
    write(tmp_path)
    assert check_folder(tmp_path, ASKED, resume=True) == RunFile.of(Task(benchmark="data"), MeanTeacher(), "key")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seed": 3}, r"another run \(seed 3, not 0\)"),
        ({"task": {"protocol": "open-unlearning"}}, r"another run \(protocol open-unlearning, not muse\)"),
    ],
)
def test_what_differs_is_named(tmp_path, changes, said):
    write(tmp_path, **changes)
    with pytest.raises(ValueError, match=said):
        check_folder(tmp_path, ASKED, resume=True)


def test_other_data_or_code_is_another_run(tmp_path):
    write(tmp_path)
    newer = RunFile.of(Task(benchmark="data"), MeanTeacher(), "newer")
    with pytest.raises(ValueError, match="its data, its models or the code have changed since"):
        check_folder(tmp_path, newer, resume=True)
    assert check_folder(tmp_path, RunFile.of(Task(benchmark="data"), MeanTeacher()), resume=True)  # not known yet


@pytest.mark.parametrize("text", ["", "{", "[]", '{"key": 1}'])
def test_a_folder_of_something_else_is_not_written_to(tmp_path, text):
    (tmp_path / run_file.NAME).write_text(text)
    with pytest.raises(ValueError, match="is not empty, and holds no run of this command: choose another --out$"):
        check_folder(tmp_path, ASKED, resume=True)
    with pytest.raises(ValueError, match="is not a folder$"):
        check_folder(tmp_path / run_file.NAME, ASKED, resume=False)


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        ("with", "interrupted; the same command with --resume goes on"),
        ("without", "interrupted"),
        ("benchmark without", "interrupted"),
    ],
)
def test_ctrl_c_advises_resume_only_where_there_is_one(words, hint, monkeypatch, capfd):
    def with_resume(resume: bool = False) -> None:
        raise KeyboardInterrupt

    def without() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("signal.signal", lambda *_: None)
    app, group = main.new_app(), main.new_app()
    app.command("with")(with_resume)
    for one in (app, group):
        one.command("without")(without)
    app.add_typer(group, name="benchmark")
    with pytest.raises(SystemExit, match="130"):
        main.run(app, words.split())
    assert capfd.readouterr().err == f"{hint}\n"


def test_every_command_of_lethe_that_has_resume_is_known_to():
    app = main.new_app()
    for command in (main.tune, main.ablate, main.train, main.plan, main.dashboard, main.report):
        app.command(command.__name__)(command)
    app.add_typer(benchmark.benchmark_app, name="benchmark")
    lines = ["tune", "ablate", "train", "plan", "dashboard", "report", "benchmark make", "benchmark train"]
    resuming = {line for line in lines if main.resumes(app, line.split())}
    assert resuming == {"tune", "ablate", "train"}
