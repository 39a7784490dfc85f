"""Gradient ascent and its two siblings: the specification's numbers, and a step beside a loop that is written by hand."""

import math

import pytest
import torch
from tiny import tiny_model
from torch.nn.functional import cross_entropy
from torch.testing import assert_close

from trainables.losses import logits as losses
from trainables.method import Step
from trainables.methods import needs_of, unlearn
from trainables.methods.ga import GA, GAGDR, GAKLR
from trainables.training.data import sample_indices
from trainables.training.descend import FORGET, RETAIN
from trainables.training.trainable import freeze, trainable_parameters

LOGITS = torch.tensor([[[1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4] * 4]]).log()
TARGETS = torch.tensor([[0, 1]])
TEXTS = {FORGET: [[0, 5, 9, 7, 4], [0, 3], [0, 8, 8]], RETAIN: [[0, 6, 2, 9], [0, 11, 12]]}


def test_ascent_is_the_specification_s_number_and_cross_entropy_its_negative():
    log_p = losses.token_log_probs(LOGITS, TARGETS)
    assert losses.ll(log_p).mean().item() == pytest.approx(-1.039721, abs=1e-6)
    assert losses.ll(log_p).mean() + losses.gdr(log_p).mean() == 0


def test_the_gradient_on_the_target_s_logit_is_its_unlikelihood_over_the_number_of_targets():
    logits = LOGITS.clone().requires_grad_()
    losses.ll(losses.token_log_probs(logits, TARGETS)).mean().backward()
    assert_close(logits.grad[0, [0, 1], [0, 1]], torch.tensor([0.5, 0.75]) / 2)


SMALL = {"steps": 2, "eval_every": 2, "batch_size": 4}
PLAIN = {"steps": 3, "eval_every": 3, "batch_size": 4, "warmup_steps": 0, "optimizer": "sgd", "momentum": 0.0}


@torch.enable_grad()
def by_hand(settings) -> torch.nn.Module:
    """What a run ends at, sequence by sequence, without padding, the divergence by its formula."""
    model, target = tiny_model(), tiny_model()
    freeze(model)
    for step in range(1, settings.steps + 1):
        loss = settings.forget_weight * mean_of(model, FORGET, settings, step, likelihood)
        term = (lambda out, ids: divergence(out, target, ids)) if settings.retain_term == "klr" else unlikelihood
        loss = loss + settings.retain_weight * mean_of(model, RETAIN, settings, step, term)
        weights = trainable_parameters(model)
        gradients = torch.autograd.grad(loss, weights)
        norm = math.sqrt(sum(float(g.square().sum()) for g in gradients))
        with torch.no_grad():
            for weight, g in zip(weights, gradients, strict=True):
                weight -= settings.lr * min(1.0, settings.clip / norm) * g
    return model


def mean_of(model, stream: int, settings, step: int, value) -> torch.Tensor:
    """The mean of a value over all targets of a step's batch."""
    texts = TEXTS[stream]
    rows = sample_indices(len(texts), size=settings.batch_size, seed=settings.seed, stream=stream, step=step)
    drawn = [torch.tensor(texts[row]) for row in rows]
    values = [value(model(ids[None]).logits[0, :-1], ids) for ids in drawn]
    return torch.cat(values).mean()


def likelihood(out, ids) -> torch.Tensor:
    return -cross_entropy(out, ids[1:], reduction="none")


def unlikelihood(out, ids) -> torch.Tensor:
    return -likelihood(out, ids)


def divergence(out, target, ids) -> torch.Tensor:
    with torch.no_grad():
        p = target(ids[None]).logits[0, :-1].softmax(-1)
    return (p * (p / out.softmax(-1)).log()).sum(-1)


@pytest.mark.parametrize("kind", [GAGDR, GAKLR])
def test_three_steps_are_those_of_a_loop_written_by_hand(kind):
    settings = kind(**PLAIN, lr=0.1, clip=0.5, forget_weight=0.7, retain_weight=3.0, seed=5)
    expected, found = by_hand(settings), tiny_model()
    list(unlearn(found, TEXTS[FORGET], TEXTS[RETAIN], settings, pad=2))
    moved = 0.0
    for wanted, weight, start in zip(*(m.parameters() for m in (expected, found, tiny_model())), strict=True):
        assert_close(weight, wanted, atol=2e-6, rtol=1e-4)
        moved = max(moved, (weight - start).abs().max().item())
    assert moved > 1e-3


def test_at_the_start_the_divergence_is_nothing_and_a_step_later_it_is_something():
    records = unlearn(tiny_model(), TEXTS[FORGET], TEXTS[RETAIN], GAKLR(**PLAIN, lr=0.1), pad=2)
    seen = [record.values["retain_loss"] for record in records if isinstance(record, Step)]
    assert seen[0] == pytest.approx(0, abs=1e-6)
    assert min(seen[1:]) > 1e-5


def test_without_any_weight_the_model_keeps_its_bits():
    for kind in (GA, GAGDR, GAKLR):
        weights = {"forget_weight": 0.0} | ({"retain_weight": 0.0} if kind is not GA else {})
        model = tiny_model()
        list(unlearn(model, TEXTS[FORGET], TEXTS[RETAIN], kind(**SMALL, **weights), pad=2))
        assert all(map(torch.equal, model.parameters(), tiny_model().parameters()))


def test_only_the_divergence_needs_a_copy_of_the_target():
    assert [needs_of(kind()).frozen for kind in (GA, GAGDR, GAKLR)] == [False, False, True]
    assert [needs_of(kind()).guided for kind in (GA, GAGDR, GAKLR)] == [False, False, True]
