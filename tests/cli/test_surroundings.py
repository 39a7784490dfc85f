"""What is wrong around a command is one line that names the variable to set, before anything begins."""

import os
import pwd
import sys
from contextlib import nullcontext

import pytest
import typer
from disks import fill, needs_mount, small_disk

from lethe.cluster.environment import ray_folder
from lethe.store.storage import check_writable, going_on_later, open_storage
from lethe_cli import checks, surroundings
from lethe_cli.main import new_app, run
from lethe_cli.report import report
from lethe_cli.surroundings import LONGEST_SOCKET, SOCKET, check_cache, check_home, check_sockets
from lethe_cli.train import train


@pytest.fixture(autouse=True)
def variables(monkeypatch):
    for name in ("RAY_TMPDIR", "TMPDIR", "RAY_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def unknown(_):
    raise KeyError("getpwuid(): uid not found")


@pytest.mark.parametrize("home", [None, "", "relative"])
def test_without_a_home_every_command_says_which_variable_to_set(home, monkeypatch, capsys):
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.delenv("HOME") if home is None else monkeypatch.setenv("HOME", home)
    app = new_app()
    app.command()(lambda: None)
    with pytest.raises(SystemExit, match="2"):
        run(app, [])
    assert capsys.readouterr().err.startswith("error: no home folder is known (HOME is ")


def test_a_home_that_only_the_system_knows_will_do(monkeypatch):
    monkeypatch.delenv("HOME")
    assert str(check_home()) == pwd.getpwuid(os.getuid()).pw_dir


def test_a_working_folder_that_was_removed_is_told(tmp_path, monkeypatch):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    with pytest.raises(ValueError, match="the working folder was removed"):
        surroundings.check_here()


@pytest.mark.parametrize(
    "check",
    [
        lambda place: checks.check_storage_path(place),
        lambda place: checks.check_new_folder(place),
        lambda place: checks.check_model(place, "--model"),
        lambda place: checks.check_settings(["regularisation=unrelated", f"unrelated_texts={place}"]),
        lambda place: train(out=place),
        lambda place: report("study", place),
    ],
)
def test_the_home_of_a_user_who_is_not_there_is_told_wherever_a_path_is_given(check):
    with pytest.raises(ValueError, match="^'~nosuchuser/x' is in nobody's home folder: there is no user of that name$"):
        check("~nosuchuser/x")


@pytest.mark.parametrize(
    ("given", "before"),
    [(["tune", "--storage-path", "", "--json"], "--storage-path"), (["--out="], "--out"), (["report", ""], "report")],
)
def test_an_empty_argument_is_no_default_but_told_with_what_stands_before_it(given, before):
    with pytest.raises(ValueError, match=f"^an argument is empty, behind '{before}': is a variable"):
        surroundings.check_arguments(given)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_cache_that_cannot_be_made_is_told(place, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"the cache \(.*file.*\) cannot be made \(.+\): set XDG_CACHE_HOME"):
        check_cache(tmp_path / place)
    assert check_cache(tmp_path / "a" / "b").is_dir()


@pytest.mark.parametrize("variable", ["RAY_TMPDIR", pytest.param("TMPDIR", marks=pytest.mark.skipif(sys.platform != "linux", reason="Ray reads it on Linux"))])  # fmt: skip
def test_a_folder_too_long_for_ray_s_sockets_is_told_with_how_long_it_may_be(variable, monkeypatch):
    most = LONGEST_SOCKET - len(SOCKET) - 1
    monkeypatch.setattr(surroundings, "_unwritable", lambda _: "")
    monkeypatch.setenv(variable, "/" + "x" * most)
    with pytest.raises(ValueError, match=f"{variable}='/x+' is {most + 1} bytes long, .*of at most {most}$"):
        check_sockets()
    monkeypatch.setenv(variable, "/" + "x" * (most - 1))
    assert len(str(check_sockets() / SOCKET)) == LONGEST_SOCKET


def test_a_cluster_that_is_joined_has_its_sockets_already(monkeypatch):
    monkeypatch.setenv("RAY_TMPDIR", "/" + "x" * 200)
    monkeypatch.setenv("RAY_ADDRESS", "auto")
    check_sockets()


def test_a_folder_of_ray_s_that_cannot_be_written_to_is_told(tmp_path, monkeypatch):
    (tmp_path / "f").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(surroundings, "SOCKET", "s")
    monkeypatch.setattr(surroundings, "LONGEST_SOCKET", 1000)
    monkeypatch.setenv("RAY_TMPDIR", "f")
    with pytest.raises(ValueError, match=r"Ray's folder in RAY_TMPDIR=.* cannot be written to \(Not a directory\)"):
        check_sockets()


@pytest.mark.parametrize("there", [False, True])
def test_of_ray_s_folder_nothing_is_made_and_the_nearest_folder_that_is_there_is_asked(there, tmp_path, monkeypatch):
    monkeypatch.setattr(surroundings, "LONGEST_SOCKET", 1000)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "a"))
    (tmp_path / "a" / "ray").mkdir(parents=True) if there else None
    before, asked = sorted(tmp_path.rglob("*")), []
    monkeypatch.setattr(os, "access", lambda place, mode: asked.append(place))
    with pytest.raises(ValueError, match=r"Ray's folder in RAY_TMPDIR=.* cannot be written to \(Permission denied\)"):
        check_sockets()
    assert asked == [tmp_path / "a" / "ray" if there else tmp_path]
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    "variables", [{}, {"TMPDIR": "/x"}, {"RAY_TMPDIR": "/y", "TMPDIR": "/x"}, {"RAY_TMPDIR": "/y"}]
)
def test_ray_s_folder_is_where_ray_puts_it(variables, monkeypatch):
    from ray._common.utils import get_default_ray_temp_dir

    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert str(ray_folder()) == get_default_ray_temp_dir()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (OSError(28, "No space left on device", "/data/x"), "error: '/data/x': No space left on device\n"),
        (PermissionError(13, "Permission denied", "/x"), "error: '/x': Permission denied\n"),
        (OSError("socket closed"), "error: socket closed\n"),
        (MemoryError(), "error: memory is full while running this command\n"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0"), "error: memory is full while running this command, where 2.00 GiB more were asked for\n"),
    ],
)  # fmt: skip
def test_a_disk_or_memory_that_fails_under_a_command_is_one_line(error, line, monkeypatch, capsys):
    def fail() -> None:
        raise error

    monkeypatch.setattr("signal.signal", lambda *_: None)
    app = new_app()
    app.command()(fail)
    with pytest.raises(SystemExit, match="2"):
        run(app, [])
    assert capsys.readouterr().err == line


def test_a_command_s_own_exit_code_is_kept(monkeypatch):
    def leave() -> None:
        raise typer.Exit(7)

    monkeypatch.setattr("signal.signal", lambda *_: None)
    app = new_app()
    app.command()(leave)
    with pytest.raises(SystemExit, match="7"):
        run(app, [])


def store_until_full(folder):
    """Make studies in a store on a small disk until nothing more goes on it."""
    with small_disk(folder, "1m") as disk:
        url = f"sqlite:///{disk}/studies.db"
        storage = open_storage(url)
        fill(disk / "ballast")
        with going_on_later(url):
            for number in range(500):  # what is left of the last page may hold some
                storage.create_new_study(["minimize"], f"{number}")


@needs_mount
def test_a_disk_that_is_full_as_a_study_goes_on_is_one_line_with_its_store(tmp_path):
    line = f"^storage 'sqlite:///{tmp_path}/disk/studies.db' failed \\(database or disk is full\\); what was told is stored, "
    with pytest.raises(ConnectionError, match=line + "and the same command with --resume goes on$"):
        store_until_full(tmp_path / "disk")


@needs_mount
def test_a_disk_that_is_full_under_any_other_command_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setitem(globals(), "going_on_later", lambda url: nullcontext())
    app = new_app()
    app.command()(lambda: store_until_full(tmp_path / "disk"))
    with pytest.raises(SystemExit, match="2"):
        run(app, [])
    assert capsys.readouterr().err == "error: the study store failed: database or disk is full\n"


def test_a_store_that_is_read_only_is_told(tmp_path, monkeypatch):
    url = f"sqlite:///{tmp_path}/studies.db"
    open_storage(url)
    check_writable(url)
    monkeypatch.setattr(os, "access", lambda file, mode: mode != os.W_OK)  # root may write to any file
    with pytest.raises(ValueError, match=f"^storage '{url}' cannot be written to: it is read-only$"):
        check_writable(url)


def test_ctrl_c_in_a_command_is_one_line_and_130(monkeypatch, capfd):
    def stop() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("signal.signal", lambda *_: None)
    app = new_app()
    app.command()(stop)
    with pytest.raises(SystemExit, match="130"):
        run(app, [])
    assert capfd.readouterr().err == "interrupted\n"  # no hint of --resume, which this command does not have
