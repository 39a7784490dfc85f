"""An arena's numbers by hand: what counts under a budget, the course, the table, and what a half-run one is compared at."""

import numpy as np
import pytest
from tiny_arena import ENTRANTS, Entered, Made, make_arena, many

from lethe.analysis.arena import read_arena
from lethe.store.about import about
from lethe.store.names import arenas_of
from lethe.store.storage import open_storage
from lethe.store.trials import INTERRUPTED


def read(folder, *studies, **more):
    return read_arena(make_arena(folder, studies, **more), more.get("name", "tiny"))


def at(*costs, verbmem_f=50.0, **scores):
    """A trial whose candidates are all alike, scored when its run had cost so much."""
    return Made(candidates=[(cost, {"verbmem_f": verbmem_f, **scores}) for cost in costs])


def test_a_candidate_counts_while_all_before_it_and_its_own_run_cost_no_more_than_the_budget(tmp_path):
    arena = read(tmp_path, Entered(entrant="a", seed=0, trials=[at(50, 100), at(50, 100), at(50, 100)]), budget=250)
    assert arena.candidates[["trial", "cost", "spent"]].to_numpy().tolist() == [
        [0, 50, 50],
        [0, 100, 100],
        [1, 50, 150],
        [1, 100, 200],
        [2, 50, 250],
    ]
    assert arena.entrants[["trials", "cost", "share"]].to_numpy().tolist() == [[3, 300, 1]]


def test_a_failed_trial_costs_and_a_repeated_one_costs_once_in_its_first_place(tmp_path):
    trials = [
        Made(state="FAIL", failure="Diverged", cost=40),
        Made(state="FAIL", failure=INTERRUPTED, cost=30),
        at(100),
        Made(candidates=[(60, {})], rerun_of=1),
        Made(state="FAIL", failure=INTERRUPTED, cost=20),
    ]
    arena = read(tmp_path, Entered(entrant="a", seed=0, trials=trials), budget=1000)
    assert arena.candidates[["trial", "first", "spent"]].to_numpy().tolist() == [[3, 1, 100], [2, 2, 200]]
    row = arena.entrants.iloc[0]
    assert (row["trials"], row["failed"], row["reason"], row["cost"]) == (3, 1, "Diverged", 200)


def test_what_costs_nothing_has_all_it_found_and_holds_nobody_up(tmp_path):
    arena = read(
        tmp_path,
        Entered(entrant="guard", seed=0, trials=[at(0), at(0, verbmem_f=40.0)]),
        Entered(entrant="a", seed=0, trials=[at(100)]),
        budget=1000,
    )
    assert arena.equal == 100
    assert arena.volumes[0].to_dict() == pytest.approx({"guard": 0.6 * 0.5, "a": 0.5 * 0.5})


def test_a_study_is_through_that_begins_no_further_trial_though_its_budget_is_not_spent(tmp_path):
    failed = Made(state="FAIL", failure="no", cost=1)
    arena = read(
        tmp_path,
        Entered(entrant="cheap", seed=0, trials=[at(5)] * 4, planned=4),
        Entered(entrant="broken", seed=0, trials=[failed] * 2),
        Entered(entrant="a", seed=0, trials=[at(300)]),
        Entered(entrant="b", seed=0, trials=[at(90), failed]),
        ends={"patience": 2},
    )
    assert arena.shares["share"].tolist() == [1, 1, 1, 91 / 300]
    assert arena.equal == 91
    assert arena.course.groupby("entrant")["cost"].max().to_dict() == {"cheap": 300, "broken": 0, "a": 300, "b": 91}


def test_the_course_of_hypervolume_is_that_of_the_feasible_front_by_what_was_spent(tmp_path):
    trials = [at(10), at(30, verbmem_f=20.0), at(10, verbmem_f=0.0, utility=39.0), at(50, verbmem_f=30.0)]
    course = read(tmp_path, Entered(entrant="a", seed=7, trials=trials)).course
    assert course["cost"].tolist() == [0, 10, 40, 50, 100]
    assert course["volume"].tolist() == pytest.approx([0, 0.5 * 0.5, 0.8 * 0.5, 0.8 * 0.5, 0.8 * 0.5])
    assert set(course["seed"]) == {7}


def test_the_table_has_the_best_first_what_it_recommends_and_how_often_utility_collapsed(tmp_path):
    arena = read(
        tmp_path,
        Entered(entrant="a", seed=0, trials=[at(300)], family="prompt"),
        Entered(entrant="a", seed=1, trials=[at(300, verbmem_f=30.0), at(10)]),
        Entered(entrant="b", seed=0, trials=[at(100, 200, verbmem_f=10.0), at(50, utility=10.0), at(50, utility=10.0)]),
        Entered(entrant="b", seed=1, trials=[at(300, verbmem_f=20.0)]),
        Entered(entrant="c", seed=0, trials=[Made(state="FAIL", failure="no", cost=300)]),
        Entered(entrant="c", seed=1, trials=[Made(state="FAIL", failure="no", cost=300)]),
    )
    table = arena.entrants.set_index("entrant")
    assert table.index.tolist() == ["b", "a", "c"]
    assert table["hypervolume"].tolist() == pytest.approx([0.5 * 0.85, 0.5 * 0.6, np.nan], nan_ok=True)
    assert table["collapsed"].tolist() == pytest.approx([0.4, 0, np.nan], nan_ok=True)
    assert table.loc["b", ["study", "trial", "at", "role", "verbmem_f"]].tolist() == ["tiny: b 0", 0, 10, "student", 10]
    assert table.loc["c", ["failed", "reason"]].tolist() == [2, "no"]
    assert arena.recommended["entrant"] == "b"
    assert arena.together == pytest.approx(0.5 * 0.85)
    assert any("c: every one of its 2 trials failed, most often so: no." in line for line in arena.words)


def test_a_half_run_arena_is_compared_at_what_each_has_spent_and_says_how_far_each_is(tmp_path):
    arena = read(
        tmp_path,
        Entered(entrant="a", seed=0, trials=[at(100), at(100, verbmem_f=0.0)]),
        Entered(entrant="b", seed=0, trials=[at(100), Made(state="RUNNING", candidates=[(50, {"verbmem_f": 0.0})])]),
    )
    assert arena.equal == 100
    assert arena.volumes[0].tolist() == pytest.approx([0.25, 0.25])
    text = "\n".join(arena.words)
    assert "2 of 2 studies go on; they have spent 33% to 67% of their budgets." in text
    assert "compared at 100 forward passes of a sequence (33% of the budget)" in text


def test_before_each_has_ended_a_trial_there_is_no_comparison_and_it_says_who_is_missing(tmp_path):
    arena = read(
        tmp_path,
        Entered(entrant="a", seed=0, trials=[at(100)]),
        Entered(entrant="b", seed=0, trials=[Made(state="RUNNING")]),
    )
    assert len(arena.comparisons) == 0
    assert arena.volumes.isna().to_numpy().all()
    assert "still to come: b." in "\n".join(arena.words)


def test_one_seed_gives_no_verdict(tmp_path):
    arena = read(tmp_path, *many(ENTRANTS[:4], seeds=1))
    assert not arena.comparisons["sure"].any()
    assert arena.words[0].startswith("No verdict: one seed says nothing")


def test_arenas_of_a_store_are_known_by_name_and_only_their_own_studies_are_in_them(tmp_path):
    make_arena(tmp_path, many(ENTRANTS[:3], seeds=2), name="old")
    url = make_arena(tmp_path, many(ENTRANTS[:4], seeds=1), name="new")
    assert arenas_of(url) == ["new", "old"]
    assert len(read_arena(url, "old").entries) == 6
    assert set(about(url, "arena")) == {e.study for name in ("old", "new") for e in read_arena(url, name).entries}
    with pytest.raises(ValueError, match=r"no arena 'older' \(there: old, new\)"):
        read_arena(url, "older")


def test_a_store_without_an_arena_has_none(tmp_path):
    open_storage(f"sqlite:///{tmp_path}/studies.db")
    assert arenas_of(f"sqlite:///{tmp_path}/studies.db") == []


def test_the_words_of_a_whole_arena_name_the_best_the_worse_and_those_that_are_not_told_apart(tmp_path):
    arena = read(tmp_path, *many())
    best = arena.entrants.iloc[0]["entrant"]
    text = "\n".join(arena.words)
    assert arena.words[0].startswith(f"Take {best}, or one of those")
    assert f"Clearly worse than {best}, after correction for 171 comparisons" in text
    assert "method_19: every one of its 18 trials failed" in text
    assert "method_18 (100%)" in text


def test_without_an_objective_the_same_candidates_are_judged_by_the_others(tmp_path):
    lost, kept = {"verbmem_f": 10.0, "knowmem_r": 0.0}, {"verbmem_f": 60.0, "knowmem_r": 50.0}
    arena = read(
        tmp_path,
        *(Entered(entrant="a", seed=seed, trials=[at(300, **kept)]) for seed in (0, 1)),
        *(Entered(entrant="b", seed=seed, trials=[at(300, **lost)]) for seed in (0, 1)),
    )
    assert arena.volumes.mean(axis=1).to_dict() == pytest.approx({"a": 0.4 * 0.5, "b": 0.0})
    assert arena.left_out["knowmem_r"].mean(axis=1).to_dict() == pytest.approx({"a": 0.4, "b": 0.9})
    assert arena.without("knowmem_r").entrants["entrant"].tolist() == ["b", "a"]
    text = "\n".join(arena.words)
    assert (
        "Because of knowmem_r, which stays near its worst, 1 of 2 methods has next to no hypervolume: b. Without that "
        "objective it would be 0.900." in text
    )
    assert "without verbmem_f a 0.500 and b 0.000;" in text
    assert "without knowmem_r b 0.900 and a 0.400" in text


def test_of_many_that_are_not_told_apart_the_nearest_are_named(tmp_path):
    alike = [(name, seed, 50.0 + 5 * ((i + seed) % 3)) for i, name in enumerate(ENTRANTS[:9]) for seed in (0, 1, 2)]
    arena = read(tmp_path, *(Entered(entrant=n, seed=s, trials=[at(300, verbmem_f=v)]) for n, s, v in alike))
    (line,) = [line for line in arena.words if line.startswith("Not told apart")]
    assert line.count(" less)") == 5
    assert "and 3 more." in line


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        (
            (50, 50, 50),
            "None of 3 pairs is told apart by 3 seeds at this budget: of no two can it be said which is better.",
        ),
        (
            (50, 50, 10),
            "Of 3 pairs 2 are told apart by 3 seeds at this budget; of the others it cannot be said which is better.",
        ),
        ((80, 50, 10), "All 3 pairs are told apart by 3 seeds at this budget."),
    ],
)
def test_how_many_pairs_are_told_apart_is_said(tmp_path, levels, said):
    varied = [(name, seed, level + seed) for name, level in zip("abc", levels, strict=True) for seed in (0, 1, 2)]
    arena = read(tmp_path, *(Entered(entrant=n, seed=s, trials=[at(300, verbmem_f=float(v))]) for n, s, v in varied))
    assert said in arena.words


def test_while_an_arena_runs_nothing_that_cost_more_than_what_is_compared_is_counted_or_recommended(tmp_path):
    late = Made(candidates=[(100, {"verbmem_f": 60.0}), (200, {"verbmem_f": 0.0})])
    arena = read(
        tmp_path,
        Entered(entrant="a", seed=0, trials=[late]),
        Entered(entrant="b", seed=0, trials=[at(100)]),
    )
    assert arena.equal == 100
    assert arena.recommended["entrant"] == "b"
    assert arena.entrants.set_index("entrant")["verbmem_f"].to_dict() == {"b": 50.0, "a": 60.0}
    assert arena.compared["front"].tolist() == [True, True]
    assert arena.compared["best"].tolist() == [False, True]
