"""Which scores a study asks for, and what has to hold: chosen, or refused in one line."""

import pytest

from lethe.fronts.objectives import Constraint, Objective, describe_constraints
from lethe_cli.objectives import asked_stresses, bounds_of, check_guard, choose_constraints, choose_objectives
from trainables.scores import searched_scores

ALL = dict.fromkeys(searched_scores(), "")


def chosen(text, available):
    objectives, notes = choose_objectives(text, available)
    return {o.score: o.goal for o in objectives}, notes


def test_the_default_objectives_are_the_four_of_muse():
    goals = {"verbmem_f": "minimize", "knowmem_f": "minimize", "privleak": "zero", "knowmem_r": "maximize"}
    assert chosen(None, ALL) == (goals, [])


def test_without_questions_general_utility_takes_knowmem_s_place_and_that_is_said():
    goals, notes = chosen(None, ALL | {"knowmem_f": "no questions", "knowmem_r": "no questions"})
    assert goals == {"verbmem_f": "minimize", "privleak": "zero", "utility": "maximize"}
    assert notes == ["knowmem_f is absent: no questions", "knowmem_r is absent: no questions"]


def test_privleak_never_gives_way_in_silence_and_the_way_out_is_named():
    with pytest.raises(
        ValueError, match=r"no retrained.*; without it, choose --objectives verbmem_f,knowmem_f,knowmem_r$"
    ):
        choose_objectives(None, ALL | {"privleak": "no retrained model"})
    poor = ALL | dict.fromkeys(("privleak", "knowmem_f", "knowmem_r"), "not there")
    with pytest.raises(ValueError, match=r"choose --objectives verbmem_f,utility$"):
        choose_objectives(None, poor)


def test_a_goal_of_one_s_own_stands_in_the_place_of_the_usual_one():
    goals, _ = chosen("verbmem_f:zero, utility", ALL)
    assert goals == {"verbmem_f": "zero", "utility": "maximize"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"objective '' is unknown: choose {', '.join(searched_scores())}"),
        ("rouge", "objective 'rouge' is unknown: choose verbmem_f"),
        ("utility:up", "goal 'up' of objective 'utility' is unknown: choose minimize, maximize, zero"),
        ("utility:retrained", "goal 'retrained' of objective 'utility' is unknown: choose minimize, maximize, zero$"),
        ("mcq_f:up", "goal 'up' of objective 'mcq_f' is unknown: choose minimize, maximize, zero, retrained$"),
        ("mcq_f:retrained", "^mcq_f_gap is among the objectives, but no retrained model$"),
        ("leak_at_100_f:retrained,leak_at_100_f_gap", "objective 'leak_at_100_f_gap' is given twice"),
        ("utility,verbmem_f,utility:zero", "objective 'utility' is given twice"),
        ("privleak", "privleak is among the objectives, but no retrained model"),
    ],
)
def test_an_objective_that_cannot_be_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        choose_objectives(text, ALL | dict.fromkeys(("privleak", "mcq_f_gap"), "no retrained model"))


def test_near_the_retrained_model_is_a_gap_whose_best_is_0_from_either_side():
    goals, _ = chosen("answer_prob_f:retrained, mcq_f, extraction_strength_f_gap", ALL)
    assert goals == {"answer_prob_f_gap": "zero", "mcq_f": "minimize", "extraction_strength_f_gap": "zero"}
    (objective,), _ = choose_objectives("answer_prob_f:retrained", ALL)
    assert [objective.loss(gap) for gap in (-12.0, 0.0, 12.0)] == [12.0, 0.0, 12.0]
    held = Constraint(score="answer_prob_f_gap", floor=-10.0, ceiling=10.0)
    assert constrained("answer_prob_f_gap:10") == [held]


ROBUST = {**ALL, "net_quant:nf4": "", "net_relearn_benign:k=5,lr=0.0001": ""}


def test_a_stress_is_an_objective_whose_net_recovery_is_to_be_low():
    text = "knowmem_f,quant:nf4, relearn_benign:k=5,lr=1e-4,knowmem_r:maximize"
    goals, _ = chosen(text, ROBUST)
    robust = {"net_quant:nf4": "minimize", "net_relearn_benign:k=5,lr=0.0001": "minimize"}
    assert goals == {"knowmem_f": "minimize"} | robust | {"knowmem_r": "maximize"}
    assert chosen("net_quant:nf4", ROBUST) == chosen("quant", ROBUST)
    with pytest.raises(ValueError, match="objective 'net_quant:nf4' is given twice"):
        choose_objectives("quant:nf4,quant", ROBUST)
    with pytest.raises(ValueError, match="^net_quant:nf4 is among the objectives, but no retrained model"):
        choose_objectives("quant", ROBUST | {"net_quant:nf4": "no retrained model"})


def test_a_stress_may_be_a_constraint_and_is_told_as_it_may_be_typed():
    texts = ["quant:nf4:10,knowmem_r:80", "relearn_benign:k=5,lr=1e-4:20"]
    found = choose_constraints(texts, [], ROBUST)
    assert [(c.score, c.floor, c.ceiling) for c in found] == [
        ("net_quant:nf4", None, 10.0),
        ("knowmem_r", 80.0, None),
        ("net_relearn_benign:k=5,lr=0.0001", None, 20.0),
    ]
    assert choose_constraints([describe_constraints(found)], [], ROBUST) == found
    with pytest.raises(ValueError, match="constraint 'quant:nf4' is not SCORE:NUMBER"):
        choose_constraints(["quant:nf4"], [], ROBUST)


def test_the_stresses_that_are_asked_for_are_found_among_objectives_and_constraints():
    asked = asked_stresses("knowmem_f,quant", ["knowmem_r:80,net_quant:nf4:10", "relearn_benign:k=5:20"])
    assert asked == ("quant:nf4", "relearn_benign:k=5")
    assert asked_stresses(None, ["knowmem_r:80"]) == ()


def constrained(*texts, objectives=()):
    """What texts of --constrain ask for, where all scores can be had."""
    return list(choose_constraints(texts, objectives, ALL))


def test_a_constraint_is_at_least_at_most_or_within_by_its_score_s_goal():
    assert constrained("knowmem_r:80, verbmem_f:20", "privleak:10") == [
        Constraint(score="knowmem_r", floor=80.0),
        Constraint(score="verbmem_f", ceiling=20.0),
        Constraint(score="privleak", floor=-10.0, ceiling=10.0),
    ]


def test_a_goal_of_one_s_own_holds_for_the_constraint_too():
    own = [Objective(score="verbmem_f", goal="zero")]
    assert constrained("verbmem_f:5", objectives=own) == [Constraint(score="verbmem_f", floor=-5.0, ceiling=5.0)]


def test_constraints_are_told_as_they_are_typed():
    assert describe_constraints(constrained("knowmem_r:80.5,verbmem_f:20,privleak:10")) == (
        "knowmem_r:80.5, verbmem_f:20, privleak:10"
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "constraint '' is on an unknown score: choose verbmem_f"),
        ("rouge:1", "constraint 'rouge:1' is on an unknown score: choose verbmem_f"),
        ("knowmem_r", "constraint 'knowmem_r' is not SCORE:NUMBER, for example knowmem_r:80"),
        ("knowmem_r:much", "constraint 'knowmem_r:much' is not SCORE:NUMBER"),
        ("knowmem_r:nan", "constraint 'knowmem_r:nan' is not SCORE:NUMBER"),
        (
            "knowmem_r:inf",
            "constraint 'knowmem_r:inf' is beyond what any model scores: give a number between 0 and 100",
        ),
        ("knowmem_r:120", "constraint 'knowmem_r:120' is beyond what any model scores"),
        ("privleak:-5", "constraint 'privleak:-5' is beyond what any model scores"),
        ("utility:70,utility:80", "constraint on 'utility' is given twice: name each score once"),
    ],
)
def test_a_constraint_that_cannot_be_is_named(text, message):
    with pytest.raises(ValueError, match=message):
        constrained(text)


def test_a_constraint_on_what_the_benchmark_cannot_give_has_its_reason():
    with pytest.raises(ValueError, match="privleak is among the constraints, but no retrained model"):
        choose_constraints(["privleak:5"], (), ALL | {"privleak": "no retrained model"})


def test_the_guard_is_a_share_of_what_is_to_stay_and_a_margin_above_what_the_references_repeat():
    guard = check_guard(ALL, ())
    target, retrained = {"utility": [50.0], "repetition_f": [0.5]}, {"utility": [90.0], "repetition_f": [1.5]}
    assert bounds_of(guard, target, retrained) == [
        Constraint(score="utility", floor=40.0),
        Constraint(score="repetition_f", ceiling=11.5),
    ]
    assert bounds_of({"repetition_f": 10.0}, target, {}) == [Constraint(score="repetition_f", ceiling=10.5)]
    salad = {"nonwords_f": [2.0, 1.0, 3.0]}
    assert bounds_of(guard, {"nonwords_f": [0.0]}, salad) == [Constraint(score="nonwords_f", ceiling=12.0)]
    assert bounds_of(guard, salad, {}) == []  # the target recites: it is no measure of words that none has read
    loops = {"repetition_f": [97.0, 95.0, 99.0]}
    assert bounds_of({"repetition_f": 10.0}, loops, {}) == [Constraint(score="repetition_f", ceiling=100.0)]


def test_the_guard_leaves_out_what_is_constrained_or_cannot_be_measured():
    assert set(check_guard(ALL, ())) == {"utility", "repetition_f", "nonwords_f"}
    assert set(check_guard(ALL, constrained("repetition_f:100,nonwords_f:100"))) == {"utility"}
    assert set(check_guard(ALL | {"repetition_f": "no split verbmem/forget"}, ())) == {"utility", "nonwords_f"}
