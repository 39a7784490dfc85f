"""An arena as a table that a person can read, the best entrant first, and as plain data for machines."""

import json
from collections.abc import Mapping
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from lethe.analysis.arena import Arena
from lethe.analysis.cells import NONE, with_interval
from lethe.analysis.items import which_items
from lethe.display.front_table import score_columns


def draw(arena: Arena) -> Table:
    """A row for each entrant: its hypervolume, what is recommended of it with its scores, trials, cost, collapses."""
    table = Table(header_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=0)
    scores = score_columns(arena.facts)
    table.add_column("method", overflow="fold")  # where there is no room a long name is folded, and no number is cut
    table.add_column("volume", justify="right", no_wrap=True)
    table.add_column("seed/\ntrial", justify="right", no_wrap=True)
    for name, goal in scores.items():
        table.add_column(f"{name}\n({goal})", justify="right", no_wrap=True)
    for name in ("trials\n(failed)", "cost", "fell"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, known in arena.facts.references.items():
        table.add_row(name, "", "", *(_score([*known[s]] if s in known else None) for s in scores), style="dim")
    for row in arena.entrants.to_dict("records"):
        cells = [_score([row.get(f"{s}{end}") for end in ("", "_low", "_high")]) for s in scores]
        table.add_row(row["entrant"], _volume(row), _place(arena, row), *cells, _trials(row), _cost(row), _fell(row))
    return table


def legend(arena: Arena) -> str:
    """What the table's columns are."""
    guard = " and ".join(f"{c.score} {c.words}" for c in arena.facts.constraints)
    fell = f"; fell: the share of scored candidates that did not keep {guard}" if guard else ""
    return (
        "volume: hypervolume, the mean over seeds, and how far its 95% interval reaches; seed/trial: where the "
        "recommended candidate is from, whose scores these are; cost: thousands of forward passes of a sequence, over "
        f"all seeds{fell}. {which_items(arena.candidates, arena.facts) if len(arena.candidates) else ''}".rstrip()
    )


def plain(arena: Arena) -> dict[str, Any]:
    """The arena as plain data: entrants, comparisons and words; what is not known is null."""
    return {
        "budget": arena.budget,
        "compared_at": arena.equal,
        "seeds": list(arena.seeds),
        "references": arena.facts.references,
        "entrants": json.loads(arena.entrants.to_json(orient="records")),
        "comparisons": json.loads(arena.comparisons.to_json(orient="records")),
        "together": json.loads(json.dumps(arena.together).replace("NaN", "null")),
        "words": arena.words,
    }


def _score(score: list[Any] | None) -> str:
    if score is None or None in score:
        return NONE
    return with_interval(*score, ends=0).replace("−", "-")  # a terminal's numbers can be copied


def _volume(row: Mapping[Any, Any]) -> str:
    return with_interval(row["hypervolume"], row["low"], row["high"], digits=3, ends=2)


def _place(arena: Arena, row: Mapping[Any, Any]) -> str:
    """Where an entrant's recommended candidate is from: its study's seed, and the trial's number there."""
    if not isinstance(row.get("study"), str):
        return NONE
    seed = next(entry.seed for entry in arena.entries if entry.study == row["study"])
    return f"{seed}/{int(row['trial'])}"


def _trials(row: Mapping[Any, Any]) -> str:
    return f"{row['trials']} ({row['failed']})" if row["failed"] else str(row["trials"])


def _cost(row: Mapping[Any, Any]) -> str:
    return f"{row['cost'] / 1000:.1f}"


def _fell(row: Mapping[Any, Any]) -> str:
    return f"{row['collapsed']:.0%}" if row["collapsed"] == row["collapsed"] else NONE
