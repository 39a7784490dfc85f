"""An ablation's report: one page of HTML that needs no network, or the same as Markdown. What is missing is shown."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pandas as pd

from dashboard.charts import ablations as charts
from dashboard.charts import requests as request_charts
from dashboard.reports import audit as audits
from dashboard.reports.reasons import reference_notes
from dashboard.reports.sections import Section, html_of, markdown_of
from lethe.analysis import requests, verdicts
from lethe.analysis.ablation import ARM, SEED, VOLUME, Ablation
from lethe.analysis.audit import audit_of, stored_items
from lethe.analysis.cells import number
from lethe.analysis.designs import BASELINE, FRACTIONAL, Part, aliases, resolution
from lethe.analysis.verdicts import mean_cell, reference_cell, score_name, sentence
from lethe.fronts.objectives import MAXIMIZE, WISHES

PARTS = {
    "one at a time": "one switch of the baseline is changed in each arm",
    "factorial": "every combination of the levels is an arm",
    FRACTIONAL: "a balanced part of all combinations of two levels",
}


def sections(found: Ablation) -> Iterator[Section]:
    """The report, part by part, the answer first."""
    effects, arms = found.effects(), found.arms()
    compared = int(effects["p"].notna().sum()) if len(effects) else 0
    yield Section("In short", items=verdicts.summary(found))
    yield asked(found)
    yield reading(found, compared)
    if len(found.gaps()):
        yield gaps(found)
    if len(effects):
        yield differences(found, effects)
        yield from sentences(found, effects)
    yield scores(found, arms)
    yield from larger_and_later(found)
    if len(effects):
        plots = [charts.forest(effects, score) for score in found.goals]
        yield Section("Forest plots", texts=["Filled: clear after correction. Open: not clear."], figures=plots)
    factors = found.factors()
    if len(factors):
        yield from factorial(found, factors)
    if len(found.candidates):
        yield fronts(found)
    yield volumes(found, arms)
    yield from audited(found)
    about = found.facts.about
    rows = [*({"method": about["method"]} if "method" in about else {}).items(), *about.get("settings", {}).items()]
    yield Section("Configuration", table=(["setting", "value"], rows))
    yield versions(found)


def reading(found: Ablation, compared: int) -> Section:
    """What the words of the report mean."""
    meanings = {score: found.facts.card(score).meaning for score in found.goals}
    lines = [
        f"{score_name(score, goal)}: {meanings[score]}, best {WISHES[goal]}"
        for score, goal in found.goals.items()
        if meanings[score]
    ]
    lines.append(
        f"{VOLUME}: share of the box between the best scores and the worst that a run's feasible candidates dominate, "
        "best high"
    )
    texts = [verdicts.RULE.format(role=found.role), verdicts.METHOD.format(count=compared)]
    if found.without_items():
        lacking = ", ".join(found.without_items())
        texts.append(
            f"What was scored item by item is not all at hand: intervals of {lacking} allow for other seeds only."
        )
    return Section("How to read this", texts=texts, items=lines)


def asked(found: Ablation) -> Section:
    """What was asked: the design in words, and every arm."""
    about = found.facts.about
    texts = [
        f"Benchmark {about.get('benchmark')}, protocol {about.get('protocol')}, {len(found.design)} arms, seeds "
        f"{', '.join(map(str, found.seeds)) or 'none yet'}. The baseline is the configuration at the end of this page; "
        "an arm changes what is named and nothing else."
    ]
    texts += [
        f"{part.kind.capitalize()}: {PARTS[part.kind]} ({', '.join(part.switches)}). {fraction(part)}"
        for part in found.design.parts
    ]
    if found.facts.constraints:
        texts.append(f"Feasible: {'; '.join(f'{c.score} {c.words}' for c in found.facts.constraints)}.")
    if about.get("tuned"):
        texts.append(f"Each arm's rates were searched first, with {about['tuned']} trials each.")
    meanings = about.get("meanings", {})
    rows = []
    for arm in found.design:
        levels = [f"{switch}={level}" for switch, level in arm.levels.items()]
        words = "; ".join(meanings[level] for level in levels if level in meanings)
        rows.append([arm.name, words, ", ".join(f"{k}={v}" for k, v in arm.settings.items())])
    return Section("What was asked", texts=texts, table=(["arm", "the same, but", "settings"], rows))


def fraction(part: Part) -> str:
    """A fraction's generators and resolution; nothing of other parts."""
    if part.kind != FRACTIONAL:
        return ""
    letters = ", ".join(f"{letter} {name}" for letter, name in zip("ABCDEFGHIJKLMNOP", part.switches, strict=False))
    mixed = sorted(
        {
            " with ".join(sorted([name, *map(" × ".join, aliases([name], part))]))
            for name in part.switches
            if aliases([name], part)
        }
    )
    told = f" It cannot tell {'; '.join(mixed)}." if mixed else ""
    found = resolution(part.generators, len(part.switches))
    return f"Generators {', '.join(part.generators)} ({letters}), resolution {found}.{told}"


def gaps(found: Ablation) -> Section:
    """The runs that gave no score, and why."""
    return Section(
        "Gaps",
        texts=["These runs gave no score. A difference is taken over the seeds that both arms have."],
        table=(["arm", "seed", "why"], found.gaps().to_numpy().tolist()),
    )


def differences(found: Ablation, effects: pd.DataFrame) -> Section:
    """Every arm's differences with their intervals, those that are clear marked."""
    head = ["arm", "seeds", *(score_name(score, goal) for score, goal in found.goals.items())]
    rows = []
    for arm in found.design:
        own = {row["score"]: row for row in effects[effects["effect"] == arm.name].to_dict("records")}
        if arm.name != BASELINE:
            rows.append([arm.name, max(int(row["n"]) for row in own.values()), *(cell(own[s]) for s in found.goals)])
    note = "Difference to the baseline (95% interval); better or worse is said where it is clear after correction."
    return Section("Effects", texts=[note], table=(head, rows))


def cell(row: dict[Any, Any]) -> str:
    """A difference, its interval, and whether it is clear."""
    if row["value"] != row["value"]:
        return "– (gap)"
    verdict = "" if not row["sure"] else " better" if row["better"] else " worse"
    digits = 3 if row["score"] == VOLUME else 1
    sign = "+" if row["value"] > 0 else ""
    return (
        f"{sign}{number(row['value'], digits)} ({number(row['low'], digits)} to {number(row['high'], digits)}){verdict}"
    )


def sentences(found: Ablation, effects: pd.DataFrame) -> Iterator[Section]:
    """What each arm does, score by score, in words."""
    lines = []
    for arm in found.design:
        rows = effects[effects["effect"] == arm.name].to_dict("records")
        if arm.name != BASELINE:
            told = [f"{sentence(row, len(found.seeds))}." for row in rows]
            lines.append((verdicts.named(found, arm.name), told))
    yield Section("In words", items=lines)


def scores(found: Ablation, arms: pd.DataFrame) -> Section:
    """What each arm scores, beside the reference models."""
    shown = [*found.goals, VOLUME]
    rows: list[list[str]] = []
    for name, row in found.facts.references.items():
        rows.append([name, "", *(reference_cell(row.get(s), found.goals.get(s, "")) for s in shown)])
    for arm in found.design:
        own = {row["score"]: row for row in arms[arms["arm"] == arm.name].to_dict("records")}
        cells = [mean_cell(own[s], 3 if s == VOLUME else 1) for s in shown]
        rows.append([arm.name, str(max(int(row["n"]) for row in own.values())), *cells])
    names = [score_name(s, found.goals.get(s, "")) for s in shown]
    text = (
        "Mean over seeds, and how far its 95% interval reaches (+ or −: to that side only); of the reference models, "
        "over items."
    )
    notes = reference_notes(found.facts)
    return Section("Scores", texts=[text], items=notes, table=(["arm", "seeds", *names], rows))


def larger_and_later(found: Ablation) -> Iterator[Section]:
    """What is kept and what is left, request by request; nothing where the ablation asked for neither."""
    courses, sizes = requests.successive(found), requests.grown(found)
    before = requests.before(found)
    if len(sizes):
        grown = requests.told_of_grown(found, sizes)
        yield Section("Requests that grow", items=grown, figures=[request_charts.grown(sizes, before)])
    if len(courses.kept):
        texts = [
            "Each request begins with the model that the last one left. Lines through: what has to stay. Dashed: what "
            "is left of all that was asked for so far. Points are means over seeds, bars reach from the least to the "
            "largest of them."
        ]
        figure = request_charts.successive(courses, before)
        later = requests.told_of_successive(found, courses)
        yield Section("Requests one after the other", texts=texts, items=later, figures=[figure])
    for score, rows in courses.parts.groupby("score", sort=False):
        means = rows.groupby(["about", "request"])["value"].mean().unstack("request")
        table = [[f"of request {about}", *(number(v) for v in means.loc[about])] for about in means.index]
        head = ["", *(f"behind {int(request)}" for request in means.columns)]
        text = "Behind its own request it should be gone, and stay so to the right; before it, nothing need be."
        yield Section(f"What is left of each request: {score}", texts=[text], table=(head, table))


def factorial(found: Ablation, factors: pd.DataFrame) -> Iterator[Section]:
    """Main effects and two-way interactions, those that are clear first."""
    rows = [
        [row["effect"], score_name(row["score"], row["goal"]), cell(row), row["aliases"]]
        for row in factors.sort_values(["sure", "p_holm"], ascending=[False, True], kind="stable").to_dict("records")
    ]
    texts = [
        "A main effect is a level's difference to the baseline's level, averaged over the other switches. An "
        "interaction (×) is how much larger the one's effect is where the other is switched too; at 0 "
        "they add up."
    ]
    head = ["effect", "score", "size (95% interval)", "not told from"]
    yield Section("Main effects and interactions", texts=texts, table=(head, rows))


def fronts(found: Ablation) -> Section:
    """The fronts of the arms over the first objective and the first score that should be high."""
    x, *others = found.goals
    y = next((score for score, goal in found.goals.items() if goal == MAXIMIZE), others[-1] if others else x)
    drawn = found.candidates[found.candidates["state"] == "COMPLETE"]
    figure = charts.fronts(drawn, [arm.name for arm in found.design], x, y, found.facts)
    roles = sorted(drawn["role"].unique())
    text = (
        f"All scored candidates of an arm ({', '.join(roles)}); its front is taken over all objectives, not only "
        "these two, and without what breaks a constraint."
    )
    return Section("Fronts of the arms", texts=[text], figures=[figure])


def volumes(found: Ablation, arms: pd.DataFrame) -> Section:
    """Hypervolume of each arm and its difference to the baseline's."""
    compared = {row["effect"]: row for row in found.volumes().to_dict("records")}
    means = {row["arm"]: row for row in arms[arms["score"] == VOLUME].to_dict("records")}
    rows = [
        [arm.name, mean_cell(means[arm.name], 3), cell(compared[arm.name]) if arm.name in compared else ""]
        for arm in found.design
    ]
    text = "The share of the box from best to worst that a run's front dominates: larger is better. Mean over seeds."
    head = ["arm", "hypervolume", "difference to the baseline"]
    return Section("Hypervolume", texts=[text], table=(head, rows), figures=[charts.volumes(arms)])


def audited(found: Ablation) -> Iterator[Section]:
    """What an audit says of its candidates, as the audit's own report does; nothing where none was audited."""
    audit = audit_of(found.audits, stored_items, found.facts.card)
    if not audit.candidates:
        return
    known = {str(row["trial"]): f"{row[ARM]}, seed {row[SEED]}" for row in found.candidates.to_dict("records")}
    trials = dict.fromkeys(name.partition("@")[0] for name in audit.candidates)
    arms = [f"trial {trial} is a run of {known[trial]}" for trial in trials if trial in known]
    first, *others = audits.sections(audit, audits.cards_of(found.facts, audit))
    yield replace(first, title="Audit", items=[*first.items, *arms])
    yield from (replace(section, title=f"Audit: {section.title}") for section in others)


def versions(found: Ablation) -> Section:
    """What ran, and how to get it again."""
    about = found.facts.about
    rows = [*about.get("versions", {}).items(), *([("commit", about["commit"])] if about.get("commit") else [])]
    rows += [("study", found.name), ("runs", len(found.runs)), ("design", about.get("design"))]
    return Section("Versions", table=(["what", "which"], rows))


def as_html(found: Ablation) -> str:
    """The report as one page that needs no network. All text is escaped."""
    return html_of(f"Ablation {found.name}", sections(found))


def as_markdown(found: Ablation) -> str:
    """The report as Markdown, without its figures."""
    return markdown_of(f"Ablation {found.name}", sections(found))
