"""What a stress brings back: numbers by hand, what must hold, and what is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe.analysis.recovery import Readings, collapsed, recovery


def readings(plain: list[float], stressed: list[float]) -> Readings:
    return Readings(100 * np.array(plain), 100 * np.array(stressed))


TARGET = readings([1, 1], [1, 1])
NEVER = readings([0, 0], [0, 0])


def drawn(seed: int, items: int = 60) -> Readings:
    rng = np.random.default_rng(seed)
    return Readings(*(100 * rng.random((2, items)) ** 2))


def test_one_of_two_items_comes_back_as_by_hand() -> None:
    found = recovery(readings([0, 0], [1, 0]), TARGET, NEVER)
    assert found.net is not None
    assert found.recovered is not None
    assert (found.net.value, found.recovered.value, found.change.value) == (50, 0.5, 50)


def test_what_comes_to_one_that_never_knew_is_no_recovery() -> None:
    found = recovery(readings([0, 0], [1, 0]), TARGET, readings([0, 0], [1, 0]))
    assert found.net is not None
    assert found.recovered is not None
    assert (found.net.value, found.recovered.value) == (0, 0.5)


def test_a_stress_that_does_nothing_brings_nothing_back() -> None:
    still = [Readings(model.plain, model.plain) for model in (drawn(0), drawn(1), drawn(2))]
    found = recovery(*still)
    assert found.net is not None
    assert (found.net.value, found.change.value) == (0, 0)


@given(st.integers(0, 50))
def test_the_target_itself_is_at_1_and_the_retrained_model_at_0(seed: int) -> None:
    target, retrained = readings([1] * 60, [1] * 60), drawn(seed)
    as_target, as_retrained = recovery(target, target, retrained), recovery(retrained, target, retrained)
    assert as_target.position
    assert as_target.residual
    assert as_retrained.position
    assert as_retrained.residual
    assert as_retrained.net
    assert as_retrained.net.value == 0
    assert (as_target.position.value, as_target.residual.value) == (1, 1)
    assert (as_retrained.position.value, as_retrained.residual.value) == (0, 0)


def test_a_ratio_whose_denominator_may_be_nothing_is_refused_and_the_difference_told() -> None:
    found = recovery(drawn(0), drawn(1), drawn(2))  # three models of one distribution
    assert found.position is None
    assert found.residual is None
    assert found.net is not None
    assert np.isfinite(found.net.value)


def test_without_a_retrained_model_nothing_is_read_against_one() -> None:
    found = recovery(readings([0, 0], [1, 0]), TARGET, None)
    assert found.net is found.position is found.residual is None
    assert found.change.value == 50


def test_no_recovery_in_a_few_items_is_no_proof_of_none() -> None:
    found = recovery(readings([0] * 20, [0] * 20), readings([1] * 20, [1] * 20), readings([0] * 20, [0] * 20))
    assert found.net is not None
    assert found.net.value == 0
    assert found.net.low == pytest.approx(-16.1, abs=1)
    assert found.net.high == pytest.approx(16.1, abs=1)


def test_models_that_were_asked_other_items_are_not_compared() -> None:
    with pytest.raises(ValueError, match="the models were asked 2 and 3 items: they must be the same"):
        recovery(readings([0] * 3, [0] * 3), TARGET, NEVER)


def test_nothing_is_said_of_no_items() -> None:
    with pytest.raises(ValueError, match="no item of this score counts under the stress"):
        recovery(readings([], []), readings([], []), None)


def test_a_model_without_its_utility_is_collapsed() -> None:
    assert collapsed(79, 100)
    assert not collapsed(80, 100)


def test_intervals_hold_what_a_stress_gives() -> None:
    """Of 300 simulated audits of 60 items with a net recovery of 12 points, about 95 in 100 hold it."""
    rng, held = np.random.default_rng(0), []
    for _ in range(300):
        before = rng.random(60) < 0.1
        after = before | (rng.random(60) < 0.12 / 0.9)
        none = Readings(np.zeros(60), np.zeros(60))
        known = Readings(np.full(60, 100.0), np.full(60, 100.0))
        found = recovery(Readings(100.0 * before, 100.0 * after), known, none).net
        assert found is not None
        held.append(found.low <= 12 <= found.high)
    assert 0.93 <= np.mean(held) <= 0.995
