"""Masks by hand: what moves is what the formula says, the rest keeps its bits, and a full mask changes no bit."""

import math

import pytest
import torch
from given import GIVEN
from tiny import tiny_model

from trainables.failures import NoSuchWeights
from trainables.method import Candidate, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.ga import GAGDR
from trainables.methods.mean_teacher import MeanTeacher
from trainables.settings import MASKS
from trainables.training.masks import Mask, attribution, chosen, largest

FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3, 8], [0, 200, 41, 17, 6]], [[0, 60, 61, 62], [0, 9]]
SMALL = {"steps": 3, "eval_every": 3, "batch_size": 3, "lr": 1e-2, "warmup_steps": 0}
DRAWN = ("wagle", "random", "magnitude", "forget_gradient")


def tensors(*rows) -> list[torch.Tensor]:
    return [torch.tensor(row, dtype=torch.float32) for row in rows]


@pytest.mark.parametrize(("mu", "expected"), [(1.0, [1, 2, 0]), (0.5, [1, 0, 3]), (math.inf, [1, 4, 3])])
def test_attribution_by_hand(mu, expected):
    theta, forget, retain = tensors([1, 2, 3]), tensors([1, -2, 1]), tensors([0, 1, 3])
    assert attribution(theta, forget, retain, mu=mu)[0].tolist() == expected


def test_the_largest_of_several_tensors_are_one_pool():
    values = tensors([1, 5, 3], [[2, 9], [0, 4]])
    assert [part.tolist() for part in largest(values, 3 / 7)] == [[False, True, False], [[False, True], [False, True]]]
    assert [part.tolist() for part in largest(values, 1)] == [[True] * 3, [[True] * 2] * 2]
    assert not any(part.any() for part in largest(values, 0))
    assert largest(tensors([2, 2, 1]), 1 / 3)[0].tolist() == [True, True, False]  # what equals the last moves too


def test_a_share_is_what_sorting_gives():
    values = [torch.rand(40, 30, generator=torch.Generator().manual_seed(n)) ** 9 for n in range(3)]
    for share in (0.01, 0.3, 0.5, 0.999):
        pool = torch.cat([part.flatten() for part in values])
        edge = pool.sort(descending=True).values[round(share * pool.numel()) - 1]
        assert all(torch.equal(found, part >= edge) for found, part in zip(largest(values, share), values, strict=True))


def test_what_is_held_comes_back_to_the_bit_and_what_is_not_stays_where_it_went():
    weight = torch.tensor([0.1, 0.2, 0.3], requires_grad=True)
    mask = Mask([weight], [torch.tensor([True, False, True])])
    with torch.no_grad():
        weight.mul_(7)
    mask.hold()
    assert torch.equal(weight.detach(), torch.tensor([0.1, 0.2, 0.3]) * torch.tensor([7.0, 1.0, 7.0]))


def run(settings, model=None) -> tuple[list[dict], dict[str, torch.Tensor]]:
    """What the steps saw, and the weights at the end of the student."""
    steps, weights = [], {}
    for record in unlearn(model or tiny_model(), FORGET, RETAIN, settings, pad=2, **GIVEN):
        if isinstance(record, Step):
            steps.append(dict(record.values))
        elif isinstance(record, Candidate) and record.role == "student":
            weights = {name: value.clone() for name, value in record.subject.state_dict().items()}
    return steps, weights


def moved(weights) -> dict[str, torch.Tensor]:
    return {name: weights[name] != before for name, before in tiny_model().state_dict().items()}


@pytest.mark.parametrize("mask", DRAWN)
@pytest.mark.parametrize("kind", [GAGDR, MeanTeacher])
def test_a_full_mask_is_the_method_to_the_bit(mask, kind):
    plain, full = (run(kind(**SMALL, **own)) for own in ({}, {"mask": mask, "mask_density": 1.0}))
    assert plain[0] == full[0]
    assert all(torch.equal(full[1][name], value) for name, value in plain[1].items())


@pytest.mark.parametrize("mask", DRAWN)
@pytest.mark.parametrize("kind", [GAGDR, MeanTeacher])
def test_an_empty_mask_is_the_target_to_the_bit_also_under_weight_decay(mask, kind):
    own = {"mask": mask, "mask_density": 0.0, "optimizer": "adamw", "weight_decay": 0.5}
    assert not any(changed.any() for changed in moved(run(kind(**SMALL, **own))[1]).values())


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_of_a_drawn_half_of_the_weights_the_other_half_keeps_its_bits_under_decay_and_momentum(optimizer):
    own = {"mask": "random", "mask_density": 0.5, "optimizer": optimizer, "weight_decay": 0.5}
    changed = moved(run(GAGDR(**SMALL, **own))[1])
    named = {name: w for name, w in tiny_model().named_parameters() if "_proj" in name}
    keep = chosen(named, GAGDR(**SMALL, **own), forget=list, retain=list)
    for name, marks in zip(named, keep, strict=True):
        assert not changed[name][~marks].any()
        assert changed[name][marks].float().mean() > 0.9
    assert sum(int(marks.sum()) for marks in keep) == round(0.5 * sum(w.numel() for w in named.values()))


def plain_gradient(sequences) -> list[torch.Tensor]:
    """Of the mean cross-entropy over all tokens, one sequence after the other."""
    model, count = tiny_model(), sum(len(ids) - 1 for ids in sequences)
    for ids in sequences:
        logits = model(torch.tensor([ids])).logits[0, :-1]
        (torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="sum") / count).backward()
    return [weight.grad for name, weight in model.named_parameters() if "_proj" in name]


@pytest.mark.parametrize(("mask", "once"), [("wagle", 5), ("forget_gradient", 3)])
def test_a_run_moves_what_plain_gradients_of_both_sets_say_and_pays_for_them(mask, once):
    settings = GAGDR(**SMALL, mask=mask, mask_density=0.2, mask_mu=0.01, optimizer="sgd", micro_batch_size=2)
    named = {name: w for name, w in tiny_model().named_parameters() if "_proj" in name}
    keep = chosen(named, settings, forget=lambda: plain_gradient(FORGET), retain=lambda: plain_gradient(RETAIN))
    changed = moved(run(settings)[1])
    differ = sum(int((changed[name] & ~marks).sum()) for name, marks in zip(named, keep, strict=True))
    assert differ <= 2  # at the edge, where rounding decides
    assert sum(int(changed[name].sum()) for name in named) > 0.15 * sum(w.numel() for w in named.values())
    first, second = (
        r.cost for r in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2) if isinstance(r, Step) and r.step < 3
    )
    assert first == second + 3 * once


def test_the_mlp_s_mask_leaves_attention_as_it_is_and_says_where_there_is_no_mlp():
    changed = moved(run(GAGDR(**SMALL, mask="mlp"))[1])
    assert {name for name, marks in changed.items() if marks.any()} == {name for name in changed if ".mlp." in name}
    with pytest.raises(NoSuchWeights, match="mask is mlp: none of the weights that are trained is named as an MLP's"):
        chosen({"layers.0.q_proj": torch.ones(2)}, GAGDR(mask="mlp"), forget=list, retain=list)


def test_the_seed_draws_a_random_mask_and_no_other():
    first, second = (GAGDR(**SMALL, mask="random", mask_density=0.5, seed=seed) for seed in (0, 1))
    weights = {"w": torch.rand(50)}
    one, other = (chosen(weights, settings, forget=list, retain=list)[0] for settings in (first, second))
    assert not torch.equal(one, other)


@pytest.mark.parametrize("mask", [mask for mask in MASKS if mask != "none"])
def test_a_mask_is_of_whole_models_own_weights(mask):
    with pytest.raises(ValueError, match=f"mask is {mask} and lora_rank 2: a mask is of the weights themselves"):
        GAGDR(mask=mask, lora_rank=2)
    with pytest.raises(ValueError, match=f"mask is {mask} and parallel fsdp: a mask needs whole models on each worker"):
        GAGDR(mask=mask, parallel="fsdp")
    assert needs_of(GAGDR(mask=mask)).masked
    assert not needs_of(find_method("npo").settings()).masked
