"""Which driver runs which trial of a study, and which of these drivers are dead."""

from collections.abc import Iterable, Sequence
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from lethe.store import driver

DRIVER = "driver"  # trial attribute: the driver that runs it; study attributes `driver/<it>`: its newest heartbeat


def driver_of(trial: FrozenTrial) -> str:
    """The mark of the driver that runs a trial; "" stands for one that has not marked it yet, or died before."""
    return str(trial.user_attrs.get(DRIVER, ""))


def dead_drivers(studies: Iterable[tuple[optuna.Study, Sequence[FrozenTrial]]]) -> set[str]:
    """Which drivers of the running trials of some studies are dead; takes as long as `driver.silent`.

    A heartbeat with any of these studies is enough. What this process seems to run is of an earlier ledger of it: only
    who begins anew asks.
    """
    busy = [(study, {driver_of(trial) for trial in running}) for study, running in studies if running]
    drivers = set[str]().union(*(own for _, own in busy))
    own = drivers & {driver.this_driver()}

    def look() -> dict[str, Any]:
        beats = [heartbeats_of(study) for study, _ in busy]
        return {name: [newest.get(name) for newest in beats] for name in drivers}

    return own | driver.silent(drivers - own, look)


def heartbeats_of(study: optuna.Study) -> dict[str, Any]:
    """The newest heartbeat of every driver that stored one."""
    prefix = f"{DRIVER}/"
    return {k.removeprefix(prefix): v for k, v in study.user_attrs.items() if k.startswith(prefix)}
