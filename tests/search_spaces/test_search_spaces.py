"""Spaces and objectives are plain data that the engine takes and a method's settings accept."""

import pytest

from lethe.fronts.objectives import GOALS, Objective
from lethe.search.space import distributions
from search_spaces.mean_teacher import SPACE, SPACE_7B
from search_spaces.methods import designs_of, meanings_of, settings_7b_of, spaces_of, switches_of
from search_spaces.objectives import FALLBACKS, INSISTED, LANGUAGE_GUARD, OBJECTIVES, UTILITY_GUARD
from search_spaces.presets import PRESET_SETTINGS
from search_spaces.variants import VARIANTS
from trainables.methods import METHODS, find_method
from trainables.settings import REQUESTS

EVERY = [(method, size) for method in METHODS for size in spaces_of(method)]
each_space = pytest.mark.parametrize(("method", "size"), EVERY)


def test_every_method_has_a_space_for_small_models_and_one_for_large_ones():
    assert {tuple(spaces_of(method)) for method in METHODS} == {("1m", "7b")}


def ends_of(entry) -> tuple:
    """The ends of a range, or what there is to choose from."""
    kind, *bounds = entry
    return bounds[0] if kind == "choice" else tuple(bounds)


@each_space
def test_both_ends_of_every_range_make_settings(method, size):
    space = spaces_of(method)[size]
    assert set(distributions(space)) == set(space)
    for end in (0, -1):
        values = {parameter: ends_of(entry)[end] for parameter, entry in space.items()}
        made = find_method(method).settings(**values)
        assert {parameter: getattr(made, parameter) for parameter in values} == values


@pytest.mark.parametrize("name", VARIANTS)
@pytest.mark.parametrize("size", ["space", "space_7b"])
def test_both_ends_of_every_range_of_a_variant_make_settings_that_differ_from_the_method_s_own(name, size):
    variant = VARIANTS[name]
    method, space = variant["method"], variant[size]
    assert name.startswith(f"{method}+")
    assert set(distributions(space)) == set(space)
    own, searched = find_method(method).settings(), spaces_of(method)["7b" if size == "space_7b" else "1m"]
    added = {*variant["settings"], *space} - {"parallel", *searched}
    assert added
    for end in (0, -1):
        values = {parameter: ends_of(entry)[end] for parameter, entry in space.items()}
        made = find_method(method).settings(**(variant["settings"] | values))
        assert any(getattr(made, parameter) != getattr(own, parameter) for parameter in added)


@pytest.mark.parametrize("method", METHODS)
def test_every_level_that_can_be_switched_makes_settings_and_the_first_is_the_default(method):
    settings = find_method(method).settings
    for switches in switches_of(method).values():
        for levels in switches.values():
            made = [settings(**changes) for changes in levels.values()]
            assert len(set(made)) == len(made)
    assert all(settings(**next(iter(levels.values()))) == settings() for levels in switches_of(method)["1m"].values())


def test_every_request_that_can_be_made_is_a_level_of_the_design_over_them():
    assert tuple(switches_of("npo_gdr")["1m"]["request"]) == tuple(REQUESTS)
    assert "requests" in designs_of("mean_teacher")
    assert "requests" not in designs_of("guard_prompt")


@pytest.mark.parametrize("method", METHODS)
def test_every_level_of_a_design_has_its_meaning_in_words(method):
    named = [part["switches"] for design in designs_of(method).values() for part in design]
    told = {f"{switch}={level}" for switches in named for switch, levels in switches.items() for level in levels[1:]}
    assert {name for name in told - set(meanings_of(method)) if not name.startswith("ema_rate")} == set()


@pytest.mark.parametrize("method", METHODS)
def test_a_method_s_values_for_large_models_make_settings_and_lie_in_its_space_for_them(method):
    own = PRESET_SETTINGS["muse-news"] if method == "mean_teacher" else settings_7b_of(method)
    made = find_method(method).settings(**own)
    for name, entry in spaces_of(method)["7b"].items():
        if entry[0] == "log_uniform":
            assert ends_of(entry)[0] <= getattr(made, name) <= ends_of(entry)[1], name


@pytest.mark.parametrize("method", METHODS)
def test_a_method_s_defaults_lie_in_its_space_for_small_models(method):
    defaults = find_method(method).settings()
    for name, entry in spaces_of(method)["1m"].items():
        value, ends = getattr(defaults, name), ends_of(entry)
        inside = value in ends if entry[0] == "choice" else ends[0] < value < ends[1]
        assert inside or value == ends[0] == 0  # the least that there is


@pytest.mark.parametrize("space", [SPACE, SPACE_7B])
def test_of_the_mean_teacher_ema_rate_nlul_weight_and_learning_rate_are_searched_log_uniformly(space):
    assert set(space) == {"delta", "alpha", "lr"}
    assert {kind for kind, *_ in space.values()} == {"log_uniform"}


@pytest.mark.parametrize(
    ("space", "values"),
    [(SPACE, {"delta": 0.2, "alpha": 1.0, "lr": 0.1}), (SPACE_7B, {"delta": 0.005, "alpha": 0.05, "lr": 5e-4})],
    ids=["muse-mini", "7b"],
)
def test_a_space_reaches_to_both_sides_of_the_values_that_are_known_to_work(space, values):
    for name, value in values.items():
        _, low, high = space[name]
        assert low <= value / 2 < 2 * value <= high


def test_every_objective_has_a_goal_that_the_engine_knows():
    for score, goal in (OBJECTIVES | FALLBACKS["knowmem_r"]).items():
        assert Objective(score=score, goal=goal).goal in GOALS
    assert OBJECTIVES == {
        "verbmem_f": "minimize",
        "knowmem_f": "minimize",
        "privleak": "zero",
        "knowmem_r": "maximize",
    }


def test_what_is_insisted_on_and_what_gives_way_are_objectives():
    assert set(INSISTED) | set(FALLBACKS) <= set(OBJECTIVES)


def test_general_utility_is_a_guard_and_no_objective():
    assert set(UTILITY_GUARD) == set(FALLBACKS["knowmem_r"]) == {"utility"}
    assert "utility" not in OBJECTIVES
    assert all(0 < share < 1 for share in UTILITY_GUARD.values())
    assert not set(LANGUAGE_GUARD) & {*UTILITY_GUARD, *OBJECTIVES}
