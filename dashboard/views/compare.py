"""Page Compare: several studies on one front, their hypervolumes, and the best candidate of each."""

from dataclasses import replace

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import data, inert, published, wire
from dashboard.charts import curves
from dashboard.table import candidate_of, objectives_of, recipe, score_text, scores_of, thinned
from lethe.analysis.cells import number
from lethe.analysis.decide import recommend
from lethe.fronts.objectives import Objective
from lethe.store.facts import SPLIT
from lethe.store.snapshot import Snapshot

MOST = 6  # studies on one chart
SCALES = {  # of facts
    "benchmark": "made on different benchmarks",
    "protocol": "scored by different protocols",
    SPLIT: "judged by all items, or by half of them",
}


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Compare", "Several studies on one front, over the objectives that all of them measured.")
    others = [name for name in context.studies if name != context.study.name]
    default = [name for name in wire.selection().others if name in others] or others[:1]
    chosen = wire.tied(
        st.multiselect,
        "compare with",
        "others",
        default,
        tag=context.study.name,
        options=others,
        max_selections=MOST - 1,
    )
    studies = read_all(context, list(chosen))
    shared = shared_objectives(context, studies)
    if not shared:
        st.info("These studies have no objective in common that both have scores of.")
        return
    for what, words in SCALES.items():
        if len({study.facts.about.get(what) or None for study in studies.values()}) > 1:
            st.warning(f"These studies were {words}: their scores are not on one scale.")
    tables = {name: thinned(data.candidates_of(study, context.url, shared), 1500) for name, study in studies.items()}
    fronts(context, tables, shared)
    volumes(context, studies, shared)
    best_candidates(studies, shared)


def read_all(context: wire.Context, names: list[str]) -> dict[str, Snapshot]:
    """The studies that can be read; says of the others why not."""
    studies = {context.study.name: context.study} if len(context.study.candidates) else {}
    for name in names:
        try:
            study = data.read(context.url, name)
        except ValueError as error:
            st.warning(inert.markdown(error))
            continue
        if len(study.candidates):
            studies[name] = study
        else:
            st.info(inert.markdown(f"{name} has no scored candidate yet."))
    return studies


def shared_objectives(context: wire.Context, studies: dict[str, Snapshot]) -> tuple[Objective, ...]:
    """The objectives of the study that is looked at, as far as all studies have them for most candidates."""
    if not studies:
        return ()
    names = [
        o.score
        for o in context.objectives
        if all(s in scores_of(study.candidates, study.facts) for study in studies.values() for s in [o.score])
        and all(study.candidates[o.score].notna().mean() > 0.9 for study in studies.values())
    ]
    return objectives_of(names, next(iter(studies.values())).candidates, context.facts) if names else ()


def fronts(context: wire.Context, tables: dict[str, pd.DataFrame], shared: tuple[Objective, ...]) -> None:
    """All fronts over two scores."""
    names = [o.score for o in shared]
    measured = [scores_of(table, context.facts) for table in tables.values()]
    common = [score for score in measured[0] if all(score in m for m in measured)]
    left, right = st.columns(2)
    with left:
        x = wire.pick("x", "x", common, names[0])
    with right:
        y = wire.pick("y", "y", common, names[-1])
    cards = {score: context.facts.card(score) for score in common}
    wire.chart(curves.compare_fronts(tables, x, y, cards), "fronts", alt="Fronts of several studies.")
    st.caption(f"Filled: on the study's front over {', '.join(names)}. Open: its other candidates.")


def volumes(context: wire.Context, studies: dict[str, Snapshot], shared: tuple[Objective, ...]) -> None:
    """Hypervolumes over the shared objectives, and how far each is from the first."""
    histories = {
        name: data.volumes_of(study, context.url, replace(study.facts, objectives=shared))
        for name, study in studies.items()
    }
    st.subheader("Hypervolume", anchor=False)
    last = {name: float(h["volume"].iloc[-1]) if len(h) else 0.0 for name, h in histories.items()}
    first = next(iter(last.values()))
    table = pd.DataFrame(
        {
            "study": list(last),
            "complete trials": [int(h["done"].iloc[-1]) if len(h) else 0 for h in histories.values()],
            "hypervolume": [number(v, 3) for v in last.values()],
            "difference": ["–"] + [f"{v - first:+.3f}".replace("-", "−") for v in list(last.values())[1:]],
        }
    )
    wire.table(table, alt="Hypervolumes of the studies.")
    known = {name: h for name, h in histories.items() if len(h)}
    wire.chart(curves.compare_volumes(known), "volumes", alt="Hypervolume over trials.")


def best_candidates(studies: dict[str, Snapshot], shared: tuple[Objective, ...]) -> None:
    """The recommended candidate of each study over the shared objectives."""
    rows = []
    for name, study in studies.items():
        usable = study.candidates[np.isfinite(study.candidates[[o.score for o in shared]].to_numpy(float)).all(axis=1)]
        found = recommend(usable.reset_index(drop=True), shared, study.facts.constraints)
        if found is None:
            continue
        row = usable.iloc[found.row]
        scores = {o.score: score_text(row, o.score) for o in shared}
        rows.append(
            {"study": name, "candidate": candidate_of(row).words, **scores, "recipe": recipe(row, study.parameters)}
        )
    st.subheader("The knee of each", anchor=False)
    wire.table(pd.DataFrame(rows), alt="The recommended candidate of each study.")
    if published.NEWS_RUNS in studies:
        st.caption(f"Published runs: {published.SOURCE}; the student is scored, without intervals.")


page()
