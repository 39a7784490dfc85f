"""Settings that are made are ones that can run; a bad value is told at once, by its name, in one line."""

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables import settings as descent
from trainables.methods import METHODS, find_method
from trainables.methods.mean_teacher import MeanTeacher

ROOT = Path(__file__).parents[2]
CLASSES = [find_method(name).settings for name in METHODS]
# Each setting once for every way in which it is declared: most methods share theirs.
EVERY = list(
    {
        (cls.allowed()[name], cls.types()[name], name): (cls, name) for cls in reversed(CLASSES) for name in cls.types()
    }.values()
)
NUMBERS = [(cls, name) for cls, name in EVERY if cls.types()[name] in (int, float)]
WHOLE = [(cls, name) for cls, name in EVERY if cls.types()[name] is int]
CHOICES = [(cls, name) for cls, name in EVERY if cls.allowed()[name].choices]
SHARES = [(cls, name) for cls, name in EVERY if cls.allowed()[name].most == 1]


@pytest.mark.parametrize("cls", CLASSES, ids=METHODS)
def test_every_setting_says_what_it_means_and_its_default_is_allowed(cls):
    assert all(allowed.meaning for allowed in cls.allowed().values())
    assert cls().chosen() == {}


@pytest.mark.parametrize(("cls", "name"), CHOICES)
def test_an_unknown_choice_is_refused_with_the_choices(cls, name):
    choices = cls.allowed()[name].choices
    with pytest.raises(ValueError, match=rf"^{name} 'nonsense' is unknown: choose one of {', '.join(choices)}$"):
        cls(**{name: "nonsense"})
    assert [getattr(cls(**{name: choice}), name) for choice in choices] == list(choices)


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "1", None, True])
def test_what_is_no_number_of_at_least_0_is_refused_by_its_name(cls, name, value):
    with pytest.raises(ValueError, match=rf"^{name} is .*: it must be [^\n]+$"):
        cls(**{name: value})


@pytest.mark.parametrize(("cls", "name"), NUMBERS)
def test_0_is_refused_exactly_where_it_makes_no_sense(cls, name):
    if cls.allowed()[name].positive:
        with pytest.raises(ValueError, match=f"^{name} is 0: it must be greater than 0"):
            cls(**{name: 0})
    else:
        assert getattr(cls(**{name: 0}), name) == 0


@pytest.mark.parametrize(("cls", "name"), WHOLE)
def test_a_fraction_of_a_whole_number_is_refused(cls, name):
    with pytest.raises(ValueError, match=f"^{name} is 1.5: it must be a whole number"):
        cls(**{name: 1.5})


@pytest.mark.parametrize("value", ["false", 0, None])
@pytest.mark.parametrize(("cls", "name"), [(cls, name) for cls, name in EVERY if cls.types()[name] is bool])
def test_what_is_neither_true_nor_false_is_refused_by_its_name(cls, name, value):
    with pytest.raises(ValueError, match=f"^{name} is .*: it must be true or false$"):
        cls(**{name: value})


def test_the_same_is_checked_where_types_are_written_as_text(monkeypatch):
    """`from __future__ import annotations` turns every annotation into a string."""
    respelt = ModuleType("respelt")
    monkeypatch.setitem(sys.modules, "respelt", respelt)
    source = "from __future__ import annotations\n" + Path(descent.__file__).read_text("utf-8")
    exec(compile(source, "respelt.py", "exec"), vars(respelt))
    assert all(isinstance(field.type, str) for field in dataclasses.fields(respelt.Descent))
    with pytest.raises(ValueError, match="^lr is nan: it must be a"):
        respelt.Descent(lr=math.nan)
    assert respelt.Descent.parse({"steps": "7", "freeze": "false"}) == respelt.Descent(steps=7, freeze=False)


@pytest.mark.parametrize(("cls", "name"), SHARES)
def test_a_share_may_not_exceed_1(cls, name):
    assert getattr(cls(**{name: 1.0}), name) == 1.0
    with pytest.raises(ValueError, match=f"^{name} is 1.01: it must lie between 0 and 1"):
        cls(**{name: 1.01})


def test_what_is_a_share_is_said_to_be_one():
    assert {name for cls, name in SHARES if cls is MeanTeacher} == {
        *("delta", "momentum", "threshold", "forget_fraction", "mask_density")
    }


@pytest.mark.parametrize("name", ["max_length", "regularisation_length"])
def test_a_sequence_of_one_token_predicts_nothing_and_is_refused(name):
    with pytest.raises(ValueError, match=f"^{name} is 1: a sequence needs at least 2 tokens"):
        MeanTeacher(**{name: 1})
    assert getattr(MeanTeacher(**{name: 2}), name) == 2


def test_a_longer_regularisation_length_is_the_longest_sequence():
    assert MeanTeacher(max_length=5, regularisation_length=9).longest == 9
    assert MeanTeacher(max_length=5).longest == 5


def test_a_configuration_cannot_be_changed_but_replaced_and_is_checked_again():
    config = MeanTeacher(seed=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 4
    with pytest.raises(ValueError, match="lr is -1"):
        dataclasses.replace(config, lr=-1)


fractions = st.floats(0.001, 1)


@given(lr=fractions, delta=fractions, steps=st.integers(1, 10**6), freeze=st.booleans())
def test_settings_written_as_text_are_read_back_as_they_were(lr, delta, steps, freeze):
    config = MeanTeacher(lr=lr, delta=delta, steps=steps, freeze=freeze, forget_loss="ll")
    assert MeanTeacher.parse({k: str(v) for k, v in dataclasses.asdict(config).items()}) == config


def test_text_settings_stand_above_the_values():
    assert MeanTeacher.parse({"lr": "0.5"}, lr=0.1, steps=7) == MeanTeacher(lr=0.5, steps=7)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"learning_rate": "1"},
            r"^'learning_rate' is no setting of mean_teacher: choose one of seed, .*lr, optimizer, .*alpha, .*simnpo_gamma$",
        ),
        ({"steps": "many"}, r"^steps is 'many': it must be a whole number$"),
        ({"steps": "1.5"}, r"^steps is '1.5': it must be a whole number$"),
        ({"lr": "fast"}, r"^lr is 'fast': it must be a number$"),
        ({"freeze": "yes"}, r"^freeze is 'yes': it must be true or false$"),
        ({"penalty": "l2"}, r"^penalty 'l2' is unknown: choose one of kl, qkl, gdr, none$"),
    ],
)
def test_a_bad_setting_is_named_with_what_is_allowed(settings, message):
    with pytest.raises(ValueError, match=message):
        MeanTeacher.parse(settings)


def test_methods_are_listed_and_their_settings_checked_without_loading_torch():
    code = "import sys; from trainables.methods import *; [find_method(n).needs(find_method(n).settings()) for n in METHODS]; "
    code += "sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
