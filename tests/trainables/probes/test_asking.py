"""Questions in other forms: what becomes of them, and what does not."""

import pytest
from tiny import question, tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.probes import parse
from trainables.probes.asking import BEFORE, FORMS, slipped
from trainables.scores.evaluate import Evaluator
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.protocol import PROTOCOLS

SPLITS = ("forget_qa", "forget_qa_icl")
WHERE = "Where did Ada Orme really open another mill?"


@pytest.mark.parametrize(
    ("form", "asked"),
    [
        ("lower", "where did ada orme really open another mill?"),
        ("upper", "WHERE DID ADA ORME REALLY OPEN ANOTHER MILL?"),
        ("prefix", f"{BEFORE} {WHERE}"),
        ("suffix", f"{WHERE} Answer in a few words."),
        ("no_shots", WHERE),
        ("template", WHERE),
        ("space", WHERE),
    ],
)
def test_forms_are_as_by_hand(form, asked):
    assert FORMS[form](WHERE) == asked
    assert len(BEFORE.split()) == 16


def test_a_slip_swaps_two_letters_of_long_words_and_leaves_names_and_short_words_alone():
    before, after = WHERE.split(), slipped(WHERE).split()
    moved = [one for one, other in zip(before, after, strict=True) if one != other]
    assert moved == ["Where", "really", "another"]
    for one, other in zip(before, after, strict=True):
        assert sorted(one) == sorted(other)
        assert sum(a != b for a, b in zip(one, other, strict=True)) in (0, 2)
    assert slipped(WHERE) == slipped(WHERE)
    assert slipped(WHERE, seed=1) != slipped(WHERE)
    assert slipped("aaaaa") == "aaaaa"  # nothing that could be swapped


@pytest.mark.parametrize("form", sorted(FORMS))
def test_only_questions_change_and_answers_stay_in_their_order(form):
    benchmark = tiny_benchmark()
    asked = parse(f"format:{form}").asked(benchmark)
    for split in ("forget_qa", "retain_qa"):
        before, after = (known.rows("knowmem", split) for known in (benchmark, asked))
        assert [row["answer"].strip() for row in after] == [row["answer"] for row in before]
        assert [row["question"] for row in after] == [FORMS[form](row["question"]) for row in before]
        examples = asked.rows("knowmem", f"{split}_icl")
        assert len(examples) == (0 if form == "no_shots" else 2)
        assert (examples == benchmark.rows("knowmem", f"{split}_icl")) == (form not in ("no_shots", "template"))
    others = {key: rows for key, rows in asked.splits.items() if key[0] != "knowmem"}
    assert others == {key: rows for key, rows in benchmark.splits.items() if key[0] != "knowmem"}


def test_an_evaluator_on_other_questions_gives_what_one_made_for_them_gives():
    stress = parse("format:lower")
    asked = stress.asked(tiny_benchmark())
    rest = (tiny_tokenizer(), PROTOCOLS["muse"], None)
    moved = Evaluator(tiny_benchmark(), *rest).with_scores(stress.read_by).on(asked, tiny_tokenizer())(tiny_model())
    made = Evaluator(asked, *rest).with_scores(stress.read_by)(tiny_model())
    assert moved.scores == made.scores
    assert moved.items.equals(made.items)
    assert question(0).lower() in moved.items.prompt[0]


def test_a_template_and_a_missing_space_are_as_by_hand():
    prompts = {}
    for form in ("template", "space"):
        rows, shots = (parse(f"format:{form}").asked(tiny_benchmark()).rows("knowmem", s) for s in SPLITS)
        prompts[form] = knowmem_prompts(rows[:1], shots)[0]
        assert rows[0]["answer"] == {"template": "Orton", "space": " Orton"}[form]
    example = "{}: Where did Gus Holt open a mill?\n{}: Ashby\n\n{}: Where did Hal Finch open a mill?\n{}: Thorne\n\n"
    assert prompts["template"] == example.format(*"QAQA") + "Q: Where did Ada Orme open a mill?\nA: "
    told = example.format(*["Question", "Answer"] * 2)
    assert prompts["space"] == told + "Question: Where did Ada Orme open a mill?\nAnswer:"


def test_an_unknown_form_is_named_with_the_choices():
    with pytest.raises(ValueError, match="lower, upper, typo, prefix, suffix, no_shots, template, space"):
        parse("format:whispered")
