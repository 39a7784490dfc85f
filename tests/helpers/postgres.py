"""A throw-away PostgreSQL server: on loopback, a free port, in a temporary folder, and not as root."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from ports import free_port

USER, PASSWORD = "lethe", "Zq9 @:/{%}"  # what a URL has to escape, and what formats would trip over


def binaries() -> Path | None:
    """Where initdb and postgres are, the newest first; Debian keeps them off the path."""
    found = [Path(path).resolve().parent for path in [shutil.which("initdb")] if path]
    return next(iter([*found, *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]), None)


needs_postgres = pytest.mark.skipif(binaries() is None, reason="no PostgreSQL server here (Debian: postgresql)")


@dataclass
class Server:
    """A server that can be killed and started again on the same data and port."""

    folder: Path
    port: int
    process: subprocess.Popen | None = None

    def url(self, password: str = "Zq9%20%40%3A%2F%7B%25%7D", database: str = "postgres") -> str:
        """Its URL, as a user writes it."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        places = ["-D", self.folder / "data", "-p", self.port, "-k", self.folder, "-h", "127.0.0.1", "-F"]
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(
                [*unprivileged(), binaries() / "postgres", *map(str, places)],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        end = time.monotonic() + 180
        while subprocess.run([binaries() / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                pytest.fail(f"PostgreSQL does not start:\n{(self.folder / 'log').read_text()}")
            time.sleep(0.05)

    def kill(self) -> None:
        """End it with SIGKILL, all its processes at once, as a machine that goes down does."""
        server = psutil.Process(self.process.pid)
        family = [server, *server.children(recursive=True)]
        for process in family:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        psutil.wait_procs(family[1:], timeout=90)


def unprivileged() -> list[str]:
    """What to put before a command so that it does not run as root, which PostgreSQL refuses."""
    if os.geteuid():
        return []
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]


@contextmanager
def start_postgres() -> Iterator[Server]:
    """A server of this block's own, with a database `postgres` and the user USER."""
    folder = Path(tempfile.mkdtemp(prefix="lp-", dir="/tmp"))  # short: a socket lies in it
    server = Server(folder, free_port())
    try:
        (folder / "password").write_text(PASSWORD)
        if not os.geteuid():
            shutil.chown(folder, "nobody", "nogroup")
            shutil.chown(folder / "password", "nobody", "nogroup")
        made = ["-D", folder / "data", "-U", USER, "--pwfile", folder / "password", "-A", "scram-sha-256", "-N"]
        command = [*unprivileged(), binaries() / "initdb", *map(str, made), "-E", "UTF8", "--locale=C"]
        subprocess.run(command, check=True, capture_output=True, cwd=folder)
        server.start()
        yield server
    finally:
        if server.process and server.process.poll() is None:
            server.kill()
        shutil.rmtree(folder, ignore_errors=True)
