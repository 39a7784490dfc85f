"""A tiny study: three objectives, a guard, two parameters, and trials whose scores are made up."""

from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, RDBStorage
from sqlalchemy.pool import StaticPool

from lethe.fronts.objectives import Constraint, Objective
from lethe.search.ledger import Ledger
from lethe.search.space import Space, join
from lethe.store.facts import Facts
from lethe.store.parameters import own

optuna.logging.set_verbosity(optuna.logging.ERROR)

SPACE = {"lr": ("log_uniform", 0.001, 1.0), "delta": ("uniform", 0.0, 1.0)}
SEVERAL = join(  # two methods, which have a rate each, and one of them a block of the model
    {
        "quick": SPACE,
        "slow": {"lr": ("log_uniform", 0.001, 0.1), "layer": ("integer", 1, 9), "kind": ("choice", (True, False))},
    }
)
OBJECTIVES = (
    Objective(score="verbmem_f", goal="minimize"),
    Objective(score="privleak", goal="zero"),
    Objective(score="knowmem_r", goal="maximize"),
)
GUARD = (Constraint(score="utility", floor=40.0),)


def tiny_facts(**changes: Any) -> Facts:
    """The facts of the tiny study."""
    values: dict[str, Any] = {"objectives": OBJECTIVES, "constraints": GUARD, "sampler": "tpe", "seed": 0}
    return Facts(**(values | changes))


def tables_in_memory() -> RDBStorage:
    """A storage with tables, as a file has them, that is gone with the process."""
    return RDBStorage("sqlite:///:memory:", engine_kwargs={"poolclass": StaticPool})


def tiny_ledger(storage: BaseStorage | None = None, name: str = "tiny", space: Space = SPACE, **changes: Any) -> Ledger:
    """A new study, in memory unless a storage is given."""
    return Ledger.create(storage or InMemoryStorage(), name, tiny_facts(**changes), space)


def scores(**values: float) -> dict[str, list[float]]:
    """Scores with an interval of two on either side; what is not named is 50, but PrivLeak 0."""
    known = {"verbmem_f": 50.0, "privleak": 0.0, "knowmem_r": 50.0, "utility": 50.0} | values
    return {name: [value, value - 2, value + 2] for name, value in known.items()}


def candidate(step: int = 10, role: str = "student", weights: str | None = None, **values: float) -> dict[str, Any]:
    """One scored candidate, as a trainable reports it."""
    return {
        "axis": "step",
        "at": step,
        "role": role,
        "scores": scores(**values),
        "cost": 24.0 * step,
        "weights": weights,
        "items": f"{step}-{role}.parquet",
    }


def run_trial(ledger: Ledger, **values: float) -> int:
    """Ask, score once and tell: a trial from its start to its end. Returns its number."""
    number, _ = ledger.ask()
    ledger.record(number, candidate(**values))
    ledger.tell(number)
    return number


def made_up(params: dict[str, Any]) -> dict[str, float]:
    """Scores that follow from the parameters: learning faster forgets more of everything."""
    lr, delta = own(params)["lr"], own(params).get("delta", 0.5)
    return {"verbmem_f": 100 * (1 - lr), "privleak": 200 * delta - 100, "knowmem_r": 100 * (1 - lr * delta)}


class Killed(RuntimeError):
    """The driver died."""


class BrittleStorage(InMemoryStorage):
    """Stores as long as it has writes left; the write after the last one kills the driver before anything is stored."""

    def __init__(self) -> None:
        super().__init__()
        self.writes_left: int | None = None


def _brittle(name: str) -> Any:
    store = getattr(InMemoryStorage, name)

    def write(self: BrittleStorage, *args: Any, **options: Any) -> Any:
        if self.writes_left is not None:
            if self.writes_left == 0:
                raise Killed(name)
            self.writes_left -= 1
        return store(self, *args, **options)

    return write


for _name in (
    "create_new_study",
    "create_new_trial",
    "set_study_user_attr",
    "set_study_system_attr",
    "set_trial_param",
    "set_trial_state_values",
    "set_trial_user_attr",
    "set_trial_system_attr",
):
    setattr(BrittleStorage, _name, _brittle(_name))
