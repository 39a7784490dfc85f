"""What an audit says: each sentence follows from the corrected test, and tells a collapse from forgetting."""

from tiny_audit import GONE, HALF, KNOWN, NF4, ONE, TWO, Made, audited, made, pair

from lethe.analysis import audit_words
from lethe.store.audits import PLAIN


def verdict(found, candidate=ONE):
    return audit_words.verdict(audited(found), candidate)


def with_utility(found, **values):
    """An audit in which models have a utility."""
    for reading in found.readings:
        if reading.stress == PLAIN:
            whose = {ONE: "one", TWO: "two"}.get(reading.whose, reading.whose)
            reading.scores["utility"] = [values.get(whose, 60.0)] * 3
    return found


def test_what_comes_back_is_told_with_its_size_and_what_one_gains_that_never_knew():
    said = verdict(with_utility(made(GONE, HALF)))
    assert said.startswith("what seemed forgotten comes back under quant:nf4 (knowmem_f +50 points, ")
    assert "; a model that never knew gains 0)" in said
    assert said.endswith("15 of 30 items that it no longer gave it gives again (the retrained model: 0)")


def test_what_chance_explains_comes_back_nowhere_and_the_doubt_is_told():
    said = verdict(with_utility(made(GONE, [100.0, *GONE[1:]])))
    assert said.startswith("nothing comes back under the one stress, quant:nf4, as far as the items tell: ")
    assert "points is not ruled out" in said


def test_what_it_picks_among_answers_and_no_longer_says_is_told_where_chance_does_not_explain_it():
    def found(picks):
        made_up = Made()
        for whose, said, picked in (("target", KNOWN, KNOWN), ("retrained", GONE, HALF), (ONE, GONE, picks)):
            pair(made_up, whose, NF4, values := {"knowmem_f": said, "mcq_f": picked}, values)
        return made_up

    assert verdict(found(KNOWN)).split("; ")[-2] == (
        "it is only silent: of the 30 questions that it no longer answers it still picks out the right answer to 30 "
        "(the retrained model: 15)"
    )
    assert "only silent" not in verdict(found(HALF))


def test_a_damaged_model_that_is_up_to_the_retrained_one_again_is_told_as_that():
    style = [60.0] * 30
    found = audited(made(GONE, style, never=style, never_stressed=style))
    assert [audit_words.told(found, row) for row in found.rows] == ["up to retrained"]
    assert audit_words.verdict(found, ONE).startswith("nothing comes back under the one stress, quant:nf4")


def test_several_stresses_are_counted():
    found = with_utility(made(GONE, GONE))
    for whose, values in (("target", KNOWN), ("retrained", GONE), (ONE, GONE)):
        found.add(whose, "quant:fp4", {"knowmem_f": values})
    assert verdict(found).startswith("nothing comes back under any of 2 stresses")


def test_of_a_collapsed_model_it_means_nothing_that_nothing_comes_back():
    said = verdict(with_utility(made(GONE, GONE), one=10.0))
    assert said == "it has collapsed (utility 10.0 against the target's 60.0): that nothing comes back means nothing"
    assert (
        audit_words.told(audited(with_utility(made(GONE, GONE), one=10.0)), audited(made(GONE, GONE)).rows[0])
        == "collapsed"
    )


def test_an_interval_above_0_that_the_correction_does_not_bear_is_no_recovery():
    found = made(GONE, [100.0] * 6 + [0.0] * 24)
    for i in range(20):
        made(GONE, GONE, whose=f"{20 + i}@step/1/student", found=found)
    row = audited(found).rows[0]
    assert row.p < 0.05
    assert row.recovery.net.low > 0
    assert verdict(found).startswith("nothing comes back")
    assert audit_words.summary(audited(found))[0].startswith(
        "In the 21 candidates that were audited nothing comes back"
    )


def test_the_first_line_counts_the_candidates_in_which_something_comes_back():
    found = made(GONE, HALF)
    first = "What seemed forgotten comes back in"
    assert audit_words.summary(audited(found))[0] == f"{first} the one candidate that was audited."
    made(GONE, GONE, whose="7@step/1/student", found=found)
    assert audit_words.summary(audited(found))[0] == f"{first} 1 of the 2 candidates that were audited."


def test_without_a_retrained_model_no_recovery_is_claimed():
    found = made(GONE, HALF)
    found.readings = [r for r in found.readings if r.whose != "retrained"]
    assert verdict(found).startswith("without a retrained model nothing is told from what a stress teaches any model")
    assert audit_words.summary(audited(found))[0].startswith("Whether anything comes back is not known")


def test_a_stress_that_the_target_does_not_bear_is_named():
    third = [100.0] * 10 + [0.0] * 20
    for score, under, said in (
        ("utility", HALF, ["falls from 100.0 to 50.0 of utility"]),
        ("knowmem_f", HALF, []),
        ("knowmem_f", third, ["falls from 100.0 to 33.3 of knowmem_f"]),
    ):
        found = Made()
        for whose in ("target", "retrained", ONE):
            pair(found, whose, NF4, {score: KNOWN}, {score: under})
        lines = list(audit_words.too_hard(audited(found)))
        ends = "that nothing comes back under it means little."
        assert lines == [f"Under quant:nf4 the target itself {words}: {ends}" for words in said]


def test_refusals_stand_once_for_each_reason():
    found = made(GONE, GONE)
    for whose in ("target", "retrained", ONE):
        found.add(whose, "relearn_in", None, refused="no text names them")
    found.add("target", "relearn_benign", None, refused="no such text").add(
        ONE, "relearn_benign", None, refused="too long"
    )
    assert audit_words.refusals(audited(found)) == [
        "relearn_benign (target): no such text",
        f"relearn_benign ({ONE}): too long",
        "relearn_in (all models): no text names them",
    ]


def test_the_table_has_a_cell_for_each_head_and_a_study_without_an_audit_names_the_command():
    audit = audited(made(GONE, HALF))
    (cells,) = audit_words.table(audit, audit.rows)
    assert len(cells) == len(audit_words.HEAD)
    assert cells[6:9] == ["0.0 → 50.0", "100.0 → 100.0", "0.0 → 0.0"]
    assert cells[3] == "comes back"
    assert audit_words.summary(audited(Made())) == ["There is no audit of this study yet: lethe audit STUDY makes one."]
