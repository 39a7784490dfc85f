"""A forget loss and a retain term: what the settings leave out is not done, and what both need is held once."""

from dataclasses import replace

import pytest
import torch
from given import GIVEN
from tiny import tiny_model

from trainables.failures import Unfit
from trainables.losses import logits as losses
from trainables.method import Run, Start, Step
from trainables.methods import METHODS, find_method, needs_of, unlearn
from trainables.methods.ga import GA, GAGDR, GAKLR
from trainables.methods.muse import KLRMuse, NPOMuse
from trainables.methods.npo import NPO, NPOGDR, NPOKLR
from trainables.training import forget_and_retain as loop
from trainables.training.teacher import make_teacher
from trainables.weighted import FROZEN, NONE, Retaining, Weighted
from trainables.world import ALONE

FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3]], [[0, 8, 6], [0, 11, 12, 13]]
SMALL = {"steps": 2, "eval_every": 2, "batch_size": 4}
FORGETS, RETAINS, FIRST = 4 * 3, 4 * 3, len(FORGET)  # forwards of a step's backward pass; of the reference, once
COSTS = {
    GA: FORGETS,
    GAGDR: FORGETS + RETAINS,
    GAKLR: FORGETS + RETAINS + 4,
    KLRMuse: FORGETS + RETAINS + 4,
    NPO: FORGETS,
    NPOGDR: FORGETS + RETAINS,
    NPOKLR: FORGETS + RETAINS + 4,
    NPOMuse: FORGETS + 4 + RETAINS,
}
each_kind = pytest.mark.parametrize("kind", COSTS, ids=lambda kind: kind.method)
WEIGHTED = [name for name in METHODS if issubclass(find_method(name).settings, Weighted)]
each_weighted = pytest.mark.parametrize("name", WEIGHTED)


def steps_of(settings) -> list[Step]:
    records = unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2, **GIVEN)
    return [record for record in records if isinstance(record, Step)]


@each_kind
def test_a_step_costs_the_passes_that_are_done_and_no_more(kind):
    first, second = steps_of(kind(**SMALL))
    assert second.cost == COSTS[kind]
    assert first.cost - second.cost == (FIRST if issubclass(kind, NPO) else 0)


@pytest.fixture
def passes(monkeypatch) -> list[tuple[bool, int]]:
    """Of every forward pass whether it takes a gradient, and its sequences."""
    seen, done = [], torch.nn.Module.__call__

    def watched(module, *args, **kwargs):
        if "input_ids" in kwargs and hasattr(module, "lm_head"):
            seen.append((torch.is_grad_enabled(), len(kwargs["input_ids"])))
        return done(module, *args, **kwargs)

    monkeypatch.setattr(torch.nn.Module, "__call__", watched)
    return seen


@each_weighted
@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_cost_is_that_of_the_passes_which_models_see(passes, name, weight):
    types = find_method(name).settings.types()
    own = {"retain_weight": weight} if "retain_weight" in types else {}
    own |= {"look_every": 100} if "look_every" in types else {}  # what is written is told as a pass of each text
    records = steps_of(find_method(name).settings(**SMALL, **own))
    assert sum(step.cost for step in records) == sum(rows * (3 if trained else 1) for trained, rows in passes)


@each_weighted
def test_without_weight_nothing_is_held_for_the_retain_term_and_nothing_of_it_is_told(name):
    kind = find_method(name).settings
    if issubclass(kind, Retaining):
        settings = kind(**SMALL, retain_weight=0.0)
        assert needs_of(settings).frozen == (kind.reference == FROZEN)
        assert all("retain_loss" not in step.values for step in steps_of(settings))
        term = next(term for term in kind.allowed()["retain_term"].choices if term != NONE)
        held = steps_of(replace(settings, retain_weight=1.0, retain_term=term))
        assert all("retain_loss" in step.values for step in held)


class Both(GAKLR):
    """Ascent whose forget loss, too, has the target's logits beside it."""

    reference = FROZEN


def test_both_terms_share_one_copy_of_the_target_which_keeps_its_bits_and_shares_frozen_weights(monkeypatch):
    made, start = [], Start(model=tiny_model(), forget=FORGET, retain=RETAIN, pad=2)

    def make(model):
        made.append(make_teacher(model))
        return made[-1]

    monkeypatch.setattr(loop, "make_teacher", make)
    list(
        loop.forget_and_retain(
            start, Both(**SMALL), Run(world=ALONE), lambda b: losses.ll(b.log_p()) + b.guide()[..., 0]
        )
    )
    (frozen,), target = made, tiny_model().state_dict()
    assert all(torch.equal(weight, target[key]) for key, weight in frozen.state_dict().items())
    assert frozen.get_input_embeddings().weight is start.model.get_input_embeddings().weight


def test_without_anything_to_compare_with_no_copy_is_made(monkeypatch):
    monkeypatch.setattr(loop, "make_teacher", None)
    for settings in (GA(**SMALL), GAGDR(**SMALL), NPO(**SMALL), GAKLR(**SMALL, retain_weight=0.0)):
        assert not needs_of(settings).frozen
        assert len(steps_of(settings)) == 2


def test_a_forget_loss_that_weighs_nothing_is_not_computed_nor_is_what_it_compares_with():
    for name in ("ga_gdr", "npo_gdr", "undial", "npo_muse"):
        settings = find_method(name).settings(**SMALL, forget_weight=0.0)
        held = 3 if settings.holding == "gdr" else 0
        assert {step.cost for step in steps_of(settings)} == {settings.batch_size * held}, name
        assert not needs_of(settings).frozen


def test_where_no_forget_sequence_has_a_target_left_a_run_says_so():
    with pytest.raises(Unfit, match="100 targets at the beginning of each forget sequence are left out: none has more"):
        list(unlearn(tiny_model(), FORGET, RETAIN, find_method("ceu").settings(**SMALL, skip_first=100), pad=2))
