"""The benchmarks that are made here from a seed, by name: their rows, and a folder with their models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from trainables.benchmarks import dusk_mini, mirage_mini, muse_mini, tofu_mini, wmdp_mini
from trainables.benchmarks.layout import Splits


@dataclass(frozen=True, kw_only=True)
class Embedded:
    """A benchmark that is made here.

    `splits(seed)` are its rows. `prepare(cache, on_progress=...)` returns the folder with `data/`, `target/` and
    `retrained/` of seed 0, made in `cache`, below a name that begins with the benchmark's, where it is not there yet.
    """

    splits: Callable[[int], Splits]
    prepare: Callable[..., Path]


def embedded() -> Mapping[str, Embedded]:
    """Those that there are, by their names in MADE."""
    return {
        "muse-mini": Embedded(splits=muse_mini.make_splits, prepare=muse_mini.prepare),
        tofu_mini.NAME: Embedded(splits=tofu_mini.make_splits, prepare=tofu_mini.prepare),
        "dusk-mini": Embedded(splits=dusk_mini.make_splits, prepare=dusk_mini.prepare),
        mirage_mini.NAME: Embedded(splits=mirage_mini.make_splits, prepare=mirage_mini.prepare),
        "wmdp-mini": Embedded(splits=wmdp_mini.make_splits, prepare=wmdp_mini.prepare),
    }
