"""Somebody else's Optuna study: trials are rows, and its store is left as it was."""

import hashlib

import optuna
import pytest
from optuna.distributions import FloatDistribution, IntDistribution
from optuna.trial import TrialState, create_trial
from tiny_study import tiny_ledger

from lethe.imports.mapping import columns_of
from lethe.imports.optuna_study import read
from lethe.store.storage import open_storage

SHAPES = {"rate": FloatDistribution(1e-4, 1.0, log=True), "layer": IntDistribution(1, 9)}


@pytest.fixture
def store(tmp_path):
    """Two complete trials, the second without the attribute `keeps`, and a pruned one."""
    study = optuna.create_study(
        storage=f"sqlite:///{tmp_path}/theirs.db", study_name="theirs", directions=["minimize", "maximize"]
    )
    for rate, values, attrs in ((0.1, [0.5, 0.25], {"keeps": 40.0, "who": "x"}), (0.2, [0.25, 0.5], {})):
        study.add_trial(
            create_trial(params={"rate": rate, "layer": 3}, distributions=SHAPES, values=values, user_attrs=attrs)
        )
    study.add_trial(create_trial(state=TrialState.PRUNED, params={"rate": 0.3, "layer": 4}, distributions=SHAPES))
    return tmp_path / "theirs.db"


def source(file):
    return f"sqlite:///{file}#theirs"


def test_values_and_attributes_are_scores_and_parameters_keep_their_names_or_get_others(store):
    columns = columns_of(["score:knowmem_f=value_0*100", "score:knowmem_r=keeps", "lr=rate"])
    found = read(source(store), columns)
    assert [(row.line, row.parameters, row.scores) for row in found.rows] == [
        (0, {"lr": 0.1, "layer": 3}, {"knowmem_f": 50.0, "knowmem_r": 40.0}),
        (1, {"lr": 0.2, "layer": 3}, {"knowmem_f": 25.0}),
    ]
    assert [str(oddity) for oddity in found.oddities] == [f"{source(store)}:2: it is pruned, and not complete"]


def test_the_store_is_not_changed_by_a_bit(store):
    before = hashlib.sha256(store.read_bytes()).hexdigest()
    store.chmod(0o444)
    read(source(store), columns_of(["score:knowmem_f=value_0"]))
    assert hashlib.sha256(store.read_bytes()).hexdigest() == before
    assert [file.name for file in store.parent.iterdir()] == ["theirs.db"]


def test_mistakes_are_told_in_one_line(store, tmp_path):
    columns = columns_of(["score:knowmem_f=value_0"])
    with pytest.raises(ValueError, match=r"has no study 'ours' \(there: theirs\)$"):
        read(f"sqlite:///{store}#ours", columns)
    with pytest.raises(ValueError, match="names no study: give STORAGE_URL#STUDY$"):
        read(f"sqlite:///{store}", columns)
    with pytest.raises(ValueError, match="there is no store"):
        read(f"sqlite:///{tmp_path}/none.db#theirs", columns)
    assert not (tmp_path / "none.db").exists()
    with pytest.raises(ValueError, match=r"has no column 'loss' \(there: keeps, who, rate, layer, number, value_0"):
        read(source(store), columns_of(["score:knowmem_f=loss"]))
    tiny_ledger(open_storage(f"sqlite:///{tmp_path}/lethe.db"), "theirs")
    with pytest.raises(ValueError, match="is one of Lethe's: a search starts from it with --start-from$"):
        read(f"sqlite:///{tmp_path}/lethe.db#theirs", columns)
