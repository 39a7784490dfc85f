"""A start of Ray's that a busy machine was too slow for is cleared away and tried again; one that cannot be is one line."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import ray
from ray.exceptions import AuthenticationError
from searching import FAIR, short_folder

from lethe.cluster import connection as cluster
from lethe.cluster import starting
from lethe.cluster.starting import TRIES, join, start

SLOW = Exception(
    "The current node timed out during startup. This could happen because some of the raylet failed to startup or the "
    "GCS has become overloaded."
)
RAYLET = [sys.executable, "-c", "import time; time.sleep(600)", str(Path(ray.__file__).parent / "raylet")]


@pytest.fixture
def folder(monkeypatch, tmp_path):
    """Where Ray's files are; no cluster to join."""
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    return tmp_path


class Init:
    """A `ray.init` that fails so many times with an error, half started each time."""

    def __init__(self, folder, times, error):
        self.folder, self.times, self.error, self.started = folder, times, error, []

    def __call__(self, **arguments):
        session = self.folder / "ray" / f"session_{len(self.started)}_{os.getpid()}"
        session.mkdir(parents=True)
        self.started.append(subprocess.Popen(RAYLET, start_new_session=True))
        if len(self.started) <= self.times:
            raise self.error

    def end(self):
        for process in self.started:
            process.kill()
            process.wait()


@pytest.fixture
def init(monkeypatch, folder):
    """Make `ray.init` fail so many times."""
    made = []

    def fail(times, error):
        made.append(Init(folder, times, error))
        monkeypatch.setattr(ray, "init", made[-1])
        return made[-1]

    yield fail
    for one in made:
        one.end()


def alive(process):
    try:
        return psutil.Process(process.pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize(
    "error", [SLOW, RuntimeError("Failed to start GCS."), Exception("Failed to start a dashboard.")]
)
@pytest.mark.parametrize("times", [1, TRIES - 1])
def test_a_start_that_failed_is_cleared_away_and_tried_again_with_a_word(init, folder, caplog, times, error):
    tried = init(times, error)
    start()
    assert [alive(process) for process in tried.started] == [False] * times + [True]
    assert [session.name for session in (folder / "ray").iterdir()] == [f"session_{times}_{os.getpid()}"]
    said = [f"try {number} of {TRIES}" for number in range(2, times + 2)]
    assert [record.message.rsplit(": ")[1] for record in caplog.records] == said


def test_a_process_that_ends_by_itself_as_it_is_cleared_away_does_not_hide_why_the_start_failed(monkeypatch, init):
    tried, is_rays = init(TRIES, SLOW), starting._is_rays

    def seen_and_gone(process):
        rays = is_rays(process)
        tried.end()
        return rays

    monkeypatch.setattr(starting, "_is_rays", seen_and_gone)
    with pytest.raises(ConnectionError, match="did not start here in .* The current node timed out"):
        start()


def test_the_last_failure_is_one_line_that_says_where_the_logs_are(init, folder):
    tried = init(TRIES, SLOW)
    with pytest.raises(ConnectionError) as caught:
        start()
    (session,) = (folder / "ray").iterdir()
    assert str(caught.value).startswith(f"Ray did not start here in {TRIES} tries: The current node timed out during")
    assert str(caught.value).endswith(f"(see {session}/logs)")
    assert "\n" not in str(caught.value)
    assert not any(alive(process) for process in tried.started)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (OSError("validate_socket_filename failed: AF_UNIX path length cannot exceed 107 bytes: /long"), "path length cannot exceed 107 bytes"),
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (ValueError("The configured object store size (7.2 GB) exceeds /dev/shm size (0.06 GB)."), "/dev/shm"),
    ],
)  # fmt: skip
def test_what_another_start_would_not_mend_is_told_at_once(init, error, told):
    tried = init(1, error)
    with pytest.raises(ValueError, match=told) as caught:
        start()
    assert len(tried.started) == 1
    assert not alive(tried.started[0])
    assert isinstance(error, ValueError) or "RAY_TMPDIR names another folder" in str(caught.value)


def test_a_folder_whose_path_is_too_long_for_ray_s_sockets_is_named_with_the_remedy(monkeypatch, folder):
    """The real `ray.init`: it looks at the length before it starts anything."""
    long = folder / ("x" * 90)
    long.mkdir()
    monkeypatch.delenv("RAY_TMPDIR")
    monkeypatch.setenv("TMPDIR", str(long))
    with pytest.raises(ValueError, match=f"its files in '{long}': .* 107 bytes.*RAY_TMPDIR names another"):
        start(address="local", num_cpus=1, include_dashboard=False, logging_level="ERROR")


@pytest.mark.parametrize(
    "error",
    [
        ConnectionError("Failed to connect to Ray cluster at 10.0.0.1:6379"),
        RuntimeError("Version mismatch: The cluster was started with:\n    Ray: 2.61.0"),
        ValueError("Invalid address format: nonsense"),
        AuthenticationError("a token is missing"),
    ],
)
def test_a_cluster_that_cannot_be_joined_is_one_line_with_its_address(init, monkeypatch, error):
    tried = init(1, error)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("RAY_ADDRESS", address)
        with pytest.raises(
            ConnectionError, match=f"^the cluster at RAY_ADDRESS={address} cannot be joined: "
        ) as caught:
            join()
    assert "\n" not in str(caught.value)
    assert len(tried.started) == 1


@pytest.mark.parametrize("form", ["127.0.0.1:{}", "ray://127.0.0.1:{}"])
def test_an_address_where_nothing_listens_is_told_before_ray_knocks_at_it(form, init, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = form.format(server.getsockname()[1])  # nobody's, once the block has ended
    tried = init(0, None)
    monkeypatch.setenv("RAY_ADDRESS", address)
    monkeypatch.setattr(starting, "ANSWER_S", 0.01)
    with pytest.raises(ConnectionError, match=f"RAY_ADDRESS={address} cannot be joined: .*Connection refused"):
        join()
    assert tried.started == []


@pytest.mark.parametrize("address", ["auto", "nonsense"])
def test_an_address_without_a_port_is_ray_s_to_find(address, init, monkeypatch):
    tried = init(0, None)
    monkeypatch.setenv("RAY_ADDRESS", address)
    join()
    assert len(tried.started) == 1


def test_ctrl_c_while_ray_starts_ends_it_and_it_is_not_tried_again(init):
    tried = init(TRIES, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        start()
    assert [alive(process) for process in tried.started] == [False]


def test_only_what_ray_starts_ignores_ctrl_c(monkeypatch, folder):
    def ignores(**_):
        """Of a process that is started as Ray starts its own."""
        look = "import signal; print(signal.getsignal(signal.SIGINT) == signal.SIG_IGN)"
        command = [sys.executable, "-S", "-c", look]
        return subprocess.run(command, preexec_fn=lambda: None, capture_output=True, text=True).stdout.strip()

    seen = []
    monkeypatch.setattr(ray, "init", lambda **_: seen.append(ignores()))
    start()
    assert [*seen, ignores()] == ["True", "False"]


def test_signals_are_this_process_s_own_again_after_every_try(init):
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    init(1, SLOW)
    start()
    assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


@pytest.mark.slow
def test_a_real_node_that_was_too_slow_is_ended_and_another_one_comes_up(monkeypatch):
    """Where Ray looks for its registration, the 30 seconds are said to be over.

    This process may have had children before: a server of other tests, multiprocessing's tracker.
    """
    from ray._private import services

    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    others = set(psutil.Process().children(recursive=True))
    get_node, first = services.get_node, []
    with short_folder() as folder:
        for name, value in (FAIR | {"RAY_TMPDIR": str(folder)}).items():
            monkeypatch.setenv(name, value)

        def unseen(*arguments, **more):
            if first:
                return get_node(*arguments, **more)
            first.extend(set(psutil.Process().children(recursive=True)) - others)
            raise SLOW

        monkeypatch.setattr(services, "get_node", unseen)
        with cluster.connect([]) as joined:
            assert joined.nodes[0][0] >= 1
            assert len(first) >= 2  # the control store and the raylet at least
            assert [process.pid for process in first if alive(process)] == []
            assert len(list(starting._sessions())) == 1


@pytest.mark.parametrize(("line", "rays"), [([], True), (["ray::IDLE"], True), (["python", "-c", "1"], False)])
def test_a_process_that_has_no_title_yet_is_taken_for_one_that_ray_has_just_started(line, rays):
    assert starting._is_rays(SimpleNamespace(cmdline=lambda: line)) == rays
