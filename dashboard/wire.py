"""What all pages share: the study that is looked at, the reader's selection, and widgets that are tied to it.

The selection lives in the link. A widget starts from it and writes to it; at the end of every run the app writes it
into the address bar. A link that was changed by hand, or by going back, is read again. A run that a widget began does
not read it: the browser sends the link that it has, which may be older than the one that is on its way to it.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import data, inert
from dashboard.selection import Query, Selection, from_query, to_query
from dashboard.table import objectives_of, parse_candidate, scores_of
from lethe.fronts.objectives import Objective
from lethe.store.cards import Card
from lethe.store.facts import Facts
from lethe.store.snapshot import Snapshot

SELECTION, WRITTEN, CONTEXT, READ = "selection", "written", "context", "times the link was read"
PAGE, LEAVING = "page", "the page that was clicked on"
TOUCHED = "a widget began this run"
TRIAL_PAGE = "views/trial.py"
CHARACTER, WIDEST = 8, 640  # pixels: of a character of a table, and of a column whose width is set
UNEVEN = 1.25  # times the average length: a longer cell Streamlit may leave out when it sizes a column
ALT_FRONT = "Scatter chart of candidates; the table below it holds the candidates of the front."


@dataclass(frozen=True)
class Context:
    """What a page is drawn from."""

    url: str
    study: Snapshot
    studies: tuple[str, ...]  # of the store, and the published one

    @property
    def facts(self) -> Facts:
        """The study's facts."""
        return self.study.facts

    @property
    def scores(self) -> list[str]:
        """The scores that were measured."""
        return scores_of(self.study.candidates, self.facts)

    @property
    def cards(self) -> dict[str, Card]:
        """What is known of each score that was measured."""
        return {score: self.facts.card(score) for score in self.scores}

    @property
    def shown(self) -> list[str]:
        """The scores that stand in tables."""
        return [score for score, card in self.cards.items() if card.shown or score in self.facts.judged]

    @property
    def objectives(self) -> tuple[Objective, ...]:
        """The objectives that the reader chose, or the study's own."""
        return objectives_of(selection().objectives, self.study.candidates, self.facts)

    @property
    def table(self) -> pd.DataFrame:
        """The candidates with key and group. Shared: never change it."""
        return data.candidates_of(self.study, self.url, self.objectives)


def context() -> Context:
    """What the page is drawn from; the app sets it before it runs the page."""
    return st.session_state[CONTEXT]


def selection() -> Selection:
    """What the reader looks at."""
    return st.session_state[SELECTION]


def choose(**changes: Any) -> None:
    """Change the selection."""
    st.session_state[SELECTION] = replace(selection(), **changes)


def read_link() -> None:
    """Take the selection from the address bar, where it holds another one than was written there."""
    found: Query = {name: st.query_params.get_all(name) for name in st.query_params}
    by_hand = not st.session_state.pop(TOUCHED, False) and found != st.session_state.get(WRITTEN)
    if SELECTION not in st.session_state or (found and by_hand):
        st.session_state[SELECTION] = from_query(found)
        st.session_state[WRITTEN] = found
        st.session_state[READ] = st.session_state.get(READ, 0) + 1


def write_link() -> None:
    """Put the selection into the address bar."""
    query = to_query(selection())
    wanted = {name: [value] if isinstance(value, str) else value for name, value in query.items()}
    if wanted != {name: st.query_params.get_all(name) for name in st.query_params}:
        st.query_params.from_dict(wanted)
    st.session_state[WRITTEN] = wanted


def touched() -> None:
    """What widgets that change the selection, or act on it, call before the run that they begin."""
    st.session_state[TOUCHED] = True


def tied(widget: Callable[..., Any], label: str, field: str, current: Any, *, tag: str = "", **options: Any) -> Any:
    """A widget that starts from the selection's field and writes to it what the reader changes.

    `tag` tells widgets of one field with different choices apart.
    """
    key = f"{field} {tag} {st.session_state.get(READ, 0)}"
    if key not in st.session_state:
        st.session_state[key] = current
    value = widget(label, key=key, on_change=touched, **options)
    stored, shown = (tuple(v) if isinstance(v, list) else v for v in (value, current))
    if stored != shown and value is not None:
        choose(**{field: stored})
    return value


def pick(label: str, field: str, options: Sequence[str], default: str, **more: Any) -> str:
    """A choice of one; a choice that is not among the options is the default."""
    current = getattr(selection(), field)
    current = current if current in options else default
    return tied(st.selectbox, label, field, current, tag=str(hash(tuple(options))), options=list(options), **more)


def pick_study(groups: Mapping[str, Sequence[str]], default: str) -> str:
    """A choice of a study: of a name, and behind a name of many studies of one of them."""
    current = selection().study
    current = current if any(current in studies for studies in groups.values()) else default
    own = next(name for name, studies in groups.items() if current in studies)
    key = f"group {hash(tuple(groups))} {st.session_state.get(READ, 0)}"
    if key not in st.session_state:
        st.session_state[key] = own
    name = st.selectbox("study", list(groups), key=key, on_change=touched, format_func=str)
    if name != own:
        current = groups[name][0]
        choose(study=current)
    return pick("study of the arena", "study", groups[name], current) if len(groups[name]) > 1 else current


def switch(label: str, field: str, **more: Any) -> bool:
    """A choice of yes or no."""
    return tied(st.toggle, label, field, getattr(selection(), field), **more)


def head(title: str, sentence: str) -> None:
    """A page's title and what it is for."""
    st.title(inert.markdown(title))
    st.caption(inert.markdown(sentence))


def open_trial(key: str, study: str = "") -> None:
    """Go to a candidate's trial, be it in another study. For callbacks: the page is then as it was clicked on.

    What a widget returns would be lost, or meant for another row, where the study has gone on since the page was drawn.
    """
    touched()
    choose(candidate=key)
    if study and study != context().study.name:
        look_at(study)
    st.session_state[LEAVING] = st.session_state[PAGE]


def look_at(study: str) -> None:
    """Turn to another study; widgets start anew, from what the selection then says."""
    choose(study=study)
    st.session_state[READ] = st.session_state.get(READ, 0) + 1


def follow_click(page: str) -> None:
    """Go to the trial that was clicked on, before anything of the page that is left is drawn again.

    That page may be asked for once more on the way, by the second half of a double click.
    """
    if st.session_state.get(LEAVING) == page:
        write_link()
        st.switch_page(TRIAL_PAGE, query_params=to_query(selection()))
    st.session_state[PAGE] = page


def arrived() -> None:
    """Note that a page stands: no click is on its way any more."""
    st.session_state.pop(LEAVING, None)


def clicked_in(event: Any, studies: Collection[str] = ()) -> tuple[str, str] | None:
    """The key of the candidate that was clicked in a chart, and its study where the chart says it; else ""."""
    for point in event["selection"]["points"] if event else []:
        found = point.get("customdata")
        key, *beside = found if isinstance(found, list) and found else [found]
        if isinstance(key, str) and parse_candidate(key):
            return key, next((study for study in beside[:1] if study in studies), "")
    return None


def start_anew(**changes: Any) -> None:
    """Change the selection from outside of the widgets that show it, which start from it. For callbacks."""
    touched()
    choose(**changes)
    st.session_state[READ] = st.session_state.get(READ, 0) + 1


def chart(figure: Any, key: str, *, alt: str, click: bool = False, chosen: Callable[[Any], None] | None = None) -> None:
    """Draw a figure; with `click`, one in which a click on a candidate opens its trial, or as `chosen` does."""
    kind = selection().picture.lower()
    picture = {
        "toImageButtonOptions": {"format": kind, "filename": f"lethe-{key}", "scale": 2 if kind == "png" else 1},
        "displaylogo": False,
    }

    def clicked() -> None:
        if chosen:
            chosen(st.session_state[key])
        elif found := clicked_in(st.session_state[key], context().studies):
            open_trial(*found)

    if click or chosen:
        st.plotly_chart(figure, key=key, config=picture, alt=alt, on_select=clicked, selection_mode="points")
    else:
        st.plotly_chart(figure, key=key, config=picture, alt=alt)


def table(rows: pd.DataFrame, *, alt: str, pinned: str = "", **options: Any) -> None:
    """Draw a table whose cells are all whole, `pinned` a column that stays in view."""
    widths = column_widths(rows)
    columns = {
        name: st.column_config.Column(width=widths.get(name), pinned=name == pinned or None)
        for name in map(str, rows.columns)
        if name in widths or name == pinned
    }
    st.dataframe(rows, column_config=columns, hide_index=True, alt=alt, **options)


def column_widths(rows: pd.DataFrame) -> dict[str, int]:
    """Pixels for the columns that would be cut: those of text with a cell that is `UNEVEN`."""
    texts = rows.select_dtypes(exclude="number").astype(str)
    lengths = {str(name): texts[name].str.len() for name in texts}
    return {
        name: min(CHARACTER * max(int(own.max()), len(name)), WIDEST)
        for name, own in lengths.items()
        if own.max() > UNEVEN * own.mean()
    }
