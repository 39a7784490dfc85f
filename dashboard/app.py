"""The dashboard's frame: which store and study, the pages, the link, and the look-out for changes.

    lethe dashboard --storage sqlite:///FILE
    streamlit run dashboard/app.py -- --storage sqlite:///FILE

Reads a store; writes nothing to it but notes. Runs from a checkout, installed or not.
"""

import sys
from pathlib import Path

import optuna
import streamlit as st

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(folder) for folder in (ROOT, ROOT / "platform") if str(folder) not in sys.path]

from dashboard import data, inert, press, published, wire  # noqa: E402
from dashboard.table import trials_in_words  # noqa: E402
from lethe.store.snapshot import Snapshot  # noqa: E402
from lethe.store.urls import hide_password  # noqa: E402

PAGES = {
    "decide": ("Decide", "Which candidate to take, if any, and why"),
    "front": ("Front", "All candidates and the best of them"),
    "trial": ("Trial", "One trial, and what its model wrote"),
    "audit": ("Audit", "Whether what seemed forgotten comes back"),
    "progress": ("Progress", "How the search goes"),
    "hyperparameters": ("Hyperparameters", "What the parameters do"),
    "ablation": ("Ablation", "What each part contributes"),
    "arena": ("Arena", "Many methods under one budget"),
    "compare": ("Compare", "Studies on one front"),
}
EVERY = 3  # seconds between two looks at the store
FRESH = "fresh"


def main() -> None:
    """Draw the page that is looked at."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)  # it tells of every study it makes, importances' own too
    st.set_page_config(page_title="Lethe", layout="wide")
    pages = [
        st.Page(f"views/{name}.py", title=title, help=help_, url_path=name, default=name == "decide")
        for name, (title, help_) in PAGES.items()
    ]
    page = st.navigation(pages)
    wire.read_link()
    wire.follow_click(page.url_path)
    try:
        study = choose_study(data.storage_url())
    except ValueError as error:
        explain(str(error))
        return
    if study is not None:
        page.run()
        wire.write_link()
        wire.arrived()


def choose_study(url: str) -> str | None:
    """Let the reader choose a study, read it and hand it to the page; None where nothing is to be read."""
    try:
        names, trouble = data.names(url), ""
    except ValueError as error:
        names, trouble = [], str(error)
    groups = data.groups(names, data.arenas(url) if names else {})
    studies = tuple(study for group in groups.values() for study in group)
    with st.sidebar:
        name = wire.pick_study(groups, names[0] if names else published.NEWS_RUNS)
        st.caption("store")
        st.text(hide_password(url))
    if trouble:
        explain(trouble)
        st.info("Until there is a store, the published runs of the mean-teacher paper are shown.")
    study = data.read(url, name)
    st.session_state[FRESH] = True
    st.session_state[wire.CONTEXT] = wire.Context(url, study, studies)
    with st.sidebar:
        summary(study)
        st.html(press.SCRIPT, unsafe_allow_javascript=True)
        if name != published.NEWS_RUNS:
            watch(url, name)
    return name


def summary(study: Snapshot) -> None:
    """A study in short: by which method, and in numbers."""
    if "method" in study.facts.about:
        st.caption("method")
        st.text(study.facts.about["method"])
    st.caption("trials")
    st.text(f"{trials_in_words(study)}\n{len(study.candidates)} scored candidates")
    if study.unreadable:
        st.warning(f"{study.unreadable} candidates could not be read and are left out.")


@st.fragment(run_every=EVERY)
def watch(url: str, name: str) -> None:
    """Look whether the study has changed, and draw the page anew if so."""
    if st.session_state.pop(FRESH, False):  # read a moment ago, by the run that draws the page
        return
    try:
        token = data.read(url, name).token
    except ValueError as error:
        explain(str(error))
        return
    if token != wire.context().study.token:
        st.rerun()


def explain(sentence: str) -> None:
    """Say what is wrong, in one sentence."""
    st.warning(inert.markdown(sentence))


main()
