"""`lethe dashboard` serves on this machine alone, and hands a storage URL on where no other user can read it."""

import os
import re
import socket
import sys

import pytest

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
    file = tmp_path / "s.db"
    file.touch()
    lethe_dashboard("--storage", f"sqlite:///{file}", "--no-browser")
    ((arguments, environment),) = started
    assert environment["LETHE_STORAGE"] == f"sqlite:///{file}"
    assert arguments[arguments.index("--server.headless") + 1] == "true"


def test_a_store_that_is_not_there_is_one_line(started, tmp_path, capsys):
    lethe_dashboard("--storage", f"sqlite:///{tmp_path}/none.db")
    assert capsys.readouterr().err.startswith("error: there is no store")
    assert started == []


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
