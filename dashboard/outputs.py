"""What models wrote: the items of a candidate beside those of the target and the retrained model; the worst of them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from platformdirs import user_cache_path

from lethe.fronts.objectives import MAXIMIZE, Objective
from lethe.store.cards import Card
from lethe.store.facts import Facts

COLUMNS = ["score", "item", "prompt", "output", "truth", "value"]
REPORTS = "reports"  # of items that are split: whether no choice saw the item
SAME = ["score", "item", "prompt"]  # by which a prompt is known again
BESIDE = {"target": "before", "retrained": "retrained"}  # reference models, and how their columns end
STILL = 80.0  # from this value on, of 100, an item counts as still known
WORST, CHANGED = ORDERS = ("worst", "changed")


def read_items(file: object) -> pd.DataFrame:
    """The items of a candidate; ValueError in one sentence where they cannot be read."""
    if not isinstance(file, str) or not file:
        raise ValueError("the outputs of this candidate were not kept")
    try:
        items = pd.read_parquet(file)
    except FileNotFoundError:
        raise ValueError(f"the outputs are not on this machine: {file}") from None
    except (OSError, pa.ArrowException, ValueError):
        raise ValueError(f"the outputs cannot be read: {file}") from None
    if not set(COLUMNS) <= set(items.columns):
        raise ValueError(f"the outputs are of another version: {file}")
    return items[COLUMNS]


def read_steps(file: object) -> pd.DataFrame | None:
    """The step records of a candidate's trial, which lie beside its items; None where there are none."""
    path = str(file).rpartition("/")[0] + "/steps.parquet"
    try:
        steps = pd.read_parquet(path)
    except (OSError, pa.ArrowException, ValueError):
        return None
    return steps if "step" in steps.columns else None


def reference_files(about: Mapping[str, Any], name: str) -> list[Path]:
    """Where a reference model's items may be: as the study says, else in the cache, newest first."""
    stated = about.get("items") or {}
    if stated:
        return [Path(stated[name])] if stated.get(name) else []
    found = user_cache_path("lethe").glob(f"references/*/{name}.parquet")
    return sorted(found, key=lambda file: file.stat().st_mtime, reverse=True)


def written(items: pd.DataFrame, facts: Facts) -> list[str]:
    """The scores whose items hold what a model wrote, in the order of the study's cards."""
    return [name for name, card in facts.cards.items() if card.item and (items["score"] == name).any()]


def before_and_after(after: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """What a model wrote, with what the target and the retrained model wrote to the same prompts.

    The target's are `output_before` and `value_before`, the retrained model's `output_retrained` and
    `value_retrained`; empty where they are not known.
    """
    after = after[after["score"].isin(written(after, facts))]
    for name, ending in BESIDE.items():
        after = beside(after, reference_files(facts.about, name), ending)
    return after


def beside(items: pd.DataFrame, files: Sequence[Path], ending: str) -> pd.DataFrame:
    """Items with the `output` and `value` of the first file that has most of the same prompts, as `output_ENDING`."""
    named = {name: f"{name}_{ending}" for name in ("output", "value")}
    for file in files:
        try:
            others = read_items(str(file))
        except ValueError:
            continue
        joined = items.merge(others[[*SAME, *named]].rename(columns=named), on=SAME, how="left")
        if joined[f"output_{ending}"].notna().mean() > 0.5:
            return joined
    return items.assign(**{f"output_{ending}": None, f"value_{ending}": float("nan")})


def searched(items: pd.DataFrame, card: Card, text: str, order: str = WORST) -> pd.DataFrame:
    """The items of a score in which a text occurs, in any case: the worst first, or those that changed most."""
    rows = items[items["score"] == card.name]
    if text:
        columns = [c for c in ("prompt", "output", "truth", "output_before") if c in rows]
        hits = [rows[c].fillna("").astype(str).str.contains(text, case=False, regex=False) for c in columns]
        rows = rows[pd.concat(hits, axis=1).any(axis=1)]
    first = losses(rows["value"], card) if order == WORST else (rows["value_before"] - rows["value"]).abs().fillna(0)
    return rows.loc[first.sort_values(ascending=False, kind="stable").index]


def losses(values: pd.Series, card: Card) -> pd.Series:
    """How bad values of items are, by where their score should go: 0 is best."""
    return pd.Series(Objective(score=card.name, goal=card.goal).loss(values.to_numpy(float)), values.index)


def still(items: pd.DataFrame, card: Card) -> str:
    """In how many of the items what was to be forgotten is still there: of the model, the target, the retrained model.

    For example `3 of 84 are still at 80 or above (target 84, retrained 0)`; a model whose items are not known is left
    out.
    """
    own = items[items["score"] == card.name]
    edge = f"{100 - STILL:.0f} or below" if card.goal == MAXIMIZE else f"{STILL:.0f} or above"
    counts = [
        f"{name} {int((losses(own[column], card) >= STILL).sum())}"
        for name, ending in BESIDE.items()
        if own[column := f"value_{ending}"].notna().any()
    ]
    beside = f" ({', '.join(counts)})" if counts else ""
    seen = ", over all items, of which a choice saw half" if REPORTS in own and own[REPORTS].notna().any() else ""
    return f"{int((losses(own['value'], card) >= STILL).sum())} of {len(own)} are still at {edge}{beside}{seen}"


def came_back(plain: str, stressed: str, retrained: str, card: Card) -> pd.DataFrame:
    """The items of a score that count before and under a stress, those that came back first, which `gained` most.

    Of the files of a model's items before and under it, and of the retrained model's under it: `output` and `value` are
    those under the stress, `output_before` and `value_before` those before, `output_retrained` and `value_retrained`
    the retrained model's. ValueError in one sentence where a model's own cannot be read.
    """
    before, under = (_counted(file, card.name) for file in (plain, stressed))
    try:
        never = _counted(retrained, card.name)
    except ValueError:
        never = under.iloc[:0]
    said = ["item", "output", "value"]
    joined = under.merge(before[said], on="item", suffixes=("", "_before"))
    joined = joined.merge(never[said], on="item", how="left", suffixes=("", "_retrained"))
    gained = (joined["value"] - joined["value_before"]) * (-1 if card.goal == MAXIMIZE else 1)
    return joined.assign(gained=gained).sort_values("gained", ascending=False, kind="stable", ignore_index=True)


def _counted(file: str, score: str) -> pd.DataFrame:
    """The items of a score that count, as an audit keeps them."""
    read_items(file)  # says why where it cannot be read
    rows = pd.read_parquet(file)
    return rows[(rows["score"] == score) & rows.get("counts", pd.Series(True, rows.index)).astype(bool)]


def last_question(prompt: str) -> str:
    """What is asked at the end of a few-shot prompt; a prompt without examples as it is."""
    return prompt.rsplit("\n\n", 1)[-1]


def typical(items: pd.DataFrame, score: str) -> pd.DataFrame:
    """The item of a score whose value is nearest the mean of all, the first of several; empty where there is none."""
    own = items[items["score"] == score]
    return own.loc[(own["value"] - own["value"].mean()).abs().sort_values(kind="stable").index[:1]]
