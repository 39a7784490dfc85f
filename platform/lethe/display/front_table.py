"""A front as a table that a person can read, and as plain data for machines."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from lethe.analysis import recipes
from lethe.analysis.cells import percent, with_interval
from lethe.analysis.decide import ranked
from lethe.analysis.items import CHOSEN_BY, chosen_by, split_scores
from lethe.analysis.recipes import SEEDS, SHARE, by_row
from lethe.display.console import WIDTH
from lethe.fronts import pareto
from lethe.fronts.objectives import WISHES, Constraint, loss_array
from lethe.store.facts import Facts
from lethe.store.parameters import METHOD, own, present
from lethe.store.places import PLACE, Place

MOST_ROWS = 30
NOTHING = pd.DataFrame()


def front_candidates(candidates: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """Return the candidates of the front, best first by the rule of `recommend`: who gives up the least in total."""
    front = candidates[candidates["front"]] if len(candidates) else candidates
    return front.iloc[ranked(front, facts.objectives)] if len(front) else front


def volume(candidates: pd.DataFrame, facts: Facts) -> float:
    """Return the front's hypervolume, a share of the box from best to worst."""
    if not len(candidates):
        return 0.0
    return pareto.hypervolume(loss_array(candidates[candidates["front"]], facts.objectives))


def draw_front(
    candidates: pd.DataFrame,
    facts: Facts,
    params: Sequence[str],
    *,
    most: int = MOST_ROWS,
    points: pd.DataFrame = NOTHING,
) -> Table:
    """Draw the front's candidates, with the target and the retrained model above them.

    Every score is followed by how far its 95% interval reaches. With `points`, what repeats say, it is the mean over a
    recipe's seeds, and a column tells how probable the candidate is to be non-dominated, and by how many seeds. A
    setting has a column, unless that makes the table too wide or several methods have their own: then all share one.
    """
    if METHOD not in params:
        table = _front_table(candidates, facts, params, most, points, shared=False)
        if Console(width=10 * WIDTH).measure(table).maximum <= WIDTH:
            return table
    return _front_table(candidates, facts, params, most, points, shared=True)


def _front_table(
    candidates: pd.DataFrame, facts: Facts, params: Sequence[str], most: int, points: pd.DataFrame, *, shared: bool
) -> Table:
    """A front's table, with a column for each setting, or one that all share."""
    # No padding: the box parts the columns by a space, and the widest front has to fit into 100 columns.
    table = Table(header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    scores = score_columns(facts)
    front = front_candidates(candidates, facts).head(most)
    axes = set(front["axis"]) if len(front) else set()
    alone = len(axes) == 1 and not axes & set(params)  # an axis may be called as a setting is
    for name in ("candidate", *(axes if alone else ("at",))):
        table.add_column(name, justify="right", no_wrap=True)
    if shared:
        table.add_column("method and settings" if METHOD in params else "settings", ratio=1)
    else:
        for name in params:
            table.add_column(name, justify="right", no_wrap=True)
    for name, goal in scores.items():
        table.add_column(f"{name}\n({goal})".replace(", ", ",\n"), justify="right", no_wrap=True)
    known = by_row(points)
    if known:
        table.add_column("stays\n(seeds)", justify="right", no_wrap=True)
    blank = [""] * (2 if shared else 1 + len(params))
    for name, row in facts.references.items():
        table.add_row(name, *blank, *(interval(row.get(s)) for s in scores), style="dim")
    for row, candidate in zip(front.index, front.to_dict("records"), strict=True):
        place, point = Place.of(candidate), known.get(row)
        where = place.shown if alone else place.where
        cells = [recipe(candidate, params)] if shared else _cells(candidate, params)
        shown: dict[Any, Any] = {**candidate, **(point or {})}
        values = [interval([shown[s], shown[f"{s}_low"], shown[f"{s}_high"]]) for s in scores]
        stays = [f"{percent(point[SHARE])} ({point[SEEDS]})"] if point else []
        table.add_row(f"{candidate['trial']} {candidate['role']}", where, *cells, *values, *stays)
    return table


def size_in_words(candidates: pd.DataFrame, facts: Facts) -> str:
    """How many candidates are on the front, or why none is."""
    count = len(candidates)
    size = int(candidates["front"].sum()) if count else 0
    if not size:
        guard = " and ".join(f"{c.score} {c.words}" for c in facts.constraints)
        why = f": none keeps {guard}" if count and not candidates["feasible"].any() else ""
        return f"the front is empty, of {count} scored candidates{why}"
    more = f", of which the first {MOST_ROWS} are shown" if size > MOST_ROWS else ""
    return f"{size} of {count} scored candidates are on the front{more}"


def score_columns(facts: Facts) -> dict[str, str]:
    """The scores a front shows, each with where it should go: the objectives, and then the first other constraint.

    For more there is no room, and no need: on a front all constraints hold.
    """
    columns = {o.score: WISHES[o.goal] for o in facts.objectives}
    unseen = _unseen(facts)
    for constraint in (c for c in facts.constraints if c not in unseen):
        wish = columns.get(constraint.score)
        columns[constraint.score] = f"{wish}, {constraint.sign}" if wish else constraint.sign
    return columns


def also_held(facts: Facts) -> list[str]:
    """What all rows of a front keep and its table does not show: a line, or none."""
    held = " and ".join(f"{c.score} {c.sign}" for c in _unseen(facts))
    return [f"every row keeps {held} as well"] if held else []


def _unseen(facts: Facts) -> list[Constraint]:
    """The constraints without a column."""
    wanted = {objective.score for objective in facts.objectives}
    return [constraint for constraint in facts.constraints if constraint.score not in wanted][1:]


def plain_front(
    candidates: pd.DataFrame, facts: Facts, params: Sequence[str], points: pd.DataFrame = NOTHING
) -> list[dict[str, Any]]:
    """Return the front as plain data: trial, axis, at, role, parameters, scores with intervals, weights, items.

    `chosen by` has the scores of the items that choose, where they are not those that report. With `points`, what
    repeats say, `over seeds` has the recipe's runs, their mean scores, and how probable it is to be non-dominated.
    """
    known = by_row(points)
    front = front_candidates(candidates, facts)
    halved = split_scores(candidates)
    scores = [name.removesuffix("_low") for name in candidates.columns if name.endswith("_low")]
    return [
        {
            **{name: candidate[name] for name in ("trial", *PLACE, "weights", "items")},
            "parameters": asked(candidate, params),
            "scores": {s: [candidate[s], candidate[f"{s}_low"], candidate[f"{s}_high"]] for s in scores},
            CHOSEN_BY: chosen_by(candidate, halved),
            **({"over seeds": recipes.plain(known[row])} if row in known else {}),
        }
        for row, candidate in zip(front.index, front.to_dict("records"), strict=True)
    ]


def interval(score: Sequence[float] | None) -> str:
    """A score and how far its 95% interval reaches; a dash where it was not measured."""
    if score is None:
        return "-"
    return with_interval(*score, ends=0).replace("−", "-")  # a terminal's numbers can be copied


def recipe(candidate: Mapping[Any, Any], params: Sequence[str]) -> str:
    """A candidate's method, where there are several, and what its trial was asked to set."""
    there = asked(candidate, params)
    said = [f"{name} {_short(value)}" for name, value in own(there).items()]
    return " ".join([*([str(there[METHOD])] if METHOD in there else []), *said])


def asked(candidate: Mapping[Any, Any], params: Sequence[str]) -> dict[str, Any]:
    """The parameters of a candidate's trial; those of a method that had no turn yet are not even columns."""
    return present({name: candidate[name] for name in params if name in candidate})


def _cells(candidate: Mapping[Any, Any], params: Sequence[str]) -> list[str]:
    """A cell for each parameter, empty where its trial does not have it."""
    there = asked(candidate, params)
    return [_short(there[name]) if name in there else "" for name in params]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def parameter_names(candidates: pd.DataFrame, space: Mapping[str, Any]) -> list[str]:
    """The parameters of a space that a table of candidates has."""
    return [name for name in space if name in candidates.columns]
