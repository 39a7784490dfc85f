"""Studies that are only read: the store of whoever it is opens without any change of it, by Optuna's own classes."""

import optuna
from optuna.storages import RDBStorage
from sqlalchemy.pool import NullPool

from lethe.store.names import unknown
from lethe.store.optuna_tables import read_only, study_names
from lethe.store.storage import open_storage
from lethe.store.trial_storage import TrialStorage
from lethe.store.urls import hide_password, sqlite_file

SIGN = "#"  # between a store's URL and a study's name


def split_address(address: str, flag: str = "") -> tuple[str, str]:
    """The store's URL and the study's name of `STORAGE_URL#STUDY`; ValueError, naming the flag, for anything else."""
    url, _, name = address.rpartition(SIGN)
    if not url:
        raise ValueError(f"{flag} {hide_password(address)!r} names no study: give STORAGE_URL{SIGN}STUDY".lstrip())
    return url, name


def open_to_read(url: str) -> RDBStorage:
    """Open a store that is there, a file without any change of it; ValueError in one sentence as `study_names` does."""
    study_names(url)
    file = sqlite_file(url)
    if file is None:
        return open_storage(url)
    return TrialStorage("sqlite://", engine_kwargs={"creator": lambda: read_only(file), "poolclass": NullPool})


def open_study(url: str, name: str) -> optuna.Study:
    """A study of a store that is only read; ValueError, naming those that there are, where it has none of this name."""
    names = study_names(url)
    if name not in names:
        raise unknown(url, name, names)
    return optuna.load_study(study_name=name, storage=open_to_read(url))
