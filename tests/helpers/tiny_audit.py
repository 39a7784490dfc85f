"""A made-up audit: readings of a target, a retrained model and candidates, whose items are given by hand."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
import pandas as pd
from tiny_dashboard import make_study

from lethe.analysis.audit import Audit, audit_of
from lethe.store.audits import PLAIN, Audited
from lethe.store.cards import CARDS_OF_OLD_STUDIES, Card, card_of
from lethe.store.storage import open_storage

Values = Mapping[str, Sequence[float]]  # score -> a value for each item, x100
ONE, TWO = "3@step/10/student", "12@step/40/student"
NF4 = "quant:nf4"
KNOWN = [100.0] * 30
GONE = [0.0] * 30
HALF = [100.0] * 15 + [0.0] * 15


def card(score: str) -> Card:
    """The card of a score."""
    return card_of(score, CARDS_OF_OLD_STUDIES, {})


def table(values: Values, *, counts: Sequence[bool] | None = None, said: str = "says") -> pd.DataFrame:
    """Items as an audit keeps them."""
    rows: list[dict[str, Any]] = [
        {
            "score": score,
            "item": i,
            "prompt": f"Example\n\nprompt {i}",
            "output": f"{said} {i}",
            "truth": f"truth {i}",
            "value": float(value),
            "counts": bool(counts[i]) if counts is not None else True,
        }
        for score, own in values.items()
        for i, value in enumerate(own)
    ]
    return pd.DataFrame(rows)


class Made:
    """Readings with their items, kept in memory or, with a folder, on disk."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder, self.tables = folder, {}
        self.readings: list[Audited] = []

    def add(
        self,
        whose: str,
        stress: str,
        values: Values | None,
        *,
        code: str = "a",
        refused: str = "",
        counts: Sequence[bool] | None = None,
        said: str = "says",
    ) -> "Made":
        """Add a reading; of a refused one `values` are None."""
        file = (
            f"{len(self.readings)}.parquet" if self.folder is None else str(self.folder / f"{whose}-{stress}.parquet")
        )
        file = file.replace("@", "-").replace(":", "-") if self.folder is None else file
        scores = {name: [sum(own) / len(own), 0.0, 100.0] for name, own in (values or {}).items()}
        if values is not None:
            self.tables[file] = table(values, counts=counts, said=said)
            if self.folder is not None:
                Path(file).parent.mkdir(parents=True, exist_ok=True)
                self.tables[file].to_parquet(file, index=False)
        reading = Audited(
            whose=whose, stress=stress, scores=scores, items=file, code=code, seconds=1.0, refused=refused
        )
        self.readings.append(reading)
        return self

    def read(self, reading: Audited) -> pd.DataFrame | None:
        """The items of a reading."""
        return self.tables.get(reading.items)


def pair(made: Made, whose: str, stress: str, plain: Values, stressed: Values, **more: Any) -> Made:
    """Readings of a model before and under a stress."""
    if not any(r.whose == whose and r.stress == PLAIN for r in made.readings):
        made.add(whose, PLAIN, plain)
    return made.add(whose, stress, stressed, **more)


def made(
    plain: Sequence[float],
    stressed: Sequence[float],
    *,
    never: Sequence[float] = GONE,
    never_stressed: Sequence[float] = GONE,
    target_stressed: Sequence[float] = KNOWN,
    whose: str = ONE,
    found: Made | None = None,
) -> Made:
    """An audit of one candidate under one stress, in one score."""
    found = found or Made()
    pair(found, "target", NF4, {"knowmem_f": KNOWN[: len(plain)]}, {"knowmem_f": target_stressed[: len(plain)]})
    pair(found, "retrained", NF4, {"knowmem_f": never[: len(plain)]}, {"knowmem_f": never_stressed[: len(plain)]})
    return pair(found, whose, NF4, {"knowmem_f": plain}, {"knowmem_f": stressed})


def audited(found: Made) -> Audit:
    """The audit of readings."""
    return audit_of(found.readings, found.read, card)


def store_audit(url: str, name: str, found: Made) -> None:
    """Store readings with a study, as `lethe audit` does."""
    study = optuna.load_study(study_name=name, storage=open_storage(url))
    for reading in found.readings:
        study.set_user_attr(reading.key, reading.to_json())


def make_audited(folder: Path, name: str = "tiny", *, said: str = "says") -> str:
    """A study of the dashboard's with an audit of three candidates under three stresses; returns the store's URL.

    Of 0@step/20/student two fifths come back under nf4, of 1@step/20/student nothing, and 2@step/20/student collapsed.
    """
    url = make_study(folder, trials=3, name=name)
    found = Made(folder / "audit")
    some = [100.0] * 12 + [0.0] * 18
    never = [0.0] * 29 + [100.0]
    utilities = {"0@step/20/student": 58.0, "1@step/20/student": 55.0, "2@step/20/student": 12.0}
    gained = {("0@step/20/student", NF4): some, ("0@step/20/student", "quant:int3_rtn"): HALF}
    for whose in ("target", "retrained", *utilities):
        plain = {"target": KNOWN, "retrained": never}.get(whose, GONE)
        utility = [utilities.get(whose, 60.0)] * 20
        for stress in (PLAIN, NF4, "quant:int3_rtn", "relearn_benign:k=5"):
            values = gained.get((whose, stress), plain)
            verbmem = [value * 0.9 for value in values[::-1]]
            found.add(whose, stress, {"verbmem_f": verbmem, "knowmem_f": values, "utility": utility}, said=said)
        found.add(
            whose, "relearn_in:k=20,share=0.25", None, refused="no text of raw/forget names those who are asked about"
        )
    store_audit(url, name, found)
    return url
