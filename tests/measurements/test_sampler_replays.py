"""A search replayed on a table is the search of the house: same suggestions, same trials stopped; and what it adds up."""

import os
from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import InMemoryStorage
from rich.console import Console
from tiny_study import scores, tiny_facts, tiny_ledger

from lethe.search.ledger import Ledger
from lethe.search.rule import HALVING, Rule
from lethe.search.rungs import Stopping
from lethe.store.trials import STOPPED
from measurements import samplers
from measurements.arms import ARMS, Arm, at, behind_sobol, best, most_added, named, tpe
from measurements.cells import Cell, Table, grid, made_up, table_of
from measurements.replay import ReplayedLedger, ends, replay, searcher_of
from measurements.samplers_report import along, curves_of, reached, share
from search_spaces import me_gd
from trainables.scores.references import References

SPACE = {"lr": ("log_uniform", 0.01, 100.0), "delta": ("uniform", 0.0, 1.0)}
SETTINGS = {"settings": {"lr": 0.1, "delta": 0.75}}


def candidate(at, loss, **more):
    """One whose three losses are the same."""
    own = scores(verbmem_f=loss, privleak=loss, knowmem_r=100 - loss, **more)
    return {"axis": "step", "at": at, "role": "student", "scores": own, "cost": 10.0 * at}


def cell(lr, delta, losses, **more):
    """A run with an evaluation behind every tenth step."""
    candidates = [candidate(10 * i, loss) for i, loss in enumerate(losses, start=1)]
    return Cell(params={"lr": lr, "delta": delta}, candidates=candidates, cost=100.0 * len(losses), pace=1.0, **more)


def toy(facts=None):
    """Four runs of three evaluations. The best has losses of 50: an eighth of the box."""
    return Table(
        facts=facts or tiny_facts(about=SETTINGS),
        space=SPACE,
        cells=[
            cell(0.1, 0.25, (90, 80, 50)),
            cell(0.1, 0.75, (90, 90, 90)),
            cell(10.0, 0.25, (80, 75, 75)),
            cell(10.0, 0.75, (95, 95, 75)),
        ],
    )


@pytest.mark.parametrize(
    ("params", "nearest"),
    [
        ({"lr": 0.9, "delta": 0.0}, (0.1, 0.25)),  # nearer to 0.1 by factors, though not by differences
        ({"lr": 1.1, "delta": 0.49}, (10.0, 0.25)),
        ({"lr": 100.0, "delta": 1.0}, (10.0, 0.75)),
    ],
)
def test_a_suggestion_has_the_run_of_the_cell_that_is_nearest_on_the_scale_of_each_parameter(params, nearest):
    assert tuple(toy().nearest(params).params.values()) == nearest


def test_a_grid_lies_in_the_middles_of_equal_parts_so_that_each_cell_is_as_near_to_chance_as_any_other():
    assert grid(SPACE, {"lr": 2, "delta": 2}) == [
        {"lr": lr, "delta": delta} for lr in (0.1, 10.0) for delta in (0.25, 0.75)
    ]


def test_a_table_without_one_of_its_cells_is_none():
    with pytest.raises(ValueError, match=r"1 cells of the table are missing, one of them \(10.0, 0.75\)"):
        Table(facts=tiny_facts(), space=SPACE, cells=toy().cells[:3])


def test_a_table_comes_back_from_its_file(tmp_path):
    toy().write(tmp_path / "table.jsonl")
    read = Table.read(tmp_path / "table.jsonl")
    assert (read.facts, list(read.cells)) == (toy().facts, list(toy().cells))
    assert read.nearest({"lr": 0.2, "delta": 0.1}) == toy().nearest({"lr": 0.2, "delta": 0.1})


def run_cell(ledger, folder):
    """A trial of four evaluations, three seconds apart, but for a pause before the last one."""
    number, params = ledger.ask()
    for step, when in ((10, 100.0), (20, 103.0), (30, 106.0), (40, 999.0)):
        items = folder / f"{number}-{step}.parquet"
        items.touch()
        os.utime(items, (when, when))
        own = candidate(step, 50, knowmem_f=30.0) | {"items": str(items), "weights": None}
        ledger.record(number, own)
        ledger.spend(number, own["cost"])
    ledger.tell(number)
    return params


def test_a_table_is_made_of_the_runs_of_a_study_that_ended(tmp_path):
    ledger = tiny_ledger(space=SPACE, about=SETTINGS | {"items": str(tmp_path)}, sampler="random")
    cells = grid(SPACE, {"lr": 2, "delta": 2})
    for params in cells:
        ledger.queue(params, {})
    assert [run_cell(ledger, tmp_path) for _ in cells] == cells
    ledger.ask()
    ledger.interrupt()
    table = table_of(ledger, SPACE)
    assert [found.params for found in table.cells] == cells
    assert {(found.pace, found.cost, found.failure) for found in table.cells} == {(3.0, 400.0, None)}
    assert set(table.cells[0].candidates[0]) == {"axis", "at", "role", "cost", "scores"}
    assert set(table.cells[0].candidates[0]["scores"]) == {"verbmem_f", "privleak", "knowmem_r", "utility"}
    assert table.facts.about == SETTINGS  # and no place of this machine


def test_the_cells_run_once_each_however_often_the_command_is_stopped(tmp_path, monkeypatch):
    known = {name: scores(knowmem_f=90.0) for name in ("target", "retrained")}
    monkeypatch.setattr(
        samplers, "begin", lambda *_: References(**known, reference=None, items={}, content="", fingerprint="")
    )
    monkeypatch.setattr(samplers, "joining", lambda *_: nullcontext(lambda: None))
    ran = []

    def run_some(request, ledger, joined, console):
        ran.extend(run_cell(ledger, tmp_path) for _ in range(2))
        ledger.ask()  # the driver dies while it runs

    monkeypatch.setattr(samplers, "run_trials", run_some)
    monkeypatch.setattr(samplers, "COUNTS", {"lr": 3, "forget_weight": 2})
    monkeypatch.setitem(samplers.FLAGS, "trials", 6)
    file = tmp_path / "table.jsonl"
    for ended in (2, 4):
        with pytest.raises(ValueError, match=f"{ended} of 6 cells have run: the same command goes on"):
            samplers.make_table(file, str(tmp_path / "results"), Console(quiet=True))
    samplers.make_table(file, str(tmp_path / "results"), Console(quiet=True))
    cells = grid(me_gd.SPACE, samplers.COUNTS)
    assert sorted(map(str, ran)) == sorted(map(str, cells))
    assert len(Table.read(file).cells) == 6


def fixed(*params):
    """An arm that suggests what it is given, one after the other, and then the first again."""

    def make(space, seed, number):
        sampler = named("random")(space, seed, number)
        own = params[number % len(params)]
        sampler.sample_independent = lambda study, trial, name, distribution: own[name]
        return sampler

    return make


WORST, BETTER, GOOD = ({"lr": lr, "delta": delta} for lr, delta in ((0.1, 0.75), (10.0, 0.25), (0.1, 0.25)))


def test_a_course_has_the_hypervolume_the_cost_and_the_time_that_one_counts_by_hand():
    found = replay(toy(), Arm(sampler=fixed(WORST, BETTER, GOOD)), 0, trials=3, workers=1)
    assert found["volume"].to_list() == pytest.approx([0.1**3, 0.25**3, 0.5**3])
    assert found["cost"].to_list() == [300.0, 600.0, 900.0]
    assert found["seconds"].to_list() == [3.0, 6.0, 9.0]


def test_two_workers_take_half_of_the_time_and_pay_for_what_still_runs():
    found = replay(toy(), Arm(sampler=fixed(WORST, BETTER, GOOD, GOOD)), 0, trials=4, workers=2)
    assert found["seconds"].to_list() == [3.0, 3.0, 6.0, 6.0]
    assert found["cost"].to_list() == [500.0, 600.0, 1100.0, 1200.0]


def test_what_breaks_the_guard_or_fails_is_no_find():
    broken = Cell(params=GOOD, candidates=[candidate(10, 1, utility=30)], cost=300.0, pace=1.0)
    failed = cell(10.0, 0.25, (1,), failure="it diverged")
    table = Table(facts=tiny_facts(about=SETTINGS), space=SPACE, cells=[broken, toy().cells[1], failed, toy().cells[3]])
    found = replay(table, Arm(sampler=fixed(GOOD, BETTER, WORST)), 0, trials=2, workers=1)
    assert found["cost"].to_list() == [100.0, 200.0, 500.0, 600.0]
    assert found["volume"].to_list() == pytest.approx([0, 0, 0.1**3, 0.1**3])


def house(table, rule, arm, trials):
    """The obvious loop over the house's parts, one trial after the other: which trial was stopped, and why."""
    facts = tiny_facts(about={**SETTINGS, **rule.about()}, sampler=arm)
    ledger = Ledger.create(InMemoryStorage(), "house", facts, SPACE)
    stopping = Stopping.of(ledger, lambda params: 30.0)
    for _ in range(trials):
        number, params = ledger.ask()
        stopping.begin(number, params)
        for evaluation in table.nearest(params).evaluations():
            reason = stopping.reason(number, evaluation)
            ledger.record(number, evaluation[0])
            if reason:
                break
        stopping.end(number)
        ledger.tell(number)
    return ledger.trials.stopped()


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_replay_stops_the_trials_that_the_house_stops(sampler):
    table = toy()
    ledger = ReplayedLedger.of(table, Arm(sampler=named(sampler), stop=HALVING), 0)
    ended = len(list(ends(searcher_of(ledger, table, 20), table.pace, 1)))
    stopped = house(table, Rule.named(HALVING), sampler, ended)
    assert len(stopped) >= 2
    assert ledger.trials.stopped() == stopped
    assert all(ledger.study.trials[number].user_attrs[STOPPED] == why for number, why in stopped.items())


def test_a_stopped_trial_makes_room_for_others_within_the_same_cost():
    arms = (Arm(sampler=named("random"), stop=stop) for stop in ("none", HALVING))
    whole, stopped = (replay(toy(), arm, 0, trials=20, workers=2) for arm in arms)
    assert (len(whole), whole["cost"].iloc[-1]) == (20, 6000.0)
    assert len(stopped) > 20
    assert 6000.0 <= stopped["cost"].iloc[-1] < 6600.0


@pytest.mark.parametrize("arm", ["tpe", "nsga2, halving", "sobol 10 + tpe", "tpe, told most added, halving"])
def test_the_same_seed_gives_the_same_course_and_another_one_another(arm):
    first, again, other = (
        replay(made_up(), ARMS[arm], seed, trials=14, workers=2).drop(columns="asking") for seed in (3, 3, 4)
    )
    pd.testing.assert_frame_equal(first, again)
    assert not first.equals(other)


def test_the_defaults_run_first_where_an_arm_asks_for_them():
    ledger = ReplayedLedger.of(toy(), Arm(sampler=named("random"), defaults=True), 0)
    assert ledger.ask()[1] == SETTINGS["settings"]
    assert ledger.ask()[1] != SETTINGS["settings"]


@pytest.mark.parametrize("seed", [0, 1])
def test_eight_sobol_points_lie_in_eight_parts_of_each_range(seed):
    ledger = ReplayedLedger.of(toy(), Arm(sampler=behind_sobol(8, tpe(5))), seed)
    drawn = [ledger.ask()[1] for _ in range(8)]
    assert sorted(int(8 * params["delta"]) for params in drawn) == list(range(8))
    assert sorted(int(8 * (np.log10(params["lr"]) + 2) / 4) for params in drawn) == list(range(8))


def test_shares_of_a_distribution_are_its_values():
    assert at(FloatDistribution(0.01, 100.0, log=True), 0.5) == pytest.approx(1.0)
    assert at(FloatDistribution(2.0, 4.0), 0.25) == 2.5
    assert [at(IntDistribution(1, 3), share) for share in (0.0, 0.4, 0.99)] == [1, 2, 3]
    assert [at(CategoricalDistribution(("a", "b")), share) for share in (0.49, 0.5)] == ["a", "b"]


def told(candidates, found):
    facts = tiny_facts()
    return best(candidates, facts, found).chosen, most_added(candidates, facts, found).chosen


def test_told_most_added_is_the_candidate_that_adds_most_and_the_best_where_none_adds():
    """The best has losses of 60 throughout; another's are 0, 0, 90, which a front that has 60s knows nothing of."""
    even, uneven = candidate(10, 60), candidate(20, 60)
    uneven["scores"] |= scores(verbmem_f=0.0, privleak=0.0, knowmem_r=10.0)
    nothing, sixties = np.zeros((0, 3)), np.full((1, 3), 60.0)
    assert told([even, uneven], nothing) == (0, 1)  # 0.4 to the third is less than a tenth
    assert told([even, uneven], sixties) == (0, 1)
    assert told([even, candidate(20, 70)], sixties) == (0, 0)
    broken = uneven | {"scores": uneven["scores"] | scores(utility=30.0)}
    assert told([even, broken], sixties) == (0, 0)


def course(arm, seed, *volumes):
    rows = [
        {"cost": 100.0 * i, "seconds": float(i), "asking": 0.0, "volume": v} for i, v in enumerate(volumes, start=1)
    ]
    return pd.DataFrame(rows).assign(arm=arm, seed=seed)


def test_an_arm_has_what_tpe_has_at_the_share_of_the_cost_at_which_its_mean_comes_to_it():
    courses = pd.concat(
        [course("tpe", seed, 0.1, 0.2, 0.3, 0.4) for seed in range(3)]
        + [course("gp", seed, 0.1, 0.5, 0.5, 0.5) for seed in range(3)]
        + [course("random", seed, 0.1, 0.1, 0.1, 0.1) for seed in range(3)]
    )
    table = Table(
        facts=tiny_facts(),
        space={"lr": SPACE["lr"]},
        cells=[Cell(params={"lr": 1.0}, candidates=[candidate(10, 9)], cost=100.0, pace=1.0)],
    )
    curves = curves_of(courses, table, 4)
    assert [share(reached(curves.cost[arm], curves.cost["tpe"])) for arm in ("tpe", "gp", "random")] == [
        "100% (100 to 100)",
        "50% (50 to 50)",
        "never (never at the least)",
    ]
    assert along(courses[courses["arm"] == "gp"].iloc[:4], "seconds", 4.0)[[0, 59, 60, 120, 240]].tolist() == [
        0.0,
        0.0,
        0.1,
        0.5,
        0.5,
    ]
