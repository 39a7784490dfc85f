"""What is taken away from a decision: CSV, JSON, and one page of HTML with recipe, scores, figures and versions."""

import html
import json
import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from dashboard.reports import reasons
from dashboard.table import candidate_of, command, reference_text, score_text, scores_of
from lethe.analysis import audit_words, recipes
from lethe.analysis.audit import audit_in
from lethe.analysis.cells import number
from lethe.analysis.decide import Limit, Recommendation
from lethe.analysis.items import ALL_ITEMS, CHOSEN_BY, chosen_by, over_all, split_scores, which_items
from lethe.fronts.objectives import Objective
from lethe.store.parameters import METHOD, own, present, settings_of
from lethe.store.snapshot import Snapshot

if TYPE_CHECKING:  # what is no page of HTML needs no plotly
    import plotly.graph_objects as go

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse}td,th{padding:.2rem .8rem .2rem 0;text-align:left;border-bottom:1px solid #ddd}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f4f5f7;padding:.8rem}"""


def as_csv(table: pd.DataFrame) -> str:
    """A table as CSV; a cell that a spreadsheet would take for a formula gets an apostrophe."""
    safe = table.copy()
    for name in safe.columns:
        if not pd.api.types.is_numeric_dtype(safe[name]):
            safe[name] = [f"'{v}" if isinstance(v, str) and v[:1] in "=+-@\t\r" else v for v in safe[name]]
    return safe.to_csv(index=False)


def as_json(study: Snapshot, found: Recommendation, limits: Sequence[Limit], points: pd.DataFrame) -> str:
    """The recommendation as JSON."""
    return json.dumps(plain(study, found, limits, points), indent=2)


def plain(study: Snapshot, found: Recommendation, limits: Sequence[Limit], points: pd.DataFrame) -> dict[str, Any]:
    """The recommendation as plain data; `points` are as `recipes.repeated` gives them."""
    row, halved = study.candidates.iloc[found.row], split_scores(study.candidates)
    data: dict[str, Any] = {
        "study": study.name,
        "candidate": candidate_of(row).plain(),
        "parameters": present({name: row[name] for name in study.parameters}),
        "scores": {s: [row[s], row[f"{s}_low"], row[f"{s}_high"]] for s in scores_of(study.candidates, study.facts)},
        CHOSEN_BY: chosen_by(row.to_dict(), halved),
        "items": which_items(study.candidates, study.facts),
        f"scores {ALL_ITEMS}": over_all(row.to_dict(), study.facts, halved),
        "weights": row["weights"],
        "rule": found.rule,
        "constraints": [{"score": c.score, "low": c.low, "high": c.high} for c in study.facts.constraints],
        "limits": [{"score": x.score, "low": x.low, "high": x.high} for x in limits],
        "redraws that keep it": found.share,
        "redraws within all limits": found.within,
        "redraws within limits": found.holds,
        "over seeds": recipes.plain(recipes.by_row(points).get(found.row)),
        "chosen in more redraws": candidate_of(study.candidates.iloc[found.surer.row]).plain() if found.surer else None,
        "near": [candidate_of(r).plain() for r in (study.candidates.iloc[rival.row] for rival in found.near)],
        "command": command(study, row),
        "versions": study.facts.about.get("versions", {}),
    }
    return {name: finite(value) for name, value in data.items()}


def how_sure(study: Snapshot, found: Recommendation, limits: Sequence[Limit], points: pd.DataFrame) -> list[str]:
    """How sure the recommendation is, by redraws of its scores and by other seeds of its recipe."""
    sure = reasons.sureness(study.candidates, found, limits, study.facts)
    return [*sure, *reasons.seeds(points, found.row, study.facts)]


def finite(value: Any) -> Any:
    """Plain JSON data: numbers of numpy become Python's, what is not finite becomes null."""
    if isinstance(value, dict):
        return {str(k): finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    if hasattr(value, "item"):
        return finite(value.item())
    if isinstance(value, float) and (value != value or value in (float("inf"), -float("inf"))):
        return None
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def as_html(
    study: Snapshot,
    found: Recommendation,
    objectives: Sequence[Objective],
    limits: Sequence[Limit],
    points: pd.DataFrame,
    figures: "Sequence[go.Figure]",
    note: str = "",
) -> str:
    """One page that needs no network: why, recipe, scores with intervals, figures, versions. All text is escaped.

    `points` are as `recipes.repeated` gives them.
    """
    row = study.candidates.iloc[found.row]
    facts = study.facts
    asked = present({name: row[name] for name in study.parameters})
    chosen = own(asked)
    recipe = [*({METHOD: asked[METHOD]} if METHOD in asked else {}).items(), *chosen.items()]
    recipe += [(k, v) for k, v in settings_of(facts.about, asked).items() if k not in chosen]
    whole = over_all(row.to_dict(), facts, split_scores(study.candidates))
    rows = [
        (
            s,
            score_text(row, s),
            *([number(whole.get(s))] if whole else []),
            *(reference_text(known.get(s)) for known in facts.references.values()),
        )
        for s in scores_of(study.candidates, study.facts)
    ]
    drawn = [f.to_html(full_html=False, include_plotlyjs=i == 0) for i, f in enumerate(figures)]
    parts = [
        f"<h1>{_text(study.name)}</h1>",
        f"<p><strong>{_text(reasons.headline(study.candidates, found, objectives, facts))}</strong></p>",
        f"<p>{_text(reasons.rule(found, objectives, limits))}</p>",
        f"<p>{_text(reasons.against_retrained(study.candidates, found.row, objectives, facts))}</p>",
        _list(f"{x.score} from {x.low:g} to {x.high:g}" for x in limits) if limits else "",
        _list(f"feasible: {c.score} {c.words}" for c in facts.constraints) if facts.constraints else "",
        "<h2>How sure</h2>" + _list(how_sure(study, found, limits, points)),
        "<h2>Scores, and how far their 95% intervals reach</h2>"
        + _table(["score", "this candidate", *([ALL_ITEMS] if whole else []), *facts.references], rows)
        + (_list(notes) if (notes := reasons.reference_notes(facts)) else ""),
        "<h2>Near</h2>" + _list(reasons.near(study.candidates, found, objectives)),
        _audited(study, candidate_of(row).name),
        "<h2>Figures</h2>" + "".join(drawn),
        "<h2>Recipe</h2>" + _table(["setting", "value"], recipe),
        "<h2>Run it again</h2><pre>" + _text(shlex.join(command(study, row)) or "not known for this study") + "</pre>",
        f"<p>Weights: {_text(row['weights'] or 'not kept')}</p>",
        "<h2>Note</h2><pre>" + _text(note) + "</pre>" if note else "",
        "<h2>Versions</h2>" + _table(["package", "version"], list(facts.about.get("versions", {}).items())),
    ]
    title = _text(f"{study.name}: {candidate_of(row).words}")
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title><style>{STYLE}</style>"
        f"<body>{''.join(parts)}</body></html>"
    )


def _audited(study: Snapshot, name: str) -> str:
    """What an audit says of the candidate; "" where it was not audited."""
    audit = audit_in(study)
    if name not in audit.candidates:
        return ""
    rows = audit_words.table(audit, audit.of(name))
    said = f"<p>{_text(audit_words.verdict(audit, name))}.</p><p>{_text(audit_words.method(audit))}</p>"
    return f"<h2>Audit</h2>{said}<div style='overflow-x:auto'>{_table(audit_words.HEAD, rows)}</div>"


def _text(value: object) -> str:
    return html.escape(str(value))


def _list(lines: Any) -> str:
    return "<ul>" + "".join(f"<li>{_text(line)}</li>" for line in lines) + "</ul>"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return "<table><tr>" + "".join(f"<th>{_text(cell)}</th>" for cell in head) + f"</tr>{body}</table>"
