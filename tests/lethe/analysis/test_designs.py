"""Designs have the arms they promise: one difference at a time, all combinations, or a fraction with known aliases."""

import itertools
import json
import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.analysis import designs
from lethe.analysis.designs import Design, fractional_factorial, full_factorial, make_design, one_at_a_time, union
from search_spaces.mean_teacher import DESIGNS, SWITCHES, SWITCHES_7B
from trainables.methods.mean_teacher import MeanTeacher

LOSS = {"nlul": {}, "ll": {"loss": "ll"}, "npo": {"loss": "npo"}}
DAMPING = {"on": {}, "off": {"damping": 0.0}}
each_design = pytest.mark.parametrize("name", DESIGNS)


def two_level(count: int) -> designs.Switches:
    return {f"s{i}": {"low": {}, "high": {f"x{i}": 1}} for i in range(count)}


def signs(design: Design) -> np.ndarray:
    """Levels as -1 and +1: [arms, switches]."""
    (part,) = design.parts
    return np.array([[1 if level == "high" else -1 for level in levels.values()] for levels in part.arms.values()])


def test_one_at_a_time_is_the_baseline_and_one_arm_for_every_other_level():
    design = one_at_a_time({"loss": LOSS, "damping": DAMPING})
    assert [arm.name for arm in design] == ["baseline", "loss=ll", "loss=npo", "damping=off"]
    assert [arm.settings for arm in design] == [{}, {"loss": "ll"}, {"loss": "npo"}, {"damping": 0.0}]


def test_a_full_factorial_is_every_combination_once():
    design = full_factorial({"loss": LOSS, "damping": DAMPING})
    assert len(design) == len({tuple(arm.settings.items()) for arm in design}) == 6
    assert design["loss=npo, damping=off"].settings == {"loss": "npo", "damping": 0.0}
    assert design.arms[0].name == "baseline"


def test_a_half_fraction_by_hand():
    design = fractional_factorial(two_level(3), ["C=AB"])
    assert [arm.name for arm in design] == ["baseline", "s1=high, s2=high", "s0=high, s2=high", "s0=high, s1=high"]


FRACTIONS = [(3, ["C=AB"], 3), (4, ["D=ABC"], 4), (5, ["E=ABCD"], 5), (5, ["D=AB", "E=AC"], 3)]
FRACTIONS += [(6, ["E=ABC", "F=BCD"], 4), (7, ["D=AB", "E=AC", "F=BC", "G=ABC"], 3)]
FRACTIONS += [(8, ["E=BCD", "F=ACD", "G=ABC", "H=ABD"], 4)]
each_fraction = pytest.mark.parametrize(("switches", "generators", "resolution"), FRACTIONS)


@each_fraction
def test_the_columns_of_a_fraction_are_balanced_and_orthogonal_and_hold_the_baseline(switches, generators, resolution):
    matrix = signs(fractional_factorial(two_level(switches), generators))
    assert len(matrix) == 2 ** (switches - len(generators))
    assert np.array_equal(matrix.T @ matrix, len(matrix) * np.eye(switches))
    assert (matrix.sum(axis=0) == 0).all()
    assert (matrix[0] == -1).all()


@each_fraction
def test_the_resolution_is_that_of_the_textbook(switches, generators, resolution):
    assert designs.resolution(generators, switches) == resolution


@each_fraction
def test_aliases_are_exactly_the_effects_whose_columns_are_the_same_up_to_sign(switches, generators, resolution):
    design = fractional_factorial(two_level(switches), generators)
    matrix, (part,) = signs(design), design.parts
    effects = [(i,) for i in range(switches)] + list(itertools.combinations(range(switches), 2))
    columns = {effect: matrix[:, effect].prod(axis=1) for effect in effects}
    for effect, column in columns.items():
        same = {other for other in effects if other != effect and abs(columns[other] @ column) == len(matrix)}
        found = designs.aliases([f"s{i}" for i in effect], part)
        assert {tuple(sorted(int(name[1:]) for name in alias)) for alias in found} == same


def test_a_full_factorial_aliases_nothing():
    (part,) = full_factorial(two_level(3)).parts
    assert designs.aliases(["s0"], part) == []
    assert designs.resolution([], 3) == 4


@given(st.integers(2, 6), st.randoms())
def test_generators_that_are_taken_make_an_orthogonal_fraction(count, random):
    letters = string.ascii_uppercase[:count]
    generator = f"{letters[-1]}={''.join(random.sample(letters[:-1], random.randint(0, count - 1)))}"
    try:
        matrix = signs(fractional_factorial(two_level(count), [generator]))
    except ValueError:
        return  # the other test says which are refused
    assert np.array_equal(matrix.T @ matrix, len(matrix) * np.eye(count))


def test_a_union_runs_a_shared_arm_once_and_keeps_what_each_part_asked():
    joined = union(full_factorial({"loss": LOSS, "damping": DAMPING}), one_at_a_time({"loss": LOSS}))
    assert len(joined) == 6
    assert [part.kind for part in joined.parts] == ["factorial", "one at a time"]


@each_design
@pytest.mark.parametrize("switches", [SWITCHES, SWITCHES_7B], ids=["1m", "7b"])
def test_every_design_that_ships_has_arms_that_can_run_and_comes_back_from_a_store(name, switches):
    design = make_design(DESIGNS[name], switches)
    assert design.arms[0].name == "baseline"
    assert len({arm.name for arm in design}) == len(design)
    assert len({MeanTeacher(**arm.settings) for arm in design} | {MeanTeacher()}) >= len(design)
    assert Design.from_json(json.loads(json.dumps(design.to_json()))) == design


def test_the_fraction_that_ships_keeps_main_effects_clear():
    (part,) = make_design(DESIGNS["fractional"], SWITCHES).parts
    assert designs.resolution(part.generators, len(part.switches)) == 4
    assert all(len(alias) > 1 for name in part.switches for alias in designs.aliases([name], part))


def test_a_baseline_s_settings_are_a_config_s_defaults():
    baselines = {name: next(iter(levels.values())) for name, levels in SWITCHES.items()}
    for settings in baselines.values():
        assert MeanTeacher(**settings) == MeanTeacher()


def part(kind="one at a time", generators=(), **switches):
    return {"kind": kind, "switches": switches, "generators": generators}


SEPARATE = {"teacher": {"ema": {}, "none": {"penalty": "none"}}, "penalty": {"kl": {}, "none": {"penalty": "none"}}}
BAD = {
    "switch 'looss' is unknown: choose loss, damping": part(looss=("nlul", "ll")),
    "level 'lll' of switch 'loss' is unknown: choose nlul, ll, npo": part(loss=("nlul", "lll")),
    "switch 'loss' is left without its baseline: name the level 'nlul' too": part(loss=("ll", "npo")),
    "switch 'loss' has the one level 'nlul': name one more": part(loss=("nlul",)),
    "kind 'all' of a design is unknown": part("all", loss=("*",)),
    "a design needs at least one switch": part(),
    "switch 'loss' has 3 levels: a fractional factorial takes two": part("fractional", ("B=A",), loss=("*",)),
    "generator 'B=A' is not such as D=ABC": part("fractional", ("B=A",), loss=("nlul", "ll"), damping=("*",)),
    "generator D=AB names D": part("fractional", ("D=AB",), loss=("nlul", "ll"), damping=("*",)),
}


@pytest.mark.parametrize(("message", "given"), BAD.items(), ids=BAD)
def test_a_design_that_makes_no_sense_is_refused_in_one_line(message, given):
    with pytest.raises(ValueError, match=f"^{message}[^\n]*$"):
        make_design([given], {"loss": LOSS, "damping": DAMPING})


def test_switches_that_set_the_same_cannot_be_crossed_but_changed_one_at_a_time():
    with pytest.raises(ValueError, match=r"^switches 'teacher' and 'penalty' both set penalty: they cannot be crossed"):
        full_factorial(SEPARATE)
    assert len(one_at_a_time(SEPARATE)) == 3


def test_a_fraction_that_makes_two_main_effects_one_is_refused():
    with pytest.raises(ValueError, match="D=ABC, E=ABC make two main effects one"):
        fractional_factorial(two_level(5), ["D=ABC", "E=ABC"])
