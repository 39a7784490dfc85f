"""The test of an audit: whether a mean of differences is above 0, by flipping their signs. It needs no law of them."""

import functools

import numpy as np

FLIPS = 20_000
Array = np.ndarray


def sign_flip_p(gains: Array) -> float:
    """The one-sided p of the mean of `gains` [n] being no more than 0: how often random signs give as much."""
    moved = gains[gains != 0]
    if not len(moved):
        return 1.0
    as_much = int((_signs(len(moved)) @ moved.astype(np.float32) >= moved.sum() * (1 - 1e-6) - 1e-6).sum())
    return (1 + as_much) / (1 + FLIPS)


@functools.lru_cache(maxsize=4)
def _signs(items: int) -> Array:
    """Random signs [flips, items]."""
    return (2 * np.random.default_rng(0).integers(0, 2, (FLIPS, items), dtype=np.int8) - 1).astype(np.float32)
