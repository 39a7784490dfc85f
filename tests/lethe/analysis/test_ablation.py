"""An ablation is read back as it ran: paired, with its gaps, and its effects are those that were put in."""

import math

import numpy as np
import pandas as pd
import pytest
import tiny_ablation
from tiny_ablation import EFFECTS, ITEMS, finished, read, tiny_design
from tiny_study import tiny_ledger

from lethe.analysis.ablation import part_contrasts, read_ablation
from lethe.analysis.designs import fractional_factorial, full_factorial
from lethe.analysis.effects import contrast
from lethe.store.storage import open_storage

TWO = {name: {"low": {}, "high": {name: 1}} for name in "abc"}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A store that no test changes, and the ablation in it."""
    return finished(tmp_path_factory.mktemp("ablation"))


@pytest.fixture(scope="module")
def found(made):
    return read_ablation(*made)


def row(table: pd.DataFrame, effect: str, score: str) -> pd.Series:
    (found,) = [r for _, r in table.iterrows() if (r["effect"], r["score"]) == (effect, score)]
    return found


def test_there_is_a_run_for_every_arm_and_seed_represented_by_its_last_candidate(found):
    assert len(found.runs) == 15
    assert set(found.runs["arm"]) == set(EFFECTS)
    assert found.seeds == [0, 1, 2, 3, 4]
    assert (found.runs["at"] == 2).all()
    assert all("student" in file for file in found.runs["items"])
    assert not len(found.gaps())


def test_a_run_with_mixtures_behind_its_last_step_is_represented_by_that_step(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ablation.start(url)
    number, _ = ledger.ask()
    scores = {name: [50.0, 49.0, 51.0] for name in ("verbmem_f", "privleak", "knowmem_r", "utility")}
    for axis, at in (("step", 1), ("step", 2), ("mix", 0.5)):
        place = {"axis": axis, "at": at, "role": "student", "weights": None, "items": None}
        ledger.record(number, place | {"scores": scores})
    ledger.tell(number)
    (ended,) = [run for run in read_ablation(url, "tiny").runs.to_dict("records") if run["state"] == "COMPLETE"]
    assert (ended["axis"], ended["at"]) == ("step", 2)


def test_effects_are_those_that_were_put_in_and_the_clear_one_is_called_so(found):
    table = found.effects()
    large = row(table, "loss=ll", "verbmem_f")
    assert large["low"] < 60 < large["high"]
    assert (large["sure"], large["better"], large["n"]) == (True, False, 5)
    same = row(table, "loss=ll", "knowmem_r")
    assert (same["value"], same["sd"], same["p"], same["sure"]) == (0, 0, 1, False)
    assert math.isnan(same["high"])  # its items are not known
    assert set(table["effect"]) == {"damping=off", "loss=ll"}
    assert set(table["score"]) == {"verbmem_f", "privleak", "knowmem_r", "utility"}


def test_differences_are_paired_so_what_a_seed_does_to_all_arms_falls_out(made):
    found = read_ablation(*made, items=False)
    arms = found.arms()
    mean = arms[(arms["arm"] == "baseline") & (arms["score"] == "verbmem_f")].iloc[0]
    effect = row(found.effects(), "damping=off", "verbmem_f")
    assert effect["high"] - effect["low"] < 0.5 * (mean["high"] - mean["low"])


def test_the_items_are_part_of_the_interval(found, made):
    plain = read_ablation(*made, items=False)
    wide, narrow = (
        t[(t["arm"] == "baseline") & (t["score"] == "verbmem_f")].iloc[0] for t in (found.arms(), plain.arms())
    )
    assert wide["mean"] == pytest.approx(narrow["mean"])
    assert wide["high"] - wide["low"] > narrow["high"] - narrow["low"]


def test_items_that_say_something_else_than_the_score_or_are_gone_are_not_used(tmp_path):
    url, name = finished(tmp_path)
    before = read_ablation(url, name).measured("verbmem_f")
    assert before.items == ITEMS
    assert "verbmem_f" not in read_ablation(url, name).without_items()
    for file in tmp_path.glob("*-student.parquet"):
        pd.read_parquet(file).assign(value=1.0).to_parquet(file)
    assert read_ablation(url, name).measured("verbmem_f").redrawn is None
    assert "verbmem_f" in read_ablation(url, name).without_items()
    for file in tmp_path.glob("*.parquet"):
        file.unlink()
    assert read_ablation(url, name).measured("verbmem_f").redrawn is None
    assert math.isfinite(row(read_ablation(url, name).effects(), "loss=ll", "verbmem_f")["low"])


def test_a_score_that_should_be_near_0_is_compared_by_its_distance(found):
    assert (found.measured("privleak").values.to_numpy() >= 0).all()


def test_an_arm_whose_every_run_failed_is_a_gap_and_no_effect(tmp_path):
    found = read(tmp_path, fail="loss=ll")
    assert found.gaps().to_dict("records") == [
        {"arm": "loss=ll", "seed": seed, "failure": "Diverged: step 3"} for seed in range(5)
    ]
    effect = row(found.effects(), "loss=ll", "verbmem_f")
    assert math.isnan(effect["value"])
    assert (effect["n"], effect["sure"]) == (0, False)
    assert row(found.effects(), "damping=off", "verbmem_f")["n"] == 5


def test_an_ablation_that_still_runs_shows_what_there_is(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ablation.start(url)
    assert read_ablation(url, "tiny").arms()["mean"].isna().all()
    tiny_ablation.plan_runs(ledger, tiny_ablation.runs_of(tiny_design(), 2), open_storage(url))
    for _ in range(4):
        tiny_ablation.run_one(ledger, tmp_path)
    found = read_ablation(url, "tiny")
    assert len(found.runs) == 6
    assert list(found.gaps()["failure"]) == ["not yet"] * 2
    assert row(found.effects(), "damping=off", "verbmem_f")["n"] == 1


def test_a_search_is_no_ablation(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    tiny_ledger(open_storage(url), "search")
    with pytest.raises(ValueError, match=r"^study 'search' is a search and no ablation: `lethe ablate` makes one$"):
        read_ablation(url, "search")


def test_a_study_s_own_roles_represent_its_runs_the_first_by_name_where_none_is_asked_for(tmp_path):
    url, name = finished(tmp_path, seeds=2, roles=("model", "edited"))
    assert [read_ablation(url, name, role=role).role for role in ("", "model")] == ["edited", "model"]
    with pytest.raises(ValueError, match="^role 'student' is unknown: choose edited, model$"):
        read_ablation(url, name, role="student")


def test_an_unknown_role_is_refused(made):
    with pytest.raises(ValueError, match="^role 'pupil' is unknown: choose student, teacher$"):
        read_ablation(*made, role="pupil")


@pytest.mark.parametrize(
    "design", [full_factorial(TWO), fractional_factorial({**TWO, "d": {"low": {}, "high": {"d": 1}}}, ["D=ABC"])]
)
def test_contrasts_of_a_factorial_find_main_effects_and_interactions_that_were_put_in(design):
    (part,) = design.parts

    def outcome(levels):
        x = {name: float(level == "high") for name, level in levels.items()}
        return 10 + 3 * x["a"] - 2 * x["b"] + 4 * x["a"] * x["b"]

    values = {arm: outcome(levels) for arm, levels in part.arms.items()}
    found = {
        name: sum(weights.get(arm, 0.0) * value for arm, value in values.items())
        for name, (weights, _) in part_contrasts(part).items()
    }
    assert found["a=high"] == pytest.approx(3 + 4 / 2)
    assert found["b=high"] == pytest.approx(-2 + 4 / 2)
    assert found["c=high"] == pytest.approx(0)
    if len(part.switches) == 3:
        assert found["a=high × b=high"] == pytest.approx(4)
        assert found["a=high × c=high"] == pytest.approx(0)
    else:  # ab = cd in the half fraction
        assert found["a=high × b=high"] == pytest.approx(found["c=high × d=high"])


def test_a_factorial_ablation_has_main_effects_and_interactions_with_their_aliases(tmp_path):
    switches = {**TWO, "d": {"low": {}, "high": {"d": 1}}}
    found = read(tmp_path, seeds=3, design=fractional_factorial(switches, ["D=ABC"]))
    table = found.factors()
    assert set(table.loc[table["score"] == "verbmem_f", "effect"]) >= {"a=high", "d=high", "a=high × b=high"}
    assert set(table.loc[table["effect"] == "a=high × b=high", "aliases"]) == {"c × d"}
    assert set(table.loc[table["effect"] == "a=high", "aliases"]) == {""}


def test_the_leak_of_items_is_redrawn_with_the_retrained_model_s(tmp_path):
    rng = np.random.default_rng(0)

    def items(file, shift):
        values = np.concatenate([rng.normal(shift, 1, 30), rng.normal(0, 1, 40)])
        kinds = ["forget"] * 30 + ["holdout"] * 40
        table = pd.DataFrame({"score": "privleak", "item": range(70), "truth": kinds, "value": values})
        table.to_parquet(tmp_path / file)
        return str(tmp_path / file), values

    def auc(values):
        return np.mean([np.mean(x > values[30:]) for x in values[:30]])

    reference, retrained = items("retrained.parquet", 0.0)
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ablation.start(url, items={"retrained": reference})
    tiny_ablation.plan_runs(ledger, tiny_ablation.runs_of(tiny_design(), 3), open_storage(url))
    for _ in range(9):
        number, _ = ledger.ask()
        file, values = items(f"{number}.parquet", -1.0)
        leak = (auc(values) - auc(retrained)) / auc(retrained) * 100
        scores = {"verbmem_f": 1.0, "privleak": leak, "knowmem_r": 80.0, "utility": 90.0}
        candidate = {"axis": "step", "at": 1, "role": "student", "weights": None, "items": file}
        ledger.record(number, candidate | {"scores": {k: [v, v, v] for k, v in scores.items()}})
        ledger.tell(number)
    measured = read_ablation(url, "tiny").measured("privleak")
    assert measured.redrawn is not None
    assert measured.redrawn["baseline"].shape == (1000, 3)
    assert np.abs(measured.redrawn["baseline"].mean(axis=0) - measured.values.loc["baseline"]).max() < 5
    assert contrast(measured, {"baseline": 1.0}).item_variance > 0


def test_arms_that_score_0_on_all_of_a_few_items_are_neither_at_0_for_certain_nor_surely_the_same(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ablation.start(url)
    tiny_ablation.plan_runs(ledger, tiny_ablation.runs_of(tiny_design(), 3), open_storage(url))
    file = str(tmp_path / "items.parquet")
    pd.DataFrame({"score": "verbmem_f", "item": range(20), "truth": "", "value": 0.0}).to_parquet(file)
    for _ in range(9):
        number, _ = ledger.ask()
        scores = {"verbmem_f": [0, 0, 16.8], "privleak": [-100, -100, -68], "knowmem_r": [80] * 3, "utility": [100] * 3}
        ledger.record(
            number, {"axis": "step", "at": 1, "role": "student", "weights": None, "items": file, "scores": scores}
        )
        ledger.tell(number)
    found = read_ablation(url, "tiny")
    means = found.arms().set_index(["arm", "score"])
    assert means.loc[("baseline", "verbmem_f"), ["mean", "low", "high"]].tolist() == [0, 0, pytest.approx(16.8)]
    assert means.loc[("baseline", "privleak"), ["mean", "low", "high"]].tolist() == [100, 68, 100]
    effect = row(found.effects(), "loss=ll", "verbmem_f")
    assert (effect["value"], effect["sd"], effect["p"]) == (0, 0, 1)
    assert 5 < effect["high"] < 10
