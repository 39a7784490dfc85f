"""The scope term: only retain text is learned, behind forget text; any method takes it, and without weight it is none."""

from dataclasses import replace

import pytest
import torch
from given import GIVEN
from hypothesis import given
from hypothesis import strategies as st
from tiny import tiny_model, tiny_tokenizer

from trainables.method import Candidate, Start, Step
from trainables.methods import METHODS, find_method, unlearn
from trainables.training.scope import mixed, scope_terms
from trainables.weighted import Weighted

WEIGHTED = [name for name in METHODS if issubclass(find_method(name).settings, Weighted)]
FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3]], [[0, 8, 6], [0, 11, 12, 13], [0, 14]]
SMALL = {"steps": 1, "eval_every": 1, "batch_size": 6, "sampling": "cyclic", "warmup_steps": 0}


def start_of(forget=FORGET, retain=RETAIN) -> Start:
    return Start(model=None, forget=forget, retain=retain, pad=2, tokenizer=tiny_tokenizer())


def texts(*written: str) -> list[list[int]]:
    return tiny_tokenizer()(list(written)).input_ids


def test_the_row_of_two_texts_is_both_with_a_blank_line_between_and_learns_the_second_alone():
    read = mixed(start_of(texts("a b"), texts("c d")), 512, seed=0)
    (ids,), (leading,) = read.sequences, read.leading
    assert tiny_tokenizer().decode(ids) == "<s>a b\n\nc d"
    assert tiny_tokenizer().decode(ids[1 + leading :]) == "c d"


def test_every_sequence_of_both_sides_stands_in_a_row_and_the_seed_says_beside_which():
    def rows(seed: int) -> list[str]:
        start = start_of(texts("a", "b"), texts("v", "w", "x", "y", "z"))
        return [tiny_tokenizer().decode(ids, skip_special_tokens=True) for ids in mixed(start, 512, seed).sequences]

    assert {row[0] for row in rows(0)} == set("ab")
    assert sorted(row[-1] for row in rows(0)) == list("vwxyz")
    assert rows(0) == rows(0)
    assert len({tuple(sorted(rows(seed))) for seed in range(8)}) > 1


@given(before=st.integers(1, 40), behind=st.integers(1, 40), longest=st.integers(4, 60))
def test_a_row_that_is_too_long_loses_the_forget_text_s_beginning_first_and_its_labels_stay_on_retain_text(
    before, behind, longest
):
    start = start_of([[0, *[5] * before]], [[0, *[7] * behind]])
    read = mixed(start, longest, seed=0)
    (ids,), (leading,) = read.sequences, read.leading
    assert len(ids) <= longest
    assert ids[0] == 0
    assert set(ids[1 + leading :]) == {7}
    assert 7 not in ids[: 1 + leading]
    assert len(ids[1 + leading :]) >= min(behind, longest // 2)


def steps_of(name: str, **changes) -> list[Step]:
    settings = find_method(name).settings(**(SMALL | changes))
    records = list(unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2, **GIVEN))
    return [record for record in records if isinstance(record, Step)]


@pytest.mark.parametrize("name", WEIGHTED)
def test_every_method_of_a_forget_term_takes_it_for_three_more_passes_and_what_else_it_sees_stays_the_same(name):
    (plain,), (scoped,) = steps_of(name), steps_of(name, scope_weight=0.5)
    assert scoped.cost == plain.cost + 3 * 6
    losses = [key for key in plain.values if key.endswith("loss")]
    assert {key: scoped.values[key] for key in losses} == {key: plain.values[key] for key in losses}
    assert "scope_loss" not in plain.values


def test_it_is_the_plain_mean_of_minus_log_p_over_the_tokens_of_retain_text():
    read, values = mixed(replace(start_of(), model=None), 512, seed=0), []
    for ids, leading in zip(read.sequences, read.leading, strict=True):
        with torch.no_grad():
            p = tiny_model()(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
        values += [-p[place, ids[place + 1]].item() for place in range(leading, len(ids) - 1)]
    (step,) = steps_of("ga", scope_weight=2.0, batch_size=3)
    assert step.values["scope_loss"] == pytest.approx(sum(values) / len(values), rel=1e-5)


def test_alone_with_a_weight_it_moves_the_model_and_without_one_there_is_none():
    def moved(**changes) -> bool:
        settings = find_method("ga").settings(**(SMALL | {"forget_weight": 0.0} | changes))
        records = unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2, **GIVEN)
        (found,) = [record.subject for record in records if isinstance(record, Candidate)]
        return any(
            not torch.equal(weight, tiny_model().state_dict()[key]) for key, weight in found.state_dict().items()
        )

    assert moved(scope_weight=1.0)
    assert not moved(scope_weight=0.0)
    assert scope_terms(start_of(), find_method("ga").settings(), None) == []


def test_no_row_has_more_tokens_than_the_model_has_positions():
    settings = find_method("ga").settings(scope_weight=1.0)
    (term,) = scope_terms(start_of([[0, *[5] * 30]], [[0, *[7] * 30]]), settings, 16)
    assert [len(ids) for ids in term.sequences] == [16]
