"""A study's end: whether a live driver still runs it, where its own folder is, and both the study and that removed."""

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

import optuna
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import SQLAlchemyError

from lethe.search.liveness import dead_drivers, driver_of, drivers_of
from lethe.store.facts import Facts, is_id, load_facts
from lethe.store.optuna_tables import connect, explain
from lethe.store.queries import select
from lethe.store.storage import taking_turns
from lethe.store.study_folder import StudyFolder, folder_name, is_there, study_folder
from lethe.store.trials import CANDIDATE, OLDER, candidates

BORROWED = (
    "select distinct s.study_name from studies s join trials t on t.study_id = s.study_id "
    "join trial_user_attributes a on a.trial_id = t.trial_id "
    'where (a."key" like :newer or a."key" like :older) and a.value_json like :within'
)


@dataclass(frozen=True)
class Doomed:
    """A study that is to be removed, and its own folders, which hold its weights, outputs and states."""

    name: str
    folders: tuple[StudyFolder, ...]
    id: str = ""  # in which the names of its folders end, and no other study's do


def check_idle(storage: RDBStorage, names: Iterable[str]) -> None:
    """ValueError where a live driver runs one of the studies; takes up to a minute where one may be on another host."""
    studies = [optuna.load_study(study_name=name, storage=storage) for name in names]
    running = [study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)) for study in studies]
    drivers = [
        drivers_of(study) | {driver_of(trial) for trial in trials}
        for study, trials in zip(studies, running, strict=True)
    ]
    dead = dead_drivers(zip(studies, drivers, strict=True))
    for study, trials, own in zip(studies, running, drivers, strict=True):
        if alive := sorted(own - dead):
            who = alive[0] or "a driver of no name"
            raise ValueError(
                f"study {study.study_name!r} runs ({len(trials)} trials now, by {who!r}): stop it first, with Ctrl-C "
                "or `ray job stop`"
            )


def doomed(storage: RDBStorage, name: str, results: str) -> Doomed:
    """A study with its folders: below the results folder, and wherever else its candidates say that they were written.

    Only a folder that is named by the study and its id counts; a study of an older version has no id, and its folder
    may be another's too. What is no id leads nowhere.
    """
    study = optuna.load_study(study_name=name, storage=storage)
    try:
        facts = load_facts(study)
    except (ValueError, TypeError, KeyError):
        return Doomed(name, ())
    if not is_id(facts.id):
        return Doomed(name, ())
    places = [study_folder(results, name, facts.id).place, *_written(study, facts)]
    return Doomed(name, tuple(StudyFolder(place) for place in dict.fromkeys(places)), facts.id)


def remove(storage: RDBStorage, study: Doomed) -> None:
    """Remove a study's folders, then the study: who was interrupted in between can do it again.

    ValueError, and the study is kept, where a folder is still there: one that is a link is left alone.
    """
    with taking_turns(storage, f"start {study.name}"):
        for folder in study.folders:
            StudyFolder(posixpath.dirname(folder.place)).remove(folder.place)
            if is_there(folder.place):
                raise ValueError(
                    f"{folder.place!r} could not be removed, and study {study.name!r} is kept: remove it by hand, then "
                    "ask again"
                )
        optuna.delete_study(study_name=study.name, storage=storage)


def borrowers(url: str, going: Sequence[Doomed]) -> list[str]:
    """The other studies with candidates whose weights or outputs lie in a folder of these, however they came there."""
    engine = connect(url)
    try:
        with engine.connect() as connection:
            within = [f"%-{study.id}/%" for study in going if study.folders]
            asked = {"newer": f"{CANDIDATE}%", "older": f"{OLDER}%"}
            rows = [row for place in within for row in select(connection, BORROWED, within=place, **asked)]
    except SQLAlchemyError as error:
        raise ValueError(explain(error, url)) from None
    finally:
        engine.dispose()
    return sorted({str(name) for (name,) in rows} - {study.name for study in going})


def _written(study: optuna.Study, facts: Facts) -> list[str]:
    """The study's folders that its candidates' files lie in."""
    name = folder_name(study.study_name, facts.id)
    found: dict[str, None] = {}
    for trial in study.get_trials(deepcopy=False):
        for candidate in candidates(trial):
            for place in (candidate.get("weights"), candidate.get("items")):
                own = quote(name) if "://" in str(place) else name
                before, there, _ = str(place or "").partition(f"/{own}/")
                if there:
                    found[f"{before}/{own}"] = None
    return list(found)
