"""Trials read and written by our own queries are as Optuna reads and writes them, to the last attribute."""

import copy
import math

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial
from tiny_study import candidate, tiny_ledger

from lethe.store.storage import open_storage
from lethe.store.trial_storage import Attributes, TrialStorage
from lethe.store.trials import as_attribute

SHAPES = {
    "lr": FloatDistribution(1e-3, 1.0, log=True),
    "steps": IntDistribution(1, 9),
    "loss": CategoricalDistribution(("ll", None, 3, True)),
}
RESULTS = {
    TrialState.COMPLETE: [0.1 + 0.2, math.inf, -math.inf],
    TrialState.FAIL: None,
    TrialState.RUNNING: None,
    TrialState.WAITING: None,
    TrialState.PRUNED: None,
}


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return open_storage(f"sqlite:///{tmp_path_factory.mktemp('store')}/studies.db")


trials = st.lists(
    st.builds(
        lambda state, lr, steps, loss, scores: create_trial(
            state=state,
            params={"lr": lr, "steps": steps, "loss": loss},
            distributions=SHAPES,
            values=RESULTS[state],
            user_attrs=dict([as_attribute(candidate(7, verbmem_f=scores)), ("none", None)]),
            system_attrs={"constraints:utility": scores, "fixed_params": {"lr": lr}},
            intermediate_values={1: 0.5, 2: math.inf, 3: -math.inf},
        ),
        st.sampled_from(list(RESULTS)),
        st.floats(1e-3, 1.0),
        st.integers(1, 9),
        st.sampled_from(["ll", None, 3, True]),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    max_size=6,
)


def test_a_trial_that_is_none_is_a_key_error_as_it_is_optuna_s(storage):
    with pytest.raises(KeyError):
        storage.get_trial(10**9)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=trials, data=st.data())
def test_the_trials_are_optuna_s_own_whichever_are_asked_for(storage, made, data):
    study = optuna.create_study(storage=storage, directions=["minimize"] * 3)
    study.add_trials(made)
    ids = [trial._trial_id for trial in study.get_trials(deepcopy=False)]
    after = data.draw(st.sampled_from([-1, *ids]))
    among = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
    states = data.draw(st.sampled_from([None, (TrialState.WAITING,), (TrialState.COMPLETE, TrialState.FAIL)]))
    asked = (study._study_id, states, among, after)
    own, optunas = (kind._get_trials(storage, *asked) for kind in (TrialStorage, RDBStorage))
    assert own == optunas
    for number in ids:
        assert TrialStorage.get_trial(storage, number) == RDBStorage.get_trial(storage, number)
    assert copy.deepcopy(own) == optunas
    assert [list(trial.user_attrs.items()) for trial in own] == [list(t.user_attrs.items()) for t in optunas]


def test_an_attribute_is_set_as_in_a_dict():
    attributes = Attributes.of_json([("cost", "1.5")])
    attributes["cost"], attributes["reason"] = 2.5, None
    assert attributes == {"cost": 2.5, "reason": None}
    assert attributes.get("driver") is None


def test_a_step_that_is_no_number_and_a_study_that_is_not_there_are_read_as_optuna_does(storage):
    ledger = tiny_ledger(storage)
    number, _ = ledger.ask()
    ledger._asked[number].study._storage.set_trial_intermediate_value(ledger._asked[number]._trial_id, 1, math.nan)
    (trial,) = storage.get_all_trials(ledger.study._study_id)
    assert math.isnan(trial.intermediate_values[1])
    for read in (TrialStorage._get_trials, RDBStorage._get_trials):
        with pytest.raises(KeyError):
            read(storage, 10_000, None, set(), -1)


def test_more_trials_than_one_query_asks_for_are_read_whole(storage, monkeypatch):
    monkeypatch.setattr("lethe.store.queries.CHUNK", 2)
    ledger = tiny_ledger(storage, "many")
    for _ in range(5):
        ledger.queue({"lr": 0.1, "delta": 0.5}, {})
    asked = (ledger.study._study_id, None, set(), -1)
    assert TrialStorage._get_trials(storage, *asked) == RDBStorage._get_trials(storage, *asked)


WRITES = st.lists(
    st.one_of(
        st.tuples(
            st.just("set_trial_user_attr"), st.sampled_from("ab'"), st.sampled_from([None, 1.5, "é:x", {"c": [1]}])
        ),
        st.tuples(st.just("set_trial_system_attr"), st.sampled_from("ab"), st.booleans()),
        st.tuples(st.just("set_trial_param"), st.sampled_from(list(SHAPES)), st.sampled_from([1.0, 2.0])),
    ),
    max_size=8,
)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(writes=WRITES)
def test_what_is_written_is_what_optuna_writes(storage, writes):
    plain = RDBStorage(storage.url)
    study = plain.create_new_study([StudyDirection.MINIMIZE])
    ours, theirs = plain.create_new_trial(study), plain.create_new_trial(study)
    for how, name, value in writes:
        more = [SHAPES[name]] if how == "set_trial_param" else []
        for writer, trial in ((storage, ours), (plain, theirs)):
            getattr(writer, how)(trial, name, value, *more)
    one, two = map(plain.get_trial, (ours, theirs))
    for what in ("params", "distributions", "user_attrs", "system_attrs"):
        assert getattr(one, what) == getattr(two, what)


def test_a_parameter_of_another_kind_is_refused_as_by_optuna(storage):
    study = storage.create_new_study([StudyDirection.MINIMIZE])
    storage.set_trial_param(storage.create_new_trial(study), "lr", 0.5, SHAPES["lr"])
    other = storage.create_new_trial(study)
    with pytest.raises(ValueError, match="Cannot set different distribution kind"):
        storage.set_trial_param(other, "lr", 0, SHAPES["loss"])
    assert storage.get_trial(other).params == {}


@pytest.mark.parametrize(
    "write",
    [
        lambda storage, trial: storage.set_trial_user_attr(trial, "a", 1),
        lambda storage, trial: storage.set_trial_system_attr(trial, "a", 1),
        lambda storage, trial: storage.set_trial_param(trial, "lr", 0.5, SHAPES["lr"]),
    ],
)
def test_nothing_is_written_of_a_trial_that_has_ended_or_is_none(storage, write):
    study = storage.create_new_study([StudyDirection.MINIMIZE])
    trial = storage.create_new_trial(study)
    storage.set_trial_state_values(trial, TrialState.FAIL)
    before = storage.get_trial(trial)
    with pytest.raises(UpdateFinishedTrialError):
        write(storage, trial)
    assert storage.get_trial(trial) == before
    with pytest.raises(KeyError, match="there is no trial 1000000000"):
        write(storage, 10**9)
