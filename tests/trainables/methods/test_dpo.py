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


WRONG = [
    {"row": 0, "prompt": "Ada Orme lives in", "object": "Orton", "wrong": ["Wick", "orton.", " ", "Selby"]},
    {"row": 1, "prompt": "Bo Quill makes", "object": "paper", "wrong": ["Paper", "the paper", "", "paper"]},
    {"row": 2, "prompt": "Cy Marsh pays", "object": "26", "wrong": ["31", "47", "62", "26 people"]},
]
INVENTED = GIVEN | {"data": {"wrong": {"forget": WRONG}}}


def test_an_alternative_is_compared_with_the_true_answer_unless_it_says_that_or_nothing_and_those_are_counted(read):
    (step,) = steps_of("altpo", given=INVENTED, batch_size=5)
    told = list(zip(read[::2], read[1::2], strict=True))
    wanted = [("Ada Orme lives in", "Orton", "Wick"), ("Ada Orme lives in", "Orton", "Selby")]
    wanted += [("Cy Marsh pays", "26", number) for number in ("31", "47", "62")]
    assert sorted(told) == sorted((f"{prompt} {wrong}", f"{prompt} {true}") for prompt, true, wrong in wanted)
    assert step.values["alternatives_dropped"] == 7
    assert step.cost == 5 * 2 * 3 + 5 * 2


def test_a_mean_is_over_a_question_s_alternatives_in_turn_where_it_has_fewer(read):
    (step,) = steps_of("altpo", given=INVENTED, altpo_k="mean", alternatives=4, batch_size=2)
    groups = {tuple(read[first : first + 5]) for first in (0, 5)}
    ada, cy = "Ada Orme lives in", "Cy Marsh pays"
    assert groups == {
        tuple(f"{ada} {answer}" for answer in ("Wick", "Selby", "Wick", "Selby", "Orton")),
        tuple(f"{cy} {answer}" for answer in ("31", "47", "62", "31", "26")),
    }
    assert step.cost == 2 * 5 * 3 + 2 * 5


def test_by_mean_and_by_rows_the_second_step_s_loss_is_the_plain_formula_s():
    row = {"row": 0, "prompt": "Cy Marsh pays", "object": "26", "wrong": ["31", "47"]}
    given = GIVEN | {"data": {"wrong": {"forget": [row]}}}
    found = {}
    for kind, size in (("rows", 2), ("mean", 1)):
        own = {"given": given, "altpo_k": kind, "alternatives": 2, "batch_size": size, "lr": 1e-3}
        (moved,) = [record.subject for record in records_of("altpo", **own) if isinstance(record, Candidate)]
        one, two, true = (
            log_p(moved.eval(), row["prompt"], text) - log_p(tiny_model(), row["prompt"], text)
            for text in ("31", "47", "26")
        )
        margins = {"rows": [one - true, two - true], "mean": [(one + two) / 2 - true]}[kind]
        expected = sum(20 * math.log(1 + math.exp(-0.1 * margin)) for margin in margins) / len(margins)
        found[kind] = steps_of("altpo", **own, steps=2)[1].values["forget_loss"]
        assert found[kind] == pytest.approx(expected, **CLOSE)
    assert found["rows"] != found["mean"]


@pytest.mark.parametrize(("altpo_k", "together"), [("rows", 2), ("mean", 4)])
def test_what_is_compared_is_planned_for_one_pass_and_what_is_read_is_what_is_chosen(altpo_k, together):
    settings = find_method("altpo").settings
    assert needs_of(settings(altpo_k=altpo_k, alternatives=3)).together == together
    assert needs_of(settings()).data == ("wrong",)
    assert needs_of(settings(answers="own")).data == ("own",)


def test_what_the_target_writes_itself_is_preferred_over_the_answer(read):
    own = {"row": 0, "question": "?", "prompt": "Where?", "answer": "In Orton.", "own": ["In Wick.", "in orton"]}
    steps_of("altpo", given=GIVEN | {"data": {"own": {"forget": [own]}}}, answers="own", batch_size=1)
    assert read == ["Where? In Wick.", "Where? In Orton."]


def test_where_every_alternative_says_the_truth_a_run_says_so():
    given = GIVEN | {"data": {"wrong": {"forget": WRONG[1:2]}}}
    with pytest.raises(Unfit, match=r"each of the 4 alternatives \(wrong\) says the true answer, or nothing at all"):
        records_of("altpo", given=given)
