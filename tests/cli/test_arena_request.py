"""An arena's flags become a checked request: entrants, seeds and one budget; it goes on only as it was begun."""

import shlex
from dataclasses import asdict

import pytest
from tiny import tiny_model
from tiny_folders import benchmark_folder, model_folder

from lethe.search.ledger import Ledger
from lethe.store.facts import Facts
from lethe.store.storage import open_storage
from lethe_cli import arena_request, checks, hints
from lethe_cli.arena_request import make_arena
from lethe_cli.flags import ArenaFlags, TuneFlags
from search_spaces.variants import VARIANTS
from trainables.method import Step
from trainables.methods import METHODS, unlearn
from trainables.methods.mean_teacher import MeanTeacher

THREE = "mean_teacher,npo_gdr,guard_prompt"


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Make a request whose files go to a folder of the test's own."""
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)
    return lambda **flags: make_arena(
        ArenaFlags(**({"storage_path": str(tmp_path / "results"), "method": THREE} | flags))
    )


def start(request, entries=1):
    """Create the first entries' studies, as an arena does that is killed in the middle of it."""
    storage = open_storage(request.storage)
    for entry in request.searches()[:entries]:
        facts = Facts(
            objectives=entry.objectives, constraints=(), sampler=entry.sampler, seed=entry.seed, about=entry.about()
        )
        Ledger.create(storage, entry.name, facts, entry.space)


def test_an_arena_is_a_search_for_every_entrant_and_seed_the_first_seed_of_all_before_the_second(ask):
    request = ask(seeds=2)
    assert [entry.name for entry in request.searches()] == [
        f"muse-mini-arena: {entrant} {seed}" for seed in (0, 1) for entrant in THREE.split(",")
    ]
    assert {entry.trials for entry in request.searches()} == {request.budget.most}
    assert [(entry.seed, entry.base.seed) for entry in request.searches()] == [(0, 0)] * 3 + [(1, 1)] * 3


def test_all_are_every_method_and_every_variant(ask):
    assert [entrant.label for entrant in ask(method="all").entrants] == [*METHODS, *VARIANTS]


@pytest.mark.parametrize("label", VARIANTS)
def test_a_variant_is_its_method_with_settings_and_a_space_of_its_own(ask, label):
    (entrant,) = ask(method=label).entrants
    assert (entrant.label, entrant.base.method) == (label, VARIANTS[label]["method"])
    assert dict(entrant.space) == VARIANTS[label]["space"]
    assert VARIANTS[label]["settings"].items() <= asdict(entrant.base).items()
    assert dict(ask(method=label, space="7b").entrants[0].space) == VARIANTS[label]["space_7b"]


def test_every_entry_stores_what_all_share_and_whose_it_is(ask):
    entry = ask(seeds=2, trials=3).searches()[4]
    assert entry.about()["arena"] == {
        "name": "muse-mini-arena",
        "entrant": "npo_gdr",
        "method": "npo_gdr",
        "family": "preference",
        "seed": 1,
        "patience": 3,
        "entrants": THREE.split(","),
        "budget": 3 * 3360.0,
    }


def test_a_budget_is_so_many_trials_of_the_mean_teacher_at_the_settings_of_the_run_or_given_in_passes(ask):
    request = ask(trials=2, settings=("steps=10", "batch_size=4"))
    assert request.budget.cost == 2 * 7 * 10 * 4
    assert (request.budget.trial, request.budget.most, request.budget.patience) == (280.0, 8, 2)
    given = ask(budget=5000.0)
    assert (given.budget.cost, given.budget.most) == (5000.0, 8)  # two trials of the mean teacher, begun


def test_the_mean_teacher_s_cost_by_which_budgets_are_counted_is_what_its_steps_say(ask):
    settings = MeanTeacher(steps=2, batch_size=3)
    sequences = [[5, 6, 7, 8], [9, 10, 11, 12]]
    records = list(unlearn(tiny_model(), sequences, sequences, settings, pad=2))
    budget = ask(trials=1, settings=("steps=2", "batch_size=3")).budget
    assert sum(record.cost for record in records if isinstance(record, Step)) == budget.trial


def test_a_setting_and_a_range_are_of_every_entrant_that_has_it(ask):
    request = ask(settings=("steps=9",), ranges=("lr=0.01:0.1", "npo_beta=0.1:0.2"))
    teacher, npo, guard = request.entrants
    assert (teacher.base.steps, npo.base.steps) == (9, 9)
    assert teacher.space["lr"] == npo.space["lr"] == ("log_uniform", 0.01, 0.1)
    assert npo.space["npo_beta"] == ("log_uniform", 0.1, 0.2)
    assert "lr" not in guard.space


def test_what_is_set_for_all_is_left_to_an_entrant_that_searches_it_and_that_is_noted(ask):
    request = ask(method="all", settings=("steps=9",))
    searching = [entrant.label for entrant in request.entrants if "steps" in entrant.space]
    steps = {e.label: e.base.steps for e in request.entrants if "steps" in e.base.types() and e.label not in searching}
    assert len(steps) > 5
    assert set(steps.values()) == {9}
    assert searching
    assert f"{', '.join(searching)}: steps is searched, which steps=9 leaves alone" in request.notes


def test_what_names_a_method_is_of_this_one_alone(ask):
    teacher, npo, _ = ask(settings=("steps=9", "npo_gdr.steps=5"), choices=("npo_gdr.optimizer=sgd,adamw",)).entrants
    assert (teacher.base.steps, npo.base.steps) == (9, 5)
    assert npo.space["optimizer"] == ("choice", ("sgd", "adamw"))
    assert "optimizer" not in teacher.space


def test_what_is_not_said_has_the_defaults_of_each_method(ask):
    teacher, npo, _ = ask().entrants
    assert teacher.base == MeanTeacher()
    assert npo.base.optimizer == "adamw"


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        ({"method": "npo_gdr,nope"}, r"entrant 'nope' is unknown: choose all, or some of mean_teacher, "),
        ({"method": ""}, r"entrant '' is unknown"),
        ({"method": "npo_gdr, npo_gdr"}, r"entrant 'npo_gdr' is given twice: name each once"),
        ({"trials": 0}, r"--trials is 0: it must be at least 1"),
        ({"seeds": 0}, r"--seeds is 0: it must be at least 1"),
        ({"seeds": 101}, r"--seeds is 101: 100 at most"),
        ({"budget": 0.0}, r"--budget is 0: it must be a number of forward passes, greater than 0"),
        ({"budget": float("nan")}, r"--budget is nan: it must be a number"),
        ({"settings": ("seed=1",)}, r"setting 'seed' is what an arena repeats: give --seeds"),
        ({"settings": ("stepz=1",)}, r"'stepz' is no setting of any entrant: `lethe methods NAME` shows"),
        ({"ranges": ("stepz=1:2",)}, r"'stepz' is no setting of any entrant"),
        ({"settings": ("npo_gdr.seed=1",)}, r"setting 'seed' is what an arena repeats: give --seeds"),
        ({"settings": ("task_vector.lr=1",)}, r"'task_vector.lr' is no setting of any entrant"),
        ({"choices": ("stepz=1,2",)}, r"'stepz' is no setting of any entrant"),
        ({"settings": ("steps=0",)}, r"steps is 0"),
        ({"settings": ("lr=0.1",)}, r"setting 'lr' is searched: give its range with --range lr=LOW:HIGH"),
        ({"sampler": "luck"}, r"sampler 'luck' is unknown"),
        ({"stop": "luck"}, r"rule 'luck' for stopping trials is unknown"),
        ({"trials": 2, "budget": 5000.0}, "--trials is 2 and --budget 5000: give one of them"),
        ({"method": "npo_gdr,rmu", "settings": ("lora_rank=2",)}, "rmu: lora_rank is 2: it must be 0"),
        ({"name": "a/b"}, r"a study cannot be called 'a/b'"),
        ({"name": "x" * 95}, r"the arena's name has 95 letters: give a --name of [0-9]+ at most"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_ray(ask, flags, line):
    with pytest.raises(ValueError, match=line) as told:
        ask(**flags)
    assert "\n" not in str(told.value)


def test_an_arena_that_exists_is_not_gone_on_with_by_chance(ask):
    start(ask())
    with pytest.raises(
        ValueError, match="arena 'muse-mini-arena' exists: go on with --resume, or choose another --name"
    ):
        ask()
    assert ask(name="other").name == "other"


def test_an_arena_whose_first_entries_alone_exist_goes_on_with_the_same_flags(ask):
    request = ask(seeds=2)
    start(request, entries=2)
    assert ask(seeds=2, resume=True, concurrent=2).searches()[5].name == request.searches()[5].name


def test_an_arena_goes_on_with_more_seeds_and_whoever_is_named_first(ask):
    start(ask(), entries=9)
    again = ask(seeds=5, resume=True, method=",".join(reversed(THREE.split(","))))
    assert again.seeds == (0, 1, 2, 3, 4)
    assert [entrant.label for entrant in again.entrants] == THREE.split(",")


def test_a_batch_that_scores_less_at_once_reaches_the_workers(ask):
    assert ask(settings=("npo_gdr.score_batch=2",)).score_batch == 2


@pytest.mark.parametrize(
    ("flags", "line"),
    [
        (
            {"method": "mean_teacher,npo_gdr"},
            "has entrants mean_teacher, npo_gdr, guard_prompt, not mean_teacher, npo_gdr",
        ),
        ({"trials": 7}, "has budget 20160, not 23520"),
        ({"settings": ("lr=0.3",), "ranges": ("delta=0.1:0.2",)}, "setting 'lr' is searched"),
        ({"settings": ("damping=0",)}, "settings"),
        ({"ranges": ("delta=0.1:0.2",)}, "space"),
        ({"sampler": "random"}, "sampler"),
        ({"stop": "halving"}, "stop settled, not halving"),
        ({"objectives": "verbmem_f,utility"}, "objectives"),
    ],
)
def test_an_arena_does_not_go_on_with_other_flags(ask, flags, line):
    start(ask())
    with pytest.raises(ValueError, match=line):
        ask(resume=True, **flags)


def test_an_arena_keeps_its_rule_where_none_is_asked_for(ask):
    start(ask(stop="none"))
    assert ask(resume=True).stop is None


def test_all_of_an_arena_that_is_there_are_those_that_it_has(ask, monkeypatch):
    """It goes on where some could not run on its model, and where another version has more methods."""
    start(ask(method="npo_gdr,mean_teacher"))
    assert [entrant.label for entrant in ask(method="all", resume=True).entrants] == ["mean_teacher", "npo_gdr"]


def test_a_study_of_another_arena_with_the_same_beginning_is_none_of_it(ask):
    start(ask(name="a: b"))
    assert arena_request.stored_arena(ask(name="a")) is None


def test_an_arena_of_a_folder_is_called_by_it(ask, tmp_path):
    folder, model = benchmark_folder(tmp_path / "docs"), str(model_folder(tmp_path / "m"))
    assert ask(benchmark=str(folder), model=model, retrained=model).name == "docs-arena"


def test_a_search_names_the_arena_of_what_it_was_asked_for(tmp_path):
    flags = TuneFlags(
        benchmark="docs",
        model="a model",
        trials=40,
        cpus_per_worker=0.5,
        objectives="verbmem_f",
        constraints=("utility:70",),
    )
    words = shlex.split(hints.arena(flags, f"sqlite:///{tmp_path}/s.db"))
    assert words[1:] == [
        *("arena", "--benchmark", "docs", "--model", "a model", "--objectives", "verbmem_f"),
        *("--cpus-per-worker", "0.5", "--constrain", "utility:70", "--storage", f"sqlite:///{tmp_path}/s.db"),
    ]
