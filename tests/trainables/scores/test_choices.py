"""Wrong answers are right ones of other questions of the kind, of both splits, the same whatever the order of rows."""

from trainables.scores.choices import kind, wrong_answers

TOWNS = [f"Town{c}" for c in "abcdef"]


def where(names, towns):
    return [{"question": f"In which town is the {n} Mill?", "answer": t} for n, t in zip(names, towns, strict=True)]


OWN = where(["Ada", "Bo Quill", "Cy"], TOWNS[:3])
OTHERS = where(["Dee", "Eli", "Fay"], TOWNS[3:])
YEARS = [{"question": f"When was the {n} Mill of {year} closed?", "answer": f"{year}"} for n, year in [("Ada", 1901)]]


def test_a_kind_is_a_wording_without_names_and_numbers():
    assert kind("In which town is the Torquin Mill?") == kind("In which town is the Bo Quill Mill?")
    assert kind("When was the Ada Mill of 1901 closed?") == kind("When was the Bo Mill of 1950 closed?")
    assert kind("Who runs the Ada Mill?") != kind("Who closed the Ada Mill?")


def test_with_the_truth_as_many_are_from_one_split_as_from_the_other():
    for row, wrong in zip(OWN, wrong_answers([*OWN, *YEARS], [*OTHERS, *YEARS])[:3], strict=True):
        assert len({row["answer"], *wrong}) == 4
        assert sorted(answer in TOWNS[:3] for answer in wrong) == [False, False, True]


def test_a_split_that_has_too_few_of_the_kind_is_made_up_for_by_the_other_and_then_by_other_kinds():
    (wrong,) = wrong_answers(OWN[:1], [*OTHERS, *YEARS])
    assert set(wrong) == set(TOWNS[3:])
    (wrong,) = wrong_answers(OWN[:1], [*OTHERS[:2], *YEARS])
    assert set(wrong) == {*TOWNS[3:5], "1901"}


def test_no_wrong_answer_is_the_truth_but_for_its_case_or_right_elsewhere_and_none_comes_twice():
    own = [{"question": "Who?", "answer": "Ada Orme"}]
    others = [{"question": "Who?", "answer": "Bo"}] + [
        {"question": "And who?", "answer": answer} for answer in ("ada orme.", "Cy", "cy!", "+", "-")
    ]
    assert sorted(wrong_answers(own, others, 9)[0]) == ["+", "-", "Cy"]


def test_what_is_drawn_hangs_on_the_questions_and_on_no_order_of_rows():
    assert wrong_answers(OWN, OTHERS) == wrong_answers(OWN[::-1], OTHERS[::-1])[::-1]
    many = where([f"X{i}" for i in range(40)], [f"Y{i}" for i in range(40)])
    assert len({tuple(wrong) for wrong in wrong_answers(many, [])}) > 30  # not the same three for all
