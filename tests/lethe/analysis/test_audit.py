"""An audit as a table: the numbers of the spec by hand, what is tested, and what is left out and said."""

from dataclasses import replace

import numpy as np
import pytest
from tiny_audit import GONE, HALF, KNOWN, NF4, ONE, TWO, Made, audited, card, made, pair

from lethe.analysis.audit import audit_of, stored_items
from lethe.analysis.flips import sign_flip_p
from lethe.store.audits import PLAIN


def only(found):
    (row,) = audited(found).rows
    return row


def test_one_of_two_items_comes_back_as_by_hand_and_two_items_prove_nothing():
    row = only(made([0, 0], [100, 0]))
    assert (row.recovery.net.value, row.recovery.recovered.value, row.n) == (50, 0.5, 2)
    assert row.p == pytest.approx(0.5, abs=0.02)  # one item moved: a coin
    assert not row.back


def test_what_comes_to_one_that_never_knew_is_no_recovery():
    row = only(made([0, 0], [100, 0], never_stressed=[100, 0]))
    assert (row.recovery.net.value, row.recovery.recovered.value, row.p) == (0, 0.5, 1)


def test_a_stress_that_does_nothing_brings_back_exactly_nothing():
    row = only(made(HALF, HALF))
    assert (row.recovery.net.value, row.recovery.change.value, row.p) == (0, 0, 1)


def test_the_retrained_model_is_at_0_and_the_target_at_1():
    same = only(made(HALF, GONE, never=HALF, never_stressed=GONE))
    assert (same.recovery.position.value, same.recovery.residual.value, same.recovery.net.value) == (0, 0, 0)
    target = only(made(KNOWN, KNOWN))
    assert (target.recovery.position.value, target.recovery.residual.value) == (1, 1)


def test_half_of_thirty_items_that_come_back_are_no_chance():
    row = only(made(GONE, HALF))
    assert row.recovery.net.value == 50
    assert row.p < 0.001
    assert row.back
    assert (row.returned.gone, row.returned.back, row.returned.never) == (30, 15, 0)


def test_what_a_damaged_model_regains_up_to_one_that_never_knew_is_no_memory():
    style = [60.0] * 30  # what the retrained model has of it, having read texts of the same kind
    damaged = only(made(GONE, style, never=style, never_stressed=style))
    assert (damaged.recovery.net.value, damaged.recovery.above.value, damaged.gain) == (60, 0, 0)
    assert damaged.p == 1
    beyond = only(made(GONE, [90.0] * 30, never=style, never_stressed=style))
    assert (beyond.recovery.net.value, beyond.recovery.above.value, beyond.gain) == (90, 30, 30)
    assert beyond.back


def test_only_items_that_count_are_compared():
    found = made(GONE, GONE)
    found.readings.pop()
    counts = [i >= 10 for i in range(30)]
    found.add(ONE, NF4, {"knowmem_f": [100.0] * 10 + [0.0] * 20}, counts=counts)
    row = only(found)
    assert (row.n, row.recovery.net.value, row.values) == (20, 0, (0, 0))


def test_p_are_corrected_for_all_rows_of_forgotten_scores_by_holm():
    found = made(GONE, [100.0] * 6 + [0.0] * 24)
    alone = only(found)
    others = (TWO, "13@step/10/student", "14@step/10/student")
    for whose in others:
        made(GONE, GONE, whose=whose, found=found)
    rows = audited(found).rows
    assert [row.candidate for row in rows] == [ONE, *others]
    assert alone.back
    assert rows[0].corrected == pytest.approx(4 * alone.p)
    assert not rows[0].back


def test_items_that_each_gain_next_to_nothing_are_not_what_comes_back():
    row = only(made(GONE, [0.5] * 30))
    assert row.corrected < 0.001
    assert row.recovery.net.low < 0
    assert not row.back


def test_damage_is_told_and_not_tested():
    found = Made()
    for whose in ("target", "retrained", ONE):
        pair(found, whose, NF4, {"utility": KNOWN, "privleak": KNOWN}, {"utility": HALF, "privleak": KNOWN})
    row = only(found)
    assert (row.score, row.recovery.change.value, row.forgotten) == ("utility", -50, False)
    assert np.isnan(row.corrected)


def test_a_candidate_whose_utility_is_below_four_fifths_of_the_targets_has_collapsed():
    found = Made()
    for whose, value in (("target", 60.0), ("retrained", 60.0), (ONE, 47.9), (TWO, 48.1)):
        pair(found, whose, NF4, {"utility": [value] * 4}, {"utility": [value] * 4})
    audit = audited(found)
    assert (audit.collapsed(ONE), audit.collapsed(TWO), audit.collapsed("nobody")) == (True, False, None)


def test_readings_of_other_code_are_left_out_and_said():
    found = made(GONE, HALF)
    for stress in (PLAIN, NF4, "cast:bf16", "relearn_benign"):
        for whose in (TWO, "14@step/1/student"):
            found.add(whose, stress, {"knowmem_f": KNOWN}, code="b")
    audit = audited(found)
    assert audit.candidates == (ONE,)
    assert "8 of 14 readings were measured by other code and are left out" in audit.notes[0]


def test_without_a_retrained_model_there_is_only_the_change():
    found = made(GONE, HALF)
    found.readings = [r for r in found.readings if r.whose != "retrained"]
    row = only(found)
    assert row.recovery.net is row.recovery.position is None
    assert (row.recovery.change.value, row.retrained, row.back) == (50, None, False)
    assert any("no retrained model" in note for note in audited(found).notes)


def test_without_a_target_net_recovery_stays_and_the_lack_is_said():
    found = made(GONE, HALF)
    found.readings = [r for r in found.readings if r.whose != "target"]
    row = only(found)
    assert row.recovery.net.value == 50
    assert row.recovery.recovered is row.recovery.position is row.returned is None
    assert any("target was not measured" in note for note in audited(found).notes)


def test_of_a_score_that_is_high_where_something_is_forgotten_a_fall_comes_back():
    def turned(score):
        return card(score).__class__(name=score, goal="maximize", forgotten=True)

    found = made(KNOWN, HALF, never=KNOWN, never_stressed=KNOWN)
    (row,) = audit_of(found.readings, found.read, turned).rows
    assert row.recovery.net.value == 50
    assert row.values == (100, 50)
    assert row.back


def test_items_that_are_gone_and_refused_stresses_are_said():
    found = made(GONE, HALF).add(ONE, "relearn_in", None, refused="no text names them").add(TWO, PLAIN, None)
    audit = audited(found)
    assert [r.refused for r in audit.refused] == ["no text names them"]
    assert any(f"items of {TWO} under no stress are not on this machine" in note for note in audit.notes)


def test_items_are_read_from_where_they_lie(tmp_path):
    found = made(GONE, HALF, found=Made(tmp_path))
    assert audit_of(found.readings, stored_items, card).rows == audited(found).rows
    assert stored_items(found.readings[0].__class__(**found.readings[0].to_json() | {"items": "gone.parquet"})) is None


def test_of_stresses_that_give_both_models_alike_one_in_twenty_seems_a_recovery():
    rng = np.random.default_rng(0)
    gains = [100.0 * (rng.random((2, 40)) < 0.1) for _ in range(400)]
    alarms = np.mean([sign_flip_p(own - retrained) < 0.05 for own, retrained in gains])
    assert alarms < 0.06


@pytest.mark.parametrize(("answered", "told"), [(24, 1), (19, 0)])
def test_of_another_form_only_what_the_target_answers_in_it_counts_and_twenty_items_at_least(answered, told):
    form = "format:lower"
    stressed = [100.0] * answered + [0.0] * (30 - answered)
    found = Made()
    for whose, plain, under in (("target", KNOWN, stressed), ("retrained", GONE, GONE), (ONE, GONE, stressed)):
        pair(found, whose, form, {"knowmem_f": plain}, {"knowmem_f": under})
    found.readings = [replace(r, asks=r.stress == form) for r in found.readings]
    audit = audited(found)
    assert [(row.n, row.values) for row in audit.rows] == [(answered, (0.0, 100.0))] * told
    few = "" if told else ": fewer than 20, so nothing is told by it"
    assert audit.notes == (
        f"Under {form} the target answers {answered} of 30 questions about forgotten text, and only those count{few}.",
    )
