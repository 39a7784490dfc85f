"""`lethe dashboard`: the dashboard over a store, in the browser of this machine and no other."""

import importlib.util
import os
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from lethe.store.urls import VARIABLE, default_storage, sqlite_file

Option = typer.Option
HOST = "127.0.0.1"  # this machine, and nobody else's
ROOT = Path(__file__).resolve().parents[2]


def dashboard(
    storage: Annotated[
        str | None, Option(help="Store of the studies: sqlite:///FILE or a PostgreSQL URL.", envvar=VARIABLE)
    ] = None,
    port: Annotated[int, Option(help=f"Port on {HOST}.", min=1, max=65535)] = 8501,
    browser: Annotated[bool, Option(help="Open a browser.")] = True,
) -> None:
    """Look at studies in the browser: fronts, progress, trials, and the recommended candidate."""
    if importlib.util.find_spec("streamlit") is None or importlib.util.find_spec("plotly") is None:
        raise ValueError("the dashboard needs streamlit and plotly: pip install 'lethe-tune[dashboard]'")
    check_store(storage)
    check_port(port)
    line = command(port, browser)
    print(f"the dashboard is at http://{HOST}:{port}; Ctrl-C ends it", flush=True)
    os.execve(line[0], line, environment(storage))  # signals and the exit code are the server's own


def check_store(storage: str | None) -> None:
    """ValueError, in one line, for a store that cannot be read, and for one that was named and is not there.

    Where none is named the usual one may still be missing: until a search makes it there are published runs to see.
    """
    from lethe.store.optuna_tables import study_names  # tables take a second to load, which a help text does without

    url = storage or default_storage()
    file = sqlite_file(url)
    if storage or (file and file.exists()):
        study_names(url)


def check_port(port: int) -> None:
    """ValueError where nothing can be served on a port, naming one near it that is free."""
    reason = refusal(port)
    if reason:
        free = next((other for other in range(max(port, 1024), 65536) if not refusal(other)), None)
        raise ValueError(
            f"port {port} cannot be had ({reason}): " + (f"--port {free} is free" if free else "choose another")
        )


def refusal(port: int) -> str | None:
    """Why nothing can be served on a port of this machine; None where it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        try:
            probe.bind((HOST, port))
        except OSError as error:
            return error.strerror
    return None


def command(port: int, browser: bool) -> list[str]:
    """The command line of the server; it holds no storage URL."""
    options = {
        "server.address": HOST,
        "server.port": str(port),
        "server.headless": str(not browser).lower(),
        "server.showEmailPrompt": "false",
        "logger.hideWelcomeMessage": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", value)]
    return [sys.executable, "-P", str(server()), *flags]  # -P: a file beside the script hides no library


def server() -> Path:
    """The dashboard's script, beside this checkout or as it is installed."""
    found = importlib.util.find_spec("dashboard")
    beside = ROOT / "dashboard" / "server.py"
    if not beside.exists() and found is not None and found.origin:
        return Path(found.origin).parent / "server.py"
    return beside


def environment(storage: str | None) -> dict[str, str]:
    """The environment of the server: this one, the storage, and where the packages are."""
    places = [str(ROOT), str(ROOT / "platform"), os.environ.get("PYTHONPATH", "")]
    own = {"PYTHONPATH": os.pathsep.join(place for place in places if place)}
    return {**os.environ, **own} | ({VARIABLE: storage} if storage else {})
