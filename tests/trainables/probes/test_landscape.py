"""The losses around a text: features by the spec's hand numbers, and neighbours that differ in so many tokens."""

import numpy as np
import pytest
import torch

from trainables.probes.landscape import RADII, features_of, nearest, neighbours


def test_a_quadratic_loss_has_its_slope_and_curvature():
    radii = np.array(RADII, dtype=float)
    losses = np.repeat((2 + 0.5 * radii - 0.03 * radii**2)[:, None], 3, axis=1)
    found = features_of(2.0, losses)
    assert len(found) == 15
    assert found[-2:] == pytest.approx([0.5, -0.03])
    assert found[[3, 4]] == pytest.approx([losses.min(), losses.max()])


def test_neighbours_that_are_all_the_text_itself_have_no_spread():
    found = features_of(1.5, np.full((4, 8), 1.5))
    loss, mean, std, *_ = found
    assert (loss, mean, std) == (1.5, 1.5, 0)
    assert found[10:13] == pytest.approx([0, 0, 0])  # skew, loss - mean, share below
    assert found[13:] == pytest.approx([0, 0], abs=1e-12)


def test_so_many_tokens_differ_and_never_the_first_nor_by_one_that_is_banned():
    table = torch.randn(40, 6, generator=torch.Generator().manual_seed(0))
    near = nearest(table, [0, 1])
    assert near.shape == (40, 10)
    assert not np.isin(near, [0, 1]).any()
    assert all(i not in row for i, row in enumerate(near))
    unit = torch.nn.functional.normalize(table, dim=1)
    assert near[7, 0] == max((j for j in range(2, 40) if j != 7), key=lambda j: float(unit[7] @ unit[j]))
    row = list(range(2, 14))
    for radius in RADII:
        for other in neighbours(row, near, radius, 3, [0, radius]):
            assert other[0] == row[0]
            assert sum(a != b for a, b in zip(row, other, strict=True)) == radius
    assert neighbours(row, near, 2, 3, [5]) == neighbours(row, near, 2, 3, [5])
    assert len(neighbours([3, 4], near, 8, 1, [0])[0]) == 2  # as many as there are
