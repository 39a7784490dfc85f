"""PDU flattens logits and moves one dual variable, by the specification's numbers and by hand-written steps."""

import pytest
import torch
from tiny import tiny_model
from torch.testing import assert_close

from trainables.losses.flattening import flattening
from trainables.method import Candidate, Step
from trainables.methods import needs_of, unlearn
from trainables.methods.pdu import PDU, moved

FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3]], [[0, 8, 6], [0, 2, 7, 7, 1], [0, 4]]
WHOLE = {"sampling": "cyclic", "steps": 4, "eval_every": 4, "warmup_steps": 0}  # every batch is the whole set
F = torch.tensor([[[1 / 2, 1 / 4, 1 / 8, 1 / 8], [1 / 4, 1 / 4, 1 / 4, 1 / 4]]]).log()


def records(forget=FORGET, retain=RETAIN, **settings) -> list:
    return list(unlearn(tiny_model(), forget, retain, PDU(**(WHOLE | {"batch_size": 6} | settings)), pad=2))


def rows(**settings) -> list[dict[str, float]]:
    return [record.row() for record in records(**settings) if isinstance(record, Step)]


def test_the_forget_loss_is_the_specification_s_numbers():
    assert_close(flattening(F), torch.tensor([[0.750708, 0.0]]), atol=1e-6, rtol=0)
    assert flattening(F).mean().item() == pytest.approx(0.375354, abs=1e-6)


def test_a_constant_on_all_logits_of_a_position_leaves_the_loss_as_it_is():
    assert_close(flattening(F + torch.tensor([[[3.0], [-7.0]]])), flattening(F), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("lam", "loss", "after"), [(50.0, 1.7, 50.2), (0.1, 1.2, 0.0), (2.0, 1.5, 2.0)])
def test_lambda_moves_by_the_specification_s_numbers_and_never_below_0(lam, loss, after):
    assert moved(lam, loss, level=1.5, eta=1.0) == pytest.approx(after)


def cross_entropies(model) -> torch.Tensor:
    """Of every retain token, one sequence at a time."""
    found = [model(ids[None]).logits[0, :-1].log_softmax(-1) for ids in map(torch.tensor, RETAIN)]
    return -torch.cat([log_p[range(len(ids) - 1), ids[1:]] for log_p, ids in zip(found, RETAIN, strict=True)])


@pytest.mark.parametrize("warmup", [0, 2])
def test_lambda_follows_the_retain_loss_above_and_below_its_level_once_its_warm_up_is_over(warmup):
    found = rows(slack=0.01, eta=3.0, lam0=0.05, lam_warmup=warmup, lr=1e-2)
    level = 1.01 * cross_entropies(tiny_model()).mean().item()
    expected = 0.05
    for row in found:
        assert row["lam"] == pytest.approx(expected, rel=1e-4, abs=1e-5)
        if row["step"] > warmup:
            expected = max(0.0, expected + 3.0 * (row["retain_loss"] - level))
    assert len({row["lam"] for row in found}) > 1


def test_a_step_is_that_of_the_flattening_plus_lambda_times_the_retain_loss():
    model = tiny_model()
    for weight in (p for name, p in model.named_parameters() if "proj" not in name):
        weight.requires_grad_(False)
    flat = torch.cat([flattening(model(ids[None]).logits[:, :-1])[0] for ids in map(torch.tensor, FORGET)])
    (flat.mean() + 7.0 * cross_entropies(model).mean()).backward()
    gradients = [p.grad for p in model.parameters() if p.requires_grad]
    norm = torch.cat([gradient.flatten() for gradient in gradients]).norm()
    found = records(lam0=7.0, lr=0.1, optimizer="sgd", clip=1e9, steps=1, eval_every=1)
    assert found[0].values["gradient_norm"] == pytest.approx(norm.item(), rel=1e-4)
    (after,) = [record.subject for record in found if isinstance(record, Candidate)]
    for (name, before), weight in zip(model.named_parameters(), after.parameters(), strict=True):
        step = 0.1 * before.grad if before.requires_grad else 0.0
        assert_close(weight, before - step, atol=1e-6, rtol=1e-5, msg=name)


def test_what_is_not_needed_is_not_computed():
    first, later = (row["cost"] for row in rows(steps=2, batch_size=5))
    assert (first - later, later) == (len(RETAIN), 5 * 3 + 5 * 3)  # the level is measured on every retain sequence
    assert [row["cost"] for row in rows(steps=2, batch_size=5, eta=0.0)] == [5 * 6] * 2  # lambda stays: no level
    assert [row["cost"] for row in rows(steps=2, batch_size=5, eta=0.0, lam0=0.0)] == [5 * 3] * 2
    assert rows(steps=2, batch_size=5, lam0=0.0, slack=100.0)[1]["cost"] == 5 * 3 + 5  # held: the loss is looked at


def test_with_no_weight_at_all_the_model_keeps_its_bits():
    found = records(forget_weight=0.0, lam0=0.0, eta=0.0)
    (after,) = [record.subject.state_dict() for record in found if isinstance(record, Candidate)]
    assert all(torch.equal(weight, after[name]) for name, weight in tiny_model().state_dict().items())


def test_it_needs_no_second_model():
    needs = needs_of(PDU())
    assert not any((needs.teacher, needs.frozen, needs.guided))
