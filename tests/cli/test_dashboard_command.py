"""`lethe dashboard` serves on this machine alone, and hands a storage URL on where no other user can read it."""

import os
import re
import socket
import sys

import pytest

from lethe.store.storage import open_storage
from lethe_cli import dashboard as command
from lethe_cli import hints
from lethe_cli.main import new_app, run


@pytest.fixture
def started(monkeypatch):
    """What would have been started: command line and environment."""
    calls = []

    monkeypatch.setattr(os, "execve", lambda program, arguments, env: calls.append((arguments, env)))
    return calls


def lethe_dashboard(*arguments: str) -> None:
    app = new_app()
    app.command()(command.dashboard)
    with pytest.raises(SystemExit) as left:
        run(app, list(arguments))
    assert left.value.code in (0, 2)


def test_it_binds_to_this_machine_and_a_password_is_in_the_environment_only():
    url = "postgresql://me:Zq9@host/db"
    line = command.command(8600, False)
    assert line[:3] == [sys.executable, "-P", str(command.server())]
    assert line[line.index("--server.address") + 1] == "127.0.0.1"
    assert line[line.index("--server.port") + 1] == "8600"
    assert not any("storage" in part for part in line)
    assert (
        line[line.index("--server.showEmailPrompt") + 1] == "false"
    )  # else Streamlit's first start waits for an answer
    assert command.environment(url)["LETHE_STORAGE"] == url
    assert command.server().exists()


def test_it_starts_streamlit_with_the_store(started, tmp_path):
    url = f"sqlite:///{tmp_path}/s.db"
    open_storage(url)
    lethe_dashboard("--storage", url, "--no-browser")
    ((arguments, environment),) = started
    assert environment["LETHE_STORAGE"] == url
    assert arguments[arguments.index("--server.headless") + 1] == "true"


BAD_STORES = {
    "sqlite:///none.db": "there is no store 'sqlite:///none.db' yet",
    "sqlite:///none/s.db": "there is no store 'sqlite:///none/s.db' yet",
    "sqlite:///notes.txt": "'sqlite:///notes.txt' is not a study store, or a broken one",
    "sqlite:///empty.db": "store 'sqlite:///empty.db' is empty, half-written, or of another version",
    "sqlite:///folder": "'sqlite:///folder' is not a study store: it is a folder",
    "sqlite://": "storage 'sqlite://' cannot be opened (it names no file, and would be lost with this process)",
    "sqlite:///:memory:": "storage 'sqlite:///:memory:' cannot be opened (it names no file, ",
    "sqlite+pysqlite:///s.db": "storage 'sqlite+pysqlite:///s.db' cannot be opened (a file is named by sqlite:///",
    "postgresql://me:Zq9@127.0.0.1:1/db": "store 'postgresql://me:***@127.0.0.1:1/db' is not reachable",
}


@pytest.mark.parametrize(("url", "told"), BAD_STORES.items(), ids=BAD_STORES)
def test_a_store_that_cannot_be_read_is_one_line_and_nothing_is_started(
    started, tmp_path, monkeypatch, capsys, url, told
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_text("no database, but long enough to be looked at" * 50)
    (tmp_path / "empty.db").touch()
    (tmp_path / "folder").mkdir()
    before = sorted(tmp_path.iterdir())
    lethe_dashboard("--storage", url, "--no-browser")
    said = capsys.readouterr().err
    assert said.startswith(f"error: {told}")
    assert said.count("\n") == 1
    assert (started, sorted(tmp_path.iterdir())) == ([], before)


def test_the_usual_store_may_be_missing_but_not_broken(started, tmp_path, monkeypatch, capsys):
    monkeypatch.delenv("LETHE_STORAGE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    lethe_dashboard("--no-browser")
    assert len(started) == 1
    (tmp_path / "lethe-results").mkdir()
    (tmp_path / "lethe-results" / "studies.db").write_text("no database, but long enough to be looked at" * 50)
    lethe_dashboard("--no-browser")
    assert "is not a study store, or a broken one" in capsys.readouterr().err
    assert len(started) == 1


def test_a_port_that_is_taken_is_one_line_that_names_a_free_one_and_no_address(started, capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        lethe_dashboard("--port", str(port), "--no-browser")
    told = capsys.readouterr()
    assert started == []
    assert told.out == ""
    found = re.fullmatch(
        r"error: port (\d+) cannot be had \(Address already in use\): --port (\d+) is free\n", told.err
    )
    assert found
    assert int(found[1]) == port
    assert command.refusal(int(found[2])) is None


def test_without_streamlit_it_says_what_to_install(monkeypatch, started):
    monkeypatch.setattr(command.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match="needs streamlit and plotly"):
        command.dashboard()
    assert started == []


def test_the_hint_after_a_search_works_as_it_is_typed(tmp_path, monkeypatch):
    monkeypatch.delenv("LETHE_STORAGE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "lethe").touch()
    monkeypatch.setattr(sys, "executable", str(programs / "python"))
    monkeypatch.chdir(tmp_path)
    default = f"sqlite:///{tmp_path}/lethe-results/studies.db"
    assert hints.dashboard(default) == ".venv/bin/lethe dashboard"
    assert hints.dashboard("sqlite:////s.db") == ".venv/bin/lethe dashboard --storage sqlite:////s.db"
    assert "Zq9" not in hints.dashboard("postgresql://me:Zq9@host/db")
    monkeypatch.setenv("LETHE_STORAGE", "postgresql://me:Zq9@host/db")
    assert hints.dashboard("postgresql://me:Zq9@host/db") == ".venv/bin/lethe dashboard"
    monkeypatch.chdir(tmp_path / ".venv")
    assert hints.as_typed("lethe") == "bin/lethe"
    monkeypatch.chdir(programs / ".." / "..")
    monkeypatch.setenv("PATH", f"/usr/bin:{programs}")
    (programs / "lethe").chmod(0o755)
    assert hints.as_typed("lethe") == "lethe"
