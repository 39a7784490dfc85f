"""First-epoch ascent: only rows of tokens that are forgotten move, by the length that is asked for, tied or not."""

import pytest
import torch
from tiny import tiny_model

from trainables.method import Candidate, Step
from trainables.methods import unlearn
from trainables.methods.first_epoch import FirstEpoch, alike

FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3, 8, 6]], [[0, 5, 9, 7, 11], [0, 60, 61, 62]]
TOKENS = {0, 5, 9, 7, 4, 3, 8, 6}
TIED = pytest.mark.parametrize("tied", [False, True])


def run(tied: bool, **changes):
    model = tiny_model(tie_word_embeddings=tied)
    records = list(unlearn(model, FORGET, RETAIN, FirstEpoch(**({"lr": 0.1, "steps": 1} | changes)), pad=2))
    return model, [record.row() for record in records if isinstance(record, Step)]


@TIED
def test_only_the_rows_of_its_tokens_move_and_all_else_keeps_its_bits(tied):
    model, _ = run(tied)
    before = tiny_model(tie_word_embeddings=tied).state_dict()
    changed = {name: value != before[name] for name, value in model.state_dict().items()}
    moved = {name for name, marks in changed.items() if marks.any()}
    assert moved == {"model.embed_tokens.weight"} | ({"lm_head.weight"} if tied else set())
    last = {4, 6}  # predict nothing: only a tied head moves them
    rows = set(changed["model.embed_tokens.weight"].any(1).nonzero()[:, 0].tolist())
    assert rows == (TOKENS if tied else TOKENS - last)


@TIED
@pytest.mark.parametrize("lr", [0.0, 0.01, 0.5])
def test_a_step_is_as_long_as_it_says(tied, lr):
    model, _ = run(tied, lr=lr)
    before, after = (m.get_input_embeddings().weight.detach() for m in (tiny_model(tie_word_embeddings=tied), model))
    assert (after - before).norm().item() == pytest.approx(lr * before.norm().item(), rel=1e-5)
    assert lr or torch.equal(before, after)


def test_it_goes_up_the_gradient_of_the_loss_over_all_tokens():
    model, (step,) = run(False)
    plain = tiny_model()
    for ids in FORGET:
        logits = plain(torch.tensor([ids])).logits[0, :-1]
        torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="sum").backward()
    moved = model.get_input_embeddings().weight.detach() - plain.get_input_embeddings().weight.detach()
    gradient = plain.get_input_embeddings().weight.grad
    assert torch.nn.functional.cosine_similarity(moved.flatten(), gradient.flatten(), dim=0) > 0.9999
    assert step["cost"] == 3 * len(FORGET)


def test_each_repeat_is_a_candidate_and_the_loss_goes_up():
    _, steps = run(False, steps=3)
    assert [row["step"] for row in steps] == [1, 2, 3]
    assert steps[0]["forget_loss"] > steps[1]["forget_loss"] > steps[2]["forget_loss"]
    records = unlearn(tiny_model(), FORGET, RETAIN, FirstEpoch(steps=3), pad=2)
    assert [record.at for record in records if isinstance(record, Candidate)] == [1, 2, 3]


def test_retained_text_that_is_nearly_the_same_is_unlearned_too():
    assert alike(FORGET, RETAIN, 0.8) == [0]  # four of five tokens: ratio .8
    assert alike(FORGET, RETAIN, 0.81) == []
    assert alike(FORGET, RETAIN, 0.0) == []
    model, (step,) = run(False, fuzzy=0.8)
    changed = model.get_input_embeddings().weight != tiny_model().get_input_embeddings().weight
    assert step["cost"] == 9
    assert changed.any(1).nonzero()[:, 0].tolist() == sorted(TOKENS - {4, 6})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("optimizer", "adamw", "optimizer 'adamw' is unknown: choose one of sgd"),
        ("sampling", "random", "sampling 'random' is unknown: choose one of cyclic"),
        ("momentum", 0.5, "momentum is 0.5: it must be 0"),
        ("lora_rank", 2, "lora_rank is 2: it must be 0"),
        ("mask", "wagle", "mask 'wagle' is unknown: choose one of none"),
    ],
)
def test_what_it_does_not_have_is_refused_in_one_line(name, value, message):
    with pytest.raises(ValueError, match=f"^{message}"):
        FirstEpoch(**{name: value})
