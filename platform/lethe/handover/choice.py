"""Which candidate of a study somebody names: `12@step/40/student`, `12`, or `recommended`. Pure."""

import re
from dataclasses import asdict

import numpy as np
import pandas as pd

from lethe.analysis.judgement import judge
from lethe.fronts.objectives import chosen_by
from lethe.store.facts import Facts
from lethe.store.places import Place
from lethe.store.snapshot import Snapshot
from lethe.store.trials import REPEATS

RECOMMENDED = "recommended"
FORMS = f"TRIAL@AXIS/AT/ROLE, as 12@step/40/student, TRIAL, or {RECOMMENDED}"
FORM = re.compile(r"(\d{1,9})(?:[@/](.+))?", re.ASCII)  # the dashboard's links have / in the place of @
MOST_PLACES = 8  # that a message names


def parse(text: str) -> tuple[int, Place | None]:
    """A trial, and a place of its run where one is named; ValueError for anything else."""
    match = FORM.fullmatch(text)
    place = Place.parse(match[2]) if match and match[2] else None
    if match is None or (match[2] and place is None):
        raise ValueError(f"{text!r} names no candidate: give {FORMS}")
    return int(match[1]), place


def row_of(study: Snapshot, trial: int, place: Place | None) -> int:
    """Where in the study's table a candidate stands; without a place the one that represents its trial.

    ValueError in one line where the study has no such trial, or the trial no such candidate.
    """
    if trial not in study.trials.index:
        there = f"0 to {int(study.trials.index.max())}" if len(study.trials) else "none"
        raise ValueError(f"study {study.name!r} has no trial {trial} (there: {there})")
    candidates = study.candidates
    rows = np.flatnonzero(candidates["trial"].to_numpy() == trial) if len(candidates) else np.zeros(0, int)
    if not len(rows):
        state, failure, repeats = study.trials.loc[trial, ["state", "failure", REPEATS]]
        if pd.notna(repeats):
            raise ValueError(
                f"trial {trial} is trial {repeats:.0f} run again with another seed: its weights are not kept"
            )
        why = f": {failure}" if isinstance(failure, str) else ""
        raise ValueError(f"trial {trial} of study {study.name!r} has no scored candidate (state {state}{why})")
    own = candidates.iloc[rows]
    if place is None:
        return int(rows[_representative(own, study.facts)])
    places = [Place.of(row) for row in own.to_dict("records")]
    if place not in places:
        nearest = sorted(places, key=lambda p: (p.axis != place.axis, abs(p.at - place.at), p.role != place.role))
        there = ", ".join(p.key for p in nearest[:MOST_PLACES])
        raise ValueError(f"trial {trial} has no candidate at {place.key}: the nearest are {there}")
    return int(rows[places.index(place)])


def name_of(trial: int, place: Place) -> str:
    """A candidate as `parse` reads it."""
    return f"{trial}@{place.key}"


def _representative(candidates: pd.DataFrame, facts: Facts) -> int:
    """Which of a trial's candidates stands for it, by the rule that judged the trial."""
    judged = {score: chosen_by(candidates, score) for score in facts.judged}
    scored = [
        {**asdict(Place.of(row)), "scores": {score: [values[i]] for score, values in judged.items()}}
        for i, row in enumerate(candidates.to_dict("records"))
    ]
    return judge(scored, facts).chosen
