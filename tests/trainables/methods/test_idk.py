"""IdkNLL: its first step beside a plain formula; only refusals are learned, each row's own; what is read is derived."""

import pytest
import torch
from given import GIVEN
from tiny import tiny_model, tiny_tokenizer

from trainables.failures import Unfit
from trainables.method import Candidate, Step
from trainables.methods import find_method, needs_of, unlearn

RETAIN = [[0, 5, 9, 7, 4], [0, 3]]
ALL = {"steps": 1, "eval_every": 1, "sampling": "cyclic", "warmup_steps": 0, "retain_term": "none"}


def records_of(model=None, given=GIVEN, **changes) -> list:
    settings = find_method("idk").settings(**(ALL | changes))
    return list(unlearn(model or tiny_model(), [[0, 5]], RETAIN, settings, pad=2, **given))


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
