"""`lethe dashboard`: the dashboard over a store, in the browser of this machine and no other."""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from lethe.optuna_tables import connect
from lethe.store import VARIABLE

Option = typer.Option
ROOT = Path(__file__).resolve().parents[2]


def dashboard(
    storage: Annotated[
        str | None, Option(help="Store of the studies: sqlite:///FILE or a PostgreSQL URL.", envvar=VARIABLE)
    ] = None,
    port: Annotated[int, Option(help="Port on 127.0.0.1.", min=1, max=65535)] = 8501,
    browser: Annotated[bool, Option(help="Open a browser.")] = True,
) -> None:
    """Look at studies in the browser: fronts, progress, trials, and the recommended point."""
    if importlib.util.find_spec("streamlit") is None or importlib.util.find_spec("plotly") is None:
        raise ValueError("the dashboard needs streamlit and plotly: pip install 'lethe-tune[dashboard]'")
    if storage is not None:
        connect(storage).dispose()
    line = command(port, browser)
    print(f"the dashboard is at http://127.0.0.1:{port}; Ctrl-C ends it", flush=True)
    os.execve(line[0], line, environment(storage))  # signals and the exit code are the server's own


def command(port: int, browser: bool) -> list[str]:
    """The command line of the server; it holds no storage URL."""
    options = {
        "server.address": "127.0.0.1",
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
