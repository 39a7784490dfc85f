"""What models wrote: the items of a candidate beside those of the target, before and after unlearning."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from platformdirs import user_cache_path

from lethe.store.facts import Facts

COLUMNS = ["score", "item", "prompt", "output", "truth", "value"]
SAME = ["score", "item", "prompt"]  # by which a prompt is known again


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


def target_files(about: Mapping[str, Any]) -> list[Path]:
    """Where the target's items may be: as the study says, else in the cache, newest first."""
    stated = (about.get("items") or {}).get("target")
    if stated:
        return [Path(stated)]
    found = user_cache_path("lethe").glob("references/*/target.parquet")
    return sorted(found, key=lambda file: file.stat().st_mtime, reverse=True)


def written(items: pd.DataFrame, facts: Facts) -> list[str]:
    """The scores whose items hold what a model wrote, in the order of the study's cards."""
    return [name for name, card in facts.cards.items() if card.item and (items["score"] == name).any()]


def before_and_after(after: pd.DataFrame, facts: Facts) -> pd.DataFrame:
    """What a model wrote, with what the target wrote to the same prompts.

    The target's are `output_before` and `value_before`; empty where they are not known.
    """
    after = after[after["score"].isin(written(after, facts))]
    for file in target_files(facts.about):
        try:
            before = read_items(str(file))
        except ValueError:
            continue
        joined = after.merge(before[[*SAME, "output", "value"]], on=SAME, how="left", suffixes=("", "_before"))
        if joined["output_before"].notna().mean() > 0.5:
            return joined
    return after.assign(output_before=None, value_before=float("nan"))


def searched(items: pd.DataFrame, score: str, text: str) -> pd.DataFrame:
    """The items of a score in which a text occurs, in any case; those whose value changed most first."""
    rows = items[items["score"] == score]
    if text:
        columns = [c for c in ("prompt", "output", "truth", "output_before") if c in rows]
        hits = [rows[c].fillna("").astype(str).str.contains(text, case=False, regex=False) for c in columns]
        rows = rows[pd.concat(hits, axis=1).any(axis=1)]
    change = (rows["value_before"] - rows["value"]).abs().fillna(0)
    return rows.loc[change.sort_values(ascending=False, kind="stable").index]


def last_question(prompt: str) -> str:
    """What is asked at the end of a few-shot prompt; a prompt without examples as it is."""
    return prompt.rsplit("\n\n", 1)[-1]


def typical(items: pd.DataFrame, score: str) -> pd.DataFrame:
    """The item of a score whose value is nearest the mean of all, the first of several; empty where there is none."""
    own = items[items["score"] == score]
    return own.loc[(own["value"] - own["value"].mean()).abs().sort_values(kind="stable").index[:1]]
