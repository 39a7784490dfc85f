"""A search that starts from what another study knows: its trials are told, or its best parameters queued first.

A trial is told where a run of the search would be the very same: made from the same texts and models, scored by the
same protocol, and equal in all settings that are not searched. So a space may be wider, narrower or of other parameters
than the study's was. Where something else differs, the non-dominated trials' parameters are queued, each once, ahead of
what the sampler suggests. What lies outside the space is left out. Imports no ray.

What other code or other versions of libraries made is told all the same, for a search that goes on in a study does not
ask either, and to train all of it again is what its user came to spare; but it is said.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from optuna.distributions import BaseDistribution, IntDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial

from lethe.fronts import pareto
from lethe.fronts.objectives import loss_array
from lethe.search.ledger import Ledger
from lethe.search.space import Space, distributions, part
from lethe.store.facts import CONTENT, PROGRAM, SPLIT, Facts
from lethe.store.parameters import METHOD, full_name, method_of, own, settings_of
from lethe.store.storage import taking_turns
from lethe.store.trials import QUEUED_FROM, STOPPED, TOLD_FROM, candidates

# What has to be the same, or else scores are on another scale.
SAME = ("benchmark", "model", "retrained", "protocol", SPLIT, "unrelated texts", CONTENT)
NO_TWIN = "the same parameters as another"


@dataclass(frozen=True, kw_only=True)
class Known:
    """A study that a search starts from: its complete trials, and which of them are not dominated."""

    name: str
    facts: Facts  # with all settings written out
    trials: Sequence[FrozenTrial]
    best: frozenset[int]


@dataclass(frozen=True, kw_only=True)
class Sought:
    """What a search searches, and by method the settings that it does not."""

    space: Space
    bases: Mapping[str, Mapping[str, Any]]


@dataclass(kw_only=True)
class Start:
    """What a search took of a study, why what was queued was not told, and why the rest was left out."""

    told: int = 0
    made: Counter[str] = field(default_factory=Counter)  # of what was told, by what other code or libraries
    queued: int = 0
    before: int = 0  # taken when the search was begun
    unlike: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)


def best_of(table: pd.DataFrame, facts: Facts) -> frozenset[int]:
    """The trials with a candidate that no other dominates; one that scores what the target does is no find."""
    if not len(table):
        return frozenset()
    found = table["feasible"].to_numpy(bool) & ~_unchanged(table, facts)
    front = pareto.front(loss_array(table, facts.objectives), found)
    return frozenset(table.loc[front, "trial"].tolist())


def _unchanged(table: pd.DataFrame, facts: Facts) -> np.ndarray:
    """A mask of the candidates all of whose objectives are the target's."""
    scores, target = [o.score for o in facts.objectives], facts.references.get("target", {})
    if not set(scores) <= target.keys():
        return np.zeros(len(table), bool)
    own = np.array([target[s][0] for s in scores])
    return np.all(np.isclose(table[scores].to_numpy(float), own), axis=1)


def start_from(ledger: Ledger, known: Known, sought: Sought, storage: BaseStorage) -> Start:
    """Tell and queue what a study knows, nothing of it twice, wherever an earlier start was interrupted."""
    start = Start()
    with taking_turns(storage, ledger.study.study_name):
        attributes = [trial.user_attrs for trial in ledger.trials.all()]
        taken = {own[key] for own in attributes for key in (TOLD_FROM, QUEUED_FROM) if key in own}
        for trial in known.trials:
            if f"{known.name}/{trial.number}" in taken:
                start.before += 1
                continue
            try:
                _take(ledger, trial, known, sought, start)
            except ValueError as why:
                start.left[str(why)] += 1
    return start


def _take(ledger: Ledger, trial: FrozenTrial, known: Known, sought: Sought, start: Start) -> None:
    """Tell a trial or queue its parameters; ValueError says why it is left out."""
    method, settings = configuration(trial, known.facts)
    params = fitted(method, settings, sought)
    unlike = unlikeness(ledger.facts, known.facts) or _unset(method, settings, sought)
    name = f"{known.name}/{trial.number}"
    if not unlike:
        stopped = {STOPPED: trial.user_attrs[STOPPED]} if STOPPED in trial.user_attrs else {}
        why = ledger.take_over(params, candidates(trial), {TOLD_FROM: name, **stopped})
        if why:
            raise ValueError(why)
        start.told += 1
        start.made.update(filter(None, [made_by(ledger.facts, known.facts, str(method))]))
    elif trial.number in known.best:
        if params in ledger.trials.parameters():
            raise ValueError(NO_TWIN)
        ledger.queue(params, {QUEUED_FROM: name})
        start.queued += 1
        start.unlike[unlike] += 1


def configuration(trial: FrozenTrial, facts: Facts) -> tuple[str | None, dict[str, Any]]:
    """The method of a trial, None where nobody said it, and all its settings that are known."""
    return method_of(facts.about, trial.params), settings_of(facts.about, trial.params) | own(trial.params)


def fitted(method: str | None, settings: Mapping[str, Any], sought: Sought) -> dict[str, Any]:
    """Settings as parameters of a search; ValueError where it has another method, or its space does not hold them."""
    several = METHOD in sought.space
    if (method is None and several) or (method is not None and method not in sought.bases):
        raise ValueError(f"of method {method}" if method else "of a method that is not known")
    own_space = part(sought.space, method or "")
    found: dict[str, Any] = {METHOD: method} if several else {}
    for name, distribution in distributions(own_space).items():
        if name not in settings:
            raise ValueError(f"without {name}")
        found[full_name(str(method), name) if several else name] = _within(name, settings[name], distribution)
    return found


def _within(name: str, value: Any, distribution: BaseDistribution) -> Any:
    """A value as a distribution has it; ValueError where it lies outside."""
    try:
        inner = distribution.to_internal_repr(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name} outside the space") from None
    if not distribution._contains(inner) or (isinstance(distribution, IntDistribution) and inner != int(inner)):
        raise ValueError(f"{name} outside the space")
    return distribution.to_external_repr(inner)


def unlikeness(facts: Facts, known: Facts) -> str:
    """What of a study's task is not a search's, in words; "" where both are of the same."""
    for what in SAME:
        ours, theirs = facts.about.get(what), known.about.get(what)
        if ours == theirs:
            continue
        if what == CONTENT:
            return "its texts or models are not known to be these" if theirs is None else "it has other texts or models"
        return f"its {what} is not known" if theirs is None else f"its {what} is {theirs}, not {ours}"
    later = [score for score in facts.judged if score not in known.cards]
    if later:
        return f"it is from before there was {', '.join(later)}"
    unasked = [score for score in facts.judged if known.card(score).on_request and score not in known.judged]
    return f"it did not measure {', '.join(unasked)}, as nobody asked for it" if unasked else ""


def made_by(facts: Facts, known: Facts, method: str) -> str:
    """By what a study's runs of a method were made, in words, if not by what a search's are made by; else ""."""
    ours, theirs = (f.about.get(PROGRAM, {}).get(method) for f in (facts, known))
    if ours == theirs:
        return ""
    then, now = (f.about.get("versions", {}) for f in (known, facts))
    other = [f"{name} {then[name]}, not {now[name]}" for name in then if then[name] != now.get(name, then[name])]
    what = "other code or versions than are here" if theirs else "code that is not known to be what is here"
    return f"{what} ({'; '.join(other)})" if other else what


def _unset(method: str | None, settings: Mapping[str, Any], sought: Sought) -> str:
    """Which setting that is not searched differs, in words; "" where none does."""
    if method is None:
        return "its method is not known"
    searched = part(sought.space, method)
    for name, value in sought.bases[method].items():
        if name not in searched and (name not in settings or settings[name] != value):
            return f"its {name} is {settings[name]}, not {value}" if name in settings else f"its {name} is not known"
    return ""


def in_words(start: Start, name: str) -> str:
    """What was taken of a study, and what was not, in one line."""
    parts = [", ".join([f"{start.told} trials told", *(f"{n} of them made by {by}" for by, n in start.made.items())])]
    if start.queued:
        parts.append(f"{start.queued} of the best queued first ({', '.join(start.unlike)})")
    if start.before:
        parts.append(f"{start.before} taken before")
    if start.left:
        parts.append("left out: " + ", ".join(f"{count} {why}" for why, count in start.left.most_common()))
    return f"started from {name}: {'; '.join(parts)}"
