"""A mistake in an ablation's flags is told in one line, before torch or Ray is loaded."""

import re
import sqlite3

import pytest
from searching import make_tiny

from lethe.fronts.objectives import Objective
from lethe.search.ledger import Ledger
from lethe.store.facts import Facts
from lethe.store.storage import open_storage
from lethe.store.urls import sqlite_file
from lethe_cli import checks
from lethe_cli.ablation_request import make_ablation
from lethe_cli.flags import AblateFlags


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Make a request for muse-mini, a flag changed."""
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)
    return lambda **changed: make_ablation(AblateFlags(**({"storage_path": str(tmp_path)} | changed)))


def test_the_default_is_every_part_left_out_with_five_seeds(ask):
    request = ask()
    assert [arm.name for arm in request.design] == [
        "baseline", "teacher=frozen", "teacher=none", "damping=off", "forget_loss=ll", "penalty=none", "optimizer=adamw", "embeddings=trained",
    ]  # fmt: skip
    assert (request.trials, request.seeds, request.name) == (40, (0, 1, 2, 3, 4), "muse-mini-loco")
    assert request.settings_of("damping=off", 3).damping == 0
    assert request.settings_of("damping=off", 3).seed == 3
    assert request.settings_of("baseline", 3) == request.settings_of("teacher=frozen", 3).__class__(seed=3)


def test_switches_of_one_s_own_take_the_kind_of_the_design(ask):
    request = ask(design="factorial", switches=["damping", "penalty=kl,gdr"])
    assert [arm.name for arm in request.design] == [
        "baseline",
        "penalty=gdr",
        "damping=off",
        "damping=off, penalty=gdr",
    ]


def test_7b_has_rates_of_its_own(ask, monkeypatch):
    rows = checks.check_benchmark("muse-mini")
    monkeypatch.setattr(checks, "load_benchmark", lambda reference: rows)
    monkeypatch.setattr(checks, "available_cpus", lambda: 16)
    request = ask(benchmark="muse-news", switches=["optimizer"], gpus_per_worker=2)
    assert request.settings_of("optimizer=adamw", 0).lr == 1e-6
    assert request.settings_of("baseline", 0).lr == 5e-4


BAD = {
    "--seeds is 1: an interval needs at least 2 seeds": {"seeds": 1},
    "--seeds is 99999999999: 10000 at most": {"seeds": 99999999999},
    "--first-seed is -1: it must lie between 0 and": {"first_seed": -1},
    "--first-seed is 2147483643: it must lie between 0 and 2147483642": {"first_seed": 2147483643},
    "--tuned is -2": {"tuned": -2},
    "design 'lco' is unknown: choose loco, sweep, factorial, fractional, paper": {"design": "lco"},
    "switch 'dampin' is unknown: choose teacher, damping": {"switches": ["dampin"]},
    "level 'of' of switch 'damping' is unknown: choose on, off": {"switches": ["damping=on,of"]},
    "switch 'penalty' is left without its baseline: name the level 'kl' too": {"switches": ["penalty=qkl,gdr"]},
    "switches 'teacher' and 'penalty' both set penalty": {"design": "factorial", "switches": ["teacher", "penalty"]},
    "a fractional design of your own switches needs --generators": {"design": "fractional", "switches": ["damping"]},
    "--generators belong to switches of your own": {"generators": ["D=ABC"]},
    "setting 'forget_loss' is switched by this design: leave it out of --set": {"settings": ["forget_loss=npo"]},
    "setting 'seed' is what an ablation repeats: give --seeds": {"settings": ["seed=3"]},
    "arm 'damping=off' is the baseline itself here": {"settings": ["damping=0"]},
    "'stpes' is no setting of mean_teacher": {"settings": ["stpes=3"]},
    "protocol 'must' is unknown": {"protocol": "must"},
}


@pytest.mark.parametrize(("message", "flags"), BAD.items(), ids=BAD)
def test_a_mistake_is_told_in_one_line(ask, message, flags):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}[^\n]*$"):
        ask(**flags)


def test_text_that_the_benchmark_lacks_is_told_before_anything_runs(ask, tmp_path):
    folder = make_tiny(tmp_path / "tiny").folder
    places = {
        "benchmark": str(folder / "data"),
        "model": str(folder / "target"),
        "retrained": str(folder / "retrained"),
    }
    with pytest.raises(ValueError, match=r"^[^\n]*has no split raw/unrelated: give text of your own[^\n]*$"):
        ask(**places, switches=["corpus"])
    (tmp_path / "web.txt").write_text("On the web.")
    own = f"unrelated_texts={tmp_path / 'web.txt'}"
    assert ask(**places, switches=["corpus"], settings=[own]).base.unrelated_texts == str(tmp_path / "web.txt")
    with pytest.raises(
        ValueError, match=r"^'unrelated_texts' is of no effect: regularisation is retain, not unrelated$"
    ):
        ask(**places, switches=["damping"], settings=[own])


def stored(request, tmp_path, sampler="random", **about):
    """Store a study as a request would, some of it changed."""
    facts = Facts(objectives=request.objectives, constraints=(), sampler=sampler, seed=0, about=request.about() | about)
    Ledger.create(open_storage(request.storage), request.name, facts, request.space)


def test_an_ablation_goes_on_with_more_seeds_but_not_without_being_asked(ask, tmp_path):
    stored(ask(), tmp_path)
    assert ask(resume=True, seeds=8).trials == 64
    with pytest.raises(
        ValueError, match=r"^study 'muse-mini-loco' exists: go on with --resume, or choose another --name$"
    ):
        ask()


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"protocol": "open-unlearning"}, "has protocol muse, not open-unlearning: choose another --name"),
        ({"switches": ["damping"]}, "has design loco, 8 arms"),
        ({"settings": ["steps=9"]}, "has settings"),
    ],
)
def test_a_study_of_another_protocol_design_or_settings_is_never_pooled(ask, tmp_path, flags, message):
    stored(ask(), tmp_path)
    with pytest.raises(ValueError, match=f"^[^\n]*{re.escape(message)}[^\n]*$"):
        ask(resume=True, **flags)


def test_a_study_of_another_benchmark_is_never_pooled(ask, tmp_path):
    stored(ask(), tmp_path, benchmark="muse-books")
    with pytest.raises(ValueError, match="has benchmark muse-books, not muse-mini: choose another --name"):
        ask(resume=True)


def test_a_search_of_the_same_name_is_not_mistaken_for_an_ablation(ask, tmp_path):
    request = ask()
    facts = Facts(objectives=(Objective(score="verbmem_f", goal="minimize"),), constraints=(), sampler="tpe", seed=0)
    Ledger.create(open_storage(request.storage), request.name, facts, {"lr": ("uniform", 0, 1)})
    with pytest.raises(ValueError, match="choose another --name"):
        ask(resume=True)


def test_a_store_that_no_dashboard_could_read_is_told_before_anything_runs_in_it(ask, tmp_path):
    with sqlite3.connect(sqlite_file(ask().storage)) as connection:
        connection.execute("update version_info set schema_version = 99, library_version = '9.9.9'")
    connection.close()
    with pytest.raises(
        ValueError, match=r"^store '[^\n]*' was made by Optuna 9.9.9, whose tables differ from Optuna 5's$"
    ):
        ask()


def test_searches_of_arms_that_are_there_are_gone_on_with_when_asked_and_never_with_other_settings(ask, tmp_path):
    """Those of an ablation that was interrupted while its arms were tuned, before it had a study of its own."""
    search = ask(tuned=3).searches()[1]
    stored(search, tmp_path, sampler="tpe")
    assert ask(tuned=3, resume=True).tuned == 3
    with pytest.raises(
        ValueError, match=r"^study 'muse-mini-loco tuned 1: teacher=frozen' exists: go on with --resume"
    ):
        ask(tuned=3)
    with pytest.raises(ValueError, match=r"^study '[^']*teacher=frozen' has settings [^\n]*: choose another --name$"):
        ask(tuned=3, resume=True, settings=["steps=9"])
    assert ask().tuned == 0


def test_rates_that_no_search_can_lie_around_are_told_before_anything_runs(ask):
    with pytest.raises(ValueError, match=r"^range of 'alpha' is [\d.e+]+:inf: both ends must be finite numbers$"):
        ask(tuned=3, settings=["alpha=1e308"])
    assert ask(settings=["alpha=1e308"]).base.alpha == 1e308
