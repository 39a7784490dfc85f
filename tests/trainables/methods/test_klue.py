"""KLUE: which neurons know a fact by hand; only they move; an answer that is no longer given leaves."""

import pytest
import torch
from given import GIVEN
from tiny import tiny_model

from trainables.failures import Unfit
from trainables.method import Candidate, Step
from trainables.methods import needs_of, unlearn
from trainables.methods.klue import KLUE, gives, knowledge, others
from trainables.training.neurons import top_neurons

RETAIN = [[0, 60, 61, 62], [0, 9, 12]]
SMALL = {"steps": 4, "eval_every": 2, "batch_size": 4, "lr": 1e-2, "warmup_steps": 0, "look_every": 100}


def run(given=GIVEN, **changes) -> tuple[list[dict], list[dict]]:
    steps, weights = [], []
    for record in unlearn(tiny_model(), [[0, 5]], RETAIN, KLUE(**(SMALL | changes)), pad=2, **given):
        if isinstance(record, Step):
            steps.append(record.row())
        elif isinstance(record, Candidate):
            weights.append({name: value.clone() for name, value in record.subject.state_dict().items()})
    return steps, weights


def test_which_neuron_knows_a_fact_by_hand():
    own = torch.tensor([2.0, -1.0, 0.5]) * torch.tensor([0.1, 0.3, -0.2])
    assert own.tolist() == pytest.approx([0.2, -0.3, -0.1])
    assert top_neurons(own[None], 1 / 3).tolist() == [[True, False, False]]
    left = knowledge(own, torch.tensor([0.3, -0.3, 0.0]), 1.0)
    assert left.tolist() == pytest.approx([-0.1, 0.0, -0.1])
    assert top_neurons(left[None], 1 / 3).tolist() == [[False, True, False]]
    assert torch.equal(knowledge(own, torch.ones(3), 0.0), own)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_only_the_weights_of_the_kept_neurons_move_also_under_weight_decay(optimizer):
    _, (*_, last) = run(klue_density=0.05, optimizer=optimizer, weight_decay=0.5)
    before = tiny_model().state_dict()
    changed = {name: last[name] != before[name] for name in before}
    assert {name for name, marks in changed.items() if marks.any()} <= {name for name in changed if ".mlp." in name}
    neurons = 0
    for block in range(2):
        of = {part: changed[f"model.layers.{block}.mlp.{part}_proj.weight"] for part in ("gate", "up", "down")}
        rows = of["gate"].any(1) | of["up"].any(1) | of["down"].any(0)
        neurons += int(rows.sum())
        assert not of["gate"][~rows].any()
        assert not of["down"][:, ~rows].any()
    assert neurons == round(0.05 * 2 * 64)


def test_others_are_the_next_questions_that_have_another_answer():
    asked = [("a", "x"), ("b", "y"), ("c", "x"), ("d", "z"), ("e", "w"), ("f", "v")]
    assert others(asked, 0) == ["b", "d", "e"]
    assert others(asked, 4) == ["f", "a", "b"]
    assert others([("a", "x"), ("b", "x")], 0) == []


def test_an_answer_is_given_where_its_words_stand_one_behind_the_other():
    assert gives("qa", "Ada Orme", "that was ada orme, who")
    assert not gives("qa", "Ada Orme", "Orme Ada")
    assert not gives("qa", "Ada Orme", "")
    assert gives("pairs", "one two three four five", "one two and five")
    assert not gives("pairs", "one two three four five six seven eight", "eight of them")


def test_what_is_no_longer_given_leaves_and_then_no_step_moves_anything():
    steps, weights = run(look_every=2)  # a random model gives no answer
    rows = len(GIVEN["data"]["qa"]["forget"])
    assert [row["rows"] for row in steps] == [rows, rows, 0, 0]
    assert [row["cost"] for row in steps[1:]] == [24, rows, 0]
    assert steps[0]["cost"] == 24 + 3 * rows * 4  # its own question and three others, once
    assert all(torch.equal(weights[0][name], value) for name, value in weights[1].items())


def test_it_needs_what_is_asked_and_a_mask_and_says_where_nothing_can_be_asked():
    assert needs_of(KLUE()).data == ("qa",)
    assert needs_of(KLUE(asked="pairs")).data == ("pairs",)
    assert needs_of(KLUE()).masked
    assert needs_of(KLUE()).trainable == "neurons"
    with pytest.raises(Unfit, match="no pairs are made of the forget texts: klue has nothing to forget"):
        run(GIVEN | {"data": {"pairs": {"forget": []}}}, asked="pairs")
