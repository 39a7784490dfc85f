"""An arena's report: one page of HTML that needs no network, or the same as Markdown. The page Arena shows the same."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from dashboard.charts import arenas as charts
from dashboard.reports.reasons import reference_notes
from dashboard.reports.sections import Section, html_of, markdown_of
from dashboard.table import parameter_text
from lethe.analysis import standings
from lethe.analysis.arena import Arena
from lethe.analysis.cells import NONE, listed, number
from lethe.analysis.items import which_items
from lethe.fronts.objectives import MAXIMIZE, WISHES
from lethe.store.facts import Facts
from lethe.store.places import Place

TABLE = (
    "Of each method hypervolume with its 95% interval over seeds (how much seeds vary is pooled over all methods, so "
    "that many have the same interval; whether two methods differ the table of differences says), and the scores of "
    "the candidate to take of it with 95% intervals over test items: ± how far they reach, + or − alone where the "
    "scale ends on the other side. What a method is the command lethe methods tells, followed by its name.",
    "Verdict: whether it is told apart from the best. Broken: the share of its candidates that broke a constraint. "
    "Trials and cost (forward passes of a sequence): all so far, of all seeds; a study's last trial runs to its end, "
    "beyond the budget, and what trains nothing costs nothing.",
    "Candidate: a seed of the search, its trial, where on its run's axis it stands (a step; mix, a share of the way "
    "from the target to the unlearned weights; alpha, a strength; names, so many in a prompt), and which of the run's "
    "models it is.",
)
EDGE = "Beyond: the candidate keeps to the guard by the items that chose it, and not by those that are shown."
MOST_OFFERED = 12


def sections(arena: Arena) -> Iterator[Section]:
    """The report, part by part, the answer first."""
    yield in_short(arena)
    yield table(arena)
    if len(arena.compared):
        yield offered(arena)
    if len(arena.candidates):
        yield Section("Fronts of all methods", texts=[fronts_text(arena)], figures=[fronts(arena)])
        yield courses(arena)
    yield from closing(arena)


def in_short(arena: Arena) -> Section:
    """The answer."""
    return Section("In short", items=arena.words)


def closing(arena: Arena) -> Iterator[Section]:
    """What stands behind the answer and the figures: how sure each comparison is, recipes, how to read it."""
    if len(arena.comparisons):
        yield differences(arena)
        yield apart(arena)
    if arena.left_out:
        yield objectives(arena)
    yield recipes(arena)
    if (arena.shares["share"] < 1).any():
        yield shares(arena)
    yield reading(arena)
    yield versions(arena)


def table(arena: Arena) -> Section:
    """A row for each method."""
    shown = cells(arena)
    rows = [list(row) for row in shown.itertuples(index=False)]
    head = [str(name) for name in shown.columns]
    return Section("The methods", texts=table_texts(arena), items=reference_notes(arena.facts), table=(head, rows))


def table_texts(arena: Arena) -> list[str]:
    """What stands in the table of methods."""
    rows = arena.entrants.to_dict("records")
    edge = any(standings.beyond(row, c) for row in rows for c in arena.facts.constraints)
    return [*TABLE, *([EDGE] if edge else [])]


def cell(row: Mapping[Any, Any], score: str, facts: Facts) -> str:
    """A score of a row with its interval, and the bound that it breaks, where it is a guard's and does."""
    broken = [f"beyond {c.sign}" for c in facts.constraints if c.score == score and standings.beyond(row, c)]
    return ", ".join([standings.score_cell(row, score), *broken])


def cells(arena: Arena) -> pd.DataFrame:
    """The table of methods as a reader sees it, the best first, the reference models last."""
    scores = shown_scores(arena)
    verdicts = beside_best(arena)
    rows = [
        {
            "method": row["entrant"],
            "family": row["family"],
            "hypervolume": standings.volume_cell(row),
            "verdict": verdicts.get(str(row["entrant"]), NONE),
            **{score: cell(row, score, arena.facts) for score in scores},
            "broken": NONE if pd.isna(row["collapsed"]) else f"{row['collapsed']:.0%}",
            "trials": str(row["trials"]),
            "failed": str(row["failed"]),
            "cost": number(row["cost"], 0),
            "candidate": f"seed {row['seed']:.0f}, trial {row['trial']:.0f}, {Place.of(row).words}"
            if isinstance(row.get("study"), str)
            else NONE,
        }
        for row in arena.entrants.to_dict("records")
    ]
    for name, known in arena.facts.references.items():
        values = {s: standings.score_cell(_triple(s, known), s) for s in scores if s in known}
        rows.append({"method": f"({name})", **values})
    return pd.DataFrame(rows).fillna("")


def offered(arena: Arena) -> Section:
    """What is to be had for what: candidates that none beats, evenly along the score that should be kept."""
    _, kept = axes(arena)
    best = arena.compared[arena.compared["best"]].sort_values(kept, ascending=False, kind="stable")
    rows = best.iloc[np.unique(np.linspace(0, len(best) - 1, min(len(best), MOST_OFFERED)).astype(int))]
    scores = shown_scores(arena)
    cells = [
        [row["entrant"], f"seed {row['seed']}, trial {row['trial']}, {Place.of(row).words}"]
        + [cell(row, score, arena.facts) for score in scores]
        for row in rows.to_dict("records")
    ]
    text = f"Of the {len(best)} candidates of all methods that none beats in all objectives, some, evenly by {kept}."
    return Section("What is to be had for what", texts=[text], table=(["method", "candidate", *scores], cells))


def _triple(score: str, known: dict[str, list[float]]) -> dict[str, float]:
    return {f"{score}{end}": value for end, value in zip(("", "_low", "_high"), known[score], strict=True)}


def shown_scores(arena: Arena) -> list[str]:
    """The objectives, and the constraints' scores."""
    names = [*(o.score for o in arena.facts.objectives), *(c.score for c in arena.facts.constraints)]
    return list(dict.fromkeys(names))


def beside_best(arena: Arena) -> dict[str, str]:
    """Of each entrant that is compared, whether it is told from the best."""
    if not len(arena.comparisons):
        return {}
    best = str(arena.entrants["entrant"].iloc[0])
    own = arena.comparisons[arena.comparisons["entrant"] == best]
    told = {str(row["other"]): "clearly worse" if row["sure"] else "not told apart" for row in own.to_dict("records")}
    return {best: "the best", **told}


def families(arena: Arena) -> dict[str, str]:
    """The family of each entrant, in the order in which they were named."""
    known = dict(zip(arena.entrants["entrant"], arena.entrants["family"], strict=True))
    return {name: known[name] for name in arena.planned}


def drawn(arena: Arena, wanted: Sequence[str] = ()) -> dict[str, charts.Look]:
    """The methods that are drawn strongly, with their look."""
    looks = charts.looks(families(arena))
    return {name: looks[name] for name in charts.strong(arena.entrants, wanted)}


def axes(arena: Arena) -> tuple[str, str]:
    """The first objective, and the first that should be high, or else the last."""
    x, *others = arena.facts.objectives
    y = next((o for o in others if o.goal == MAXIMIZE), others[-1] if others else x)
    return x.score, y.score


def fronts(arena: Arena, wanted: Sequence[str] = (), chosen: tuple[str, str] | None = None) -> Any:
    """The figure of all fronts."""
    strong, pair = drawn(arena, wanted), chosen or axes(arena)
    best = arena.entrants[arena.entrants["entrant"].isin(list(strong))]
    ringed = best[best["study"].notna()] if "study" in best else None
    cards = {score: arena.facts.card(score) for score in pair}
    return charts.fronts(arena.candidates, strong, pair, cards, arena.facts.references, ringed)


def fronts_text(arena: Arena, wanted: Sequence[str] = ()) -> str:
    """What the figure of the fronts shows."""
    objectives, strong = listed([o.score for o in arena.facts.objectives]), listed(list(drawn(arena, wanted)))
    return (
        f"Every point is a candidate on its method's front over {objectives}, of all seeds. Drawn strongly: {strong}, "
        "each with its recommended candidate ringed; "
        "colours tell families, markers the methods of a family. Dotted: the best in these two scores alone, as drawn."
    )


def courses(arena: Arena, wanted: Sequence[str] = ()) -> Section:
    """Hypervolume by what was spent."""
    text = "The mean over seeds; shaded, from the seed with least to the one with most. Grey: all other methods."
    figure = charts.courses(arena.course, drawn(arena, wanted))
    return Section("Hypervolume by what was spent", texts=[text], figures=[figure])


def differences(arena: Arena) -> Section:
    """The differences from the best, as a forest and a table."""
    best = str(arena.entrants["entrant"].iloc[0])
    seeds = dict(zip(arena.entrants["entrant"], arena.entrants["n"], strict=True))
    own = arena.comparisons[arena.comparisons["entrant"] == best].to_dict("records")
    rows = [
        [
            row["other"],
            number(-row["difference"], 3),
            f"{number(-row['high'], 3)} to {number(-row['low'], 3)}",
            "clearly worse" if row["sure"] else "not told apart",
            NONE if row["sure"] else number(row["needed"], 0) if row["needed"] == row["needed"] else "more than 30",
        ]
        for row in own
    ]
    return Section(
        f"Differences from {best}",
        texts=["95% intervals that hold for all pairs at once; in the picture filled points are clear."],
        table=(["method", "difference in hypervolume", "interval", "verdict", "seeds in all that would tell"], rows),
        figures=[charts.differences(arena.comparisons, best, seeds)],
    )


def apart(arena: Arena) -> Section:
    """Whom each method is clearly better than."""
    sure = arena.comparisons[arena.comparisons["sure"].astype(bool)]
    items = [f"{name}: {listed(list(own['other']))}" for name, own in sure.groupby("entrant", sort=False)]
    return Section("Who is clearly better than whom", items=items or ["No method is clearly better than another."])


def objectives(arena: Arena) -> Section:
    """Hypervolume without each of the objectives, beside that with all."""
    without = {f"without {score}": volumes.mean(axis=1) for score, volumes in arena.left_out.items()}
    rows = [
        [row["entrant"], number(row["hypervolume"], 3), *(number(own[row["entrant"]], 3) for own in without.values())]
        for row in arena.entrants.to_dict("records")
    ]
    text = "Hypervolume of the same candidates where one objective does not count; the searches went by all of them."
    return Section("What the order hangs on", texts=[text], table=(["method", "all objectives", *without], rows))


def recipes(arena: Arena) -> Section:
    """The settings that were searched, of each method's recommended candidate."""
    rows = [
        [row["entrant"], ", ".join(f"{name} {parameter_text(value)}" for name, value in row["recipe"].items())]
        for row in arena.entrants.to_dict("records")
        if isinstance(row.get("recipe"), dict)
    ]
    text = (
        "Of the candidate to take of each method, the settings that were searched. One that a run tries at several "
        "values, such as alpha, stands for the largest of them: which one is meant, the candidate says."
    )
    return Section("Recipes", texts=[text], table=(["method", "settings"], rows))


def shares(arena: Arena) -> Section:
    """How far each method is, by the seed that is least far and the one that is farthest."""
    rows = []
    for name, own in arena.shares.groupby("entrant", sort=False):
        ends = dict.fromkeys(f"{share:.0%}" for share in (own["share"].min(), own["share"].max()))
        rows.append([name, " to ".join(ends), int(own["trials"].sum()), int(own["failed"].sum())])
    return Section("How far it is", table=(["method", "of the budget", "trials", "failed"], rows))


def reading(arena: Arena) -> Section:
    """What the words and numbers mean."""
    meanings = {o.score: arena.facts.card(o.score).meaning for o in arena.facts.objectives}
    known = [o for o in arena.facts.objectives if meanings[o.score]]
    items = [f"{o.score}: {meanings[o.score]}, best {WISHES[o.goal]}" for o in known]
    items += [f"{c.score} has to stay {c.words}: what breaks that counts nothing" for c in arena.facts.constraints]
    if len(arena.candidates):
        items.append(which_items(arena.candidates, arena.facts))
    pairs = len(arena.comparisons)
    return Section("How to read this", texts=[standings.METHOD.format(pairs=pairs)], items=items)


def versions(arena: Arena) -> Section:
    """What ran, and how to get it again."""
    about = arena.facts.about
    rows = [("benchmark", about.get("benchmark")), ("protocol", about.get("protocol"))]
    rows += [("budget of a study", standings.cost_cell(arena.budget)), ("seeds", listed([str(s) for s in arena.seeds]))]
    rows += [*about.get("versions", {}).items(), ("arena", arena.name)]
    return Section("Versions", table=(["what", "which"], rows))


def as_html(arena: Arena) -> str:
    """The report as one page that needs no network. All text is escaped."""
    return html_of(f"Arena {arena.name}", sections(arena))


def as_markdown(arena: Arena) -> str:
    """The report as Markdown, without its figures."""
    return markdown_of(f"Arena {arena.name}", sections(arena))
