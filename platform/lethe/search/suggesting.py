"""Suggestions: a sampler that is made anew for each trial, and a trial's parameters, some of which hang on others."""

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState

from lethe.store.parameters import belongs
from lethe.store.trials import REPEATS


def suggest_all(trial: optuna.Trial, distributions: Mapping[str, BaseDistribution]) -> None:
    """Suggest a trial's parameters in their order; of several methods, those of the one that was suggested first."""
    for name, distribution in distributions.items():
        if belongs(name, trial.params):
            suggest(trial, name, distribution)


def suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> None:
    """Suggest one parameter."""
    match distribution:
        case FloatDistribution():
            trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
        case IntDistribution():
            trial.suggest_int(name, distribution.low, distribution.high)
        case CategoricalDistribution():
            trial.suggest_categorical(name, distribution.choices)


class WithoutRepeats(optuna.Study):
    """A study as its sampler sees it: without the runs of trials' parameters with other seeds.

    What was found good would else count several times, and draw the sampler to where it has been; and a search that
    goes on after its repeats would not suggest what it would have suggested without them.
    """

    def _get_trials(
        self, deepcopy: bool = True, states: Container[TrialState] | None = None, use_cache: bool = False
    ) -> list[FrozenTrial]:
        """See Study: what every sampler of Optuna reads trials by."""
        trials = super()._get_trials(deepcopy, states, use_cache)
        return [trial for trial in trials if REPEATS not in trial.user_attrs]


class MadeForTrial(BaseSampler):
    """A sampler that is made for each trial by `make`, once that trial has its number.

    Two drivers of a study that ask at the same moment would otherwise both be given the suggestion of the same number.
    `seen` is the study that it sees, where that is another view than the one that is asked.
    """

    def __init__(self, make: Callable[[FrozenTrial], BaseSampler], seen: optuna.Study | None = None) -> None:
        self._make, self._seen = make, seen

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """See BaseSampler; Optuna calls it first."""
        self._sampler = self._make(trial)
        self._sampler.before_trial(self._seen or study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """See BaseSampler."""
        return self._sampler.infer_relative_search_space(self._seen or study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """See BaseSampler."""
        return self._sampler.sample_relative(self._seen or study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """See BaseSampler."""
        return self._sampler.sample_independent(self._seen or study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """See BaseSampler."""
        self._sampler.after_trial(self._seen or study, trial, state, values)
