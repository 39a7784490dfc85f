"""What repeats say of a front: means over seeds, and how probable it is that no other point dominates one."""

import numpy as np
import pandas as pd
import pytest
from tiny_study import candidate, tiny_ledger

from lethe.analysis import recipes
from lethe.fronts.objectives import Objective
from lethe.store.storage import open_storage

TWO = (Objective(score="verbmem_f", goal="minimize"), Objective(score="knowmem_r", goal="maximize"))


@pytest.fixture
def ledger(tmp_path):
    return tiny_ledger(
        open_storage(f"sqlite:///{tmp_path}/studies.db"), objectives=TWO, constraints=(), sampler="random"
    )


def run(ledger, number, items=None, **scores):
    made = candidate(**scores)
    if items:  # by which a score is less sure
        wide = {name: [value, value - 10, value + 10] for name, (value, *_) in made["scores"].items()}
        made |= {"items": items, "scores": wide}
    ledger.record(number, made)
    assert ledger.tell(number) is None
    return number


def trial(ledger, **scores):
    return run(ledger, ledger.ask()[0], **scores)


def point(points, trial):
    return points[points["trial"] == trial].iloc[0]


def test_a_share_is_that_of_redraws_in_which_a_point_is_feasible_and_no_feasible_one_dominates_it():
    losses = np.array([[[1, 1], [2, 2], [0, 3]], [[2, 1], [1, 1], [1, 1]], [[1, 1], [2, 2], [3, 0]]], float)
    feasible = np.array([[True, True, True], [True, True, True], [False, True, True]])
    assert recipes.nondominated_shares(losses, feasible).tolist() == [1 / 3, 2 / 3, 1.0]


@pytest.mark.parametrize("values", [[1.0, 5.0], [0.0, 1.0, 5.0], [3.0, 1.0, 4.0, 1.0, 5.0]])
def test_redrawn_seeds_give_their_mean_the_variance_that_a_mean_of_so_many_has(values):
    uniform = np.random.default_rng(0).random((200_000, len(values)))
    means = recipes.mean_of_seeds(np.tile(values, (len(uniform), 1)), uniform)
    assert means.mean() == pytest.approx(np.mean(values), abs=0.02)
    assert means.var() == pytest.approx(np.var(values, ddof=1) / len(values), rel=0.02)


def test_points_are_compared_that_are_on_the_front_or_would_be_by_the_better_ends_of_their_intervals(ledger):
    trial(ledger, verbmem_f=10, knowmem_r=50)
    trial(ledger, verbmem_f=40, knowmem_r=90)
    trial(ledger, verbmem_f=13.9, knowmem_r=46)  # 2 to either side: not beaten at the better end of one score
    trial(ledger, verbmem_f=11, knowmem_r=49)
    trial(ledger, verbmem_f=15, knowmem_r=40)
    study = ledger.read()
    rows = recipes.contenders(study)
    assert set(study.candidates["trial"].iloc[rows[:2]]) == {0, 1}
    assert study.candidates["trial"].iloc[rows[2:]].tolist() == [3]


def test_a_point_shows_its_mean_over_seeds_and_one_that_was_lucky_does_not_stay(ledger):
    trial(ledger, verbmem_f=20, knowmem_r=60)
    trial(ledger, verbmem_f=10, knowmem_r=70)
    study = ledger.read()
    assert recipes.repeated(study).empty
    for seed, loss in enumerate((48, 52, 50), start=1):
        run(ledger, ledger.repeat(1, seed), verbmem_f=loss, knowmem_r=30)
    run(ledger, ledger.repeat(0, 1), verbmem_f=21, knowmem_r=61)
    ledger.tell(ledger.repeat(1, 4), "Diverged: loss is nan")
    study = ledger.read()
    points = recipes.repeated(study)
    lucky, steady = point(points, 1), point(points, 0)
    assert lucky["runs"] == [1, 2, 3, 4]
    assert (lucky["verbmem_f"], lucky["seeds"], lucky["failed"]) == (40.0, 4, 1)
    assert lucky["verbmem_f_low"] < 10 < 50 < lucky["verbmem_f_high"] <= 100
    assert (lucky["front"], steady["front"]) == (True, False)
    assert lucky["non-dominated"] < 0.2 < 0.9 < steady["non-dominated"]
    said = "\n".join(recipes.in_words(points))
    assert "trial 1, step 10, student: 1 of its repeats failed" in said
    assert "not on it by their first seed, but non-dominated in most redraws: trial 0, step 10, student" in said
    assert study.candidates["trial"].tolist() == [0, 1]


def items(file, **values):
    tables = [
        pd.DataFrame({"score": score, "item": range(len(own)), "prompt": "", "output": "", "truth": "", "value": own})
        for score, own in values.items()
    ]
    pd.concat(tables, ignore_index=True).to_parquet(file)
    return str(file)


def test_points_share_their_items_so_a_small_difference_on_each_of_them_is_sure(ledger, tmp_path):
    base = np.random.default_rng(0).uniform(0, 90, 40)
    for number in range(2):
        shifted = {"verbmem_f": base + 3 * number, "knowmem_r": base - 3 * number}
        file = items(tmp_path / f"{number}.parquet", **shifted)
        trial(ledger, items=file, **{score: float(own.mean()) for score, own in shifted.items()})
    paired = recipes.over_seeds(ledger.read())
    assert paired.set_index("trial")["non-dominated"].to_dict() == {0: 1.0, 1: 0.0}
    apart = recipes.over_seeds(ledger.read(), read=lambda file: None)  # by intervals: each drawn for itself
    assert point(apart, 1)["non-dominated"] > 0.01


def test_each_half_of_the_items_is_redrawn_for_itself():
    table = pd.DataFrame({"score": ["a", "a", "b"], "value": [1.0, 2.0, 3.0]})
    table["reports"] = pd.array([True, False, None], dtype="boolean")
    assert recipes.half_of(table, chosen=False)["value"].tolist() == [1.0, 3.0]
    assert recipes.half_of(table, chosen=True)["value"].tolist() == [2.0, 3.0]


def test_run_after_run_every_point_stands_in_each_set_by_one_of_its_seeds(ledger):
    trial(ledger, verbmem_f=10, knowmem_r=50)
    trial(ledger, verbmem_f=40, knowmem_r=90)
    assert recipes.by_seed(ledger.read(), recipes.over_seeds(ledger.read())).empty
    for seed, loss in enumerate((11, 12), start=1):
        run(ledger, ledger.repeat(0, seed), verbmem_f=loss, knowmem_r=50)
    run(ledger, ledger.repeat(1, 1), verbmem_f=41, knowmem_r=90)
    study = ledger.read()
    sets = recipes.by_seed(study, recipes.repeated(study))
    assert sorted(zip(sets["set"], sets["verbmem_f"], strict=True)) == [
        *((0, 10.0), (0, 40.0), (1, 11.0), (1, 41.0), (2, 12.0), (2, 40.0))
    ]
