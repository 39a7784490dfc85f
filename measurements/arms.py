"""Kinds of search that are compared: who suggests, what comes first, which rule stops, what a trial tells its sampler.

A sampler is made anew for every suggestion, and has no hidden state: see lethe/search/samplers.py.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler, GPSampler, TPESampler
from optuna.trial import FrozenTrial
from scipy.stats import qmc

from lethe.analysis.judgement import Candidate, Judgement, judge
from lethe.fronts import pareto
from lethe.fronts.objectives import losses, violations
from lethe.search.rule import HALVING, NONE, RULES
from lethe.search.samplers import make_sampler, mixed
from lethe.search.space import Space
from lethe.store.facts import Facts
from lethe.store.places import Place

Make = Callable[[Space, int, int], BaseSampler]  # of a space, a seed and a suggestion's number its sampler
Tells = Callable[[Sequence[Candidate], Facts, np.ndarray], Judgement]  # of a trial, beside the losses found before it


def best(candidates: Sequence[Candidate], facts: Facts, found: np.ndarray) -> Judgement:
    """The house's own: the sampler is told of the candidate whose worst loss is smallest."""
    return judge(candidates, facts)


def most_added(candidates: Sequence[Candidate], facts: Facts, found: np.ndarray) -> Judgement:
    """Of the candidate that adds most to the hypervolume of what was found before; where none adds any, of the best."""
    usual = judge(candidates, facts)
    values = [losses(facts.objectives, c["scores"]) for c in candidates]
    broken = [violations(facts.constraints, c["scores"]) for c in candidates]
    volumes = [
        pareto.hypervolume(np.array([*found, value])) if holds(own) else 0.0
        for value, own in zip(values, broken, strict=True)
    ]
    first = int(np.argmax(volumes))
    if volumes[first] <= pareto.hypervolume(found):
        return usual
    return Judgement(values[first], broken[first], Place.of(candidates[first]).key, first)


def holds(broken: Mapping[str, float]) -> bool:
    """Whether no constraint is violated."""
    return max(broken.values(), default=0.0) <= 0


@dataclass(frozen=True, kw_only=True)
class Arm:
    """A kind of search. `defaults`: the method's own settings are run first."""

    sampler: Make
    stop: str = NONE
    tells: Tells = best
    defaults: bool = False


def named(name: str) -> Make:
    """A sampler of the house."""
    return lambda space, seed, number: make_sampler(name, seed=seed, suggestion=number)


def tpe(startup: int) -> Make:
    """TPE, which learns from so many complete trials on."""
    return lambda space, seed, number: TPESampler(seed=mixed(seed, number), n_startup_trials=startup)


def gp(startup: int) -> Make:
    """The Gaussian process, which learns from so many complete trials on."""
    return lambda space, seed, number: GPSampler(seed=mixed(seed, number), n_startup_trials=startup)


def behind_sobol(points: int, then: Make) -> Make:
    """So many points of a scrambled Sobol sequence, whose scrambling is drawn by the seed; another sampler behind."""
    return lambda space, seed, number: Sobol(space, seed, number) if number < points else then(space, seed, number)


class Sobol(BaseSampler):
    """One point of a scrambled Sobol sequence over a space."""

    def __init__(self, space: Space, seed: int, number: int) -> None:
        sequence = qmc.Sobol(len(space), rng=np.random.default_rng(seed))
        if number:  # scipy does not take 0
            sequence.fast_forward(number)
        self._point = dict(zip(space, sequence.random(1)[0], strict=True))

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See BaseSampler: nothing is drawn together."""
        return {}

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: Any) -> dict[str, Any]:
        """See BaseSampler."""
        return {}

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """See BaseSampler."""
        return at(param_distribution, float(self._point[param_name]))


def at(distribution: BaseDistribution, share: float) -> Any:
    """The value below which a share, in [0, 1), of a distribution lies."""
    match distribution:
        case FloatDistribution(low=low, high=high, log=True):
            return low * (high / low) ** share
        case FloatDistribution(low=low, high=high):
            return low + (high - low) * share
        case IntDistribution(low=low, high=high):
            return low + int((high - low + 1) * share)
        case CategoricalDistribution(choices=choices):
            return choices[int(len(choices) * share)]
    raise AssertionError(distribution)


SEARCHES = {
    "random": Arm(sampler=named("random")),
    "tpe": Arm(sampler=named("tpe")),
    "nsga2": Arm(sampler=named("nsga2")),
    "gp": Arm(sampler=gp(10)),
    "sobol 10 + tpe": Arm(sampler=behind_sobol(10, tpe(5))),  # two or three may run yet when the eleventh is asked for
}
STOPPED = {f"{name}, {stop}": replace(arm, stop=stop) for stop in RULES[1:] for name, arm in SEARCHES.items()}
TOLD = {  # what a trial tells
    "tpe, told most added": replace(SEARCHES["tpe"], tells=most_added),
    "tpe, told most added, halving": replace(SEARCHES["tpe"], tells=most_added, stop=HALVING),
    "gp, told most added": replace(SEARCHES["gp"], tells=most_added),
}
BEGUN = {  # what comes first
    "random 5 + tpe": Arm(sampler=tpe(5)),
    "sobol 5 + tpe": Arm(sampler=behind_sobol(5, tpe(3))),
    "defaults + random 9 + tpe": Arm(sampler=tpe(10), defaults=True),
    "defaults + sobol 5 + tpe": Arm(sampler=behind_sobol(6, tpe(3)), defaults=True),
    "sobol 5 + gp": Arm(sampler=behind_sobol(5, gp(3))),
}
ARMS: dict[str, Arm] = {**SEARCHES, **STOPPED, **TOLD, **BEGUN}
