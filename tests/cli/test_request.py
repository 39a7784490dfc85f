"""A search's flags become a checked request; a study goes on only with the flags that it was made with."""

import shutil
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from tiny_folders import benchmark_folder, model_folder
from tiny_study import run_trial

from lethe.fronts.objectives import Constraint
from lethe.search.ledger import Ledger
from lethe.search.rule import Rule
from lethe.store.facts import FACTS, Facts
from lethe.store.storage import open_storage
from lethe_cli import checks
from lethe_cli.flags import TuneFlags
from lethe_cli.request import make_request
from search_spaces.mean_teacher import SPACE
from trainables.methods.mean_teacher import MeanTeacher


@pytest.fixture(autouse=True)
def _two_cpus(monkeypatch):
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory):
    """A store without a study, copied for each test: to make one anew takes a while."""
    file = tmp_path_factory.mktemp("store") / "studies.db"
    open_storage(f"sqlite:///{file}")
    return file


@pytest.fixture
def ask(tmp_path, empty_store):
    """Make a request whose files go to a folder of the test's own."""
    (tmp_path / "results").mkdir()
    shutil.copy(empty_store, tmp_path / "results" / "studies.db")
    return lambda **flags: make_request(TuneFlags(**({"storage_path": str(tmp_path / "results")} | flags)))


def start(request):
    """Start the request's study, as the search does once the target is scored."""
    facts = Facts(
        objectives=request.objectives, constraints=(), sampler=request.sampler, seed=request.seed, about=request.about()
    )
    return Ledger.create(open_storage(request.storage), request.name, facts, request.space)


def test_the_defaults(ask, tmp_path):
    request = ask()
    assert request.name == "muse-mini"
    assert request.space == SPACE
    assert request.base == MeanTeacher()
    assert [o.score for o in request.objectives] == ["verbmem_f", "knowmem_f", "privleak", "knowmem_r"]
    assert request.guard == {"utility": 0.8, "repetition_f": 10.0, "nonwords_f": 10.0}
    assert request.storage == f"sqlite:///{tmp_path}/results/studies.db"
    assert request.results == str(tmp_path / "results")
    assert request.notes == ()


def test_flags_find_their_place(ask, tmp_path):
    request = ask(
        settings=["steps=9"], ranges=["lr=0.1:0.2"], objectives="utility", sampler="nsga2", seed=3, cpus_per_worker=2
    )
    assert (request.base.steps, request.space["lr"]) == (9, ("log_uniform", 0.1, 0.2))
    assert [(o.score, o.goal) for o in request.objectives] == [("utility", "maximize")]
    assert (request.sampler, request.seed, request.cpus) == ("nsga2", 3, 2)
    assert request.results == str(tmp_path / "results")


def test_half_of_the_items_report_in_a_search_where_it_is_not_said_otherwise(ask):
    assert ask().task.split
    assert ask(split=False, name="whole").about()["split"] is False


@pytest.mark.parametrize(("before", "flag"), [(True, "--split"), (False, "--no-split")])
def test_a_study_goes_on_only_with_the_items_that_it_was_begun_with(ask, before, flag):
    start(ask(split=before))
    assert ask(split=before, resume=True).task.split is before
    with pytest.raises(ValueError, match=f"has split {before}, not {not before}: go on with {flag}, or choose another"):
        ask(split=not before, resume=True)


def test_a_study_from_before_items_were_split_goes_on_with_all_of_them(ask):
    request = ask(split=False)
    ledger = start(request)
    about = {name: value for name, value in ledger.facts.about.items() if name != "split"}
    ledger.study.set_user_attr(FACTS, replace(ledger.facts, about=about).to_json())
    assert ask(split=False, resume=True).name == request.name


def test_a_folder_s_study_has_the_folder_s_name_and_its_task_whole_paths(ask, tmp_path, monkeypatch):
    benchmark_folder(tmp_path / "docs")
    model_folder(tmp_path / "target")
    model_folder(tmp_path / "retrained")
    monkeypatch.chdir(tmp_path)
    request = ask(benchmark="docs", model="target", retrained="./retrained")
    assert request.name == "docs"
    assert request.task.benchmark == str(tmp_path / "docs")
    assert (request.task.model, request.task.retrained) == (str(tmp_path / "target"), str(tmp_path / "retrained"))


def test_what_a_benchmark_cannot_measure_is_neither_an_objective_nor_a_guard(ask, tmp_path):
    folder, model = benchmark_folder(tmp_path / "b", without=("utility",)), str(model_folder(tmp_path / "m"))
    request = ask(benchmark=str(folder), model=model, objectives="verbmem_f,knowmem_r")
    assert request.guard == {"repetition_f": 10.0, "nonwords_f": 10.0}
    bare = benchmark_folder(tmp_path / "c", without=("knowmem",))
    request = ask(benchmark=str(bare), model=model, retrained=model)
    assert [o.score for o in request.objectives] == ["verbmem_f", "privleak", "utility"]
    assert [note.split(":")[0] for note in request.notes] == ["knowmem_f is absent", "knowmem_r is absent"]


def test_a_benchmark_of_one_s_own_needs_a_target_model(ask, tmp_path):
    with pytest.raises(ValueError, match="names no target model: give one with --model"):
        ask(benchmark=str(benchmark_folder(tmp_path / "b")))


@pytest.mark.parametrize("objectives", [None, "verbmem_f,privleak"])
def test_privleak_without_a_retrained_model_is_refused_asked_for_or_not(ask, tmp_path, objectives):
    folder, model = benchmark_folder(tmp_path / "b"), model_folder(tmp_path / "m")
    with pytest.raises(ValueError, match="privleak is among the objectives, but .* has no retrained model"):
        ask(benchmark=str(folder), model=str(model), objectives=objectives)


def test_stresses_that_are_asked_for_are_of_the_task(ask):
    request = ask(objectives="knowmem_f,quant", constraints=("relearn_benign:k=5:10",))
    assert request.task.stresses == ("quant:nf4", "relearn_benign:k=5")
    assert [(o.score, o.goal) for o in request.objectives][-1] == ("net_quant:nf4", "minimize")
    assert request.constraints == (Constraint(score="net_relearn_benign:k=5", ceiling=10.0),)
    assert ask().task.stresses == ()


def test_a_stress_that_cannot_be_put_on_is_refused(ask, tmp_path):
    folder, model = benchmark_folder(tmp_path / "b"), model_folder(tmp_path / "m")
    own = {"benchmark": str(folder), "model": str(model)}
    with pytest.raises(ValueError, match="^net_quant:nf4 is among the objectives, but .* has no retrained model: give"):
        ask(**own, objectives="quant")
    with pytest.raises(
        ValueError, match="^net_relearn_unrelated is among the constraints, but .* no split raw/unrelated"
    ):
        ask(**own, retrained=str(model), objectives="verbmem_f", constraints=("relearn_unrelated:10",))
    with pytest.raises(ValueError, match="^relearn_benign trains the model, and each of up to 2 workers would score"):
        ask(objectives="relearn_benign", workers="2")


def test_a_study_that_exists_is_not_gone_on_with_by_chance(ask):
    start(ask())
    with pytest.raises(ValueError, match="study 'muse-mini' exists: go on with --resume, or choose another --name"):
        ask()
    assert ask(name="other").name == "other"


def test_a_study_goes_on_with_the_same_flags_and_more_trials(ask):
    ledger = start(ask(settings=["steps=9"], ranges=["lr=0.1:0.2"], seed=3))
    run_trial(ledger, knowmem_f=50)
    again = ask(
        settings=["steps=9"], ranges=["lr=0.1:0.2"], seed=3, resume=True, trials=40, concurrent=2, cpus_per_worker=2
    )
    assert again.trials == 40


def test_a_constraint_on_a_score_of_the_guard_stands_in_its_place_and_others_beside_it(ask):
    request = ask(constraints=["knowmem_r:80", "verbmem_f:20"])
    assert request.guard == {"utility": 0.8, "repetition_f": 10.0, "nonwords_f": 10.0}
    assert request.constraints == (Constraint(score="knowmem_r", floor=80), Constraint(score="verbmem_f", ceiling=20))
    request = ask(constraints=["utility:70"])
    assert request.guard == {"repetition_f": 10.0, "nonwords_f": 10.0}
    assert request.constraints == (Constraint(score="utility", floor=70),)
    request = ask(constraints=["utility:70,repetition_f:100,nonwords_f:100"])
    assert (request.guard, request.constraints[1]) == ({}, Constraint(score="repetition_f", ceiling=100))


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        ((), ("knowmem_r:80",), "has constraints the guard alone, not knowmem_r:80"),
        (("knowmem_r:80",), (), "has constraints knowmem_r:80, not the guard alone"),
        (("knowmem_r:80",), ("knowmem_r:80.5",), "has constraints knowmem_r:80, not knowmem_r:80.5"),
    ],
)
def test_a_study_does_not_go_on_with_other_constraints(ask, before, now, message):
    start(ask(constraints=before))
    with pytest.raises(ValueError, match=message):
        ask(constraints=now, resume=True)
    assert ask(constraints=before, resume=True).flags.resume


@pytest.mark.parametrize("now", ["none", "settled"])
def test_a_study_goes_on_with_the_rule_that_stops_its_trials_and_with_no_other(ask, now):
    start(ask(stop="halving"))
    assert ask(stop="halving", resume=True).stop == Rule()
    with pytest.raises(ValueError, match=f"study 'muse-mini' has stop halving, not {now}: choose another --name"):
        ask(stop=now, resume=True)


@pytest.mark.parametrize("before", ["none", "settled", "halving"])  # older studies have none
def test_a_study_keeps_its_rule_where_none_is_asked_for(ask, before):
    start(ask(stop=before))
    assert ask(resume=True).stop == Rule.named(before)


def test_a_new_study_stops_what_is_lost(ask):
    assert ask().stop == Rule(halving=False)


def test_several_methods_are_one_study_whatever_their_order(ask):
    request = ask(method="task_vector,npo_gdr", settings=["batch_size=2"], ranges=["npo_gdr.lr=0.1:0.2"])
    assert request.space["method"] == ("choice", ("npo_gdr", "task_vector"))
    assert request.space["npo_gdr.lr"] == ("log_uniform", 0.1, 0.2)
    assert {name: base.batch_size for name, base in request.bases.items()} == {"npo_gdr": 2, "task_vector": 2}
    assert {settings.method for settings in request.corners()} == {"npo_gdr", "task_vector"}
    start(request)
    flags = {"settings": ["batch_size=2"], "ranges": ["npo_gdr.lr=0.1:0.2"], "resume": True}
    assert ask(method="npo_gdr,task_vector", **flags).about() == request.about()
    with pytest.raises(ValueError, match="has method npo_gdr,task_vector, not npo_gdr: choose another --name"):
        ask(method="npo_gdr", **flags)
    with pytest.raises(ValueError, match="has settings .* choose another --name"):
        ask(method="npo_gdr,task_vector", **flags | {"settings": ["batch_size=3"]})


def test_a_study_of_one_method_does_not_go_on_with_several(ask):
    start(ask(method="npo_gdr"))
    with pytest.raises(ValueError, match="has method npo_gdr, not npo_gdr,task_vector: choose another --name"):
        ask(method="npo_gdr,task_vector", resume=True)


def test_what_some_methods_lack_and_what_a_sampler_cannot_breed_is_said_before_the_search(ask):
    flags = {"method": "npo_gdr,guard_prompt", "settings": ["batch_size=2"], "choices": ["optimizer=sgd,adamw"]}
    request = ask(**flags, ranges=["lr=0.1:0.2"], sampler="nsga2")
    assert request.notes == (
        "lr is no setting of guard_prompt",
        "optimizer is no setting of guard_prompt",
        "nsga2 breeds the choice of a method alone, and draws its settings at random: tpe learns both",
        "batch_size is no setting of guard_prompt",
    )
    assert request.space["npo_gdr.optimizer"] == ("choice", ("sgd", "adamw"))


def test_text_that_one_choice_of_one_method_needs_is_asked_for(ask, tmp_path):
    folder, model = benchmark_folder(tmp_path / "b"), str(model_folder(tmp_path / "m"))
    places = {"benchmark": str(folder), "model": model, "retrained": model}
    with pytest.raises(ValueError, match="has no split raw/unrelated: give text of your own"):
        ask(**places, method="npo_gdr,guard_prompt", choices=["regularisation=retain,unrelated"])


def test_resume_starts_a_study_that_is_not_there_yet(ask):
    assert ask(resume=True).flags.resume


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        ({"ranges": ["lr=0.1:0.2"]}, "space"),
        ({"space": "7b"}, "space"),
        ({"ranges": ["tol=0.1:0.2"]}, "space"),
        ({"settings": ["steps=9"]}, "settings"),
        ({"seed": 1}, "seed 0, not 1"),
        ({"sampler": "random"}, "sampler tpe, not random"),
        ({"stop": "halving"}, "stop settled, not halving"),
        ({"objectives": "verbmem_f,utility"}, "objectives"),
        ({"objectives": "verbmem_f,knowmem_f,privleak:maximize,knowmem_r"}, "objectives"),
        ({"protocol": "open-unlearning"}, "protocol muse, not open-unlearning"),
        ({"model": "owner/name"}, "model None, not owner/name"),
        ({"benchmark": "muse-news", "workers": "1", "name": "muse-mini"}, "benchmark muse-mini, not muse-news"),
    ],
)
def test_a_study_does_not_go_on_with_other_flags(ask, flags, what, monkeypatch):
    rows = checks.check_benchmark("muse-mini")
    monkeypatch.setattr(checks, "load_benchmark", lambda reference: rows)  # muse-news is not at hand
    start(ask())
    with pytest.raises(ValueError, match=f"study 'muse-mini' has {what}.* choose another --name"):
        ask(resume=True, **flags)


def test_who_widens_a_space_is_told_that_a_new_study_may_start_from_the_old_one(ask):
    start(ask())
    with pytest.raises(ValueError, match="choose another --name, and --start-from muse-mini for what it knows$"):
        ask(resume=True, ranges=["lr=0.001:5"])
    with pytest.raises(ValueError, match="protocol muse, not open-unlearning: choose another --name$"):
        ask(resume=True, protocol="open-unlearning")


def test_a_study_that_lethe_did_not_make_is_not_gone_on_with(ask):
    url = ask().storage
    optuna.create_study(study_name="muse-mini", storage=open_storage(url))
    with pytest.raises(ValueError, match="was not made by Lethe"):
        ask(resume=True)


def test_a_store_that_cannot_be_opened_is_told(ask, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="storage 'sqlite:///.*' cannot be opened"):
        ask(storage=f"sqlite:///{tmp_path}/file/s.db")


def test_a_request_leaves_nothing_behind_but_its_store(ask, tmp_path):
    ask(storage_path=str(tmp_path / "new"), storage=f"sqlite:///{tmp_path}/results/studies.db")
    assert {Path(file).name for file in tmp_path.rglob("*")} <= {
        "results",
        "studies.db",
        "studies.db-wal",
        ".studies.db.lock",
        "studies.db-shm",
    }


@pytest.mark.parametrize(
    "name", ["../../etc", "..", ".", "", "/etc", "a/b", "-rf", ".hidden", "a\nb", "a\0", "x" * 101]
)
def test_a_name_that_is_no_part_of_a_path_is_refused(ask, name):
    with pytest.raises(ValueError, match="a study cannot be called .*: give a --name"):
        ask(name=name)


@pytest.mark.parametrize("name", ["a", "muse-mini", "café 2", "v1.2_b (lr=0.1, x:y+z)", "x" * 100])
def test_a_readable_name_is_taken(ask, name):
    assert ask(name=name).name == name


def test_the_default_name_is_that_of_the_folder_wherever_one_stands(ask, tmp_path, monkeypatch):
    monkeypatch.chdir(benchmark_folder(tmp_path / "docs"))
    model = str(model_folder(tmp_path / "m"))
    assert ask(benchmark=".", model=model, objectives="verbmem_f").name == "docs"
    with pytest.raises(ValueError, match="cannot be called '#docs'"):
        ask(benchmark=str(benchmark_folder(tmp_path / "#docs")), model=model, objectives="verbmem_f")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"repeats": -1}, "--repeats is -1: it must be a number of runs, or 0 for none"),
        ({"repeats": 2, "settings": ("seed=2147483646",)}, "needs seeds up to 2147483648: 2147483647 is the largest"),
        ({"repeats": 2, "choices": ("seed=1,2",)}, "and the seed is searched: leave one out"),
        ({"repeats": 2, "method": "guard_prompt"}, "is of no effect: guard_prompt draws nothing"),
    ],
)
def test_repeats_that_cannot_be_or_would_show_nothing_are_told(ask, flags, message):
    with pytest.raises(ValueError, match=message):
        ask(**flags)


def test_repeats_change_nothing_of_what_a_study_is_gone_on_with_by(ask):
    assert ask(repeats=3).about() == ask().about()
    assert ask(repeats=3, method="guard_prompt,npo_gdr").notes[0].startswith("repeats of guard_prompt are all the same")
