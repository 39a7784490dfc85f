"""MUSE's C5 and C6 from an ablation's runs: hand numbers of the aggregates, what is left, and what comes back."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tiny_ablation
from tiny_study import GUARD, OBJECTIVES

from lethe.analysis import requests
from lethe.analysis.ablation import read_ablation
from lethe.analysis.designs import one_at_a_time
from lethe.fronts.objectives import Constraint

PARTS = [1, 1, 2, 2, 2]
LEFT = {  # of each part, behind each request, of the seed 0; another seed has as much more
    1: {1: 10.0, 2: 30.0},
    2: {1: 90.0, 2: 20.0},
}
SWITCHES = {"request": {"all": {"request": "all"}, "scal_1": {"request": "scal_1"}, "sust": {"request": "sust"}}}


def record(ledger, number, axis, at, knowmem_r, items):
    values = {"verbmem_f": 50.0, "privleak": -20.0, "knowmem_r": knowmem_r, "utility": 90.0}
    place = {"axis": axis, "at": at, "role": "student", "weights": None, "items": items}
    ledger.record(number, place | {"scores": {name: [v, v - 1, v + 1] for name, v in values.items()}})


def items_of(folder, name, request, more):
    values = [LEFT[part][request] + more for part in PARTS]
    file = folder / f"{name}.parquet"
    pd.DataFrame({"score": "verbmem_f", "item": range(5), "truth": "", "value": values}).to_parquet(file)
    return str(file)


@pytest.fixture
def found(tmp_path):
    """Two seeds of an ablation over all at once, one part, and two requests one after the other."""
    url, design = f"sqlite:///{tmp_path}/s.db", one_at_a_time(SWITCHES)
    ledger = tiny_ablation.start(url, design=design, parts={"verbmem_f": PARTS})
    tiny_ablation.plan_runs(ledger, tiny_ablation.runs_of(design, 2), tiny_ablation.open_storage(url))
    for _ in range(6):
        number, params = ledger.ask()
        seed = params["seed"]
        if params["arm"] == "request=sust":
            for request in (1, 2):
                items = items_of(tmp_path, f"{number}-{request}", request, more=2.0 * seed)
                record(ledger, number, "request", request, 80.0 - 10 * request + seed, items)
        else:
            record(ledger, number, "step", 60, 75.0 if params["arm"] == "baseline" else 79.0, None)
        ledger.tell(number)
    assert {o.score for o in OBJECTIVES} | {c.score for c in GUARD} >= {"verbmem_f", "knowmem_r", "utility"}
    return read_ablation(url, "tiny")


def test_the_aggregates_are_those_computed_by_hand():
    assert requests.dds([0.3, 0.2, 0.5]) == pytest.approx(0.40833, abs=1e-5)  # spec probes.md 11
    assert requests.dus([0.6, 0.5, 0.55]) == pytest.approx(0.925)
    assert requests.dds([0.25]) == 0.25
    assert requests.dus([0.0, 0.0, 0.0]) == 1.0  # dead from the start: why the utility stands beside it


def test_what_is_left_counts_only_what_was_asked_for(found):
    left = requests.successive(found).left().set_index(["seed", "request"])["value"]
    assert left[0, 1] == pytest.approx(10.0)
    assert left[0, 2] == pytest.approx((2 * 30 + 3 * 20) / 5)
    assert left[1, 2] == pytest.approx((2 * 30 + 3 * 20) / 5 + 2)


def test_what_comes_back_of_a_request_is_counted_from_where_it_was_unlearned(found):
    regained = requests.successive(found).regained()
    assert regained[["seed", "about", "value"]].to_numpy().tolist() == [[0, 1, 20.0], [1, 1, 20.0]]


def test_what_is_kept_stands_behind_each_request(found):
    kept = requests.successive(found).kept
    own = kept[kept["score"] == "knowmem_r"].sort_values(["seed", "request"])
    assert own["value"].tolist() == [70.0, 60.0, 71.0, 61.0]


def test_requests_that_grow_are_the_arms_of_their_sizes(found):
    grown = requests.grown(found)
    own = grown[grown["score"] == "knowmem_r"]
    assert own[["request", "mean"]].to_numpy().tolist() == [[1, 79.0]]


def test_all_of_it_is_told_in_sentences(found):
    lines = requests.told(found)
    assert "requests that grow (C5): knowmem_r 79.0" in lines
    assert "requests one after the other (C6): knowmem_r 70.5, 60.5; DUS 0.900 (1 is steady, also at nothing)" in lines
    (left,) = [line for line in lines if line.startswith("what is left")]
    dds = np.mean([np.mean([0.10, 0.24]) + 0.5 * 0.14, np.mean([0.12, 0.26]) + 0.5 * 0.14])
    assert left == (
        f"what is left of all that was asked for so far: verbmem_f 11.0, 25.0; DDS {dds:.3f} (0 is best); "
        "most comes back of request 1: 20.0 points behind later ones"
    )


def test_what_is_only_bounded_from_above_is_nothing_that_was_asked_for(tmp_path, found):
    facts = found.facts
    others = tuple(o for o in facts.objectives if o.score != "verbmem_f")
    bounded = replace(
        facts, objectives=others, constraints=(*facts.constraints, Constraint(score="verbmem_f", ceiling=60.0))
    )
    again = replace(found, facts=bounded)
    assert again.goals["verbmem_f"] == "minimize"
    assert len(requests.successive(again).parts) == 0


def test_without_items_what_is_left_is_not_known_and_not_made_up(found):
    courses = requests.successive(found, read=lambda file: None)
    assert len(courses.parts) == len(courses.left()) == len(courses.regained()) == 0
    assert len(courses.kept) == 8
    assert not any(line.startswith("what is left") for line in requests.told_of_successive(found, courses))


def test_items_of_another_number_than_the_study_dealt_out_are_left_out(found):
    two = pd.DataFrame({"score": "verbmem_f", "item": [0, 1], "value": [1.0, 2.0]})
    assert len(requests.successive(found, read=lambda file: two).parts) == 0


def attacked(forget, holdout):
    """Items of PrivLeak: a value grows as a model finds a text less likely."""
    values, truth = [*forget, *holdout], ["forget"] * len(forget) + ["holdout"] * len(holdout)
    return pd.DataFrame({"score": "privleak", "item": range(len(values)), "truth": truth, "value": values})


def with_models(found):
    """Of two requests, one text each, models that never read it: AUC 1/2 for the first, 3/4 for both."""
    known = {"1": {"forget": [1.0, 9.0], "holdout": [0.0, 2.0]}, "2": {"forget": [1.0, 3.0], "holdout": [0.0, 2.0]}}
    about = {**found.facts.about, requests.PARTS: {"privleak": [1, 2]}, requests.RETRAINED_AT: known}
    return replace(found, facts=replace(found.facts, about=about))


def test_privleak_behind_a_request_is_read_against_a_model_that_never_read_what_was_asked_for(found):
    one = with_models(found)
    own = attacked([-1.0, 9.0], [0.0, 2.0])  # the first text is remembered, the second would be the least likely of all
    table = requests.leaks(one, read=lambda file: own)
    told = table.set_index(["request", "made", "seed"])["value"]
    assert told[requests.C5, 1, 0] == pytest.approx(-100.0)  # AUC 0 against 1/2
    assert told[requests.C6, 1, 1] == pytest.approx(-100.0)
    assert told[requests.C6, 2, 0] == pytest.approx(100 * (0.5 - 0.75) / 0.75)
    assert len(table) == 2 + 4  # two seeds: of one part, and behind each of two requests
    assert requests._told_of_leaks(table, requests.C6) == [
        "requests one after the other (C6): PrivLeak against models that never read what was asked for by then: "
        "−100.0, −33.3"
    ]


def test_without_such_models_or_with_other_items_no_privleak_is_told_of_a_request(found):
    own = attacked([-1.0], [0.0, 2.0])
    assert len(requests.leaks(with_models(found), read=lambda file: own)) == 0
    assert len(requests.leaks(found, read=lambda file: own)) == 0
    assert len(requests.leaks(with_models(found), read=lambda file: None)) == 0


def test_an_ablation_of_something_else_has_nothing_to_tell(tmp_path):
    found = tiny_ablation.read(tmp_path)
    assert requests.told(found) == []
