"""What candidates hold beside the reference models: by hand, what is told, and in words."""

import io
from dataclasses import replace

import pytest
from rich.console import Console
from tiny_audit import GONE, KNOWN, NF4, ONE, TWO, Made, audited, made

from lethe.analysis import audit_words, trace_words
from lethe.analysis.recovery import Estimated
from lethe.display.audit_table import draw_traces

TELLS = {"cka_f": "how alike the target's its states lie"}


def traced(values, found=None):
    """An audit of a trace: whose -> its items."""
    found = found or Made()
    for whose, own in values.items():
        found.add(whose, "cka", {"cka_f": own})
        found.readings[-1] = replace(found.readings[-1], tells=TELLS)
    return found


RETRAINED = [40.0, 60.0] * 15
HALFWAY = [70.0, 80.0] * 15


def test_a_candidate_is_placed_between_the_retrained_model_and_the_target():
    audit = audited(traced({"target": KNOWN, "retrained": RETRAINED, ONE: HALFWAY}))
    (row,) = audit.traces
    assert (row.value, row.target, row.retrained, row.apart.value, row.n) == (75, 100, 50, 25, 30)
    assert row.position.value == pytest.approx(0.5)
    assert row.told
    assert (audit.rows, audit.stresses) == ((), ())


def test_the_retrained_model_itself_is_at_0_and_not_told_and_the_target_at_1():
    audit = audited(traced({"target": KNOWN, "retrained": RETRAINED, ONE: RETRAINED, TWO: KNOWN}))
    own, known = audit.traces
    assert (own.position.value, own.apart.value, own.p, own.told) == (0, 0, 1, False)
    assert (known.position.value, known.told) == (1, True)


def test_lower_than_the_retrained_model_is_told_as_well():
    (row,) = audited(traced({"target": KNOWN, "retrained": RETRAINED, ONE: GONE})).traces
    assert row.told
    assert row.position.value == -1


def test_where_the_reference_models_may_as_well_be_the_same_there_is_no_position():
    (row,) = audited(traced({"target": RETRAINED, "retrained": RETRAINED, ONE: HALFWAY})).traces
    assert (row.position, row.told) == (None, True)


def test_without_a_retrained_model_nothing_is_told():
    audit = audited(traced({"target": KNOWN, ONE: HALFWAY}))
    (row,) = audit.traces
    assert (row.apart, row.retrained, row.told, row.p) == (None, None, False, pytest.approx(float("nan"), nan_ok=True))
    assert "without a retrained model nothing is told" in trace_words.summary(audit)[0]


def test_traces_and_stresses_do_not_mix():
    found = traced({"target": KNOWN, "retrained": RETRAINED, ONE: HALFWAY}, made([0] * 30, [100] * 30))
    audit = audited(found)
    assert audit.stresses == (NF4,)
    assert [row.score for row in audit.rows] == ["knowmem_f"]
    assert len(audit.traces) == 1
    assert "cka" not in " ".join(audit_words.summary(audit))


def test_it_is_said_in_words_and_tables():
    audit = audited(traced({"target": KNOWN, "retrained": RETRAINED, ONE: HALFWAY, TWO: RETRAINED}))
    assert trace_words.summary(audit) == [
        "trial 3, step 10, student, apart from its answers: it is told from the retrained model by 1 of 1 scores: cka_f "
        "75.0 (target 100.0, retrained 50.0).",
        "trial 12, step 40, student, apart from its answers: it is told from the retrained model by none of 1 scores.",
    ]
    table = trace_words.table(audit)
    assert table[0][:6] == ["trial 3, step 10, student", "cka_f", TELLS["cka_f"], "75.0", "100.0", "50.0"]
    assert len(table[0]) == len(trace_words.HEAD)
    assert "over all 2 rows" in trace_words.method(audit)
    assert draw_traces(audit, [ONE]).row_count == 2  # its name, and its score below
    assert draw_traces(audit, []) is None


def test_in_a_table_of_100_columns_no_number_is_cut():
    audit = audited(traced({"target": KNOWN, "retrained": RETRAINED, ONE: HALFWAY}))
    (row,) = audit.traces
    wide = replace(
        row,
        candidate="1234@strength/0.125/student",
        score="exact_memorization_of_noise_shift_f",
        value=-108.31,
        target=100.0,
        retrained=-120.5,
        position=Estimated(-1.638, -2.141, -1.123),
        apart=Estimated(-176.31, -192.84, -153.05),
    )
    console = Console(file=io.StringIO(), width=100)
    console.print(draw_traces(replace(audit, traces=(wide,)), [wide.candidate]))
    *_, name, line = console.file.getvalue().splitlines()
    assert name.startswith("1234@st")
    assert line.split("…")[1].split() == trace_words_of(wide)


def trace_words_of(row):
    """A row's numbers as a terminal shows them, in the order of its columns."""
    told = dict(zip(trace_words.HEAD, trace_words.cells(row), strict=True))
    return " ".join(told[name].replace("−", "-") for name in trace_words.NUMBERS).split()


def test_a_score_that_a_model_does_not_have_has_no_row_and_no_reference():
    found = Made()
    for whose, scores in (("target", ("rr",)), ("retrained", ("rr", "qamrc")), (ONE, ("rr", "qamrc")), (TWO, ("rr",))):
        found.add(whose, "honesty", dict.fromkeys(scores, HALFWAY))
        found.readings[-1] = replace(found.readings[-1], tells={"rr": "refuses", "qamrc": "stands by that"})
    rows = audited(found).traces
    assert [(row.candidate, row.score) for row in rows] == [(ONE, "rr"), (ONE, "qamrc"), (TWO, "rr")]
    assert (rows[1].target, rows[1].retrained) == (None, 75)
