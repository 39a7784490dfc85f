"""A small study on disk with everything that the dashboard shows: outputs, step records, a failure, a running trial."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tiny_study import GUARD, OBJECTIVES, SPACE, scores

from lethe.search.ledger import Ledger
from lethe.search.space import Space
from lethe.store import parameters
from lethe.store.facts import PLANNED, Facts
from lethe.store.storage import open_storage

HOSTILE = (
    "<script>alert('x')</script> **bold** [link](javascript:alert(1)) $x^2$ :red[red] <img src=x onerror=alert(1)>"
)
REFERENCES = {"target": scores(verbmem_f=100, privleak=-100, utility=60), "retrained": scores(verbmem_f=20)}


def items(output: str, value: float) -> pd.DataFrame:
    """What a model wrote to two prompts."""
    rows = [
        {"score": score, "item": i, "prompt": f"Example\n\nprompt {i}", "output": f"{output} {i}", "truth": "truth"}
        for score in ("verbmem_f", "knowmem_f")
        for i in range(8)
    ]
    return pd.DataFrame(rows).assign(value=value)


def make_study(
    folder: Path, *, trials: int = 6, name: str = "tiny", output: str = "after", space: Space = SPACE, **about: Any
) -> str:
    """Write a study with `trials` complete trials, a failed one and a running one; returns the store's URL."""
    folder.mkdir(parents=True, exist_ok=True)
    items("before", 90.0).to_parquet(folder / "target.parquet", index=False)
    facts = Facts(
        objectives=OBJECTIVES,
        constraints=GUARD,
        sampler="random",
        seed=0,
        references=REFERENCES,
        about={
            "benchmark": "muse-mini",
            "protocol": "muse",
            "space": space,
            "settings": {"lr": 0.1, "steps": 30, "freeze": True},
            "items": {"target": str(folder / "target.parquet")},
            "versions": {"torch": "2.13.0"},
            **about,
        },
    )
    url = f"sqlite:///{folder}/studies.db"
    ledger = Ledger.create(open_storage(url), name, facts, space)
    ledger.study.set_user_attr(PLANNED, trials + 4)
    for _ in range(trials):
        finish(ledger, start(ledger, folder, output))
    number = start(ledger, folder, output)
    ledger.tell(number, f"CUDA out of memory {HOSTILE if output == HOSTILE else ''}")
    start(ledger, folder, output)
    return url


def start(ledger: Ledger, folder: Path, output: str = "after") -> int:
    """Ask for a trial, and score two steps of its student and teacher."""
    number, params = ledger.ask()
    own = folder / f"trial-{number}"
    own.mkdir(exist_ok=True)
    steps = np.arange(1, 21)
    records = {"step": steps, "forget_loss": 3 / steps, "gradient_norm": 1.0, "clip_coefficient": 1.0, "lr": 0.1}
    pd.DataFrame(records).to_parquet(own / "steps.parquet", index=False)
    for step in (10, 20):
        for role in ("student", "teacher"):
            file = own / f"{step}-{role}.parquet"
            items(output, 10.0).to_parquet(file, index=False)
            push = step * parameters.own(params)["lr"] * (1 if role == "student" else 0.5)
            made = scores(verbmem_f=100 / (1 + push), privleak=-100 + 10 * push, knowmem_r=90 - push, utility=60 - push)
            value = {"axis": "step", "at": step, "role": role, "scores": made, "weights": None, "items": str(file)}
            ledger.record(number, value)
    return number


def finish(ledger: Ledger, number: int) -> None:
    """End a trial well."""
    ledger.tell(number)
