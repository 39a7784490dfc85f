"""The worst of several forms of a question, by hand: of all models alike, of forms that the target answers."""

from dataclasses import replace

import pandas as pd
import pytest
from tiny_audit import GONE, KNOWN, ONE, TWO, Made, audited, pair

from lethe.analysis import audit_words
from lethe.analysis.worst import most_of
from trainables.probes import WORSTS, worst_of

WORST = "format_worst"
FORMS = WORSTS[WORST]
ITEMS = 24


def asked(under, forms=FORMS):
    """An audit of forms: `under` gives of each model its values in each form; before them only the target knows."""
    found = Made()
    for whose, own in under.items():
        plain = KNOWN[:ITEMS] if whose == "target" else GONE[:ITEMS]
        for form, values in zip(forms, own, strict=True):
            pair(found, whose, form, {"knowmem_f": plain}, {"knowmem_f": values})
    found.readings = [replace(r, asks=r.stress in forms, worst_of=worst_of(r.stress)) for r in found.readings]
    return found


def some(*places):
    return [100.0 if i in places else 0.0 for i in range(ITEMS)]


def of_worst(found):
    return [row for row in audited(found).rows if row.stress == WORST]


def test_the_most_of_each_item_is_that_of_the_columns_in_which_it_is_answered():
    values = pd.DataFrame({"a": [10.0, 90.0, 30.0], "b": [50.0, 20.0, 80.0]})
    answered = pd.DataFrame({"a": [True, False, False], "b": [True, True, False]})
    assert most_of(values, answered).tolist() == [50.0, 20.0, 80.0]
    assert most_of(values, pd.DataFrame()).tolist() == [50.0, 90.0, 80.0]


def test_an_item_that_any_form_brings_back_is_back_and_what_forms_give_one_that_never_knew_is_taken_off():
    under = {
        "target": [KNOWN[:ITEMS]] * 4,
        "retrained": [some(), some(23), some(), some(0, 23)],
        ONE: [some(0, 1), some(1, 2), some(), some(3)],
    }
    (row,) = of_worst(asked(under))
    worst_u, worst_r = 100 * 4 / ITEMS, 100 * 2 / ITEMS
    assert row.values == (0, pytest.approx(worst_u))
    assert row.retrained == (0, pytest.approx(worst_r))
    assert row.recovery.net.value == row.recovery.above.value == pytest.approx(worst_u - worst_r)


def test_a_form_that_the_target_does_not_answer_gives_nothing_and_all_alike_is_nothing():
    deaf = [some(), KNOWN[:ITEMS], KNOWN[:ITEMS], KNOWN[:ITEMS]]
    (row,) = of_worst(asked({"target": deaf, "retrained": [GONE[:ITEMS]] * 4, ONE: [KNOWN[:ITEMS], *[some()] * 3]}))
    assert row.values == (0, 0)
    same = [some(1), some(2), some(3), some(4)]
    (row,) = of_worst(asked({"target": [KNOWN[:ITEMS]] * 4, "retrained": same, ONE: same}))
    assert (row.recovery.net.value, row.p, row.back) == (0, 1, False)


def test_where_a_form_is_missing_there_is_no_worst_and_fewer_than_20_questions_tell_nothing():
    whole = {"target": [KNOWN[:ITEMS]] * 4, "retrained": [GONE[:ITEMS]] * 4, ONE: [some(1)] * 4, TWO: [some(1)] * 4}
    found = asked(whole)
    found.readings = [r for r in found.readings if (r.whose, r.stress) != (TWO, FORMS[0])]
    assert [row.candidate for row in of_worst(found)] == [ONE]
    few = asked(whole | {"target": [some(*range(19))] * 4})
    assert of_worst(few) == []
    assert any(f"Under {WORST} the target answers 19 of 24 questions" in note for note in audited(few).notes)


def test_a_reader_is_told_that_the_best_of_several_is_higher_by_chance():
    found = audited(asked({"target": [KNOWN[:ITEMS]] * 4, "retrained": [GONE[:ITEMS]] * 4, ONE: [KNOWN[:ITEMS]] * 4}))
    (said,) = [line for line in audit_words.summary(found) if line.startswith(WORST)]
    assert "format:lower, format:prefix, format:template and format:space" in said
    assert [row.back for row in found.rows if row.stress == WORST] == [True]


def test_the_forms_are_probes_and_the_name_stands_for_them():
    from trainables.probes import parse
    from trainables.probes.measuring import split_probes

    assert [parse(name).name for name in FORMS] == list(FORMS)
    assert split_probes([WORST, "quant:nf4"]) == [*FORMS, "quant:nf4"]
    with pytest.raises(ValueError, match=r"^format_worst stands for format:lower, .*has no settings of its own"):
        split_probes([f"{WORST}:k=1"])
