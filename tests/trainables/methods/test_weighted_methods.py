"""SimNPO, weighted ascent, UNDIAL, CE-U and maximal entropy: the first step beside a plain formula, and what steps cost."""

import copy
from dataclasses import replace

import pytest
import torch
from tiny import tiny_model

from trainables.failures import Unfit
from trainables.method import Candidate, Step
from trainables.methods import find_method, needs_of, unlearn

NAMES = ("simnpo", "wga", "satimp", "undial", "ceu", "me_gd")
each_method = pytest.mark.parametrize("name", NAMES)
SEQUENCES = [[0, 5, 9, 7, 4], [0, 3], [0, 8, 8, 6]]
ALL = {"steps": 1, "eval_every": 1, "batch_size": 3, "sampling": "cyclic", "warmup_steps": 0}


def settings_of(name: str, **changes):
    return find_method(name).settings(**(ALL | changes))


def records_of(name: str, model=None, **changes) -> list:
    return list(unlearn(model or tiny_model(), SEQUENCES, SEQUENCES, settings_of(name, **changes), pad=2))


def steps_of(name: str, **changes) -> list[dict[str, float]]:
    return [record.row() for record in records_of(name, **changes) if isinstance(record, Step)]


# Slow references: one sequence after the other, a value a token; all of it from plain probabilities.


@torch.no_grad()
def tokens(ids: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
    """The target's probabilities of all words at each position, and of the token that comes."""
    p = tiny_model()(torch.tensor([ids])).logits[0, :-1].double().softmax(-1)
    return p, p[range(len(ids) - 1), ids[1:]]


def without(p: torch.Tensor, ids: list[int], factor: float) -> torch.Tensor:
    """A distribution in which the token that comes has a factor of what it had, and all sum to 1 again."""
    q = p.clone()
    q[range(len(ids) - 1), ids[1:]] *= factor
    return q / q.sum(-1, keepdim=True)


def a_token(name: str, ids: list[int]) -> torch.Tensor:
    p, py = tokens(ids)
    if name == "ceu":
        return -(without(p, ids, 0.0) * p.log()).sum(-1)[1:]  # but for the first
    return {
        "wga": py * py.log(),
        "satimp": py**5 * (1 - py) * py.log(),
        "undial": -(without(p, ids, torch.tensor(-10.0).exp().item()) * p.log()).sum(-1),
        "me_gd": -torch.tensor(float(p.shape[-1])).log() - p.log().mean(-1),
    }[name]


def simnpo(ids: list[int]) -> torch.Tensor:
    odds = tokens(ids)[1].log().mean().exp() ** 2.5
    return (2 / 2.5) * torch.log(1 + odds)


@each_method
def test_the_first_step_s_forget_loss_is_the_plain_mean_over_sequences_or_over_all_of_their_tokens(name):
    if name == "simnpo":
        expected = torch.stack([simnpo(ids) for ids in SEQUENCES]).mean()
    else:
        expected = torch.cat([a_token(name, ids) for ids in SEQUENCES]).mean()
    assert steps_of(name)[0]["forget_loss"] == pytest.approx(expected.item(), rel=1e-4)


@each_method
@pytest.mark.parametrize(("retain_term", "forwards"), [("none", 0), ("gdr", 3), ("klr", 4)])
def test_a_step_costs_what_its_two_terms_need_and_nothing_comes_before_it(name, retain_term, forwards):
    own = 4 if name == "undial" else 3  # the target's logits on forget text
    assert [row["cost"] for row in steps_of(name, steps=2, retain_term=retain_term)] == 2 * [3 * (own + forwards)]


@each_method
def test_without_a_retain_term_or_its_weight_no_retain_text_goes_through_a_model(name):
    for changes in ({"retain_term": "none"}, {"retain_term": "klr", "retain_weight": 0.0}):
        model, passes = tiny_model(), []
        model.register_forward_hook(lambda *_, passes=passes: passes.append(1))
        records_of(name, model, **changes)
        assert len(passes) == (2 if name == "undial" else 1)  # its copy of the target carries the hook on


@each_method
def test_there_is_one_frozen_copy_where_logits_are_compared_with_the_target_s_and_none_elsewhere(name):
    for retain_term in ("none", "gdr", "klr"):
        needs = needs_of(settings_of(name, retain_term=retain_term))
        assert needs.frozen == needs.guided == (name == "undial" or retain_term == "klr")
        assert not needs.teacher


@each_method
@pytest.mark.parametrize("retain_term", ["none", "gdr", "klr"])
def test_without_weights_nothing_moves(name, retain_term):
    still = settings_of(name, retain_term=retain_term, forget_weight=0.0, retain_weight=0.0, optimizer="adamw")
    (end,) = [r for r in unlearn(tiny_model(), SEQUENCES, SEQUENCES, still, pad=2) if isinstance(r, Candidate)]
    assert all(torch.equal(weight, tiny_model().state_dict()[key]) for key, weight in end.subject.state_dict().items())


def test_undial_without_strength_is_where_it_ends():
    assert steps_of("undial", undial_strength=0.0)[0]["gradient_norm"] < 1e-5
    assert steps_of("undial", undial_strength=1.0)[0]["gradient_norm"] > 1e-3


def moved(skip_first: int, sequences) -> dict[str, torch.Tensor]:
    """CE-U's weights after a step of SGD."""
    settings = replace(settings_of("ceu", optimizer="sgd", lr=1.0, clip=1e9), skip_first=skip_first)
    records = unlearn(tiny_model(), sequences, sequences, settings, pad=2)
    return [copy.deepcopy(r.subject.state_dict()) for r in records if isinstance(r, Candidate)][-1]


def test_ceu_refuses_sequences_that_it_leaves_out_whole():
    short = [[0, 3], [0, 8]]
    with pytest.raises(Unfit):
        moved(1, short)  # whose one target is left out
    assert any(not torch.equal(weight, tiny_model().state_dict()[key]) for key, weight in moved(0, short).items())
