"""Rows become a study of their own, or are added to the one that they have: each run a complete trial.

A trial's attribute `source` says which file, which line for each candidate, and by which protocol. What a study has
already is not added again: a candidate is known by its run and its place there. Files of different runs may call them
the same, as logs in two folders do: where scores differ, a run is called by its file too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from optuna.storages import BaseStorage

from lethe.fronts.objectives import losses
from lethe.imports.rows import Oddity, Reference, Row, references_of
from lethe.imports.shapes import Hints, misfit, named, shaped, space_of, widened
from lethe.search.ledger import Ledger
from lethe.search.space import Space
from lethe.store.facts import FACTS, IMPORTED, Facts, load_facts
from lethe.store.places import Place
from lethe.store.storage import taking_turns
from lethe.store.trials import SOURCE, candidates

ALIKE = "benchmark"  # of which a study has one: scores on another are on another scale
SAME = 0.01  # by so much, of 100, a score may differ that was rounded on its way
Scores = Mapping[str, float]
Seen = dict[tuple[str, str], tuple[Scores, str]]  # run and place -> the scores, and the file that they are from


@dataclass(frozen=True)
class Brought:
    """What came of an import: how many runs and candidates are new, how many candidates were known, and what is odd.

    `added` are the reference models of which scores are new, `kept` those of which another score is known already.
    """

    runs: int
    candidates: int
    known: int
    oddities: list[Oddity]
    added: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def bring(
    storage: BaseStorage,
    name: str,
    rows: Sequence[Row],
    facts: Facts,
    hints: Hints,
    references: Sequence[Reference] = (),
) -> Brought:
    """Bring rows into the study of a name, which begins with `facts` where there is none; without rows it does not.

    `hints` say what is known of the shapes of parameters. What `references` say of its reference models is added as
    well; what it knows of them stays. ValueError where the study is no imported one.
    """
    with taking_turns(storage, f"start {name}"):
        there = load_there(storage, name)
        stored, added, kept = _with_references(there or facts, references)
        shapes: Hints = stored.about["space"] if there else hints
        known = _known(storage, name) if there else {}
        rows = [replace(row, parameters=named(row.parameters, row.scores)) for row in rows]
        fresh, oddities, old = _sorted(_told_apart(rows, known), known, stored, shapes, grows=not there)
        if not fresh:
            if there and added:
                _ledger(storage, name, stored, begin=False)
            return Brought(0, 0, old, oddities, added, kept) if there else Brought(0, 0, old, oddities)
        parameters = [row.parameters for row in fresh]
        space = widened(stored.about["space"], parameters) if there else space_of(parameters, hints)
        ledger = _ledger(storage, name, replace(stored, about={**stored.about, "space": space}), begin=not there)
        runs = _runs(fresh)
        for run in runs:
            _add(ledger, run, space)
        return Brought(len(runs), len(fresh), old, oddities, added, kept)


def _with_references(facts: Facts, references: Sequence[Reference]) -> tuple[Facts, tuple[str, ...], tuple[str, ...]]:
    """Facts with the scores of reference models that they lacked; of which these are, and which have other scores."""
    found = references_of(references, facts.about)
    named = {name: {s: [v, np.nan, np.nan] for s, v in own.items()} for name, own in found.items()}
    joined = facts.references | {name: own | facts.references.get(name, {}) for name, own in named.items()}
    added = tuple(name for name in found if joined[name].keys() != facts.references.get(name, {}).keys())
    kept = tuple(name for name, own in found.items() if any(abs(joined[name][s][0] - v) > SAME for s, v in own.items()))
    return replace(facts, references=joined), added, kept


def load_there(storage: BaseStorage, name: str) -> Facts | None:
    """The facts of an imported study, None where there is none; ValueError where one of this name was not imported."""
    if name not in optuna.get_all_study_names(storage):
        return None
    facts = load_facts(optuna.load_study(study_name=name, storage=storage))
    if IMPORTED not in facts.about:
        raise ValueError(f"study {name!r} is no imported one: import into a study of its own, under another --name")
    return facts


def _told_apart(rows: Sequence[Row], known: Seen) -> list[Row]:
    """Rows of each run and file; a run that another file has with other scores is called by its file too."""
    seen, out = dict(known), []
    of_files: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        of_files.setdefault((row.run, row.file), []).append(row)
    for (run, file), own in of_files.items():
        others = [(row, *seen.get((run, row.place.key), ({}, file))) for row in own]
        differs = any(_changed(row, scores) for row, scores, theirs in others if theirs != file)
        named = [replace(row, run=f"{run} of {file}") for row in own] if differs else own
        for row in named:
            seen.setdefault((row.run, row.place.key), (row.scores, file))
        out += named
    return out


def _sorted(
    rows: Sequence[Row], known: Seen, facts: Facts, shapes: Hints, *, grows: bool
) -> tuple[list[Row], list[Oddity], int]:
    """The rows that are new, what is odd about others, and how many are `known`, to which the new ones are added."""
    fresh, oddities, old = [], [], 0
    for row in rows:
        place = (row.run, row.place.key)
        before = known.get(place)
        reason = _odd(row, facts, shapes, grows) if before is None else _against(row, before[0])
        if reason:
            oddities.append(Oddity(row.file, row.line, reason))
        elif before is None:
            fresh.append(row)
            known[place] = row.scores, row.file
        else:
            old += 1
    return fresh, oddities, old


def _odd(row: Row, facts: Facts, shapes: Hints, grows: bool) -> str:
    """Why a row cannot be in a study; "" where it can."""
    own, its = row.facts.get(ALIKE), facts.about.get(ALIKE)
    if own and its and own != its:
        return f"it is of {own}, and the study of {its}: import it into a study of its own"
    try:
        losses(facts.objectives, {name: [value] for name, value in row.scores.items()})
    except ValueError as error:
        return str(error)
    return misfit(row.parameters, shapes, grows=grows)


def _changed(row: Row, before: Scores) -> str:
    """Why a row says something else than what is known of its candidate; "" where it does not."""
    for score in row.scores.keys() & before.keys():
        if abs(row.scores[score] - before[score]) > SAME:
            return (
                f"{row.place.words} of {row.run} is known with {score} {before[score]:.4g}, not {row.scores[score]:.4g}"
            )
    return ""


def _against(row: Row, before: Scores) -> str:
    """Why a row cannot count as known, for no trial is changed: it says otherwise, or more; "" where it can."""
    more = ", ".join(score for score in row.scores if score not in before)
    known = f"{row.place.words} of {row.run} is known without {more}: import all of it anew, under another --name"
    return _changed(row, before) or (more and known)


def _known(storage: BaseStorage, name: str) -> Seen:
    """The candidates of an imported study, by run and place."""
    trials = optuna.load_study(study_name=name, storage=storage).get_trials(deepcopy=False)
    sources = [(trial, trial.user_attrs[SOURCE]) for trial in trials]
    return {
        (source["run"], Place.of(c).key): ({name: v[0] for name, v in c["scores"].items()}, source["file"])
        for trial, source in sources
        for c in candidates(trial)
    }


def _ledger(storage: BaseStorage, name: str, facts: Facts, *, begin: bool) -> Ledger:
    """A ledger of a study with these facts; of one that there is they take the place of its own."""
    space: Space = facts.about["space"]
    if begin:
        return Ledger.create(storage, name, facts, space)
    ledger = Ledger(storage, name, space)
    ledger.study.set_user_attr(FACTS, facts.to_json())
    return ledger


def _runs(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows by their run and its parameters, each run's in the order of their places."""
    runs: dict[str, list[Row]] = {}
    for row in rows:
        runs.setdefault(f"{row.run} {sorted(row.parameters.items())}", []).append(row)
    return [sorted(run, key=lambda row: row.place) for run in runs.values()]


def _add(ledger: Ledger, run: Sequence[Row], space: Space) -> None:
    """Store a run as a complete trial."""
    first = run[0]
    source = {**first.facts, "file": first.file, "run": first.run, "lines": {r.place.key: r.line for r in run}}
    why = ledger.take_over(shaped(first.parameters, space), map(_candidate, run), {SOURCE: source})
    assert why is None, why  # its scores were looked at


def _candidate(row: Row) -> dict[str, Any]:
    return {
        "axis": row.place.axis,
        "at": row.place.at,
        "role": row.place.role,
        "scores": {name: [value, np.nan, np.nan] for name, value in row.scores.items()},
        "weights": None,
        "items": None,
    }
