"""An arm searches its own rates around its own values, and goes on with those of its recommended point."""

import pytest
from tiny_study import OBJECTIVES, checkpoint, tiny_facts

from lethe import store
from lethe.designs import Arm
from lethe.ledger import Ledger
from lethe.space import distributions
from lethe_cli.tuning import space_around, tuned
from trainables.config import Config


def test_each_rate_is_searched_within_the_same_factor_of_the_arm_s_own_value():
    space = space_around(Config(lr=0.3, alpha=1.0, delta=0.05))
    assert space == {
        "lr": ("log_uniform", pytest.approx(0.06), pytest.approx(1.5)),
        "alpha": ("log_uniform", 0.2, 5.0),
        "delta": ("log_uniform", 0.01, 0.25),
    }
    distributions(space)


def test_a_frozen_teacher_stays_frozen_and_no_rate_leaves_what_is_allowed():
    assert set(space_around(Config(delta=0.0))) == {"lr", "alpha"}
    low, high = space_around(Config(delta=0.9))["delta"][1:]
    assert (low, high) == (pytest.approx(0.18), 1.0)


@pytest.fixture
def ledger(tmp_path):
    space = {"lr": ("log_uniform", 0.01, 1.0), "alpha": ("log_uniform", 0.1, 10.0)}
    return Ledger.create(
        store.open_storage(f"sqlite:///{tmp_path}/s.db"), "arm", tiny_facts(objectives=OBJECTIVES), space
    )


def test_an_arm_takes_the_rates_of_the_recommended_point(ledger):
    asked = {}
    for verbmem in (60.0, 5.0, 40.0):
        number, asked[verbmem] = ledger.ask()
        ledger.record(number, checkpoint(verbmem_f=verbmem))
        ledger.tell(number)
    found = tuned(Arm(name="loss=ll", levels={"loss": "ll"}, settings={"forget_loss": "ll"}), ledger)
    assert found.settings == {"forget_loss": "ll"} | asked[5.0]
    assert found.name == "loss=ll"


def test_an_arm_whose_search_found_nothing_feasible_keeps_its_own(ledger):
    number, _ = ledger.ask()
    ledger.record(number, checkpoint(utility=0.0))
    ledger.tell(number)
    arm = Arm(name="loss=ll", levels={"loss": "ll"}, settings={"forget_loss": "ll"})
    assert tuned(arm, ledger) == arm
