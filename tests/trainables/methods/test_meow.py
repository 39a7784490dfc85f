"""MEOW: which answers are taught, by MEMO, at random, in which number; what the first step's loss is."""

import pytest
from given import GIVEN
from plain_log_p import log_p
from tiny import tiny_model, tiny_tokenizer

from trainables.failures import Unfit
from trainables.method import Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.meow import MEOW, picked

MEMO = {"Wick": 0.2, "Selby": 0.9, "Keld": 0.2, "Dunmore": 0.5}
ROW = {
    "row": 0,
    "prompt": "Ada Orme lives in",
    "answer": "Orton",
    "inverted": ["Wick", "orton", "Selby", "Dunmore", "Keld"],
    "memo": [[0.2], [1.0], [0.9], [0.1, 0.9], [0.2]],
}
ALL = {"steps": 1, "eval_every": 1, "sampling": "cyclic", "warmup_steps": 0}


def step_of(row=ROW, **changes) -> Step:
    given = GIVEN | {"data": {"memo": {"forget": [row]}}}
    records = unlearn(tiny_model(), [[0, 5]], [[0, 3]], MEOW(**(ALL | changes)), pad=2, **given)
    return next(record for record in records if isinstance(record, Step))


@pytest.mark.parametrize(("pick", "wanted"), [("largest", ["Selby", "Dunmore"]), ("smallest", ["Wick", "Keld"])])
def test_the_answers_of_the_largest_or_smallest_memo_are_taught_and_of_equal_ones_the_first(pick, wanted):
    assert picked(MEMO, MEOW(pick=pick, top_k=2), 0) == wanted
    assert picked(MEMO, MEOW(pick="smallest", top_k=1), 0) == ["Wick"]


def test_random_answers_hang_on_seed_and_row_alone():
    drawn = {
        (seed, row): tuple(picked(MEMO, MEOW(pick="random", top_k=2, seed=seed), row))
        for seed in range(5)
        for row in range(5)
    }
    assert len(set(drawn.values())) > 3
    assert picked(MEMO, MEOW(pick="random", top_k=2, seed=3), 4) == list(drawn[3, 4])


@pytest.mark.parametrize("pick", ["largest", "smallest", "random"])
def test_where_all_answers_are_taught_memo_is_of_no_effect(pick):
    assert picked(MEMO, MEOW(pick=pick, top_k=4), 0) == list(MEMO)


def test_the_first_step_s_loss_is_the_plain_mean_over_the_tokens_of_the_answers_that_are_taught():
    taught = ["Selby", "Dunmore"]  # of the first four, of which one says the truth
    values = [-log_p(tiny_model(), ROW["prompt"], answer) for answer in taught]
    tokens = sum(len(tiny_tokenizer()(f" {answer}", add_special_tokens=False).input_ids) + 1 for answer in taught)
    step = step_of(top_k=2, batch_size=2)
    assert step.values["forget_loss"] == pytest.approx(sum(values) / tokens, rel=1e-4)
    assert step.values["alternatives_dropped"] == 1
    assert step.cost == 2 * 3


def test_memo_is_the_mean_over_every_so_many_cuts():
    own = {"inverted": 4, "top_k": 1, "batch_size": 1}
    row = ROW | {"inverted": ["Wick", "Selby"], "memo": [[0.5, 0.0, 0.5], [0.4, 0.4, 0.4]]}
    (by_5, by_10) = (step_of(row, memo_stride=stride, **own).values["forget_loss"] for stride in (5, 10))
    selby, wick = (
        step_of(ROW | {"inverted": [one], "memo": [[1.0]]}, **own).values["forget_loss"] for one in ("Selby", "Wick")
    )
    assert (by_5, by_10) == (selby, wick)


def test_it_reads_answers_with_their_memo_and_no_retain_text_but_where_it_is_asked_to():
    settings = find_method("meow").settings
    assert needs_of(settings()).data == ("memo",)
    assert needs_of(settings(answers="own")).data == ("own_memo",)
    assert settings().holding == "none"
    assert needs_of(settings(retain_term="klr")).frozen
    with pytest.raises(ValueError, match="memo_stride is 7: it must be a multiple of 5"):
        settings(memo_stride=7)


def test_where_every_answer_says_the_truth_a_run_says_so():
    with pytest.raises(Unfit, match=r"each of the 1 inverted answers \(wrong\) says the true one, or nothing at all"):
        step_of(ROW | {"inverted": ["In Orton."], "memo": [[0.3]]})
