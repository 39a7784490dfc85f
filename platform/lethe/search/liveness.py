"""Which driver runs which trial of a study, and which of these drivers are dead."""

from collections.abc import Iterable
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from lethe.store import driver

DRIVER = "driver"  # trial attribute: the driver that runs it; study attributes `driver/<it>`: its newest heartbeat


def driver_of(trial: FrozenTrial) -> str:
    """The mark of the driver that runs a trial; "" stands for one that has not marked it yet, or died before."""
    return str(trial.user_attrs.get(DRIVER, ""))


def dead_drivers(study: optuna.Study, running: Iterable[FrozenTrial]) -> set[str]:
    """Which drivers of a study's running trials are dead; takes as long as `driver.silent`.

    What this process seems to run is of an earlier ledger of it: only who begins anew asks.
    """
    drivers = {driver_of(trial) for trial in running}
    own = drivers & {driver.this_driver()}
    return own | driver.silent(drivers - own, lambda: heartbeats_of(study))


def heartbeats_of(study: optuna.Study) -> dict[str, Any]:
    """The newest heartbeat of every driver that stored one."""
    prefix = f"{DRIVER}/"
    return {k.removeprefix(prefix): v for k, v in study.user_attrs.items() if k.startswith(prefix)}
