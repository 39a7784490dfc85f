"""Spaces and objectives are plain data that the engine takes and a Config accepts."""

import pytest
from optuna.distributions import FloatDistribution

from lethe.fronts.objectives import GOALS, Objective
from lethe.search.space import distributions
from search_spaces.mean_teacher import SPACE, SPACE_7B, SPACES
from search_spaces.objectives import FALLBACK_UTILITY, OBJECTIVES, UTILITY_GUARD
from trainables.config import Config

each_space = pytest.mark.parametrize("name", SPACES)


@each_space
def test_ema_rate_nlul_weight_and_learning_rate_are_searched_log_uniformly(name):
    made = distributions(SPACES[name])
    assert set(made) == {"delta", "alpha", "lr"}
    assert all(isinstance(d, FloatDistribution) and d.log for d in made.values())


@each_space
def test_both_ends_of_every_range_make_a_configuration(name):
    for end in (1, 2):
        values = {parameter: entry[end] for parameter, entry in SPACES[name].items()}
        config = Config(**values)
        assert {parameter: getattr(config, parameter) for parameter in values} == values


@pytest.mark.parametrize(
    ("space", "values"),
    [(SPACE, {"delta": 0.2, "alpha": 1.0, "lr": 0.1}), (SPACE_7B, {"delta": 0.005, "alpha": 0.05, "lr": 5e-4})],
    ids=["muse-mini", "7b"],
)
def test_a_space_reaches_to_both_sides_of_the_values_that_are_known_to_work(space, values):
    for name, value in values.items():
        _, low, high = space[name]
        assert low <= value / 2 < 2 * value <= high


def test_the_default_configuration_lies_in_the_default_space():
    config = Config()
    assert all(low < getattr(config, name) < high for name, (_, low, high) in SPACE.items())


def test_every_objective_has_a_goal_that_the_engine_knows():
    for score, goal in (OBJECTIVES | FALLBACK_UTILITY).items():
        assert Objective(score=score, goal=goal).goal in GOALS
    assert OBJECTIVES == {
        "verbmem_f": "minimize",
        "knowmem_f": "minimize",
        "privleak": "zero",
        "knowmem_r": "maximize",
    }


def test_general_utility_is_a_guard_and_no_objective():
    assert set(UTILITY_GUARD) == set(FALLBACK_UTILITY) == {"utility"}
    assert "utility" not in OBJECTIVES
    assert all(0 < share < 1 for share in UTILITY_GUARD.values())
