"""IdkDPO and AltPO: the first steps beside a plain formula; which answers are preferred, and that they stay the same."""

import math

import pytest
import torch
from given import GIVEN
from plain_log_p import log_p
from tiny import tiny_model, tiny_tokenizer

from trainables.failures import Unfit
from trainables.method import Candidate, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.training import descend as loop

RETAIN = [[0, 5, 9, 7, 4], [0, 3]]
ALL = {"steps": 1, "eval_every": 1, "sampling": "cyclic", "warmup_steps": 0, "retain_term": "none"}
CLOSE = {"rel": 1e-4}


def records_of(name="dpo", model=None, given=GIVEN, **changes) -> list:
    settings = find_method(name).settings(**(ALL | changes))
    return list(unlearn(model or tiny_model(), [[0, 5]], RETAIN, settings, pad=2, **given))


def steps_of(name="dpo", **changes) -> list[Step]:
    return [record for record in records_of(name, **changes) if isinstance(record, Step)]


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """What is read of every micro-batch that is trained on, as text, in the order of its sequences."""
    seen, forward = [], loop._forward

    def watched(student, term, rows, *rest):
        if torch.is_grad_enabled():
            seen.extend(tiny_tokenizer().decode(term.sequences[row], skip_special_tokens=True) for row in rows)
        return forward(student, term, rows, *rest)

    monkeypatch.setattr(loop, "_forward", watched)
    return seen


def test_at_the_start_the_loss_is_two_over_beta_times_ln_2():
    (step,) = steps_of(dpo_beta=0.5)
    assert step.values["forget_loss"] == pytest.approx(4 * math.log(2), **CLOSE)


@pytest.mark.parametrize(
    ("asked", "prompt", "answer"), [("qa", "prompt", "answer"), ("pairs", "prefix", "continuation")]
)
def test_the_second_step_s_loss_is_the_plain_mean_over_rows_of_what_two_models_find_likely(asked, prompt, answer):
    rows, refusals = GIVEN["data"][asked]["forget"], GIVEN["data"]["refusals"]["forget"]
    own = {"asked": asked, "batch_size": len(rows), "lr": 1e-3}
    (moved,) = [record.subject for record in records_of(**own) if isinstance(record, Candidate)]
    expected = 0.0
    for row, offered in zip(rows, refusals, strict=False):
        refusal, true = (
            log_p(moved.eval(), row[prompt], text) - log_p(tiny_model(), row[prompt], text)
            for text in (offered["texts"][0], row[answer].strip())
        )
        expected += 20 * math.log(1 + math.exp(-0.1 * (refusal - true)))
    found = steps_of(**own, steps=2)[1].values["forget_loss"]
    assert found == pytest.approx(expected / len(rows), **CLOSE)
    assert found < 20 * math.log(2)


def test_of_each_question_the_refusal_that_is_its_own_stands_right_before_the_true_answer(read):
    steps_of(batch_size=12, micro_batch_size=4, steps=2)
    rows, refusals = GIVEN["data"]["qa"]["forget"], GIVEN["data"]["refusals"]["forget"]
    known = [
        (f"{row['prompt']} {offered['texts'][0]}", f"{row['prompt']} {row['answer']}")
        for row, offered in zip(rows, refusals, strict=False)
    ]
    pairs = list(zip(read[::2], read[1::2], strict=True))
    assert len(pairs) == 24
    assert set(pairs) == set(known)


def test_a_step_costs_two_answers_a_question_and_the_first_a_pass_over_all_of_them():
    first, second = steps_of(steps=2, batch_size=5)
    rows = len(GIVEN["data"]["qa"]["forget"])
    assert second.cost == 5 * 2 * 3
    assert first.cost - second.cost == 2 * rows


def test_without_any_weight_the_target_keeps_its_bits():
    found = [record.subject for record in records_of(forget_weight=0.0) if isinstance(record, Candidate)]
    before = tiny_model().state_dict()
    assert all(torch.equal(weight, before[key]) for key, weight in found[-1].state_dict().items())


def test_a_pair_goes_through_the_model_together_also_in_micro_batches_of_one(read):
    halves = steps_of(micro_batch_size=1, steps=2)
    whole = steps_of(steps=2)
    for one, other in zip(halves, whole, strict=True):
        assert one.values == pytest.approx(other.values, **CLOSE)
        assert one.cost == other.cost


def test_it_needs_what_is_asked_and_refusals_and_two_sequences_in_a_pass():
    settings = find_method("dpo").settings
    assert needs_of(settings()).data == ("qa", "refusals")
    assert needs_of(settings(asked="pairs")).data == ("pairs", "refusals")
    assert needs_of(settings()).together == 2
    assert not needs_of(settings()).frozen


def test_where_nothing_can_be_asked_a_run_says_so():
    given = GIVEN | {"data": {"pairs": {"forget": []}, "refusals": {"forget": []}}}
    with pytest.raises(Unfit, match="no pairs are made of the forget texts: dpo has nothing to refuse"):
        records_of(given=given, asked="pairs")
