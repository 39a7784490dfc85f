"""A configuration that is made is one that can run; a bad value is told at once, by its name, in one line."""

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables import config as module
from trainables.config import CHOICES, POSITIVE, Config, parse_config, setting_types

ROOT = Path(__file__).parents[2]
NUMBERS = [name for name, kind in setting_types().items() if kind in (int, float)]
WHOLE = [name for name, kind in setting_types().items() if kind is int]


@pytest.mark.parametrize("name", CHOICES)
def test_an_unknown_choice_is_refused_with_the_choices(name):
    with pytest.raises(ValueError, match=rf"^{name} 'nonsense' is unknown: choose .*{CHOICES[name][0]}"):
        Config(**{name: "nonsense"})


@pytest.mark.parametrize("name", CHOICES)
def test_every_listed_choice_is_allowed(name):
    assert [getattr(Config(**{name: choice}), name) for choice in CHOICES[name]] == list(CHOICES[name])


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("value", [-1, math.nan, math.inf, "1", None, True])
def test_what_is_no_number_of_at_least_0_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=rf"^{name} is .*: it must be [^\n]+$"):
        Config(**{name: value})


@pytest.mark.parametrize("name", NUMBERS)
def test_0_is_refused_exactly_where_it_makes_no_sense(name):
    if name in POSITIVE:
        with pytest.raises(ValueError, match=f"^{name} is 0: it must be greater than 0"):
            Config(**{name: 0})
    else:
        assert getattr(Config(**{name: 0}), name) == 0


@pytest.mark.parametrize("name", WHOLE)
def test_a_fraction_of_a_whole_number_is_refused(name):
    with pytest.raises(ValueError, match=f"^{name} is 1.5: it must be a whole number"):
        Config(**{name: 1.5})


@pytest.mark.parametrize("value", ["false", 0, None])
@pytest.mark.parametrize("name", [name for name, kind in setting_types().items() if kind is bool])
def test_what_is_neither_true_nor_false_is_refused_by_its_name(name, value):
    with pytest.raises(ValueError, match=f"^{name} is .*: it must be true or false$"):
        Config(**{name: value})


def test_the_same_is_checked_where_types_are_written_as_text(monkeypatch):
    """`from __future__ import annotations` turns every annotation into a string."""
    respelt = ModuleType("respelt")
    monkeypatch.setitem(sys.modules, "respelt", respelt)
    source = "from __future__ import annotations\n" + Path(module.__file__).read_text("utf-8")
    exec(compile(source, "respelt.py", "exec"), vars(respelt))
    assert all(isinstance(field.type, str) for field in dataclasses.fields(respelt.Config))
    for name in NUMBERS:
        with pytest.raises(ValueError, match=f"^{name} is nan: it must be a"):
            respelt.Config(**{name: math.nan})
    assert respelt.parse_config({"steps": "7", "freeze": "false"}) == respelt.Config(steps=7, freeze=False)


@pytest.mark.parametrize("name", ["delta", "momentum", "threshold", "forget_fraction"])
def test_a_share_may_not_exceed_1(name):
    assert getattr(Config(**{name: 1.0}), name) == 1.0
    with pytest.raises(ValueError, match=f"^{name} is 1.01: it must lie between 0 and 1"):
        Config(**{name: 1.01})


@pytest.mark.parametrize("name", ["max_length", "regularisation_length"])
def test_a_sequence_of_one_token_predicts_nothing_and_is_refused(name):
    with pytest.raises(ValueError, match=f"^{name} is 1: a sequence needs at least 2 tokens"):
        Config(**{name: 1})
    assert getattr(Config(**{name: 2}), name) == 2


def test_a_configuration_cannot_be_changed_but_replaced_and_is_checked_again():
    config = Config(seed=3)
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 4
    with pytest.raises(ValueError, match="lr is -1"):
        dataclasses.replace(config, lr=-1)


fractions = st.floats(0.001, 1)


@given(lr=fractions, delta=fractions, steps=st.integers(1, 10**6), freeze=st.booleans())
def test_settings_written_as_text_are_read_back_as_they_were(lr, delta, steps, freeze):
    config = Config(lr=lr, delta=delta, steps=steps, freeze=freeze, forget_loss="ll")
    assert parse_config({k: str(v) for k, v in dataclasses.asdict(config).items()}) == config


def test_text_settings_stand_above_the_values():
    assert parse_config({"lr": "0.5"}, lr=0.1, steps=7) == Config(lr=0.5, steps=7)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"learning_rate": "1"},
            r"^'learning_rate' is no setting of the run: choose .*lr, alpha, .*seed$",
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
        parse_config(settings)


def test_the_configuration_is_checked_without_loading_torch():
    code = "import sys, trainables.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
