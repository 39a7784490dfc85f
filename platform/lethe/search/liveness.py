"""Which drivers drive a study, which trials each of them runs, and which of these drivers are dead."""

from collections.abc import Iterable, Set
from typing import Any

import optuna
from optuna.trial import FrozenTrial

from lethe.store import driver

DRIVER = "driver"  # trial attribute: the driver that runs it
DRIVERS = "drivers/"  # study attributes `drivers/<driver>`: its newest heartbeat while it drives, LEFT behind it
LEFT = ""


def driver_of(trial: FrozenTrial) -> str:
    """The mark of the driver that runs a trial; "" stands for one that has not marked it yet, or died before."""
    return str(trial.user_attrs.get(DRIVER, ""))


def drivers_of(study: optuna.Study) -> set[str]:
    """The drivers that have not left a study, be it that they died: each may be between two trials."""
    return {mark for mark, newest in heartbeats_of(study).items() if newest != LEFT}


def dead_drivers(studies: Iterable[tuple[optuna.Study, Set[str]]]) -> set[str]:
    """Which of some studies' drivers are dead, each study with those asked for; takes as long as `driver.silent`.

    A heartbeat with any of these studies is enough. What this process seems to run is of an earlier ledger of it: only
    who begins anew asks.
    """
    busy = [(study, asked) for study, asked in studies if asked]
    drivers = set[str]().union(*(asked for _, asked in busy))
    own = drivers & {driver.this_driver()}

    def look() -> dict[str, Any]:
        beats = [heartbeats_of(study) for study, _ in busy]
        return {name: [newest.get(name) for newest in beats] for name in drivers}

    return own | driver.silent(drivers - own, look)


def heartbeats_of(study: optuna.Study) -> dict[str, Any]:
    """The newest heartbeat of every driver that stored one; LEFT of one that left."""
    return {k.removeprefix(DRIVERS): v for k, v in study.user_attrs.items() if k.startswith(DRIVERS)}
