"""What is searched and set of one method or several: each flag finds the methods that it is for, or is refused."""

import pytest

from lethe_cli import spaces
from lethe_cli.presets import Preset
from search_spaces.mean_teacher import SPACE
from trainables.methods import METHODS
from trainables.methods.mean_teacher import MeanTeacher

SEVERAL = ["npo_gdr", "task_vector", "guard_prompt"]


def test_a_range_stands_in_the_place_of_the_space_s_own():
    space = spaces.check_space("mean_teacher", "1m", ["lr=0.01:0.5", "tol=0.1:0.1"])
    assert space["lr"] == ("log_uniform", 0.01, 0.5)
    assert space["tol"] == ("log_uniform", 0.1, 0.1)
    assert space["delta"] == SPACE["delta"]
    assert "tol" not in SPACE


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("lr", "range 'lr' is not NAME=LOW:HIGH"),
        ("lr=0.1", "range 'lr=0.1' is not NAME=LOW:HIGH"),
        ("lr=a:b", "range 'lr=a:b' is not NAME=LOW:HIGH with two numbers, for example lr=0.01:0.5"),
        ("lr=nan:1", "range 'lr=nan:1' is not"),
        ("lr=0.1:inf", "range of 'lr' is 0.1:inf: both ends must be finite"),
        ("lr=0.5:0.1", "range of 'lr' is 0.5:0.1: the low end must not be above the high end"),
        ("lr=0:1", "range of 'lr' starts at 0.0: a log-uniform range must start above 0"),
        ("lr=-1:1", "range of 'lr' starts at -1.0"),
        ("speed=0.1:1", "'speed' is no setting of mean_teacher: choose one of seed, "),
        ("delta=0.1:1.5", "delta is 1.5: it must lie between 0 and 1"),
        ("steps=10:20.5", "range 'steps=10:20.5' is not NAME=LOW:HIGH with two whole numbers, for example steps=1:3"),
        ("steps=0:20", "steps is 0: it must be greater than 0"),
        (
            "forget_loss=1:2",
            "forget_loss is a word, of which there is no range: give its values, --choose forget_loss=A,B",
        ),
        ("freeze=0:1", "freeze is true or false, of which there is no range: give its values, --choose freeze=A,B"),
    ],
)
def test_a_range_that_makes_no_sense_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        spaces.check_space("mean_teacher", "1m", [text])


def test_an_unknown_space_is_named_with_the_choices():
    with pytest.raises(ValueError, match="space 'wide' is unknown: choose 1m, 7b"):
        spaces.check_space("mean_teacher", "wide", [])


def test_a_choice_in_a_space_is_tried_too():
    space = {"penalty": ("choice", ("kl", "none"))}
    assert spaces.check_bounds(space, "mean_teacher") == space
    with pytest.raises(ValueError, match="penalty 'l2' is unknown"):
        spaces.check_bounds({"penalty": ("choice", ("kl", "l2"))}, "mean_teacher")


def test_a_range_of_whole_numbers_stays_one():
    assert spaces.check_space("mean_teacher", "1m", ["steps=10:20"])["steps"] == ("integer", 10, 20)
    assert spaces.check_space("task_vector", "1m", ["steps=5:9"])["steps"] == ("integer", 5, 9)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("optimizer=sgd,adamw", ("sgd", "adamw")),
        ("freeze=true, False", (True, False)),
        ("steps=20,40,80", (20, 40, 80)),
        ("lr=1e-3,0.1", (0.001, 0.1)),
    ],
)
def test_a_choice_has_the_type_of_its_setting(text, values):
    found = spaces.check_space("mean_teacher", "1m", (), [text])[text.partition("=")[0]]
    assert found == ("choice", values)
    assert [type(value) for value in found[1]] == [type(value) for value in values]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("optimizer", "choice 'optimizer' is not NAME=A,B with two values or more, for example optimizer=sgd,adamw"),
        ("optimizer=sgd", "choice 'optimizer=sgd' is not NAME=A,B"),
        ("optimizer=sgd,", "choice 'optimizer=sgd,' is not NAME=A,B"),
        ("optimizer=sgd,lion", "optimizer 'lion' is unknown: choose one of sgd, adamw"),
        ("freeze=true,maybe", "freeze is 'maybe': it must be true or false"),
        ("steps=20,2.5", "steps is '2.5': it must be a whole number"),
        ("lr=0.1,-1", "lr is -1.0: it must be greater than 0"),
        ("lr=0.1,1e-1", "choice 'lr=0.1,1e-1' has a value twice"),
        ("speed=1,2", "'speed' is no setting of mean_teacher: choose one of seed, "),
        ("unrelated_texts=a,b", "unrelated_texts may be any text, which is not searched: give it with --set"),
    ],
)
def test_a_choice_that_makes_no_sense_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        spaces.check_space("mean_teacher", "1m", (), [text])


def test_a_setting_is_a_range_or_a_choice():
    with pytest.raises(ValueError, match="setting 'lr' has a --range and a --choose: give one of them"):
        spaces.check_space("mean_teacher", "1m", ["lr=0.1:0.2"], ["lr=0.1,0.2"])


def test_methods_are_known_named_once_and_in_one_order():
    assert spaces.check_methods("task_vector, npo_gdr") == ["npo_gdr", "task_vector"]
    assert spaces.check_methods(",".join(METHODS)) == list(METHODS)
    with pytest.raises(ValueError, match="method 'npo_gdr' is given twice: name each method once"):
        spaces.check_methods("npo_gdr,npo_gdr")
    with pytest.raises(ValueError, match="method '' is unknown: choose mean_teacher"):
        spaces.check_methods("npo_gdr,")


def test_a_range_or_choice_is_for_every_method_that_has_the_setting_and_the_named_one_s_holds():
    found = spaces.check_spaces(
        SEVERAL, "1m", ["task_vector.lr=0.3:0.4", "lr=0.1:0.2"], ["optimizer=sgd,adamw", "guard_prompt.names=1,2"]
    )
    assert found["npo_gdr"]["lr"] == ("log_uniform", 0.1, 0.2)
    assert found["task_vector"]["lr"] == ("log_uniform", 0.3, 0.4)
    assert "lr" not in found["guard_prompt"]
    assert found["npo_gdr"]["optimizer"] == found["task_vector"]["optimizer"] == ("choice", ("sgd", "adamw"))
    assert found["guard_prompt"]["names"] == ("choice", (1, 2))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "speed=1",
            "'speed' is no setting of npo_gdr, task_vector, guard_prompt: `lethe methods NAME` shows what each",
        ),
        (
            "mean_teacher.lr=1",
            "'mean_teacher.lr' is a setting of 'mean_teacher', which is not among the methods npo_gdr",
        ),
        ("nosuch.lr=1", "'nosuch.lr' is a setting of 'nosuch', which is not among the methods"),
    ],
)
def test_a_setting_that_no_method_has_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        spaces.addressed([text], SEVERAL)


def bases(*texts, methods=SEVERAL):
    """The settings of some methods by --set, and the notes."""
    found = {method: spaces.check_space(method, "1m") for method in methods}
    made, notes = spaces.check_bases(texts, found, dict.fromkeys(methods, Preset()))
    return {settings.method: settings for settings in made}, notes


def test_a_setting_is_for_every_method_that_has_it_and_what_some_lack_is_said():
    found, notes = bases("batch_size=2", "npo_gdr.batch_size=3", "seed=5")
    assert (found["npo_gdr"].batch_size, found["task_vector"].batch_size) == (3, 2)
    assert {settings.seed for settings in found.values()} == {5}
    assert notes == ["batch_size is no setting of guard_prompt"]


def test_a_setting_that_one_method_searches_is_set_of_the_others_and_that_is_said():
    found, notes = bases("steps=9", methods=["npo_gdr", "task_vector"])
    assert found["npo_gdr"].steps == 9
    assert found["task_vector"].steps != 9
    assert notes == ["task_vector searches steps, which steps=9 leaves alone"]


@pytest.mark.parametrize("text", ["lr=0.1", "task_vector.steps=9"])
def test_what_all_search_or_the_named_method_does_is_not_set(text):
    with pytest.raises(ValueError, match="setting '(lr|steps)' is searched: give its range with --range"):
        bases(text, methods=["npo_gdr", "task_vector"])


def test_a_single_method_may_be_named_too():
    found, notes = bases("npo_gdr.batch_size=3", methods=["npo_gdr"])
    assert (found["npo_gdr"].batch_size, notes) == (3, [])


def test_corners_have_every_end_and_every_choice_of_what_is_searched_and_nothing_else_of_it():
    space = {
        "lr": ("log_uniform", 0.1, 0.2),
        "warm_start": ("integer", 1, 3),
        "penalty": ("choice", ("qkl", "gdr", "none")),
    }
    found = spaces.corners(MeanTeacher(steps=7), space)
    assert {config.lr for config in found} == {0.1, 0.2}
    assert {config.warm_start for config in found} == {1, 3}
    assert {config.penalty for config in found} == {"qkl", "gdr", "none"}
    assert {config.steps for config in found} == {7}
