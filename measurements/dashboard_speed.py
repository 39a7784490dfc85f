"""How fast the dashboard is on a store of 10,000 trials with 10 candidates each, beside reading it through Optuna.

    python -m measurements.dashboard_speed --trials 10000 --candidates 10 --browser

Makes the store in a temporary folder, reads it, changes it by one trial and reads it again, then opens every page in
Streamlit's AppTest, once cold and once with a changed selection; with --browser also in headless chromium, from the
click to the drawn chart. Prints seconds.
"""

import argparse
import os
import random
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import streamlit as st
from playwright.sync_api import sync_playwright
from streamlit.testing.v1 import AppTest

from dashboard import data
from lethe.store import snapshot
from lethe.store.storage import load_study, open_storage
from lethe.store.urls import VARIABLE
from lethe_cli.dashboard import command, environment
from measurements.big_store import NAME, make_store, write_trials

APP = Path(__file__).parents[1] / "dashboard" / "app.py"


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long the body took, and how much of the processors' time."""
    began, worked = time.perf_counter(), time.process_time()
    yield
    took, work = time.perf_counter() - began, time.process_time() - worked
    print(f"{what:<64} {took:6.2f} s {work:6.2f} s of CPU", flush=True)


def measure_reading(file: Path, url: str, trials: int, candidates: int, *, optuna_too: bool) -> None:
    """Read a store cold, unchanged, and with one more trial."""
    reader = snapshot.Reader(url, NAME)
    with timed("first reading"):
        table = reader.read().candidates
    on_front = int(table["front"].sum())
    print(f"{len(table)} candidates, {on_front} on the front, {file.stat().st_size / 1e6:.0f} MB")
    with timed("reading again, nothing changed"):
        reader.read()
    engine = open_storage(url).engine
    write_trials(engine, range(trials, trials + 1), candidates, random.Random(1))
    engine.dispose()
    with timed("reading again, one trial more"):
        reader.read()
    if optuna_too:
        with timed("the trials alone through Optuna"):
            load_study(url, NAME).get_trials(deepcopy=False)


def choose(label: str, value: str) -> Callable[[AppTest], object]:
    """Choose a value in the box of this label."""
    return lambda app: next(box for box in app.selectbox if box.label == label).set_value(value)


CHANGES: dict[str, Callable[[AppTest], object]] = {  # on each page, what a reader changes
    "decide": lambda app: app.slider[0].set_value((0.0, 40.0)),
    "front": choose("x", "privleak"),
    "trial": lambda app: app.number_input[0].set_value(77),
    "progress": lambda app: app,
    "hyperparameters": choose("parameter", "alpha"),
    "compare": choose("y", "utility"),
}


def measure_pages(url: str) -> None:
    """Open every page, and change something on it: the server's part of what a reader waits for."""
    os.environ[VARIABLE] = url
    st.cache_resource.clear()
    data.reader_of.cache_clear()
    app = AppTest.from_file(str(APP), default_timeout=300)
    with timed("first view of the app: the store is read, a candidate recommended"):
        app.run()
    for page, change in CHANGES.items():
        with timed(f"page {page}"):
            app.switch_page(f"views/{page}.py").run()
        assert not app.exception, app.exception[0].value
        change(app)
        with timed(f"page {page}, a change"):
            app.run()
        assert not app.exception, app.exception[0].value


DRAWN = """() => document.querySelector('[data-testid=stApp]').getAttribute('data-test-script-state') === 'notRunning'
    && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')"""


@contextmanager
def served(url: str) -> Iterator[str]:
    """`lethe dashboard` on a store; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(command(port, browser=False), env=environment(url), stdout=subprocess.DEVNULL) as server:
        try:
            while True:
                with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                    break
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def measure_browser(url: str) -> None:
    """What a reader waits for in chromium: the first view of a new server, another reader's, pages, and a change."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with served(url) as address, sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--headless=new", "--no-sandbox"])
        for what in ("the first reader of a new server", "the next reader"):
            page = opened.new_page(viewport={"width": 1440, "height": 900})
            page.set_default_timeout(300_000)
            with timed(f"browser: {what}, until the candidate is named"):
                page.goto(address)
                page.wait_for_selector("h3:has-text('Nearest to what you ask')")
            page.wait_for_function(DRAWN)
        page.locator("a:has-text('Front')").first.click()
        page.wait_for_selector(".js-plotly-plot .xtitle")
        page.wait_for_function(DRAWN)
        for score in ("privleak", "utility"):
            page.locator("[data-testid=stSelectbox]").nth(1).click()  # behind that of the study
            choice = page.get_by_role("option", name=score, exact=True)
            choice.wait_for()
            with timed(f"browser: front, another score ({score}), until it is drawn"):
                choice.click()
                page.wait_for_selector(f".js-plotly-plot .xtitle:has-text('{score}')")
        opened.close()


def main() -> None:
    """Make the store and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--candidates", type=int, default=10)
    parser.add_argument("--optuna-too", action="store_true", help="also read through Optuna, for comparison")
    parser.add_argument("--browser", action="store_true", help="also in headless chromium")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "studies.db"
        with timed("making the store"):
            url = f"sqlite:///{file}"
            make_store(url, options.trials, options.candidates)
        measure_reading(file, url, options.trials, options.candidates, optuna_too=options.optuna_too)
        measure_pages(url)
        if options.browser:
            measure_browser(url)


if __name__ == "__main__":
    main()
