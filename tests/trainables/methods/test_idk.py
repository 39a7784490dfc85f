"""IdkNLL: its first step beside a plain formula; only refusals are learned, each row's own; what is read is derived.

With answer preservation the retain term stands beside a plain formula too, and nothing else is different.
"""

import math

import pytest
import torch
from given import GIVEN
from plain_log_p import log_p
from tiny import tiny_model, tiny_tokenizer

from trainables.failures import Unfit
from trainables.method import Candidate, Step
from trainables.methods import find_method, needs_of, unlearn

RETAIN = [[0, 5, 9, 7, 4], [0, 3]]
ALL = {"steps": 1, "eval_every": 1, "sampling": "cyclic", "warmup_steps": 0}
ALONE = {"idk": {"retain_term": "none"}, "idk_ap": {}}


def records_of(name="idk", given=GIVEN, **changes) -> list:
    settings = find_method(name).settings(**(ALL | ALONE[name] | changes))
    return list(unlearn(tiny_model(), [[0, 5]], RETAIN, settings, pad=2, **given))


def plain_mean(asked: str, column: str) -> float:
    """The mean of -log p over the tokens of every refusal of every row, one sequence after the other."""
    values = []
    for row, refusals in zip(GIVEN["data"][asked]["forget"], GIVEN["data"]["refusals"]["forget"], strict=False):
        for text in refusals["texts"]:
            prompt = tiny_tokenizer()(row[column]).input_ids
            answer = [*tiny_tokenizer()(f" {text}", add_special_tokens=False).input_ids, 1]
            with torch.no_grad():
                p = (
                    tiny_model()(torch.tensor([prompt + answer]))
                    .logits[0, len(prompt) - 1 : -1]
                    .double()
                    .log_softmax(-1)
                )
            values += [-p[place, token].item() for place, token in enumerate(answer)]
    return sum(values) / len(values)


@pytest.mark.parametrize(("asked", "column"), [("qa", "prompt"), ("pairs", "prefix")])
def test_the_first_step_s_loss_is_the_plain_mean_over_all_tokens_of_the_refusals(asked, column):
    rows = 4 * len(GIVEN["data"][asked]["forget"])
    (step,) = (record for record in records_of(asked=asked, batch_size=rows) if isinstance(record, Step))
    assert step.values["forget_loss"] == pytest.approx(plain_mean(asked, column), rel=1e-5)
    assert step.cost == 3 * rows


def test_without_any_weight_the_target_keeps_its_bits():
    found = [record.subject for record in records_of(forget_weight=0.0) if isinstance(record, Candidate)]
    before = tiny_model().state_dict()
    assert all(torch.equal(weight, before[key]) for key, weight in found[-1].state_dict().items())


def test_of_a_share_of_the_forget_set_only_its_rows_are_refused():
    few = [r.values for r in records_of(forget_fraction=0.2, batch_size=8) if isinstance(r, Step)]
    twice = [r.values for r in records_of(forget_fraction=0.2, batch_size=16) if isinstance(r, Step)]
    assert few[0]["forget_loss"] == pytest.approx(twice[0]["forget_loss"], rel=1e-5)  # of two rows eight sequences


def test_it_needs_what_is_asked_and_refusals():
    settings = find_method("idk").settings
    assert needs_of(settings()).data == ("qa", "refusals")
    assert needs_of(settings(asked="pairs", retain_term="klr")).data == ("pairs", "refusals")
    assert needs_of(settings(retain_term="klr")).frozen


def test_where_nothing_can_be_asked_a_run_says_so():
    given = GIVEN | {"data": {"pairs": {"forget": []}, "refusals": {"forget": []}}}
    with pytest.raises(Unfit, match="no pairs are made of the forget texts: idk has nothing to refuse"):
        records_of(given=given, asked="pairs")


def test_a_row_of_answer_preservation_is_a_retain_question_s_answer_and_its_refusal_by_a_plain_formula():
    rows, refusals = GIVEN["data"]["qa"]["retain1"], GIVEN["data"]["refusals"]["retain1"]
    values = []
    for row, offered in zip(rows, refusals, strict=False):
        true, refused = (log_p(tiny_model(), row["prompt"], text) for text in (row["answer"], offered["texts"][0]))
        values.append(2 * math.log(1 + math.exp(-0.5 * (true - refused))))
    records = records_of("idk_ap", ap_beta=0.5, batch_size=len(rows))
    (step,) = (record for record in records if isinstance(record, Step))
    assert step.values["retain_loss"] == pytest.approx(sum(values) / len(values), rel=1e-4)
    assert step.cost == len(rows) * (3 + 2 * 3)


def test_answer_preservation_reads_no_retain_text_and_needs_two_sequences_in_a_pass():
    settings = find_method("idk_ap").settings
    assert needs_of(settings()).data == ("qa", "refusals")
    assert (needs_of(settings()).together, needs_of(settings(retain_weight=0.0)).together) == (2, 1)
    assert not needs_of(settings()).frozen
    assert settings.beside()["regularisation"] == {"scope_weight": ()}
    with pytest.raises(ValueError, match="retain_term 'gdr' is unknown: choose one of ap"):
        settings(retain_term="gdr")


def test_without_its_weight_it_is_idk_without_a_retain_term_to_the_bit():
    alone, held = (
        next(r.subject for r in records_of(name=name, **own) if isinstance(r, Candidate))
        for name, own in (("idk", {"retain_term": "none"}), ("idk_ap", {"retain_weight": 0.0}))
    )
    assert all(torch.equal(weight, held.state_dict()[key]) for key, weight in alone.state_dict().items())


def test_where_no_retain_question_can_be_asked_a_run_says_so():
    data = GIVEN["data"] | {"qa": GIVEN["data"]["qa"] | {"retain1": []}}
    with pytest.raises(Unfit, match="no qa are made of the retain texts: idk_ap has no answers to preserve"):
        records_of("idk_ap", given=GIVEN | {"data": data})
