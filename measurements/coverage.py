"""How often the intervals of scores hold the truth, and how wide they are, beside a plain bootstrap: by simulation.

    python -m measurements.coverage [--times 1000] [--out measurements/results/coverage.md]     # minutes on one core

Means are of items in [0, 100] such as scores have them: shares, ROUGE values of which nearly all are 0, and smooth ones
in the middle. PrivLeak is made of attack scores whose true AUC is known, from a model that remembers all to one that
has forgotten; its reference's scores go along with the model's. A test asks for 93% in each row.
"""

import argparse
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import norm

from trainables.scores.intervals import mean_interval
from trainables.scores.reductions import auc, ratio_of_aucs

ROOT = Path(__file__).resolve().parents[1]
SIZES = (20, 100)
SPLIT_SIZES = ((20, 20), (40, 80), (100, 100))
Array = np.ndarray
Rng = np.random.Generator
Attack = dict[str, Array]


@dataclass(frozen=True, kw_only=True)
class Items:
    """Items of a score: how n of them are drawn, and their true mean."""

    name: str
    draw: Callable[[Rng, int], Array]
    mean: float


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """How many of the intervals held the truth, and their mean width."""

    share: float
    width: float


def share(p: float) -> Items:
    """Items of 0 or 100."""
    return Items(name=f"0 or 100, {p:.0%} are 100", draw=lambda rng, n: 100.0 * (rng.random(n) < p), mean=100 * p)


def rouge(zeros: float, a: float, b: float) -> Items:
    """Items of which a share is 0, and the others 100 x Beta(a, b)."""

    def draw(rng: Rng, n: int) -> Array:
        return 100 * rng.beta(a, b, n) * (rng.random(n) >= zeros)

    return Items(name=f"{zeros:.0%} are 0, else Beta({a:g}, {b:g})", draw=draw, mean=100 * (1 - zeros) * a / (a + b))


def mirrored(items: Items) -> Items:
    """Items that are nearly all 100 where others are nearly all 0."""
    return Items(name=f"100 minus ({items.name})", draw=lambda rng, n: 100 - items.draw(rng, n), mean=100 - items.mean)


ITEMS = (
    *(share(p) for p in (0.01, 0.03, 0.1, 0.13, 0.3, 0.5)),
    *(rouge(zeros, 2, 5) for zeros in (0.99, 0.97, 0.9, 0.3, 0.0)),
    rouge(0.98, 5, 1),
    rouge(0.0, 0.1, 2),
    rouge(0.0, 0.5, 10),
    mirrored(rouge(0.97, 2, 5)),
    mirrored(share(0.03)),
    rouge(0.0, 1, 1),
    rouge(0.0, 20, 20),
)


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A model and its retrained reference under attack, with true AUCs.

    `kind` is what lets the model be told: all scores moved (normal), or a share of the forget items, or of the holdout
    items, that lies beyond all others. `together` is the correlation of model and reference.
    """

    kind: str
    model: float
    reference: float
    together: float

    @property
    def truth(self) -> float:
        """The true PrivLeak."""
        return (self.model - self.reference) / self.reference * 100

    def draw(self, rng: Rng, forget: int, holdout: int) -> tuple[Attack, Attack]:
        """The attack scores of model and reference."""
        base = {"forget": rng.normal(size=forget), "holdout": rng.normal(size=holdout)}
        own = {
            split: self.together * z + np.sqrt(1 - self.together**2) * rng.normal(size=len(z))
            for split, z in base.items()
        }
        reference = base | {"forget": base["forget"] + np.sqrt(2) * norm.ppf(self.reference)}
        if self.kind == "normal":
            return own | {"forget": own["forget"] + np.sqrt(2) * norm.ppf(self.model)}, reference
        edge = norm.ppf(1 - self.model)
        if self.kind == "forget":
            return {"forget": np.where(own["forget"] > edge, 1.0, -1.0), "holdout": np.zeros(holdout)}, reference
        return {"forget": np.zeros(forget), "holdout": np.where(own["holdout"] > edge, -1.0, 1.0)}, reference


LEAKS = (
    *(Leak(kind="normal", model=a, reference=0.5, together=0.5) for a in (0.001, 0.01, 0.05, 0.2, 0.5, 0.6)),
    *(Leak(kind="normal", model=a, reference=0.4, together=0.9) for a in (0.001, 0.05, 0.2, 0.4, 0.6)),
    *(Leak(kind="normal", model=a, reference=0.6, together=0.0) for a in (0.01, 0.3)),
    *(
        Leak(kind=kind, model=a, reference=0.5, together=0.5)
        for kind in ("forget", "holdout")
        for a in (0.01, 0.1, 0.5)
    ),
)


def covered(ends: list[tuple[float, float]], truth: float) -> Coverage:
    """Sum up intervals; a truth at an end is held, to within rounding."""
    low, high = np.array(ends).T
    held = (low <= truth + 1e-9) & (truth - 1e-9 <= high)
    return Coverage(share=float(held.mean()), width=float((high - low).mean()))


def mean_coverage(items: Items, n: int, times: int, interval: Callable[[Array], tuple[float, float]]) -> Coverage:
    """Coverage of an interval of means; the draws are the same for every interval."""
    rng = np.random.default_rng(n)
    return covered([interval(items.draw(rng, n)) for _ in range(times)], items.mean)


def leak_coverage(
    leak: Leak, sizes: tuple[int, int], times: int, interval: Callable[[Attack, Attack], tuple[float, float]]
) -> Coverage:
    """Coverage of an interval of PrivLeaks; draws whose reference has AUC 0 are made again."""
    rng, ends = np.random.default_rng(sizes), []
    while len(ends) < times:
        model, reference = leak.draw(rng, *sizes)
        if auc(*reference.values()) > 0:
            ends.append(interval(model, reference))
    return covered(ends, leak.truth)


def ours(model: Attack, reference: Attack) -> tuple[float, float]:
    """The interval of PrivLeak."""
    return ratio_of_aucs(model, reference)[1:]


@functools.cache
def plain_weights(n: int, seed: int) -> Array:
    """The bootstrap's weights of n items: [1000, n]."""
    return np.random.default_rng([n, seed]).multinomial(n, np.full(n, 1 / n), size=1000) / n


def plain_mean(values: Array) -> tuple[float, float]:
    """The percentile bootstrap of a mean."""
    low, high = np.percentile(plain_weights(len(values), 0) @ values, [2.5, 97.5])
    return float(low), float(high)


def plain_leak(model: Attack, reference: Attack) -> tuple[float, float]:
    """The percentile bootstrap of PrivLeak, with the same draws for the model and its reference."""
    forget, holdout = (plain_weights(len(model[split]), i) for i, split in enumerate(("forget", "holdout")))

    def aucs(attack: Attack) -> Array:
        wins = (np.sign(attack["forget"][:, None] - attack["holdout"][None, :]) + 1) / 2
        return ((forget @ wins) * holdout).sum(axis=1)

    own, base = aucs(model), aucs(reference)
    low, high = np.percentile((own / np.where(base > 0, base, np.nan) - 1)[base > 0] * 100, [2.5, 97.5])
    return float(low), float(high)


def rows(times: int) -> Iterator[tuple[str, str, Coverage, Coverage]]:
    """What is scored, how many items, the coverage of the bootstrap, and of the intervals."""
    for items in ITEMS:
        for n in SIZES:
            found = [mean_coverage(items, n, times, interval) for interval in (plain_mean, mean_interval)]
            yield items.name, str(n), found[0], found[1]
    for leak in LEAKS:
        for sizes in SPLIT_SIZES:
            found = [leak_coverage(leak, sizes, times, interval) for interval in (plain_leak, ours)]
            name = f"PrivLeak {leak.truth:.1f}: {leak.kind}, AUC {leak.model} of {leak.reference}, r {leak.together}"
            yield name, f"{sizes[0]} + {sizes[1]}", found[0], found[1]


def markdown(times: int) -> str:
    """The table."""
    lines = [
        "# How often 95% intervals hold the truth",
        "",
        f"`python -m measurements.coverage --times {times}`: simulated items, {times} samples a row; the bootstrap",
        "is the percentile bootstrap. Widths are means, in points of the score.",
        "",
        "| items | n | bootstrap holds | width | interval holds | width |",
        "|---|---|---|---|---|---|",
    ]
    for name, n, plain, found in rows(times):
        cells = (name, n, f"{plain.share:.3f}", f"{plain.width:.1f}", f"{found.share:.3f}", f"{found.width:.1f}")
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--out", type=Path, default=ROOT / "measurements" / "results" / "coverage.md")
    arguments = parser.parse_args()
    arguments.out.write_text(markdown(arguments.times), "utf-8")
    print(f"wrote {arguments.out}")
