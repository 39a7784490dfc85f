"""What is unlearned and how it is judged: a benchmark, its models, a protocol. No torch until a benchmark is made."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainables.benchmarks import MADE, default_cache, find_source


@dataclass(frozen=True, kw_only=True)
class Task:
    """What is unlearned and how it is judged. `None` for a model means the benchmark's own."""

    benchmark: str
    model: str | None = None
    retrained: str | None = None
    protocol: str = "muse"
    split: bool = False  # whether half of the items choose and the other half report; else all do both
    stresses: tuple[str, ...] = ()  # under which candidates are scored too, as "quant:nf4"
    cache: str | None = None  # folder for benchmarks and reference scores made here


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a task's data and models are: folders or hub ids."""

    data: str
    target: str
    retrained: str | None
    tokenizer: str


def locate(task: Task, *, on_progress: Callable[[str, int, int], None] = lambda what, done, total: None) -> Places:
    """Find a task's data and models; a benchmark of MADE is made where the cache does not have it.

    ValueError where neither the task nor the benchmark names a target model.
    """
    source = find_source(task.benchmark)
    if source.data in MADE:
        from trainables.benchmarks.embedded import embedded  # pandas, which the names of benchmarks do without

        folder = embedded()[source.data].prepare(cache_of(task), on_progress=on_progress)
        source = type(source)(
            data=str(folder / "data"), target=str(folder / "target"), retrained=str(folder / "retrained")
        )
    target = task.model or source.target
    if target is None:
        raise ValueError(f"benchmark {task.benchmark!r} names no target model: give one with --model")
    return Places(
        data=source.data,
        target=target,
        retrained=task.retrained or source.retrained,
        tokenizer=task.model or source.tokenizer or target,
    )


def cache_of(task: Task) -> Path:
    """The cache folder of a task."""
    return Path(task.cache) if task.cache else default_cache()
