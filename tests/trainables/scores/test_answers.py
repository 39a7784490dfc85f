"""Scores of right answers beside wrong ones: their hand numbers, and what a slow plain loop over KnowMem gives."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import DECODE, Passes
from trainables.scores import all_scores, mcq
from trainables.scores.answer_prob import answer_prob, answer_prob_sum
from trainables.scores.answers import FORGET, PREPARED, Answered, prepare, too_few_answers
from trainables.scores.evaluate import Evaluator
from trainables.scores.knowmem import KnowMem, knowmem_prompts
from trainables.scores.leak import leak_at
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.score import Items

MUSE = PROTOCOLS["muse"]
LIKELY = ("answer_prob_f", "answer_prob_r", "answer_prob_sum_f", "leak_at_100_f")
NAMES = (*LIKELY, "mcq_f", "mcq_r")


def test_the_hand_numbers():
    assert answer_prob(np.log([1 / 2, 1 / 4])) == pytest.approx(0.35355, abs=1e-5)
    assert answer_prob_sum(np.log([1 / 2, 1 / 4])) == pytest.approx(1 / 8)
    assert leak_at(1 / 8, 10) == pytest.approx(0.73692, abs=1e-5)
    assert (leak_at(0.0, 100), leak_at(1.0, 100)) == (0.0, 1.0)
    assert leak_at(1e-18, 100) == pytest.approx(1e-16)


def leaves(prompt, answer) -> int:
    """How many tokens prompt + answer has in common with the prompt."""
    before, whole = (tiny_tokenizer()(text).input_ids for text in (prompt, prompt + answer))
    return next((i for i, (a, b) in enumerate(zip(before, whole, strict=False)) if a != b), len(before))


def plain_logprobs(model, prompt, answer, start):
    """The log-probs of an answer's tokens from a place on, by one pass."""
    ids = torch.tensor([tiny_tokenizer()(prompt + answer).input_ids])
    with torch.no_grad():
        found = model(ids).logits.log_softmax(dim=-1)[0, :-1].gather(1, ids[0, 1:, None])[:, 0].double().numpy()
    return found[start - 1 :]


def plain_choice(model, prompt, choices) -> str:
    """The likeliest of choices that go on from the same tokens."""
    start = min(leaves(prompt, choice) for choice in choices)
    return max(choices, key=lambda choice: plain_logprobs(model, prompt, choice, start).sum())


@pytest.mark.parametrize("decode", DECODE)
def test_every_item_is_that_of_a_plain_loop(decode):
    benchmark, model = tiny_benchmark(6), tiny_model()
    items = Evaluator(benchmark, tiny_tokenizer(), MUSE, None, passes=Passes(decode=decode)).with_scores(NAMES)(model)
    items = items.items
    for split, ending in (("forget_qa", "f"), ("retain_qa", "r")):
        rows = benchmark.rows("knowmem", split)
        task = prepare(split, benchmark, tiny_tokenizer(), MUSE)
        prompts = knowmem_prompts(rows, benchmark.rows("knowmem", f"{split}_icl"))
        truths = [
            plain_logprobs(model, prompt, row["answer"], leaves(prompt, row["answer"]))
            for prompt, row in zip(prompts, rows, strict=True)
        ]
        likely = [100 * math.exp(values.mean()) for values in truths]
        np.testing.assert_allclose(items.query(f"score == 'answer_prob_{ending}'").value, likely, rtol=1e-4)
        picked = [plain_choice(model, *asked) for asked in zip(prompts, task.choices, strict=True)]
        assert items.query(f"score == 'mcq_{ending}'").output.tolist() == picked
        right = [100.0 * (a == row["answer"]) for a, row in zip(picked, rows, strict=True)]
        assert items.query(f"score == 'mcq_{ending}'").value.tolist() == right
        if ending == "f":
            leaks = [100 * (1 - (1 - math.exp(values.sum())) ** 100) for values in truths]
            np.testing.assert_allclose(items.query("score == 'leak_at_100_f'").value, leaks, rtol=1e-3, atol=1e-6)
            whole = [100 * math.exp(values.sum()) for values in truths]
            np.testing.assert_allclose(items.query("score == 'answer_prob_sum_f'").value, whole, rtol=1e-3, atol=1e-9)


def test_scores_of_a_split_share_one_pass():
    forgotten = [all_scores()[name].prepare for name in ("knowmem_f", "answer_prob_f", "leak_at_100_f", "mcq_f")]
    assert all(found is PREPARED[FORGET] for found in forgotten)


def test_an_answer_that_merges_with_its_prompt_begins_where_it_leaves_it():
    """`Answer: ` ends in a space: a tokenizer may read it with the answer's first letters, but not with a digit."""
    rows = [{"question": "Where?", "answer": "mill"}, {"question": "When?", "answer": "7"}]
    task = prepare("forget_qa", questions(rows, [{"question": "Who?", "answer": " A"}] * 2), tiny_tokenizer(), MUSE)
    stems = [len(one.prompt) - one.dropped for one in task.asked]
    branches, begins = [one.answers for one in task.asked], [one.begins[-1] for one in task.asked]
    rows = zip(stems, branches, task.choices, begins, task.prompts, strict=True)
    for end, branches, choices, begin, prompt in rows:
        before = tiny_tokenizer()(prompt).input_ids
        stem = before[:end]
        for branch, choice in zip(branches, choices, strict=True):
            assert [*stem, *branch] == tiny_tokenizer()(prompt + choice).input_ids
        # What precedes the truth in its branch is the prompt's.
        assert [*stem, *branches[-1][:begin]] == before[: len(stem) + begin]


def test_a_truth_that_is_only_as_likely_as_a_wrong_answer_is_not_picked():
    read = [np.array([-1.0, -2.0, -3.0, -1.0]), np.array([-2.0, -2.0, -2.0, -1.0])]
    answered = Answered(Items([], [], [], np.empty(0)), ["p", "q"], ["t", "t"], [["a", "b", "c", "t"]] * 2, [], read)
    items = all_scores()["mcq_f"].items(answered)
    assert (items.outputs, items.values.tolist()) == (["a", "t"], [0.0, 100.0])


def questions(forget, retain) -> Benchmark:
    shots = [{"question": "A?", "answer": "b"}]
    splits = {"forget_qa": forget, "retain_qa": retain, "forget_qa_icl": shots, "retain_qa_icl": shots}
    return Benchmark("few", {("knowmem", split): rows for split, rows in splits.items()})


def test_a_benchmark_with_too_few_different_answers_has_no_multiple_choice_but_the_other_scores():
    yes, no = ({"question": f"Is {word} one?", "answer": word} for word in ("Yes", "No"))
    benchmark = questions([yes, no], [no, {"question": "Is it?", "answer": "yes."}])
    reason = "has too few different answers: a question of knowmem/forget_qa has 1 wrong ones, and takes 3"
    assert too_few_answers("forget_qa", benchmark) == reason
    assert [name for name in NAMES if all_scores()[name].can_read(benchmark)] == list(LIKELY)
    assert too_few_answers("forget_qa", tiny_benchmark()) == ""
    scores = Evaluator(benchmark, tiny_tokenizer(), MUSE, None).with_scores(NAMES)(tiny_model()).scores
    assert set(scores) == set(LIKELY)


def test_a_protocol_that_strips_strips_choices():
    rows = tiny_benchmark().rows("knowmem", "forget_qa")
    spaced = [row | {"answer": f" {row['answer']} "} for row in rows]
    other = dataclasses.replace(MUSE, strip=True)
    task = prepare("forget_qa", questions(spaced, rows), tiny_tokenizer(), other)
    assert task.truths == [row["answer"] for row in rows]


def test_it_says_how_long_the_longest_text_is():
    task = prepare("forget_qa", tiny_benchmark(), tiny_tokenizer(), MUSE)
    read = [len(one.prompt) - one.dropped + len(branch) for one in task.asked for branch in one.answers]
    written = [len(one.prompt) + MUSE.knowmem_tokens for one in task.asked]
    assert task.longest["knowmem/forget_qa"] == max(read + written) - 1


@pytest.mark.parametrize("decode", DECODE)
def test_what_it_writes_is_what_knowmem_alone_writes(decode):
    benchmark, model, passes = tiny_benchmark(6), tiny_model(), Passes(decode=decode)
    both = prepare("forget_qa", benchmark, tiny_tokenizer(), MUSE)(model, passes=passes).written
    rows, shots = benchmark.rows("knowmem", "forget_qa"), benchmark.rows("knowmem", "forget_qa_icl")
    alone = KnowMem(rows, shots, tiny_tokenizer(), MUSE)(model, passes=passes)
    assert (both.prompts, both.outputs, both.truths) == (alone.prompts, alone.outputs, alone.truths)
    assert both.values.tolist() == alone.values.tolist()


def test_a_model_that_gives_no_numbers_has_none_for_a_score():
    model = tiny_model()
    model.lm_head.weight.data.fill_(math.nan)
    scores = Evaluator(tiny_benchmark(), tiny_tokenizer(), MUSE, None).with_scores(NAMES)(model).scores
    assert {name for name in NAMES if math.isnan(scores[name].value)} == set(LIKELY)


def test_their_cards_are_for_searches_and_not_for_tables():
    cards = [all_scores()[name].card for name in NAMES]
    assert all(card.searched and not card.shown and card.item for card in cards)
    assert {card.name: card.goal for card in cards if card.name.endswith("_r")} == dict.fromkeys(
        ("answer_prob_r", "mcq_r"), "maximize"
    )
    assert all(score.unfit for score in mcq.SCORES)
