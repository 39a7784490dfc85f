"""A made-up arena in a SQLite store: entrants, seeds and trials as rows, written at once; its scores are known."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from sqlalchemy import create_engine, text
from tiny_dashboard import REFERENCES
from tiny_study import GUARD, OBJECTIVES, scores

from lethe.store.facts import FACTS, PLANNED, Facts
from lethe.store.storage import open_storage
from lethe.store.trials import COST, FAILURE, RERUN_OF

BUDGET = 300.0
FAMILIES = ("teacher", "ascent", "preference", "distribution", "hidden states", "two models", "prompt")
ENTRANTS = tuple(f"method_{i:02d}" for i in range(20))
FLOAT = '{"name": "FloatDistribution", "attributes": {"step": null, "low": 0.0, "high": 1.0, "log": false}}'
START, END = "2026-01-01 00:00:00.000000", "2026-01-01 00:01:00.000000"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A trial: its candidates as (cost of its run, scores), and how it ended."""

    candidates: Sequence[tuple[float, Mapping[str, float]]] = ()
    cost: float | None = None  # None: that of its last candidate
    state: str = "COMPLETE"
    failure: str | None = None
    rerun_of: int | None = None
    params: Mapping[str, float] = field(default_factory=lambda: {"lr": 0.5})


@dataclass(frozen=True, kw_only=True)
class Entered:
    """A study of an arena."""

    entrant: str
    seed: int
    trials: Sequence[Made]
    family: str = "ascent"
    planned: int | None = None


def make_arena(
    folder: Path,
    studies: Sequence[Entered],
    *,
    name: str = "tiny",
    budget: float = BUDGET,
    ends: Mapping[str, int] = MappingProxyType({}),
    **about: Any,
) -> str:
    """Write an arena of these studies; returns the store's URL."""
    url = f"sqlite:///{folder}/studies.db"
    open_storage(url)
    entrants = list(dict.fromkeys(study.entrant for study in studies))
    seeds = sorted({study.seed for study in studies})
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in COLUMNS}
    engine = create_engine(url)
    with engine.begin() as connection:
        first = [connection.execute(text(f"select coalesce(max({k}), 0) from {t}")).scalar() for t, k in IDS.items()]
        for number, study in enumerate(studies, start=1):
            said = {"name": name, "budget": budget, "entrants": entrants, "seeds": seeds, **ends}
            own = {"entrant": study.entrant, "method": study.entrant, "family": study.family, "seed": study.seed}
            facts = Facts(
                objectives=OBJECTIVES,
                constraints=GUARD,
                sampler="tpe",
                seed=study.seed,
                references=REFERENCES,
                about={"benchmark": "made-up", "protocol": "muse", "method": study.entrant}
                | about
                | {"arena": said | own},
            )
            _study(rows, first[0] + number, f"{name}: {study.entrant} {study.seed}", facts, study.planned)
            for i, trial in enumerate(study.trials):
                _trial(rows, first[1] + len(rows["trials"]) + 1, first[0] + number, i, trial)
        for table, columns in COLUMNS.items():
            if rows[table]:
                names = ", ".join(f'"{column}"' for column in columns)
                values = ", ".join(f":{column}" for column in columns)
                connection.execute(text(f"insert into {table} ({names}) values ({values})"), rows[table])
    engine.dispose()
    return url


IDS = {"studies": "study_id", "trials": "trial_id"}
COLUMNS = {
    "studies": ("study_id", "study_name"),
    "study_directions": ("direction", "study_id", "objective"),
    "study_user_attributes": ("study_id", "key", "value_json"),
    "trials": ("trial_id", "number", "study_id", "state", "datetime_start", "datetime_complete"),
    "trial_params": ("trial_id", "param_name", "param_value", "distribution_json"),
    "trial_values": ("trial_id", "objective", "value", "value_type"),
    "trial_user_attributes": ("trial_id", "key", "value_json"),
}


def _study(rows: dict[str, list[dict[str, Any]]], study_id: int, name: str, facts: Facts, planned: int | None) -> None:
    rows["studies"].append({"study_id": study_id, "study_name": name})
    for objective in range(len(OBJECTIVES)):
        rows["study_directions"].append({"direction": "MINIMIZE", "study_id": study_id, "objective": objective})
    said = {FACTS: facts.to_json()} | ({PLANNED: planned} if planned is not None else {})
    for key, value in said.items():
        rows["study_user_attributes"].append({"study_id": study_id, "key": key, "value_json": json.dumps(value)})


def _trial(rows: dict[str, list[dict[str, Any]]], trial_id: int, study_id: int, number: int, trial: Made) -> None:
    own = {"trial_id": trial_id}
    ends = {"datetime_start": START, "datetime_complete": None if trial.state == "RUNNING" else END}
    rows["trials"].append(own | {"number": number, "study_id": study_id, "state": trial.state, **ends})
    for name, value in trial.params.items():
        rows["trial_params"].append(own | {"param_name": name, "param_value": value, "distribution_json": FLOAT})
    if trial.state == "COMPLETE":
        for objective in range(len(OBJECTIVES)):
            rows["trial_values"].append(own | {"objective": objective, "value": 50.0, "value_type": "FINITE"})
    said: dict[str, Any] = {
        COST: trial.cost if trial.cost is not None else max((c for c, _ in trial.candidates), default=0)
    }
    said |= {FAILURE: trial.failure} if trial.failure else {}
    said |= {RERUN_OF: trial.rerun_of} if trial.rerun_of is not None else {}
    for step, (cost, values) in enumerate(trial.candidates, start=1):
        candidate = {"scores": scores(**values), "cost": cost, "weights": None, "items": None}
        said[f"candidate/step/{10 * step}/student"] = candidate
    for key, value in said.items():
        rows["trial_user_attributes"].append(own | {"key": key, "value_json": json.dumps(value)})


def many(entrants: Sequence[str] = ENTRANTS, seeds: int = 3, trials: int = 6) -> list[Entered]:
    """Twenty entrants: the later ones forget more, the last fails each trial, the one before it loses all utility."""
    rng = np.random.default_rng(0)
    found = []
    for i, entrant in enumerate(entrants):
        for seed in range(seeds):
            level = 20 + 50 * i / len(entrants) + rng.normal(0, 3)
            own = [_made(level, rng, broken=i == len(entrants) - 2) for _ in range(trials)]
            if i == len(entrants) - 1:
                own = [Made(state="FAIL", failure="Diverged: step 3", cost=BUDGET / trials) for _ in range(trials)]
            found.append(Entered(entrant=entrant, seed=seed, trials=own, family=FAMILIES[i % len(FAMILIES)]))
    return found


def _made(level: float, rng: np.random.Generator, *, broken: bool) -> Made:
    push = rng.uniform(0, 1)
    places = [(50.0 * step / 3, step / 3) for step in (1, 2, 3)]
    return Made(
        candidates=[
            (
                cost,
                {
                    "verbmem_f": float(np.clip(100 - level * far * (0.5 + push), 0, 100)),
                    "privleak": float(-80 + 60 * far * push),
                    "knowmem_r": float(np.clip(80 - 30 * far * push + rng.normal(0, 2), 0, 100)),
                    "utility": 20.0 if broken else float(60 - 10 * far * push),
                },
            )
            for cost, far in places
        ],
        params={"lr": push},
    )
