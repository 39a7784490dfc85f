"""95% percentile bootstrap intervals over the items of a score. Seeds are arguments; no torch here."""

import numpy as np

CONFIDENCE = 0.95
RESAMPLES = 1000


def mean_interval(values: np.ndarray, *, seed: int = 0, resamples: int = RESAMPLES) -> tuple[float, float]:
    """The percentile bootstrap interval of the mean of `values` [n], in their units.

    One item, or items that are all equal, give [v, v]. Raises ValueError without items.
    """
    values = np.asarray(values, dtype=float)
    if values.size == 0:
        raise ValueError("an interval needs at least one item, got none")
    if np.ptp(values) == 0:
        return float(values[0]), float(values[0])
    counts = resample_counts(len(values), rng=np.random.default_rng(seed), resamples=resamples)
    return percentile_interval(counts @ values / len(values), float(values.mean()))


def percentile_interval(samples: np.ndarray, value: float) -> tuple[float, float]:
    """The same percentiles of a given bootstrap distribution [R]; [value, value] if it is empty."""
    if samples.size == 0 or np.ptp(samples) == 0:
        low = high = float(samples[0]) if samples.size else value
        return low, high
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(samples, [tail, 100 - tail])
    return float(low), float(high)


def resample_counts(n: int, *, rng: np.random.Generator, resamples: int = RESAMPLES) -> np.ndarray:
    """How often each of n items is drawn in each bootstrap resample: [resamples, n], rows sum to n."""
    return rng.multinomial(n, np.full(n, 1 / n), size=resamples).astype(float)
