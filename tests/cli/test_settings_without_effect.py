"""What is set or searched for nothing, beside the values of other settings, is told before anything runs."""

import pytest

from lethe_cli.effects import Tried, check_effects, notes_of
from lethe_cli.spaces import check_space, ends_of
from trainables.methods import METHODS, find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.settings import ANY


def tried(method="mean_teacher", searched=None, **settings):
    return Tried(find_method(method).settings(**settings), searched or {})


IDLE = [
    ("mean_teacher", {"forget_loss": "ll", "tol": 0.1}, "tol", "forget_loss is ll, not nlul"),
    ("mean_teacher", {"warm_lr": 0.1}, "warm_lr", "warm_start is 0"),
    ("mean_teacher", {"penalty": "none", "beta": 2.0}, "beta", "penalty is none"),
    ("mean_teacher", {"beta": 0.0, "regularisation_length": 9}, "regularisation_length", "beta is 0.0"),
    ("mean_teacher", {"unrelated_texts": "a.txt"}, "unrelated_texts", "regularisation is retain, not unrelated"),
    ("mean_teacher", {"lora_scale": 4.0}, "lora_scale", "lora_rank is 0"),
    ("mean_teacher", {"optimizer": "adamw", "momentum": 0.5}, "momentum", "optimizer is adamw, not sgd"),
    ("simnpo", {"retain_term": "none", "retain_weight": 2.0}, "retain_weight", "retain_term is none"),
    ("satimp", {"retain_term": "none", "retain_weight": 2.0}, "retain_weight", "retain_term is none"),
    ("undial", {"regularisation": "unrelated"}, "regularisation", "retain_term is none"),
    ("ga", {"regularisation": "unrelated"}, "regularisation", "scope_weight is 0.0"),
    ("ga", {"regularisation": "unrelated", "unrelated_texts": "a"}, "unrelated_texts", "scope_weight is 0.0"),
    ("task_vector", {"regularisation": "unrelated"}, "regularisation", "task_vector does not read it"),
    ("rmu", {"freeze": False}, "freeze", "rmu does not read it"),
]


@pytest.mark.parametrize(("method", "settings", "name", "why"), IDLE)
def test_what_is_set_for_nothing_is_told_with_the_value_that_it_hangs_on(method, settings, name, why):
    with pytest.raises(ValueError, match=f"^'{name}' is of no effect: {why}$"):
        check_effects([f"{name}=..."], {method: tried(method, **settings)})


def test_a_default_is_no_complaint_and_neither_is_what_is_read():
    assert check_effects(["tol=0.02"], {"mean_teacher": tried(forget_loss="ll")}) == []
    assert check_effects(["tol=0.1"], {"mean_teacher": tried(tol=0.1)}) == []
    assert check_effects(["regularisation=unrelated"], {"pdu": tried("pdu", regularisation="unrelated")}) == []
    assert check_effects(["weight_decay=0.1"], {"mean_teacher": tried(weight_decay=0.1)}) == []  # of a warm start too


def test_in_one_run_it_is_a_note_for_a_trial_that_is_run_again_has_all_that_was_searched():
    settings = MeanTeacher(forget_loss="ll", tol=0.1)
    said = ["'tol' is of no effect: forget_loss is ll, not nlul"]
    assert notes_of(["forget_loss=ll", "tol=0.1", "threshold=0.0"], settings) == said


def test_what_hangs_on_any_of_several_is_read_beside_one_of_them():
    scoped = {"regularisation": "unrelated", "scope_weight": 1.0}
    for method, own in (("ga", {}), ("undial", {}), ("npo_gdr", {"retain_weight": 0.0}), ("idk_ap", {})):
        assert check_effects(["regularisation=unrelated"], {method: tried(method, **scoped, **own)}) == []


def test_what_is_searched_for_nothing_is_told_unless_some_trial_reads_it():
    searched = {"tol": (0.01, 0.1)}
    with pytest.raises(ValueError, match="^'tol' is of no effect: forget_loss is ll, not nlul$"):
        check_effects(["tol=0.01:0.1"], {"mean_teacher": tried(searched=searched, forget_loss="ll")})
    both = searched | {"forget_loss": ("ll", "nlul")}
    assert check_effects(["tol=0.01:0.1"], {"mean_teacher": tried(searched=both, forget_loss="ll")}) == []


def test_of_several_methods_some_may_have_no_use_for_it_and_a_note_says_which():
    several = {name: tried(name, retain_weight=2.0) for name in ("simnpo", "ceu")}
    assert check_effects(["retain_weight=2"], several) == [
        "retain_weight is of no effect with ceu (retain_term is none)"
    ]
    with pytest.raises(ValueError, match=r"^'ceu.retain_weight' is of no effect: retain_term is none$"):
        check_effects(["ceu.retain_weight=2"], several)


def test_a_space_s_own_entry_that_a_setting_leaves_without_effect_is_a_note_for_nobody_asked_for_it():
    assert check_effects(["lora_rank=0"], {"an entrant": tried(searched={"lora_scale": (1.0, 2.0)})}) == [
        "lora_scale of an entrant is searched, and of no effect: lora_rank is 0"
    ]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", ["1m", "7b"])
def test_no_method_s_space_searches_for_nothing(method, size):
    own = Tried(find_method(method).settings(), ends_of(check_space(method, size)))
    assert check_effects([], {method: own}) == []


@pytest.mark.parametrize("method", METHODS)
def test_what_a_setting_hangs_on_is_a_setting_of_its_method_with_such_a_value(method):
    settings = find_method(method).settings
    for name, beside in settings.beside().items():
        sets = beside if isinstance(beside, tuple) else (beside or {},)
        for other, values in (item for one in sets for item in one.items()):
            assert other in settings.types(), (name, other)
            assert values == ANY or set(values) <= set(settings.allowed()[other].choices), (name, values)


def test_a_setting_that_hangs_on_others_is_read_again_where_these_are_at_their_values():
    assert MeanTeacher.beside()["tol"] == {"forget_loss": ("nlul",)}
    assert not Tried(MeanTeacher(warm_start=3)).why_idle("warm_lr")
