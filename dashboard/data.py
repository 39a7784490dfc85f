"""Studies read once and kept for all who look: a change of a view reads nothing, a new trial only itself."""

import argparse
import functools
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import published
from dashboard.charts import curves, landscape
from dashboard.table import grouped, with_seeds
from lethe.analysis import recipes
from lethe.analysis.arena import Arena, arena_of
from lethe.analysis.audit import Audit, audit_in
from lethe.analysis.decide import KNEE, Limit, Recommendation, recommend
from lethe.fronts.objectives import Objective
from lethe.store.facts import Facts
from lethe.store.names import studies_of
from lethe.store.optuna_tables import study_names
from lethe.store.parameters import METHOD, belongs
from lethe.store.snapshot import Reader, Snapshot
from lethe.store.urls import VARIABLE, default_storage

# What is cached here is shared and never changed: no copy is made, and a study is known by its name and token.
BY_TOKEN: dict[str | type[Any], Callable[[Any], Any]] = {
    Snapshot: lambda study: (study.name, study.token),
    Facts: lambda facts: str(facts.objectives),
    Objective: lambda objective: (objective.score, objective.goal),
    Limit: lambda limit: (limit.score, limit.low, limit.high),
}


def storage_url() -> str:
    """Where the studies are: `--storage URL` behind `--`, else the environment, else where `make tune` writes."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--storage")
    given, _ = parser.parse_known_args(sys.argv[1:])
    return given.storage or os.environ.get(VARIABLE) or default_storage()


@st.cache_data(ttl=2, show_spinner=False, max_entries=8)
def names(url: str) -> list[str]:
    """Names of the studies of a store, newest first."""
    return study_names(url)


@st.cache_data(ttl=2, show_spinner=False, max_entries=8)
def arenas(url: str) -> dict[str, list[str]]:
    """Arena -> its studies, newest first."""
    return dict(reversed(studies_of(url).items()))


def groups(names: Sequence[str], arenas: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """What a reader chooses a study from: its name, but the studies of an arena behind that one's; newest first."""
    label = {study: f"{arena} (arena)" for arena, studies in arenas.items() for study in studies}
    found: dict[str, tuple[str, ...]] = {}
    for name in names:
        group = label.get(name, name)
        found[group] = (name, *found.get(group, ())) if name in label else (name,)
    return found | {published.NEWS_RUNS: (published.NEWS_RUNS,)}


@functools.lru_cache(maxsize=16)
def reader_of(url: str, name: str) -> Reader:
    """The one reader of a study: the server's start asks it too, where there is no session yet."""
    return Reader(url, name)


def read(url: str, name: str) -> Snapshot:
    """A study as it is now; ValueError in one sentence where it cannot be read."""
    return published.news_runs() if name == published.NEWS_RUNS else reader_of(url, name).read()


@functools.lru_cache(maxsize=2)
def readers_of(url: str, studies: tuple[str, ...]) -> list[Reader]:
    """The readers of an arena's studies."""
    return [Reader(url, study) for study in studies]


@st.cache_resource(ttl=3, show_spinner="reading the arena", max_entries=2)
def snapshots_of(url: str, studies: tuple[str, ...]) -> list[Snapshot]:
    """An arena's studies as they are now, or were a moment ago."""
    return [reader.read() for reader in readers_of(url, studies)]


def arena(url: str, name: str) -> Arena:
    """An arena as it is now: the very same object where no trial has ended since. ValueError where it is gone."""
    there = arenas(url)
    if name not in there:
        raise ValueError(f"the arena {name!r} is no longer in this store")
    studies = snapshots_of(url, tuple(there[name]))
    return _arena(studies, (url, name, *(ended(study) for study in studies)))


def ended(study: Snapshot) -> tuple[object, ...]:
    """What differs when a trial of a study has ended."""
    return study.name, *sorted(study.trials["state"].value_counts().drop("RUNNING", errors="ignore").items())


@st.cache_resource(show_spinner="comparing the methods", max_entries=2)
def _arena(_studies: Sequence[Snapshot], key: tuple[object, ...]) -> Arena:
    return arena_of(_studies)


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=BY_TOKEN)
def candidates_of(study: Snapshot, url: str, objectives: tuple[Objective, ...]) -> pd.DataFrame:
    """A study's candidates with key and group, the front taken over `objectives`, and what repeats say of them."""
    return with_seeds(grouped(study.candidates, objectives, study.facts), points_of(study, url))


@st.cache_resource(show_spinner="weighing the repeats", max_entries=16, hash_funcs=BY_TOKEN)
def points_of(study: Snapshot, url: str) -> pd.DataFrame:
    """The points of a study over the seeds of their recipes; empty where none was run again."""
    return recipes.repeated(study)


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=BY_TOKEN)
def runs_of(study: Snapshot, url: str) -> pd.DataFrame:
    """What these points scored, seed by seed; empty where no recipe was run again."""
    return recipes.by_seed(study, points_of(study, url))


@st.cache_resource(show_spinner="comparing what came back", max_entries=8, hash_funcs=BY_TOKEN)
def audit(study: Snapshot, url: str) -> Audit:
    """A study's audit; without rows where it has none."""
    return audit_in(study)


@st.cache_resource(show_spinner=False, max_entries=16, hash_funcs=BY_TOKEN)
def volumes_of(study: Snapshot, url: str, facts: Facts | None = None) -> pd.DataFrame:
    """The history of a study's hypervolume; `facts` names other objectives than its own."""
    return curves.volumes(study.candidates, study.trials, facts or study.facts)


@st.cache_resource(show_spinner=False, max_entries=64, hash_funcs=BY_TOKEN)
def recommended(
    study: Snapshot,
    url: str,
    objectives: tuple[Objective, ...],
    limits: tuple[Limit, ...] = (),
    rule: str = KNEE,
) -> Recommendation | None:
    """The recommended candidate of a study; None where no candidate is left."""
    if not len(study.candidates):
        return None
    return recommend(study.candidates, objectives, study.facts.constraints, limits, rule=rule)


@st.cache_data(
    show_spinner="weighing the parameters", max_entries=8, hash_funcs={Snapshot: lambda s: (s.name, s.token)}
)
def importances_of(study: Snapshot, url: str, method: str = "") -> pd.DataFrame | None:
    """Importances of a study's parameters, or of one method's among its trials; None for too few trials."""
    if not method:
        return landscape.importances(study.distinct_trials, study.distributions, study.facts)
    own = {n: d for n, d in study.distributions.items() if n != METHOD and belongs(n, {METHOD: method})}
    trials = study.distinct_trials
    return landscape.importances(trials[trials[METHOD] == method], own, study.facts)
