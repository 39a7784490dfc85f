"""Page Progress: hypervolume over trials and time, trials by state, what runs, what failed and why, time left."""

import pandas as pd
import streamlit as st

from dashboard import data, wire
from dashboard.charts import curves
from dashboard.table import recipe
from lethe.analysis.cells import number
from lethe.store.places import Place

LONGEST = 200  # rows of a table


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Progress", "How the search goes. This page refreshes itself.")
    study = context.study
    if not len(study.trials):
        st.info("No trial has begun yet.")
        return
    history = data.volumes_of(study, context.url)
    numbers(context, history)
    wire.chart(curves.states_chart(study.own_trials), "states", alt="Number of trials in each state.")
    left, right = st.columns(2)
    with left:
        wire.chart(curves.volume_chart(history, "trials"), "volume trials", alt="Hypervolume over trials.")
    with right:
        if history["hours"].notna().any():
            wire.chart(curves.volume_chart(history, "time"), "volume time", alt="Hypervolume over time.")
        else:
            st.info("These trials come without times.")
    running(context)
    own = study.own_trials
    reasons(own[own["state"] == "FAIL"], "failure", "Failed")
    whole = own[own["state"] == "COMPLETE"]
    reasons(whole[whole["stopped"].notna()], "stopped", "Stopped early")


def numbers(context: wire.Context, history: pd.DataFrame) -> None:
    """The search in numbers."""
    trials, planned = context.study.own_trials, context.study.planned
    ended = int(trials["state"].isin(("COMPLETE", "FAIL", "PRUNED")).sum())
    front = int(context.study.candidates["front"].sum()) if len(context.study.candidates) else 0
    with st.container(horizontal=True):
        st.metric("trials that ended", f"{ended:,}" + (f" of {planned:,}" if planned else ""), width=200)
        if told := len(context.study.told_trials):
            st.metric("told by another study", f"{told:,}", width=200)
        st.metric("on the front", front, width=130)
        volume = history["volume"].iloc[-1] if len(history) else 0.0
        st.metric("hypervolume", number(volume, 3), width=150, help="share of the box from best to worst")
        st.metric("time left", time_left(trials, planned), width=220)


def time_left(trials: pd.DataFrame, planned: int | None) -> str:
    """How long the trials that are left will take, at the pace of the newest."""
    if not (trials["state"] == "RUNNING").any():
        done = planned is not None and int(trials["end"].notna().sum()) >= planned
        return "none" if done else "nothing runs"
    ended = trials.dropna(subset=["end"]).sort_values("end").tail(20)
    if planned is None or len(ended) < 2:
        return "not known yet"
    missing = planned - int(trials["end"].notna().sum())
    pace = (ended["end"].iloc[-1] - ended["end"].iloc[0]).total_seconds() / (len(ended) - 1)
    seconds = max(missing, 0) * pace
    return f"about {seconds / 3600:.1f} h" if seconds > 5400 else f"about {max(seconds / 60, 1):.0f} min"


def running(context: wire.Context) -> None:
    """Trials that run, with their newest scores."""
    study = context.study
    trials = study.trials[study.trials["state"] == "RUNNING"]
    st.subheader(f"Running: {len(trials)}", anchor=False)
    if not len(trials):
        return
    rows = []
    for _, trial in trials.head(LONGEST).iterrows():
        own = (
            study.candidates[study.candidates["trial"] == trial["number"]]
            if len(study.candidates)
            else study.candidates
        )
        newest = own.iloc[-1] if len(own) else pd.Series(dtype=object)
        row = {"trial": trial["number"], "recipe": recipe(trial, study.parameters)}
        row["newest"] = Place.of(newest).words if len(own) else "no score yet"
        rows.append(row | {o.score: number(newest.get(o.score)) for o in context.facts.objectives})
    wire.table(pd.DataFrame(rows), alt="Running trials with their newest scores.")


def reasons(trials: pd.DataFrame, why: str, title: str) -> None:
    """Trials that ended so, with the reason that the column `why` holds, newest first."""
    st.subheader(f"{title}: {len(trials)}", anchor=False)
    if len(trials):
        found = trials[why].fillna("no reason was stored").astype(str).str.slice(0, 500)
        table = pd.DataFrame({"trial": trials["number"], "reason": found})
        wire.table(table.iloc[::-1].head(LONGEST), alt=f"{title} trials with their reasons.")
        common = found.value_counts().head(1)
        st.text(f"most often ({common.iloc[0]} times): {common.index[0]}")


page()
