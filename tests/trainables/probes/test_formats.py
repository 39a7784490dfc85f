"""Formats of quantised weights: numbers by hand, bitsandbytes bit for bit, and what must not change them."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from trainables.probes.formats import FORMATS, FP4, NF4, Quantised

STORED = "tests/data/quantised.safetensors"  # by bitsandbytes 0.50.2 on a CPU, of sizes where its kernels are right
BY_HAND = torch.tensor([[1.0, 0.4, -0.25, 0.1]])


def drawn(seed: int = 0, rows: int = 5, columns: int = 300) -> torch.Tensor:
    return 0.05 * torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("nf4", [1.0, 0.44070983, -0.28444138, 0.0795803]),
        ("int8", [1.0, 51 / 127, -32 / 127, 13 / 127]),
        ("int4", [1.0, 3 / 7, -2 / 7, 1 / 7]),
        ("int3", [1.0, 1 / 3, -1 / 3, 0.0]),
    ],
)
def test_a_row_is_quantised_as_by_hand(name: str, values: list[float]) -> None:
    torch.testing.assert_close(FORMATS[name](BY_HAND).values, torch.tensor([values]), rtol=0, atol=1e-7)


def test_integers_are_those_by_hand() -> None:
    codes = {name: FORMATS[name](BY_HAND).codes.tolist()[0] for name in ("int8", "int4", "int3")}
    assert codes == {"int8": [127, 51, -32, 13], "int4": [7, 3, -2, 1], "int3": [3, 1, -1, 0]}


def test_a_tie_of_integers_goes_to_the_even_one() -> None:
    assert FORMATS["int8"](torch.tensor([[1.0, 0.5]])).codes.tolist() == [[127, 64]]  # 63.5


def test_a_tie_of_levels_goes_to_the_lower_one() -> None:
    between = (torch.tensor(NF4[8]) + torch.tensor(NF4[9])) / 2
    assert FORMATS["nf4"](torch.tensor([[1.0, float(between)]])).codes.tolist() == [[15, 8]]


def test_fp4_has_sixteen_levels_that_mirror_each_other() -> None:
    assert len(FP4) == 16
    assert tuple(-level for level in reversed(FP4)) == FP4
    assert FP4[8:] == pytest.approx((0, 0.00520833, 0.16666667, 0.25, 0.33333334, 0.5, 0.66666669, 1), abs=1e-7)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("size", ["10x200", "7x33"])
def test_values_are_those_of_bitsandbytes_to_the_bit(size: str, dtype: str) -> None:
    stored = load_file(STORED)
    weight = stored[f"{size}.{dtype}.weight"]
    for name in ("nf4", "fp4"):
        assert torch.equal(FORMATS[name](weight).values, stored[f"{size}.{dtype}.{name}"]), name
    assert torch.equal(FORMATS["int8"](weight).codes.to(torch.int8), stored[f"{size}.{dtype}.int8_codes"])


@given(seed=st.integers(0, 99), power=st.integers(-6, 6), name=st.sampled_from(sorted(FORMATS)))
def test_a_power_of_two_goes_through(seed: int, power: int, name: str) -> None:
    weight = drawn(seed, 3, 130)
    torch.testing.assert_close(FORMATS[name](weight * 2.0**power).values, FORMATS[name](weight).values * 2.0**power)


@given(seed=st.integers(0, 99), name=st.sampled_from(sorted(FORMATS)))
def test_what_is_quantised_stays_so(seed: int, name: str) -> None:
    once = FORMATS[name](drawn(seed, 3, 130)).values
    torch.testing.assert_close(FORMATS[name](once).values, once, rtol=0 if name in ("nf4", "fp4") else 1e-3, atol=0)


@pytest.mark.parametrize(("name", "error"), [("nf4", 0.092), ("fp4", 0.122), ("int8", 0.0065)])
def test_the_error_of_normal_weights_is_that_which_was_measured(name: str, error: float) -> None:
    weight = drawn(0, 512, 128)
    lost = (FORMATS[name](weight).values - weight).norm() / weight.norm()
    assert float(lost) == pytest.approx(error, rel=0.06)


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_zeros_stay_zeros(name: str) -> None:
    quantised: Quantised = FORMATS[name](torch.zeros(2, 70))
    assert torch.equal(quantised.values, torch.zeros(2, 70))


def test_a_group_is_scaled_by_its_own_largest_value() -> None:
    weight = torch.cat([torch.full((1, 128), 0.5), torch.tensor([[0.01, 0.004]])], dim=1)  # a group, and a shorter one
    quantised = FORMATS["int4"](weight)
    assert quantised.codes[0, -2:].tolist() == [7, 3]
    assert quantised.scales.tolist() == [[0.5, pytest.approx(0.01)]]


@pytest.mark.parametrize("name", sorted(FORMATS))
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_shape_and_dtype_are_the_weights_own(name: str, dtype: torch.dtype) -> None:
    quantised = FORMATS[name](drawn().to(dtype))
    assert quantised.values.dtype == dtype
    assert quantised.values.shape == quantised.codes.shape == (5, 300)
