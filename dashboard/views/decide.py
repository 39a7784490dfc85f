"""Page Decide: the candidate nearest to what is asked, whether it will do, how sure; limits, downloads, the report."""

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import data, inert, parts, wire
from dashboard.charts import curves, fronts
from dashboard.reports import decision as report
from dashboard.reports import reasons
from dashboard.selection import PICTURES
from dashboard.table import candidate_of, course_of, recipe, score_text, thinned
from lethe.analysis import audit_words
from lethe.analysis.audit import Audit
from lethe.analysis.decide import KNEE, Limit, Recommendation, accepted
from lethe.fronts.objectives import MAXIMIZE, MINIMIZE, TWO_SIDED, WISHES, Objective
from lethe.store.cards import Card
from lethe.store.snapshot import Snapshot

NET = "net recovery"  # a column, where candidates were audited
ENDS = {MINIMIZE: ("high",), MAXIMIZE: ("low",), TWO_SIDED: ("low", "high")}  # of a limit, by a score's goal


def page() -> None:
    """Draw the page."""
    context = wire.context()
    wire.head("Decide", "The candidate nearest to what you ask, whether it will do, and how sure the scores are.")
    if not len(context.study.candidates):
        st.info("No candidate has been scored yet. This page fills itself as the search goes on.")
        return
    with st.expander("what is acceptable", expanded=bool(wire.selection().limits)):
        limits = choose_limits(context)
        rules = [KNEE, *(o.score for o in context.objectives)]
        rule = wire.pick("rule", "rule", rules, KNEE, format_func=rule_words)
    mask = accepted(context.study.candidates, limits)
    within = " and within your limits" if limits else ""
    st.caption(f"{int(mask.sum()):,} of {len(mask):,} candidates are feasible{within}")
    found = data.recommended(context.study, context.url, context.objectives, tuple(limits), rule)
    if found is None:
        st.warning("Nothing is left: widen a limit, let the search go on, or ship none.")
        return
    recommendation(context, found, limits)
    parts.sample(context, context.study.candidates.iloc[found.row])
    why(context, found, limits)
    take_away(context, found, limits, mask)


def rule_words(rule: str) -> str:
    """A rule in words."""
    return "knee: gives up the least in total" if rule == KNEE else f"best {rule}"


def choose_limits(context: wire.Context) -> list[Limit]:
    """Number fields for each objective and constraint, at the ends that its goal needs; an empty one is no limit."""
    st.caption(
        "Limits hold for the scores as measured (where items are split: of the half that chooses), not for their "
        "intervals; how often a candidate stays within them when its scores are drawn again is told below."
    )
    scores = [o.score for o in context.objectives]
    scores += [c.score for c in context.facts.constraints if c.score not in scores]
    given = {limit.score: limit for limit in wire.selection().limits}
    limits = []
    with st.container(horizontal=True):
        for score in scores:
            old = given.get(score, Limit(score=score))
            low, high = limit_field(context, old, "low"), limit_field(context, old, "high")
            if low is not None or high is not None:
                ends = {"low": -math.inf if low is None else low, "high": math.inf if high is None else high}
                limits.append(Limit(score=score, **ends))
    if tuple(limits) != wire.selection().limits:
        wire.choose(limits=tuple(limits))
    return limits


def limit_field(context: wire.Context, limit: Limit, end: str) -> float | None:
    """A field for one end of a limit, where its score's goal needs that end or the link has it; None for no limit."""
    there = getattr(limit, end) if math.isfinite(getattr(limit, end)) else None
    if there is None and end not in ENDS[context.cards[limit.score].goal]:
        return None
    key = f"limit {limit.score} {end} {st.session_state.get(wire.READ, 0)}"
    st.session_state.setdefault(key, there)
    known = context.facts.references.get(reasons.RETRAINED, {}).get(limit.score)
    said = [f"The retrained model has {known[0]:.1f}."] if known else []
    said += [f"The search holds it {c.words}." for c in context.facts.constraints if c.score == limit.score]
    return st.number_input(
        inert.markdown(f"{limit.score} {'at least' if end == 'low' else 'at most'}"),
        value=None,
        step=1.0,
        format="%g",
        key=key,
        placeholder="no limit",
        help=inert.markdown(" ".join(said)) if said else None,
        on_change=wire.touched,
        width=190,
    )


def recommendation(context: wire.Context, found: Recommendation, limits: list[Limit]) -> None:
    """The candidate, in large: its scores, and whether it will do."""
    row = context.study.candidates.iloc[found.row]
    st.subheader(
        inert.markdown(reasons.headline(context.study.candidates, found, context.objectives, context.facts)),
        anchor=False,
    )
    with st.container(border=True):
        scores = [o.score for o in context.objectives]
        scores += [c.score for c in context.facts.constraints if c.score not in scores]
        with st.container(horizontal=True):
            for score in scores:
                value, _, half = score_text(row, score).partition(" ")
                st.metric(
                    inert.markdown(f"{score} ({WISHES[context.cards[score].goal]})"),
                    value,
                    half or None,
                    delta_color="off",
                    delta_arrow="off",
                    width=140,
                )
            came_back(context, candidate_of(row).name)
        st.text(f"Its recipe: {recipe(row, context.study.parameters)}")
        st.text(reasons.rule(found, context.objectives, limits))
        against = reasons.against_retrained(context.study.candidates, found.row, context.objectives, context.facts)
        if reasons.SHORT in against:
            st.warning(inert.markdown(against))
        elif against:
            st.text(against)
        for line in reasons.sureness(context.study.candidates, found, limits, context.facts):
            st.text(line)
        for line in reasons.seeds(data.points_of(context.study, context.url), found.row, context.facts):
            st.text(line)
        if (name := candidate_of(row).name) in (audit := data.audit(context.study, context.url)).candidates:
            st.text(f"Audited: {audit_words.verdict(audit, name)}.")
        if row["weights"]:
            st.text(f"Its weights: {row['weights']}")
        st.button(
            "Open this trial",
            type="primary",
            icon=":material/open_in_new:",
            on_click=wire.open_trial,
            args=(candidate_of(row).key,),
        )


def came_back(context: wire.Context, name: str) -> None:
    """The most that a stress brings back in a candidate that was audited."""
    value, _, stress = audit_words.worst(data.audit(context.study, context.url), name).partition(" ")
    if value:
        st.metric(
            "net recovery \\(worst stress, low\\)", value, stress, delta_color="off", delta_arrow="off", width=220
        )


def why(context: wire.Context, found: Recommendation, limits: list[Limit]) -> None:
    """The candidate on the front, score by score, and what was near."""
    candidates = context.study.candidates
    row = candidates.iloc[found.row]
    st.subheader("Why", anchor=False)
    st.text("\n".join(f"• {line}" for line in reasons.scores(row, context.objectives, context.facts)))
    parts.reference_notes(context)
    st.subheader("What was near", anchor=False)
    audit, rivals = data.audit(context.study, context.url), [candidates.iloc[rival.row] for rival in found.near]
    said = [audit_words.worst(audit, candidate_of(rival).name) for rival in rivals]
    near = [
        f"{line}; net recovery {worst}" if worst else line
        for line, worst in zip(reasons.near(candidates, found, context.objectives), said, strict=True)
    ] or ["nothing else is left"]
    st.text("\n".join(f"• {line}" for line in near))
    wire.tied(
        st.segmented_control,
        "format of the pictures that a chart's camera button saves",
        "picture",
        wire.selection().picture,
        options=list(PICTURES),
        required=True,
    )
    wire.chart(drawn(context, found).front(), "decision", alt=wire.ALT_FRONT, click=True)


@dataclass(frozen=True)
class Drawn:
    """What figures are drawn from. A download is made when it is asked for, where no reader's selection is at hand."""

    study: Snapshot
    table: pd.DataFrame
    objectives: tuple[Objective, ...]
    cards: dict[str, Card]
    found: Recommendation

    def front(self) -> go.Figure:
        """The recommended candidate on the front, with its trial's course."""
        row = self.table.iloc[self.found.row]
        return fronts.front_2d(
            thinned(self.table, 1500, row["key"]),
            self.objectives[0].score,
            self.objectives[-1].score,
            self.cards,
            fronts.Beside(
                parameters=self.study.parameters,
                references=self.study.facts.references,
                chosen=row["key"],
                ring="nearest to what you ask",
                trajectory=course_of(self.table, row),
            ),
        )

    def course(self) -> go.Figure:
        """The scores of the candidate's trial along its axis."""
        names = [o.score for o in self.objectives]
        own = course_of(self.table, self.table.iloc[self.found.row], all_roles=True)
        return curves.score_curves(own, names, self.cards, self.study.facts.references)


def drawn(context: wire.Context, found: Recommendation) -> Drawn:
    """What is known of the view, taken together while the page is drawn."""
    return Drawn(context.study, context.table, context.objectives, context.cards, found)


def with_audit(candidates: pd.DataFrame, audit: Audit) -> pd.DataFrame:
    """Candidates with what the worst stress brings back; as they are where none was audited."""
    if not audit.candidates:
        return candidates
    names = [candidate_of(row).name for row in candidates.to_dict("records")]
    return candidates.assign(**{NET: [audit_words.worst(audit, name) for name in names]})


def take_away(context: wire.Context, found: Recommendation, limits: list[Limit], mask: np.ndarray) -> None:
    """Downloads, and the note of the trial."""
    row = context.study.candidates.iloc[found.row]
    name = "lethe-" + candidate_of(row).key.replace("/", "-")
    note = context.study.notes.get(int(row["trial"]), "")
    st.subheader("Take away", anchor=False)

    view, audit = drawn(context, found), data.audit(context.study, context.url)
    points = data.points_of(context.study, context.url)

    def page_of_html() -> str:
        return report.as_html(view.study, found, view.objectives, limits, points, [view.front(), view.course()], note)

    with st.container(horizontal=True):
        st.download_button("Report (HTML)", page_of_html, f"{name}.html", "text/html", on_click="ignore")
        st.download_button(
            "Recommendation (JSON)",
            lambda: report.as_json(view.study, found, limits, points),
            f"{name}.json",
            "application/json",
            on_click="ignore",
        )
        st.download_button(
            "What is left (CSV)",
            lambda: report.as_csv(with_audit(view.study.candidates[mask], audit)),
            "lethe-candidates.csv",
            "text/csv",
            on_click="ignore",
        )
    parts.note(context, int(row["trial"]))


page()
