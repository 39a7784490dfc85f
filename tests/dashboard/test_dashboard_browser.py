"""The dashboard in a real browser: every page, a click on a candidate, other objectives, and a study that goes on.

Needs Debian's chromium (`apt-get install --no-install-recommends chromium`); without it these tests are left out.
"""

import json
import os
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path

import pytest
from ports import free_port
from tiny_arena import make_arena, many
from tiny_dashboard import HOSTILE, finish, make_study, start
from tiny_study import SPACE

from dashboard import published
from lethe.search.ledger import Ledger
from lethe.store.storage import open_storage
from lethe_cli.dashboard import command, environment

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here"),
]
PICTURES = os.environ.get("LETHE_SCREENSHOTS", "")  # a folder for pictures of every page, in all views
VIEWS = list(product((1440, 800), ("light", "dark"))) if PICTURES else [(1440, "light"), (800, "dark")]
REAL = os.environ.get("LETHE_REAL_STORAGE", "")  # a study made by `make tune`, to open every page of it too
PAGES = {"": "Decide", "front": "Front", "trial": "Trial", "progress": "Progress", "compare": "Compare"}
PAGES |= {"hyperparameters": "Hyperparameters", "audit": "Audit"}
NAME = "<img src=x onerror=alert(1)>"  # of a study
PATIENCE = 120  # seconds for one thing to come; a whole test took 20 to 190 on two cores under a load of 20
FRONT_POINT = ".scatterlayer .trace:has(.errorbar) path.point"  # the front has intervals
DRAWN = """() => {
    const app = document.querySelector('[data-testid=stApp]');
    const charts = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
    return app.getAttribute('data-test-script-state') === 'notRunning'
        && !document.querySelector('[data-testid=stSkeleton], [data-stale=true]')
        && charts.every(chart => chart.querySelector('.main-svg'));
}"""


@contextmanager
def served(url: str) -> Iterator[str]:
    """`lethe dashboard` on a store, until the block ends; gives its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        command(port, browser=False), env=environment(url), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        said, _ = server.communicate(timeout=PATIENCE)
    assert b"Traceback" not in said, said.decode()
    assert b"deprecated" not in said, said.decode()


def wait_for(address: str, server: subprocess.Popen) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    raise AssertionError("the dashboard did not start")


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--headless=new", "--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The address of a dashboard on a study that no test changes; its name and its texts are hostile."""
    with served(make_study(tmp_path_factory.mktemp("shown"), name=NAME, output=HOSTILE)) as address:
        yield address


@pytest.fixture(scope="module")
def real(request):
    """The address of a dashboard on a real study, or on the made one where none is named."""
    if not REAL:
        yield request.getfixturevalue("shown")
        return
    with served(REAL) as address:
        yield address


@pytest.fixture
def page(browser):
    opened = browser.new_page(viewport={"width": 1440, "height": 1000})
    opened.set_default_timeout(1000 * PATIENCE)
    asked: list[str] = []
    said: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    yield opened
    opened.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))] == []


def settled(page) -> str:
    """Wait until Streamlit has drawn the page; its words. No traceback is among them."""
    page.wait_for_selector("h1")
    page.wait_for_function(DRAWN)
    page.wait_for_timeout(300)  # a page that writes its link, or sees a changed study, runs once more
    page.wait_for_function(DRAWN)
    assert page.locator("[data-testid=stException]").count() == 0
    return page.locator("[data-testid=stMain]").inner_text()


@pytest.mark.parametrize("path", ["front", "compare"])  # what differs in a browser; all pages are in test_dashboard.py
def test_the_published_runs_are_drawn(shown, page, path):
    page.goto(f"{shown}/{path}?study={published.NEWS_RUNS}")
    assert settled(page).startswith(PAGES[path])


def test_a_click_opens_the_trial_other_objectives_change_the_front_and_the_view_is_in_the_link(shown, page):
    page.goto(f"{shown}/front")
    settled(page)
    link = page.url
    page.goto(f"{shown}/front?objectives=verbmem_f")
    settled(page)
    assert page.locator("h3", has_text="The front: 1 of").count() == 1
    page.goto(link)
    settled(page)
    click_point(page, page.locator(FRONT_POINT).first)
    page.wait_for_selector("h1:has-text('Trial')")
    text = settled(page)
    assert "What the model wrote" in text
    assert "platform/train_mt.py" in text
    assert "candidate=" in page.url


def click_point(page, marker) -> None:
    """Click a candidate."""
    point_at(page, marker)
    press(page)


def point_at(page, marker) -> None:
    """Move the pointer onto a candidate; the chart has noticed when it says which one it is."""
    marker.scroll_into_view_if_needed()
    place = marker.bounding_box()
    page.mouse.move(place["x"] - 20, place["y"] - 20)
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2, steps=5)
    page.wait_for_selector(".hoverlayer .hovertext")


def press(page) -> None:
    """Press the mouse button for as long as a finger does."""
    page.mouse.down()
    page.wait_for_timeout(100)
    page.mouse.up()


def test_a_click_in_passing_opens_the_trial(shown, page):
    page.goto(f"{shown}/front")
    settled(page)
    point_at(page, page.locator(FRONT_POINT).first)
    nearby = page.locator(FRONT_POINT).first.bounding_box()
    for pixels in (3, 4, 5, 4, 3, 4):  # the chart looks at the first of these at once, at the last after the press
        page.mouse.move(nearby["x"] + pixels, nearby["y"] + 5)
    press(page)
    page.wait_for_selector("h1:has-text('Trial')")


def test_a_click_opens_its_trial_though_the_study_has_gone_on_since_the_chart_was_drawn(tmp_path, page):
    url = make_study(tmp_path)
    with served(url) as address:
        page.goto(f"{address}/front")
        settled(page)
        point_at(page, page.locator(FRONT_POINT).first)
        ledger = Ledger(open_storage(url), "tiny", SPACE)
        finish(ledger, start(ledger, tmp_path))
        press(page)
        page.wait_for_selector("h1:has-text('Trial')")
        assert "candidate=0" in page.url


def test_an_arena_of_twenty_is_cut_at_no_side_and_a_click_on_it_opens_the_trial_of_its_study(tmp_path, page):
    with served(make_arena(tmp_path, many(seeds=2, trials=2))) as address:
        page.goto(f"{address}/arena")
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            assert "so far method_" in settled(page)
            assert page.locator("[data-testid=stMain]").evaluate("m => m.scrollWidth - m.clientWidth") <= 1
            if PICTURES:
                take_picture(page, Path(PICTURES) / f"arena-{width}-{scheme}.png")
        ringed = page.locator(".js-plotly-plot").first.locator(".scatterlayer .trace:nth-last-child(4) path.point")
        click_point(page, ringed.first)
        page.wait_for_selector("h1:has-text('Trial')")
        settled(page)
        assert "study=tiny%3A+method_" in page.url
        assert "candidate=" in page.url


def test_a_row_of_the_front_opens_its_trial(shown, page):
    page.goto(f"{shown}/front")
    settled(page)
    rows = page.locator("[data-testid=stDataFrame] canvas").first
    rows.scroll_into_view_if_needed()
    place = rows.bounding_box()
    page.mouse.click(place["x"] + 15, place["y"] + 35 * 1.5)  # the box before the first row, below the head
    page.wait_for_selector("h1:has-text('Trial')")
    assert "candidate=" in page.url


def test_a_running_study_is_shown_anew_and_the_view_stays(tmp_path, page):
    url = make_study(tmp_path)
    with served(url) as address:
        page.goto(f"{address}/front?y=utility")
        assert "of 28 candidates" in settled(page)
        ledger = Ledger(open_storage(url), "tiny", SPACE)
        finish(ledger, start(ledger, tmp_path))
        page.wait_for_selector("h3:has-text('of 32 candidates')")
        settled(page)
        assert page.locator(".js-plotly-plot .ytitle").first.text_content().startswith("utility")
        assert "y=utility" in page.url


def test_what_is_taken_away_comes_down(shown, page):
    page.goto(shown)
    settled(page)
    files = {}
    for name in ("Report (HTML)", "Recommendation (JSON)", "What is left (CSV)"):
        with page.expect_download() as coming:
            page.get_by_role("button", name=name).click()
        files[name] = Path(coming.value.path()).read_text("utf-8")
    assert "Nearest to what you ask: trial" in files["Report (HTML)"]
    assert files["Report (HTML)"].count("plotly-graph-div") == 2
    assert json.loads(files["Recommendation (JSON)"])["study"] == NAME
    assert files["What is left (CSV)"].startswith("trial,")
    page.get_by_role("radio", name="PNG").or_(page.get_by_role("button", name="PNG")).first.click()
    page.wait_for_url("**picture=PNG*")
    settled(page)
    page.locator(".js-plotly-plot").first.hover()
    with page.expect_download() as coming:
        page.locator("[data-title^=Download]").first.click()
    assert coming.value.suggested_filename == "lethe-decision.png"


def test_every_page_opens_runs_no_hostile_text_and_is_cut_at_no_side_light_and_dark(real, page):
    for path, title in PAGES.items():
        page.goto(f"{real}/{path}")
        colours = {}
        for width, scheme in VIEWS:
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            text = settled(page)
            assert text.startswith(title)
            colours[scheme] = background(page)
            main = page.locator("[data-testid=stMain]")
            assert main.evaluate("m => m.scrollWidth - m.clientWidth") <= 1
            if PICTURES:
                take_picture(page, Path(PICTURES) / f"{title.lower()}-{width}-{scheme}.png")
        assert colours["light"] != colours["dark"]
        assert page.locator("[data-testid=stMain] img[src=x]").count() == 0
        if path == "trial" and not REAL:
            assert HOSTILE in text


def background(page) -> str:
    """The colour that the page lies on."""
    return page.locator("[data-testid=stApp]").evaluate("a => getComputedStyle(a).backgroundColor")


def take_picture(page, file: Path) -> None:
    """A picture of the whole page, however long."""
    before = page.viewport_size
    height = int(page.locator("[data-testid=stMain]").evaluate("m => m.scrollHeight"))
    page.set_viewport_size({"width": before["width"], "height": min(height + 20, 5000)})
    page.wait_for_timeout(1500)
    page.screenshot(path=str(file))
    page.set_viewport_size(before)
