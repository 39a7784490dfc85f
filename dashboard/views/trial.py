"""Page Trial: parameters, the course of every score, losses, the outputs before and after, the command to run again."""

import shlex

import pandas as pd
import streamlit as st

from dashboard import data, inert, outputs, parts, wire
from dashboard.charts import curves
from dashboard.table import (
    candidate_of,
    command,
    course_of,
    find,
    grouped,
    parameter_text,
    parse_candidate,
    reference_text,
    score_text,
)
from lethe.store.parameters import METHOD, own
from lethe.store.trials import REPEAT_SEED, REPEATS

PER_PAGE = 5
ORDERS = {outputs.WORST: "worst first", outputs.CHANGED: "changed most first"}


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Trial", "One trial: its parameters, its course, and what its model wrote.")
    if not len(context.study.trials):
        st.info("No trial has begun yet.")
        return
    number = choose_trial(context)
    trial = context.study.trials[context.study.trials["number"] == number].iloc[0]
    table = repeats_of(context) if pd.notna(trial[REPEATS]) else context.table
    rows = table[table["trial"] == number] if len(table) else table
    facts_of_trial(context, trial)
    if pd.notna(trial[REPEATS]):
        st.info(
            f"This is trial {trial[REPEATS]:.0f} run again with seed {trial[REPEAT_SEED]:.0f}: no candidate itself."
        )
    if trial["state"] == "FAIL":
        st.error(inert.markdown(f"This trial failed: {trial['failure'] or 'no reason was stored'}"))
    if trial["stopped"]:
        st.info(inert.markdown(f"This trial was stopped early, at {trial['stopped']}"))
    if len(rows):
        row = choose_candidate(rows)
        scores_of_candidate(context, row)
        again = command(context.study, row)
        if again:
            st.caption("run it again, up to this candidate")
            st.code(shlex.join(again), language=None, wrap_lines=True)
        course(context, rows, row)
        written(context, row)
    else:
        st.info("This trial has no scored candidate.")
    parts.note(context, number)


def repeats_of(context: wire.Context) -> pd.DataFrame:
    """What repeats scored, as the table of candidates is."""
    return grouped(context.study.repeats, context.facts.objectives, context.facts)


def choose_trial(context: wire.Context) -> int:
    """The trial that is looked at: of the link, else the recommended one."""
    numbers = context.study.trials["number"]
    linked = parse_candidate(wire.selection().candidate)
    wanted = linked.trial if linked else default_trial(context)
    wanted = wanted if wanted in numbers.index else int(numbers.iloc[0])
    key = f"trial {wanted} {context.study.name}"
    low, high = int(numbers.min()), int(numbers.max())
    chosen = st.number_input("trial", low, high, wanted, key=key, width=200, on_change=wire.touched)
    if chosen != wanted and chosen in numbers.index:
        rows = context.table[context.table["trial"] == chosen] if len(context.table) else context.table
        first = candidate_of(rows.iloc[-1]).key if len(rows) else f"{chosen}/step/0/none"
        wire.choose(candidate=first)
        wire.write_link()
        st.rerun()
    return wanted


def default_trial(context: wire.Context) -> int:
    """The recommended candidate's trial, or the first."""
    found = data.recommended(context.study, context.url, context.objectives)
    if found is None:
        return int(context.study.trials["number"].iloc[0])
    row = context.study.candidates.iloc[found.row]
    wire.choose(candidate=candidate_of(row).key)
    return int(row["trial"])


def facts_of_trial(context: wire.Context, trial: pd.Series) -> None:
    """State, time and parameters."""
    took = trial["end"] - trial["start"]
    duration = f"{took.total_seconds():.0f} s" if pd.notna(took) else "–"
    with st.container(horizontal=True):
        st.metric("state", str(trial["state"]).lower(), width=150)
        st.metric("took", duration, width=120)
        asked = {name: trial[name] for name in context.study.parameters}
        method = {METHOD: asked[METHOD]} if METHOD in asked else {}
        for name, value in (method | own(asked)).items():
            st.metric(inert.markdown(name), inert.markdown(parameter_text(value)), width=130)


def choose_candidate(rows: pd.DataFrame) -> pd.Series:
    """The candidate of the trial that is looked at."""
    keys = rows["key"].tolist()
    current = wire.selection().candidate if wire.selection().candidate in keys else keys[-1]
    groups = dict(zip(rows["key"], rows["group"], strict=True))

    def words(key: str) -> str:
        found = parse_candidate(key)
        return f"{found.place.words} ({groups[key]})" if found else key

    key = wire.tied(
        st.selectbox,
        "candidate",
        "candidate",
        current,
        tag=str(hash(current)),
        options=keys,
        format_func=words,
        width=400,
    )
    row = find(rows, key)
    assert row is not None
    return row


def scores_of_candidate(context: wire.Context, row: pd.Series) -> None:
    """All scores of the candidate beside the target's and the retrained model's."""
    named = context.shown
    table = pd.DataFrame({"score": named, "this candidate": [score_text(row, s) for s in named]})
    for name, scores in context.facts.references.items():
        table[name] = [reference_text(scores.get(s)) for s in named]
    wire.table(table, alt="Scores of this candidate and of the reference models.", width="content")
    parts.reference_notes(context)


def course(context: wire.Context, rows: pd.DataFrame, row: pd.Series) -> None:
    """Scores along the axis of the candidate; losses, gradient norm and clip."""
    st.subheader(inert.markdown(f"Scores by {row['axis']}"), anchor=False)
    own = course_of(rows, row, all_roles=True)
    figure = curves.score_curves(own, context.shown, context.cards, context.facts.references)
    wire.chart(figure, "course", alt="Scores of this trial along its axis, by role.")
    steps = outputs.read_steps(row["items"])
    st.subheader("Losses and gradients", anchor=False)
    if steps is None:
        st.info("The step records of this trial are not on this machine.")
    elif steps.empty:
        st.info("This trial took no steps: its method trains nothing.")
    else:
        wire.chart(curves.step_curves(steps), "steps", alt="Losses, gradient norm and clip over steps.")


def written(context: wire.Context, row: pd.Series) -> None:
    """What the model wrote to each prompt, before and after, with a search box."""
    st.subheader("What the model wrote", anchor=False)
    items = parts.items_of(context, row)
    if items is None:
        return
    scores = outputs.written(items, context.facts)
    words = {score: context.facts.card(score).item for score in scores}
    if not scores:
        st.info("The items of this candidate hold nothing that a model wrote.")
        return
    left, middle, right = st.columns(3)
    with left:
        score = wire.pick("prompts", "score", scores, scores[0], format_func=words.get)
    with middle:
        order = wire.pick("order", "order", outputs.ORDERS, outputs.WORST, format_func=ORDERS.get)
    with right:
        text = wire.tied(st.text_input, "search prompts, outputs and truths", "search", wire.selection().search)
    card = context.facts.card(score)
    hits = outputs.searched(items, card, text or "", order)
    pages = max(-(-len(hits) // PER_PAGE), 1)
    key = f"page {score} {order} {text} {row['key']}"
    page_number = st.number_input(f"page of {pages}", 1, pages, 1, key=key, width=140)
    st.caption(f"{len(hits)} items, {ORDERS[order]}")
    if card.forgotten:
        st.text(f"of all items {outputs.still(items, card)}")
    for _, item in hits.iloc[(page_number - 1) * PER_PAGE : page_number * PER_PAGE].iterrows():
        parts.answer(context, item)


page()
