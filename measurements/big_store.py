"""A store with one study of many made-up trials, written by bulk inserts as the ledger would have written them."""

import json
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine, text

from lethe.fronts.objectives import Constraint, Objective
from lethe.search.ledger import Ledger
from lethe.store.facts import PLANNED, Facts
from lethe.store.storage import open_storage

NAME = "big"  # no other study is in the store
AT_ONCE = 500  # trials that are written together
INSERTS = {
    "trials": "insert into trials (trial_id, number, study_id, state, datetime_start, datetime_complete) "
    "select :trial, :number, study_id, 'COMPLETE', :begun, :ended from studies",
    "params": "insert into trial_params (trial_id, param_name, param_value, distribution_json) "
    "values (:trial, :name, :value, :shape)",
    "attributes": 'insert into trial_user_attributes (trial_id, "key", value_json) values (:trial, :name, :value)',
    "values": "insert into trial_values (trial_id, objective, value, value_type) "
    "values (:trial, :objective, :value, 'FINITE')",
}
SCORES = ("verbmem_f", "knowmem_f", "privleak", "knowmem_r", "utility", *(f"mia_min_{k}" for k in range(10, 100, 10)))
SPACE = {"lr": ("log_uniform", 0.01, 1.0), "alpha": ("log_uniform", 0.1, 10.0), "delta": ("log_uniform", 0.01, 0.5)}
GOALS = {"verbmem_f": "minimize", "knowmem_f": "minimize", "privleak": "zero", "knowmem_r": "maximize"}
FACTS = Facts(
    objectives=tuple(Objective(score=s, goal=g) for s, g in GOALS.items()),
    constraints=(Constraint(score="utility", floor=80.0),),
    sampler="random",
    seed=0,
    references={
        "target": {s: [99.0 if s != "privleak" else -100.0, 98.0, 100.0] for s in SCORES},
        "retrained": {s: [25.0 if s != "privleak" else 0.0, 20.0, 30.0] for s in SCORES},
    },
)


def made_up(rng: random.Random, params: dict[str, float], progress: float) -> dict[str, list[float]]:
    """Scores that follow from the parameters and the progress of a run, with noise and an interval."""
    push = progress * (1.5 + math.log10(params["lr"]) + math.log10(params["alpha"]))
    forget = 1 / (1 + math.exp(3 * push - 1))
    values = {
        "verbmem_f": 100 * forget**2 + rng.uniform(0, 5),
        "knowmem_f": 100 * forget + rng.uniform(0, 8),
        "privleak": -100 + 130 * max(push, 0) * params["delta"] ** 0.3 + rng.uniform(-5, 5),
        "knowmem_r": 100 - 30 * max(push, 0) * rng.uniform(0.2, 1.2),
        "utility": 100 - 20 * max(push, 0) * rng.uniform(0.2, 1.5),
    }
    return {name: _interval(values.get(name, -50.0), rng) for name in SCORES}


def _interval(value: float, rng: random.Random) -> list[float]:
    half = rng.uniform(3, 8)
    return [value, value - half, value + half]


def make_store(url: str, trials: int, candidates: int, *, seed: int = 0) -> None:
    """Write a study of finished trials into a store that holds no other."""
    storage, rng = open_storage(url), random.Random(seed)
    ledger = Ledger.create(storage, NAME, FACTS, SPACE)
    ledger.study.set_user_attr(PLANNED, trials + 100)
    for first in range(0, trials, AT_ONCE):
        write_trials(storage.engine, range(first, min(first + AT_ONCE, trials)), candidates, rng)


def write_trials(engine: Engine, numbers: range, candidates: int, rng: random.Random) -> None:
    """Insert finished trials with their parameters, values and candidates."""
    rows: dict[str, list[dict[str, Any]]] = {query: [] for query in INSERTS.values()}
    for number in numbers:
        for table, row in rows_of(number, candidates, rng):
            rows[INSERTS[table]].append({"trial": number + 1, **row})
    with engine.begin() as connection:
        for query, own in rows.items():
            connection.execute(text(query), own)
        if engine.dialect.name == "postgresql":  # whose counter does not see what is inserted with a number of its own
            connection.execute(text(f"select setval('trials_trial_id_seq', {numbers[-1] + 1})"))


def rows_of(number: int, candidates: int, rng: random.Random) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of one trial: table and columns."""
    start = 1_700_000_000 + 30 * number
    begun, ended = (datetime.fromtimestamp(start + after, UTC).replace(tzinfo=None) for after in (0, 28))
    yield "trials", {"number": number, "begun": begun, "ended": ended}
    params = {name: low * (high / low) ** rng.random() for name, (_, low, high) in SPACE.items()}
    for name, value in params.items():
        low, high = SPACE[name][1:]
        shape = {"name": "FloatDistribution", "attributes": {"step": None, "low": low, "high": high, "log": True}}
        yield "params", {"name": name, "value": value, "shape": json.dumps(shape)}
    scores: dict[str, list[float]] = {}
    for i in range(candidates):
        step, role = 10 * (i // 2 + 1), ("student", "teacher")[i % 2]
        scores = made_up(rng, params, (i + 1) / candidates)
        weights = f"/none/{number}/{step}-{role}"
        value = {"scores": scores, "weights": weights, "items": f"{weights}.parquet"}
        yield "attributes", {"name": f"candidate/step/{step}/{role}", "value": json.dumps(value)}
    for i, (score, goal) in enumerate(GOALS.items()):
        yield "values", {"objective": i, "value": Objective(score=score, goal=goal).loss(scores[score][0])}
