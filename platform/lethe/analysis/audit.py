"""An audit of a study's candidates as a table: what each stress brings back of what seemed forgotten, and how sure.

A row for each candidate, stress and score. Something came back where net recovery is above 0 and the candidate, under
the stress, above the retrained model: what a damaged model regains up to that level is no memory. Both are tested by
flipping the signs of items, and the larger p counts: what a stress gives a candidate's item and the retrained model's
may be swapped where both gain alike, so that the test holds for few items, and for items that are nearly all 0, and
needs no law of them. An audit asks many such questions, so their p are corrected by Holm's method over all of them: 5%
for one false alarm in the whole audit; and both intervals have to leave 0 out. What a candidate picks among several
answers and does not say is tested in the same way. Only readings of one code are compared.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pyarrow as pa

from lethe.analysis.cells import listed
from lethe.analysis.effects import ALPHA, corrected
from lethe.analysis.flips import sign_flip_p
from lethe.analysis.recovery import Readings, Recovery, collapsed, recovery
from lethe.analysis.traces import Traced, traced
from lethe.analysis.worst import best_of_several, worst_parts, worst_readings
from lethe.fronts.objectives import MAXIMIZE
from lethe.store.audits import PLAIN, Audited
from lethe.store.cards import MEAN, Card
from lethe.store.snapshot import Snapshot

TARGET, RETRAINED = MODELS = ("target", "retrained")  # beside which candidates are read
UTILITY = "utility"
FEWEST = 20  # items, where the target chooses which of them say anything
KEPT = "knowmem_r"
DAMAGE = (KEPT, UTILITY)  # what a stress may damage, which is no recovery
GIVEN = 50.0  # of 100: from this value on an item counts as given
SAID, PICKED = "knowmem_f", "mcq_f"  # the same questions, answered in words, or by picking the answer among others
Items = Mapping[str, pd.Series]  # of each score the values by item
COLUMNS = ("score", "item", "value", "counts")  # of a table of items, that are read here


@dataclass(frozen=True, kw_only=True)
class Returned:
    """Of the items that the target gives and the candidate no longer did, how many are given under the stress."""

    gone: int
    back: int
    never: int | None  # of the same items those that the retrained model gives under the stress, and did not before


@dataclass(frozen=True, kw_only=True)
class Silent:
    """Of the questions that the target answers and the candidate no longer does, where it still picks the answer."""

    unsaid: int
    picked: int
    never: int  # of the same questions those of which the retrained model picks the answer
    p: float  # one-sided, of picking no more than the retrained model
    corrected: float = np.nan

    @property
    def sure(self) -> bool:
        """Whether it picks more answers than chance explains."""
        return bool(self.corrected < ALPHA)


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One candidate in one score under one stress: [plain, under the stress] of each model, over the items that count.

    Of a score that is high where something is forgotten, what comes back is the loss of it: change and net are positive
    where something comes back, whatever the score.
    """

    candidate: str
    stress: str
    score: str
    forgotten: bool  # whether it is of what was to be forgotten; else it tells damage
    n: int  # items
    values: tuple[float, float]
    target: tuple[float, float] | None
    retrained: tuple[float, float] | None
    recovery: Recovery
    returned: Returned | None
    p: float = np.nan  # one-sided, of no net recovery or nothing above the retrained; NaN where nothing is tested
    corrected: float = np.nan  # the same for all of an audit at once

    @property
    def back(self) -> bool:
        """Whether something comes back that chance does not explain: by the test, and by the intervals as well.

        Many items that each gain next to nothing pass the test, where all of it together may as well be nothing.
        """
        net, above = self.recovery.net, self.recovery.above
        return bool(self.corrected < ALPHA and net and above and min(net.low, above.low) > 0)

    @property
    def gain(self) -> float:
        """What comes back, in points, as far as it is more than the retrained model has under the stress."""
        found = self.recovery
        return min(found.net.value, found.above.value) if found.net and found.above else 0.0


@dataclass(frozen=True, kw_only=True)
class Audit:
    """An audit: its rows, which candidates collapsed, what was refused, and what else a reader has to know."""

    rows: tuple[Compared, ...]
    silent: Mapping[str, Silent]  # of each candidate of which it is known
    utility: Mapping[str, float]  # of each model without a stress, where it is known
    refused: tuple[Audited, ...]
    notes: tuple[str, ...]  # what was left out, and why: a sentence each
    candidates: tuple[str, ...]  # all that were read, in the order of their trials
    stresses: tuple[str, ...]
    traces: tuple[Traced, ...] = ()  # what candidates hold, whatever they answer

    @property
    def scores(self) -> tuple[str, ...]:
        """The scores that rows are of: those of what was to be forgotten first."""
        order = sorted(self.rows, key=lambda row: not row.forgotten)
        return tuple(dict.fromkeys(row.score for row in order))

    def of(self, candidate: str) -> tuple[Compared, ...]:
        """A candidate's rows."""
        return tuple(row for row in self.rows if row.candidate == candidate)

    def worst(self, candidate: str) -> Compared | None:
        """The row of what was to be forgotten in which most comes back; None where that is not known."""
        found = [row for row in self.of(candidate) if row.forgotten and row.recovery.net]
        return max(found, key=lambda row: row.gain, default=None)

    def collapsed(self, whose: str) -> bool | None:
        """Whether a candidate's utility is so low that it says nothing that nothing comes back; None: not known."""
        known = [self.utility.get(name) for name in (whose, TARGET)]
        return None if known[0] is None or known[1] is None else collapsed(known[0], known[1])


def audit_in(study: Snapshot) -> Audit:
    """The audit of a study whose items are read from where they lie; without candidates where it has none."""
    return audit_of(study.audits, stored_items, study.facts.card)


def audit_of(
    readings: Sequence[Audited], read: Callable[[Audited], pd.DataFrame | None], card: Callable[[str], Card]
) -> Audit:
    """The audit of a study: `read` gives the items of a reading, or None where they are gone; `card` a score's card."""
    code = compared_code(readings)
    own = {(r.whose, r.stress): r for r in readings if r.code == code}
    items = {key: table for key, r in own.items() if not r.refused and (table := _items(read(r))) is not None}
    candidates = sorted({whose for whose, _ in own if whose not in MODELS}, key=_in_order)
    of_traces = {probe for (_, probe), r in own.items() if r.is_trace}
    parts = worst_parts(list(own.values()))
    worst = worst_readings(parts, items, lambda read: _given(read, SAID), card)
    stresses = sorted({stress for _, stress in (*own, *worst) if stress != PLAIN and stress not in of_traces})
    notes: list[str] = _left_out(readings, code) + _gone(own, items)
    items |= worst
    rows = []
    notes += [best_of_several(name, parts[name]) for name in dict.fromkeys(name for _, name in worst)]
    asking = {stress for (_, stress), r in own.items() if r.asks} | {*parts}
    for candidate in candidates:
        for stress in stresses:
            rows += _rows(candidate, stress, items, card, notes, asking)
    silents = {name: found for name in candidates if (found := _silent(name, items))}
    compared, silent = _corrected(rows, silents)
    return Audit(
        rows=compared,
        silent=silent,
        utility={
            whose: r.scores[UTILITY][0] for (whose, stress), r in own.items() if not stress and UTILITY in r.scores
        },
        refused=tuple(sorted((r for r in own.values() if r.refused), key=lambda r: (r.stress, _in_order(r.whose)))),
        notes=tuple(dict.fromkeys(notes + _missing(own, items))),
        candidates=tuple(candidates),
        traces=traced(candidates, own, items),
        stresses=tuple(stresses),
    )


def stored_items(reading: Audited) -> pd.DataFrame | None:
    """The items of a reading as they lie on disk; None where they are gone or cannot be read."""
    try:
        return pd.read_parquet(reading.items, columns=list(COLUMNS))
    except (OSError, pa.ArrowException, ValueError):
        return None


def compared_code(readings: Sequence[Audited]) -> str:
    """The code whose readings are compared: one that measured the reference models, then one with most readings."""
    plain = {(r.whose, r.code) for r in readings if r.stress == PLAIN and not r.refused}
    counts = pd.Series([r.code for r in readings], dtype=object).value_counts()
    return str(max(counts.index, key=lambda c: (*((m, c) in plain for m in MODELS), counts[c], c), default=""))


def _in_order(whose: str) -> tuple[int, int, str]:
    """Reference models first, then candidates by the number of their trial."""
    trial = whose.partition("@")[0]
    return (0, MODELS.index(whose), "") if whose in MODELS else (1, int(trial) if trial.isdecimal() else 0, whose)


def _items(table: pd.DataFrame | None) -> Items | None:
    """The values of the items that count, of each score by item; None where they are not known."""
    if table is None or not set(COLUMNS) <= set(table.columns):
        return None
    values = table["value"].where(table["counts"].astype(bool))
    every = table.assign(value=values).groupby("score", sort=False)
    return {str(score): own.set_index("item")["value"].dropna() for score, own in every}


def _rows(
    candidate: str,
    stress: str,
    items: Mapping[tuple[str, str], Items],
    card: Callable[[str], Card],
    notes: list[str],
    asking: Collection[str],
) -> list[Compared]:
    """The rows of one candidate under one stress; adds to the notes what cannot be compared.

    Under a stress of `asking` only those questions count that the target answers as they are asked.
    """
    pairs = {
        whose: (items[whose, PLAIN], items[whose, stress])
        for whose in (candidate, *MODELS)
        if {(whose, PLAIN), (whose, stress)} <= items.keys()
    }
    if candidate not in pairs:
        return []
    rows = []
    for score in pairs[candidate][0]:
        known = card(score)
        if known.reduction != MEAN or not (known.forgotten or score in DAMAGE):
            continue
        there = {whose: pair for whose, pair in pairs.items() if all(score in items for items in pair)}
        if candidate not in there:  # a stress that leaves a score alone is not read by it
            continue
        answered = _answered(known.forgotten, pairs) if stress in asking else None
        read = _readings(there, score, answered)
        n = len(read[candidate].plain)
        if answered is not None:
            of = len(_readings(there, score)[candidate].plain)
            notes.append(_eligible(stress, known.forgotten, n, of))
        if not n and answered is None:
            notes.append(f"No item of {score} counts under {stress}: it is left out there.")
        if n < (FEWEST if answered is not None else 1):
            continue
        rows.append(_compared(candidate, stress, known, read))
    return rows


def _answered(forgotten: bool, pairs: Mapping[str, tuple[Items, Items]]) -> pd.Index | None:
    """The questions that the target answers under a stress; None where that is not known."""
    if TARGET not in pairs or (score := SAID if forgotten else KEPT) not in pairs[TARGET][1]:
        return None
    given = _given(pairs[TARGET][1], score)
    return given.index[given]


def _given(items: Items, score: str) -> "pd.Series[bool]":
    """Whether each item of a score is given."""
    return items.get(score, pd.Series(dtype=float)) >= GIVEN


def _eligible(stress: str, forgotten: bool, n: int, of: int) -> str:
    """How many questions say anything as they are asked under a stress, and whether they are enough."""
    few = f": fewer than {FEWEST}, so nothing is told by it" if n < FEWEST else ""
    about = "forgotten" if forgotten else "retained"
    return f"Under {stress} the target answers {n} of {of} questions about {about} text, and only those count{few}."


def _readings(
    pairs: Mapping[str, tuple[Items, Items]], score: str, kept: pd.Index | None = None
) -> dict[str, Readings]:
    """The values of each model before and under a stress, of the items that count for all of them, or those `kept`."""
    columns = {(whose, i): items[score] for whose, pair in pairs.items() for i, items in enumerate(pair)}
    joined = pd.concat(columns, axis=1, join="inner").sort_index()
    joined = joined if kept is None else joined[joined.index.isin(kept)]
    return {whose: Readings(*(joined[whose, i].to_numpy(float) for i in (0, 1))) for whose in pairs}


def _compared(candidate: str, stress: str, card: Card, read: Mapping[str, Readings]) -> Compared:
    own, target, retrained = (read.get(whose) for whose in (candidate, *MODELS))
    assert own is not None
    sign = -1 if card.forgotten and card.goal == MAXIMIZE else 1
    turned = [model and Readings(sign * model.plain, sign * model.stressed) for model in (own, target, retrained)]
    assert turned[0] is not None
    p = np.nan
    if card.forgotten and turned[2] is not None:
        above = turned[0].stressed - turned[2].stressed
        p = max(sign_flip_p(above - (turned[0].plain - turned[2].plain)), sign_flip_p(above))
    return Compared(
        candidate=candidate,
        stress=stress,
        score=card.name,
        forgotten=card.forgotten,
        n=len(own.plain),
        values=_means(own),
        target=_means(target) if target else None,
        retrained=_means(retrained) if retrained else None,
        recovery=recovery(turned[0], turned[1], turned[2]),
        returned=_returned(own, target, retrained) if card.forgotten and sign == 1 and target else None,
        p=p,
    )


def _means(model: Readings) -> tuple[float, float]:
    return float(model.plain.mean()), float(model.stressed.mean())


def _returned(own: Readings, target: Readings, retrained: Readings | None) -> Returned:
    gone = (target.plain >= GIVEN) & (own.plain < GIVEN)
    never = int((gone & (retrained.plain < GIVEN) & (retrained.stressed >= GIVEN)).sum()) if retrained else None
    return Returned(gone=int(gone.sum()), back=int((gone & (own.stressed >= GIVEN)).sum()), never=never)


def _silent(candidate: str, items: Mapping[tuple[str, str], Items]) -> Silent | None:
    """What a candidate knows and does not say, without any stress; None where that was not measured of all models."""
    models = [items.get((whose, PLAIN), {}) for whose in (candidate, *MODELS)]
    if not all({SAID, PICKED} <= own.keys() for own in models):
        return None
    columns = {(i, score): own[score] for i, own in enumerate(models) for score in (SAID, PICKED)}
    joined = pd.concat(columns, axis=1, join="inner")
    unsaid = joined[(joined[1, SAID] >= GIVEN) & (joined[0, SAID] < GIVEN)]
    own, never = (unsaid[i, PICKED].to_numpy(float) for i in (0, 2))
    counts = [int((values >= GIVEN).sum()) for values in (own, never)]
    return Silent(unsaid=len(unsaid), picked=counts[0], never=counts[1], p=sign_flip_p(own - never))


def _corrected(
    rows: Sequence[Compared], silents: Mapping[str, Silent]
) -> tuple[tuple[Compared, ...], dict[str, Silent]]:
    """Rows, and what candidates do not say, with p that hold for all of them at once."""
    known = corrected(np.array([*(row.p for row in rows), *(found.p for found in silents.values())])).tolist()
    compared = tuple(replace(row, corrected=p) for row, p in zip(rows, known, strict=False))
    rest = zip(silents.items(), known[len(rows) :], strict=True)
    return compared, {name: replace(found, corrected=p) for (name, found), p in rest}


def _left_out(readings: Sequence[Audited], code: str) -> list[str]:
    others = [r for r in readings if r.code != code]
    if not others:
        return []
    whose = listed(sorted({r.whose for r in others}, key=_in_order))
    return [
        f"{len(others)} of {len(readings)} readings were measured by other code and are left out (of {whose}): audit "
        "them again."
    ]


def _gone(own: Mapping[tuple[str, str], Audited], items: Mapping[tuple[str, str], Items]) -> list[str]:
    lost = [
        (whose, stress or "no stress")
        for (whose, stress), r in own.items()
        if not r.refused and (whose, stress) not in items
    ]
    return [f"The items of {whose} under {stress} are not on this machine: it is left out." for whose, stress in lost]


def _missing(own: Mapping[tuple[str, str], Audited], items: Mapping[tuple[str, str], Items]) -> list[str]:
    """What cannot be told without a reference model, or without a reading before the stresses."""
    said = []
    if not own:
        return []
    if (TARGET, PLAIN) not in items:
        said.append("The target was not measured: how much of what it knew comes back is not known.")
    if (RETRAINED, PLAIN) not in items:
        said.append(
            "There is no retrained model to compare with: what a stress gives a model that never knew is not known, so "
            "no change is told from it."
        )
    for (whose, stress), r in own.items():
        if stress != PLAIN and not r.is_trace and (whose, PLAIN) not in own:
            said.append(f"{whose} was not measured without a stress: nothing is compared with it.")
    return said
