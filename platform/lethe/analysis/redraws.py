"""The scores of a run over redrawn items, the same items for every run: what differences of runs are sure by. Pure.

Items lie as Parquet beside the candidate that they are of: score, item, truth, value and, where they are split,
whether no choice saw them.
"""

import functools
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from lethe.analysis import effects
from lethe.fronts.objectives import WORST
from lethe.store.cards import DIFFERENCE, MEAN, RATIO, Card

COLUMNS = ("score", "item", "truth", "value")
REPORTS = "reports"  # of items that are split: whether no choice saw the item; missing where it is for both
Redraw = Callable[[pd.DataFrame | None, str], Any]  # items, whose coin -> score, its redraws, how many items; or None


def redrawer(card: Card, reference: pd.DataFrame | None) -> Redraw | None:
    """A function from a run's items and whose it is to (the score, its redraws, how many items).

    None for a score that is made of its items in a way that is not known here. The redraws are the same for every run;
    what the unseen item in them scores is a coin of the run's recipe or arm.
    """
    score = card.name

    def mean(table: pd.DataFrame | None, whose: str) -> Any:
        values = _values(table, score)
        if values is None:
            return None
        draws = effects.redraw_mean(values, _counts(score, len(values)))
        return values.mean(), effects.with_unseen(draws, WORST * _coin(score, whose), len(values)), len(values)

    def difference(table: pd.DataFrame | None, whose: str) -> Any:
        own, retrained = (_values(t, card.items_of) for t in (table, reference))
        if own is None or retrained is None or len(own) != len(retrained):
            return None
        differences = own - retrained
        draws = effects.redraw_mean(differences, _counts(score, len(own)))
        whole = 2 * WORST  # from -100 to 100
        return differences.mean(), effects.with_unseen(draws, whole * _coin(score, whose), len(own)), len(own)

    def ratio(table: pd.DataFrame | None, whose: str) -> Any:
        values = [_values(t, score, kind) for t in (table, reference) for kind in card.samples]
        known = [v for v in values if v is not None]
        if len(known) < len(values):
            return None
        own, retrained = known[:2], known[2:]
        sizes = len(own[0]), len(own[1])
        counts = _counts(card.samples[0], sizes[0]), _counts(card.samples[1], sizes[1])
        ones = np.ones((1, sizes[0])), np.ones((1, sizes[1]))
        whole, draws = (effects.redraw_auc(own[0], own[1], drawn) for drawn in (ones, counts))
        base, bases = (effects.redraw_auc(retrained[0], retrained[1], drawn) for drawn in (ones, counts))
        draws = effects.with_unseen(draws, _coin(score, whose), *sizes)
        return float(_relative(whole, base)[0]), _relative(draws, bases), sizes[0]

    return {MEAN: mean, DIFFERENCE: difference, RATIO: ratio}.get(card.reduction)


def value_of(card: Card, items: pd.DataFrame | None, reference: pd.DataFrame | None) -> float | None:
    """A score over some items; None where they or the reference's are not at hand, or how it is made is not known."""
    redraw = redrawer(card, reference)
    found = redraw(items, "") if redraw else None
    return float(found[0]) if found else None


def _relative(auc: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """In per cent of the reference, NaN where that is 0, which says nothing."""
    usable = np.where(reference > 0, reference, np.nan)
    return (auc - usable) / usable * 100


@functools.cache
def _counts(what: str, items: int) -> np.ndarray:
    return effects.redraw_counts(items, seed=sum(map(ord, what)))


@functools.cache
def _coin(score: str, whose: str) -> np.ndarray:
    return effects.redraw_coin(zlib.crc32(f"{score} {whose}".encode()))


def _values(table: pd.DataFrame | None, score: str, kind: str | None = None) -> np.ndarray | None:
    if table is None:
        return None
    rows = table[table["score"] == score]
    rows = rows if kind is None else rows[rows["truth"] == kind]
    return rows.sort_values("item")["value"].to_numpy(float) if len(rows) else None


def read_items(file: Any) -> pd.DataFrame | None:
    """A candidate's items; None where their file is gone or is not known."""
    if not isinstance(file, str):
        return None
    try:
        there = pq.read_schema(file).names
        return pd.read_parquet(file, columns=[*COLUMNS, *({REPORTS} & set(there))])
    except (OSError, pa.ArrowException, ValueError):
        return None


def half_of(items: pd.DataFrame | None, *, chosen: bool) -> pd.DataFrame | None:
    """Of items that are split those that choose, or those that report; what is not split is in both halves."""
    if items is None or REPORTS not in items.columns:
        return items
    reports = items[REPORTS].astype("boolean").fillna(not chosen)
    return items[(reports != chosen).to_numpy(bool)]


def cached_items() -> Callable[[Any], pd.DataFrame | None]:
    """`read_items` that reads each file once, for who asks again and again; a file that is not there is looked for."""
    known: dict[str, pd.DataFrame] = {}

    def read(file: Any) -> pd.DataFrame | None:
        if file in known:
            return known[file]
        found = read_items(file)
        if found is not None:
            known[file] = found
        return found

    return read
