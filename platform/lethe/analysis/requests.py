"""What came of requests that grow, and of requests that follow one another: MUSE's C5 and C6 (arXiv 2407.06460). Pure.

    courses = successive(ablation)
    told_of_successive(ablation, courses)       # sentences

A run over several requests is scored behind each. What it is to keep is read off its candidates; what it has forgotten,
off their items, each of which is about one request: of a request that was not made yet nothing need be gone.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from lethe.analysis.ablation import ARM, SEED, Ablation
from lethe.analysis.cells import number
from lethe.analysis.redraws import read_items, value_of
from lethe.fronts.objectives import MAXIMIZE, MINIMIZE

PARTS = "parts"  # in a study's facts: score -> of each item, the number of the request that it is about
REQUEST = "request"  # the setting, and the axis of a run over several
SUCCESSIVE, GROWN = "sust", "scal_"
RETRAINED_AT = "retrained at"  # in facts: by the number of requests made, what PrivLeak reads of who never read them
PRIVLEAK = "privleak"
C5, C6 = "requests that grow (C5)", "requests one after the other (C6)"
UNEVEN = 0.5  # what a rise of the forget score weighs in DDS (arXiv 2511.05784)


@dataclass(frozen=True)
class Courses:
    """The runs over successive requests, of all seeds.

    `kept` has a row for each seed and request made: every score that is to stay. `parts` has a row for each seed,
    score, request made and request asked about: what of it is left, in the score's points.
    """

    kept: pd.DataFrame  # seed, request, score, value
    parts: pd.DataFrame  # seed, score, request, about, value

    def left(self) -> pd.DataFrame:
        """What is left of all that was asked for so far: seed, score, request, value."""
        made = self.parts[self.parts["about"] <= self.parts["request"]]
        weighed = made.assign(value=made["value"] * made["items"])
        sums = weighed.groupby(["score", "seed", "request"], sort=False)[["value", "items"]].sum()
        return (sums["value"] / sums["items"]).rename("value").reset_index()

    def regained(self) -> pd.DataFrame:
        """The most that came back of each request behind later ones: seed, score, about, value, never below 0."""
        keys = ["score", "seed", "about"]
        own = self.parts[self.parts["about"] == self.parts["request"]].set_index(keys)["value"]
        later = self.parts[self.parts["request"] > self.parts["about"]].groupby(keys)["value"].max()
        return (later - own).dropna().clip(lower=0.0).rename("value").reset_index()


def successive(found: Ablation, read: Callable[[Any], pd.DataFrame | None] = read_items) -> Courses:
    """The runs of an ablation over successive requests, whose items `read` gives."""
    arms = [arm.name for arm in found.design if arm.settings.get(REQUEST) == SUCCESSIVE]
    dealt = {score: np.array(parts) for score, parts in found.facts.about.get(PARTS, {}).items()}
    kept, parts = [], []
    for row in _behind_each(found, arms).to_dict("records"):
        place = {"seed": int(row[SEED]), "request": int(row["at"])}
        staying = [score for score, goal in found.goals.items() if goal == MAXIMIZE]
        kept += [place | {"score": score, "value": row[score]} for score in staying]
        items = read(row["items"])
        # What is only to stay within a bound, such as repetition, is nothing that a request takes away.
        for score in (o.score for o in found.facts.objectives if o.goal == MINIMIZE and o.score in dealt):
            parts += [place | {"score": score} | one for one in _by_part(items, score, dealt[score])]
    return Courses(
        pd.DataFrame(kept, columns=["seed", "request", "score", "value"]),
        pd.DataFrame(parts, columns=["seed", "score", "request", "about", "value", "items"]),
    )


def _behind_each(found: Ablation, arms: Sequence[str]) -> pd.DataFrame:
    """The candidates of the ablation's role behind each request."""
    rows = found.candidates
    if not len(rows):
        return rows
    return rows[rows[ARM].isin(arms) & (rows["axis"] == REQUEST) & (rows["role"] == found.role)]


def _by_part(items: pd.DataFrame | None, score: str, parts: np.ndarray) -> Iterator[dict[str, Any]]:
    """What is left of each request, by a score's items; nothing where they are not at hand, or are others."""
    own = items[items["score"] == score].sort_values("item") if items is not None else None
    if own is None or len(own) != len(parts):
        return
    values = own["value"].to_numpy(float)
    for about in np.unique(parts).tolist():
        yield {"about": about, "value": float(values[parts == about].mean()), "items": int((parts == about).sum())}


def is_part(settings: Mapping[str, Any]) -> bool:
    """Whether an arm's request is a part of the forget set, or its parts one after the other."""
    request = str(settings.get(REQUEST, ""))
    return request == SUCCESSIVE or request.startswith(GROWN)


def leaks(found: Ablation, read: Callable[[Any], pd.DataFrame | None] = read_items) -> pd.DataFrame:
    """PrivLeak of what was asked for by then, against a model that never read it: request (C5, C6), made, seed, value.

    Empty where no such models are known. A run of which items are not at hand, or are others, has no row.
    """
    if RETRAINED_AT not in found.facts.about:
        return pd.DataFrame(columns=["request", "made", "seed", "value"])
    sizes, later = _sizes(found), [arm.name for arm in found.design if arm.settings.get(REQUEST) == SUCCESSIVE]
    ended = found.runs[found.runs["state"] == "COMPLETE"] if len(found.runs) else found.runs
    places = [(C5, sizes[row[ARM]], row) for row in ended.to_dict("records") if row[ARM] in sizes]
    places += [(C6, int(row["at"]), row) for row in _behind_each(found, later).to_dict("records")]
    rows = [
        {"request": what, "made": made, "seed": int(row[SEED]), "value": value}
        for what, made, row in places
        if (value := _leak(found, read(row["items"]), made)) is not None
    ]
    return pd.DataFrame(rows, columns=["request", "made", "seed", "value"])


def _leak(found: Ablation, items: pd.DataFrame | None, made: int) -> float | None:
    """PrivLeak of one model behind so many requests; None where that is not known."""
    known = found.facts.about.get(RETRAINED_AT, {}).get(str(made))
    parts, card = found.facts.about.get(PARTS, {}).get(PRIVLEAK), found.facts.card(PRIVLEAK)
    if known is None or parts is None or items is None:
        return None
    forgotten, others = card.samples
    own = items[items["score"] == PRIVLEAK].sort_values("item")
    values = {sample: own["value"][own["truth"] == sample].to_numpy(float) for sample in card.samples}
    if len(values[forgotten]) != len(parts) or any(len(values[s]) != len(known[s]) for s in card.samples):
        return None
    asked = np.array(parts) <= made
    tables = [
        _attacked({forgotten: np.array(of[forgotten])[asked], others: np.array(of[others])}) for of in (values, known)
    ]
    return value_of(card, *tables)


def _attacked(values: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """Items of PrivLeak by their samples."""
    tables = [pd.DataFrame({"score": PRIVLEAK, "truth": sample, "value": own}) for sample, own in values.items()]
    table = pd.concat(tables, ignore_index=True)
    return table.assign(item=range(len(table)))


def _told_of_leaks(table: pd.DataFrame, what: str) -> list[str]:
    rows = table[table["request"] == what]
    course = ", ".join(number(value) for value in rows.groupby("made")["value"].mean())
    return (
        [f"{what}: PrivLeak against models that never read what was asked for by then: {course}"] if len(rows) else []
    )


def _sizes(found: Ablation) -> dict[str, int]:
    """The arms of requests that grow, and how many parts each has."""
    return {
        arm.name: int(str(arm.settings[REQUEST]).removeprefix(GROWN))
        for arm in found.design
        if str(arm.settings.get(REQUEST, "")).startswith(GROWN)
    }


def grown(found: Ablation) -> pd.DataFrame:
    """What is kept behind a request of 1, 2, ... parts (C5): request, score, mean, low, high."""
    sizes = _sizes(found)
    arms = found.arms()
    rows = arms[arms["arm"].isin(sizes) & arms["score"].map(found.goals).eq(MAXIMIZE)]
    table = rows.assign(request=rows["arm"].map(sizes))[["request", "score", "mean", "low", "high"]]
    return table.sort_values(["score", "request"], ignore_index=True)


def dds(left: Sequence[float]) -> float:
    """Dynamic deletion score of what is left, 0 to 1, behind each request: low is good (arXiv 2511.05784)."""
    rises = np.clip(np.diff(left), 0.0, None)
    return float(np.mean(left) + UNEVEN * (rises.mean() if len(rises) else 0.0))


def dus(kept: Sequence[float]) -> float:
    """Dynamic utility score of what is kept, 0 to 1: 1 where it does not move, also from nothing (arXiv 2511.05784)."""
    moves = np.abs(np.diff(kept))
    return float(1.0 - (moves.mean() if len(moves) else 0.0))


def before(found: Ablation) -> dict[str, float]:
    """What the target has of each score."""
    return {score: values[0] for score, values in found.facts.references.get("target", {}).items()}


def told(found: Ablation) -> list[str]:
    """What came of both in sentences; none where the ablation has neither."""
    return [*told_of_grown(found, grown(found)), *told_of_successive(found, successive(found))]


def told_of_grown(found: Ablation, table: pd.DataFrame) -> list[str]:
    """What came of requests that grow."""
    target = before(found)
    return [
        f"{C5}: {score} {_course(target, str(score), rows['mean'])}"
        for score, rows in table.dropna(subset=["mean"]).groupby("score", sort=False)
    ] + _told_of_leaks(leaks(found), C5)


def told_of_successive(found: Ablation, courses: Courses) -> list[str]:
    """What came of requests that follow one another."""
    target, regained = before(found), courses.regained()
    kept = [
        f"{C6}: {score} {_course(target, str(score), _means(rows))}; DUS "
        f"{_of_seeds(dus, rows):.3f} (1 is steady, also at nothing)"
        for score, rows in courses.kept.groupby("score", sort=False)
    ]
    left = [
        f"what is left of all that was asked for so far: {score} {_course(target, str(score), _means(rows))}; DDS "
        f"{_of_seeds(dds, rows):.3f} (0 is best); {_back(regained[regained['score'] == score])}"
        for score, rows in courses.left().groupby("score", sort=False)
    ]
    return kept + _told_of_leaks(leaks(found), C6) + left


def _course(target: Mapping[str, float], score: str, values: Iterable[float]) -> str:
    """A score from request to request, and what the target has."""
    start = f"{number(target[score])} before, then " if score in target else ""
    return start + ", ".join(number(value) for value in values)


def _means(rows: pd.DataFrame) -> pd.Series:
    """The mean over seeds, by request."""
    return rows.groupby("request")["value"].mean()


def _of_seeds(aggregate: Callable[[Sequence[float]], float], rows: pd.DataFrame) -> float:
    """The mean over seeds of what a seed's course comes to, its values as shares."""
    own = [aggregate(seed.sort_values("request")["value"].div(100).tolist()) for _, seed in rows.groupby("seed")]
    return float(np.mean(own))


def _back(regained: pd.DataFrame) -> str:
    """What comes back of earlier requests behind later ones, in the mean over seeds."""
    worst = regained.groupby("about")["value"].mean()
    if not len(worst) or worst.max() <= 0:
        return "nothing comes back behind later requests"
    which, most = worst.index[int(worst.argmax())], number(float(worst.max()))
    return f"most comes back of request {which}: {most} points behind later ones"
