"""What audits measured is read with the study, whoever reads it."""

import json

import pytest

from lethe.store.audits import AUDIT, PLAIN, Audited, audits_of

READING = Audited(
    whose="12@step/40/student",
    stress="quant:nf4",
    scores={"knowmem_f": [9.0, 4.0, 15.0]},
    items="audit/1.parquet",
    code="abc",
    seconds=3.5,
)


def test_a_reading_comes_back_from_the_attributes_of_a_study():
    attributes = [("lethe", "{}"), (READING.key, json.dumps(READING.to_json()))]
    assert audits_of(attributes) == [READING]
    assert READING.key == f"{AUDIT}12@step/40/student:quant:nf4"


def test_what_a_newer_version_knows_besides_is_left_out():
    assert Audited.from_json(READING.to_json() | {"colour": "red"}) == READING


def test_a_name_that_no_key_holds_is_refused_in_a_line():
    with pytest.raises(ValueError, match="^stress 'x+' is too long a name: a key of the store has 512 characters$"):
        _ = Audited(**READING.to_json() | {"stress": "x" * 600}).key
    assert Audited(**READING.to_json() | {"stress": PLAIN}).key == f"{AUDIT}12@step/40/student:"


def test_a_refusal_says_whether_it_may_pass_and_one_of_an_older_version_lasts():
    full = Audited.from_json(READING.to_json() | {"scores": {}, "refused": "memory is full", "passing": True})
    assert Audited.from_json(json.loads(json.dumps(full.to_json()))).passing
    older = {name: value for name, value in READING.to_json().items() if name != "passing"}
    assert not Audited.from_json(older).passing
