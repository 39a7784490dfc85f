"""What stays within a weight's cells of nf4 rounds to the same values, to the bit; what leaves them does not."""

import pytest
import torch

from measurements.quantised_control import cell
from trainables.probes.formats import NF4, of_blocks


@pytest.mark.parametrize("shape", [(8, 64), (5, 37), (1, 3)])
def test_any_weight_within_its_cell_is_rounded_as_the_target_s(shape):
    torch.manual_seed(0)
    weight = torch.randn(shape) * 0.05
    low, high = cell(weight)
    assert (low <= high).all()
    want = of_blocks(weight, NF4).values
    for share in (0.0, 0.5, 1.0, torch.rand(shape)):
        assert torch.equal(of_blocks(low + share * (high - low), NF4).values, want)


def test_a_cell_is_as_wide_as_it_may_be():
    torch.manual_seed(0)
    weight = torch.randn(4, 64) * 0.05
    low, high = cell(weight)
    free = low < high
    codes = of_blocks(weight, NF4).codes
    beyond = torch.where(free, high + 2e-3 * weight.abs().max(), weight)
    moved = of_blocks(beyond, NF4).codes != codes
    assert moved[free & (codes < 15)].float().mean() > 0.9  # but for blocks whose scale that changed
