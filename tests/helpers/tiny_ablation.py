"""A tiny ablation: three arms and made-up scores with known effects, and items on disk that say the same."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tiny_study import GUARD, OBJECTIVES

from lethe.analysis.ablation import DESIGN, Ablation, read_ablation
from lethe.analysis.designs import Design, one_at_a_time
from lethe.search.ledger import Ledger
from lethe.search.runs import Run, plan_runs
from lethe.store.facts import Facts
from lethe.store.storage import open_storage

SWITCHES = {"damping": {"on": {}, "off": {"damping": 0.0}}, "loss": {"nlul": {}, "ll": {"forget_loss": "ll"}}}
ITEMS = 20
EFFECTS = {"baseline": 0.0, "damping=off": 1.0, "loss=ll": 60.0}  # on verbmem_f


def tiny_design() -> Design:
    """The baseline, without damping, with another loss."""
    return one_at_a_time(SWITCHES)


def start(url: str, name: str = "tiny", design: Design | None = None, **about: Any) -> Ledger:
    """A new ablation of a design, the tiny one where none is given."""
    design = design or tiny_design()
    known = {"benchmark": "made-up", "protocol": "muse", "settings": {"steps": 2}, DESIGN: design.to_json()}
    facts = Facts(objectives=OBJECTIVES, constraints=GUARD, sampler="random", seed=0, about=known | about)
    return Ledger.create(open_storage(url), name, facts, space_of(design))


def space_of(design: Design) -> dict[str, Any]:
    """The parameters of an ablation's trials."""
    return {"arm": ("choice", tuple(arm.name for arm in design)), "seed": ("integer", 0, 99)}


def runs_of(design: Design, seeds: int) -> list[Run]:
    """Every arm with every seed."""
    return [
        Run(params={"arm": a.name, "seed": s}, key=f"{sorted(a.settings.items())}/{s}")
        for s in range(seeds)
        for a in design
    ]


def run_one(
    ledger: Ledger,
    folder: Path,
    effects: dict[str, float] = EFFECTS,
    fail: str = "",
    roles: Sequence[str] = ("student", "teacher"),
) -> dict[str, Any]:
    """Ask for a run, score each of its roles twice, and tell its end; the run of the arm `fail` fails."""
    number, params = ledger.ask()
    if params["arm"] == fail:
        ledger.tell(number, "Diverged: step 3")
        return params
    own = np.random.default_rng((params["seed"], ITEMS))
    noise = np.random.default_rng((params["seed"], sum(map(ord, params["arm"])))).normal(0, 1, ITEMS)
    base = np.random.default_rng(ITEMS).normal(20, 5, ITEMS) + own.normal(0, 2)  # items, and what the seed does to all
    for step in (1, 2):
        for role in roles:
            values = base + (effects[params["arm"]] + noise) * step / 2
            score = float(values.mean())
            items = pd.DataFrame({"score": "verbmem_f", "item": range(ITEMS), "truth": "", "value": values})
            file = folder / f"{number}-{step}-{role}.parquet"
            items.to_parquet(file)
            scores = {"verbmem_f": score, "privleak": -20.0 + params["seed"], "knowmem_r": 80.0, "utility": 90.0}
            candidate = {"axis": "step", "at": step, "role": role, "weights": None, "items": str(file)}
            ledger.record(number, candidate | {"scores": {k: [v, v - 1, v + 1] for k, v in scores.items()}})
    ledger.tell(number)
    return params


def finished(
    folder: Path,
    *,
    seeds: int = 5,
    design: Design | None = None,
    fail: str = "",
    roles: Sequence[str] = ("student", "teacher"),
    **rest: Any,
) -> tuple[str, str]:
    """A whole ablation in a store under `folder`: its URL and its name."""
    url = f"sqlite:///{folder}/studies.db"
    ledger = start(url, design=design, **rest)
    runs = runs_of(design or tiny_design(), seeds)
    plan_runs(ledger, runs, open_storage(url))
    effects = {arm.name: EFFECTS.get(arm.name, 5.0) for arm in design or tiny_design()}
    for _ in runs:
        run_one(ledger, folder, effects, fail, roles)
    return url, "tiny"


def read(folder: Path, **choices: Any) -> Ablation:
    """The finished tiny ablation."""
    return read_ablation(*finished(folder, **choices))
