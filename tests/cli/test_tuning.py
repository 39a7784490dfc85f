"""An arm searches its own rates around its own values, and goes on with those of its recommended candidate."""

import optuna
import pytest
from rich.console import Console
from searching import make_tiny
from tiny_study import OBJECTIVES, candidate, scores, tiny_facts

from lethe.analysis.designs import Arm
from lethe.search.ledger import Ledger
from lethe.search.space import distributions
from lethe.store.storage import open_storage
from lethe_cli import checks, tuning
from lethe_cli.ablation_request import TUNING_SEED, make_ablation, space_around
from lethe_cli.flags import AblateFlags
from lethe_cli.tuning import tune_arms, tuned
from search_spaces.mean_teacher import SPACE
from trainables.methods.mean_teacher import MeanTeacher
from trainables.scores.references import References


def test_each_rate_is_searched_within_the_same_factor_of_the_arm_s_own_value():
    space = space_around(MeanTeacher(lr=0.3, alpha=1.0, delta=0.05))
    assert space == {
        "lr": ("log_uniform", pytest.approx(0.06), pytest.approx(1.5)),
        "alpha": ("log_uniform", 0.2, 5.0),
        "delta": ("log_uniform", 0.01, 0.25),
    }
    distributions(space)


def test_a_frozen_teacher_stays_frozen_and_no_rate_leaves_what_is_allowed():
    assert set(space_around(MeanTeacher(delta=0.0))) == {"lr", "alpha"}
    low, high = space_around(MeanTeacher(delta=0.9))["delta"][1:]
    assert (low, high) == (pytest.approx(0.18), 1.0)


@pytest.fixture
def ledger(tmp_path):
    space = {"lr": ("log_uniform", 0.01, 1.0), "alpha": ("log_uniform", 0.1, 10.0)}
    return Ledger.create(open_storage(f"sqlite:///{tmp_path}/s.db"), "arm", tiny_facts(objectives=OBJECTIVES), space)


def test_an_arm_takes_the_rates_of_the_recommended_candidate(ledger):
    asked = {}
    for verbmem in (60.0, 5.0, 40.0):
        number, asked[verbmem] = ledger.ask()
        ledger.record(number, candidate(verbmem_f=verbmem))
        ledger.tell(number)
    found = tuned(Arm(name="loss=ll", levels={"loss": "ll"}, settings={"forget_loss": "ll"}), ledger, SPACE)
    assert found.settings == {"forget_loss": "ll"} | asked[5.0]
    assert found.name == "loss=ll"


def test_an_arm_whose_search_found_nothing_feasible_keeps_its_own(ledger):
    number, _ = ledger.ask()
    ledger.record(number, candidate(utility=0.0))
    ledger.tell(number)
    arm = Arm(name="loss=ll", levels={"loss": "ll"}, settings={"forget_loss": "ll"})
    assert tuned(arm, ledger, SPACE) == arm


REFERENCES = References(
    target=scores(knowmem_f=90.0), retrained=scores(knowmem_f=5.0), reference=None, items={}, content="", fingerprint=""
)


@pytest.fixture
def request_of_two_arms(tmp_path, monkeypatch):
    """An ablation of a tiny benchmark, each of whose two arms has a search of three trials before its seeds."""
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)
    flags = AblateFlags(
        **make_tiny(tmp_path / "tiny").places(),
        switches=("penalty=kl,none",),
        seeds=2,
        tuned=3,
        storage_path=str(tmp_path),
        resume=True,
    )
    return make_ablation(flags)


def no_cluster():
    """Joins none: trials run here."""


@pytest.fixture
def trials_left(monkeypatch):
    """Take Ray away: trials run in a plain loop, as many as are left here; then Ctrl-C ends the search that runs."""
    left, ran = [100], []

    def run(search, ledger, joined, console):
        while ledger.trials.finished() < search.trials and left[0]:
            left[0] -= 1
            number, params = ledger.ask()
            assert set(params) == {"lr", "alpha", "delta"}
            ran.append((search.name, search.base.seed, search.base.penalty, params["lr"]))
            ledger.record(number, candidate(knowmem_f=1.0, verbmem_f=100 * params["lr"] / search.base.lr))
            ledger.tell(number)

    monkeypatch.setattr(tuning, "run_trials", run)
    return left, ran


def test_every_arm_has_a_search_of_its_own_of_the_same_budget_and_seed(request_of_two_arms, trials_left):
    design = tune_arms(request_of_two_arms, REFERENCES, no_cluster, Console(quiet=True))
    ran = trials_left[1]
    names = ["data-loco tuned 0: baseline", "data-loco tuned 1: penalty=none"]
    assert [name for name, *_ in ran] == [names[0]] * 3 + [names[1]] * 3
    assert {(seed, penalty) for _, seed, penalty, _ in ran} == {
        (TUNING_SEED, "kl"),
        (TUNING_SEED, "none"),
    }
    for arm, name in zip(design, names, strict=True):
        assert arm.settings["lr"] == min(lr for own, _, _, lr in ran if own == name)
    assert design["penalty=none"].settings["penalty"] == "none"


def test_tuning_that_was_interrupted_goes_on_and_repeats_nothing(request_of_two_arms, trials_left):
    left, ran = trials_left
    left[0] = 4
    with pytest.raises(KeyboardInterrupt):
        tune_arms(request_of_two_arms, REFERENCES, no_cluster, Console(quiet=True))
    assert len(ran) == 4
    left[0] = 100
    design = tune_arms(request_of_two_arms, REFERENCES, no_cluster, Console(quiet=True))
    assert len(ran) == 6
    assert tune_arms(request_of_two_arms, REFERENCES, no_cluster, Console(quiet=True)) == design
    assert len(ran) == 6
    assert len(optuna.get_all_study_names(request_of_two_arms.storage)) == 2
