"""Whether a plan fits the memory there is, and if not, what would: every change proposed is one that was planned.

    check_fit(shape, settings, 1, Memory(gpu=80 * GIB))     # ValueError: this run needs ..., and there are ...

Changes keep the results up to rounding: where a run lies and how it is computed, never what is computed.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainables.memory.plan import GIB, Plan, Shape, is_sharded, plan
from trainables.settings import Descent, Settings

MOST_WORKERS, MOST_PROPOSALS = 64, 3
LESS = 0.8  # of what is planned for a run that found too little: what is to be gained from a change


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What there is, in bytes: on each GPU, and on each node's host; None is not known and never refused."""

    gpu: int | None = None
    host: int | None = None
    per_node: int = 8  # GPUs
    shared: bool = False  # several workers lie on one GPU, where shards save nothing


@dataclass(frozen=True)
class Change:
    """Another way to run: the settings that differ, and the workers."""

    settings: tuple[tuple[str, Any], ...]
    workers: int | None = None  # None: as many as before

    def flags(self) -> str:
        """The change as flags of the command line."""
        parts = [f"--workers {self.workers}"] if self.workers else []
        parts += [f"--set {name}={str(value).lower()}" for name, value in self.settings]
        return " ".join(parts)

    def names(self) -> frozenset[str]:
        """What it changes."""
        return frozenset([name for name, _ in self.settings] + (["workers"] if self.workers else []))


def fits(needed: Plan, memory: Memory) -> bool:
    """Whether GPUs and hosts hold the run."""
    on_gpu = memory.gpu is None or needed.peak <= memory.gpu
    return on_gpu and (memory.host is None or needed.host <= memory.host)


def check_fit(shape: Shape, settings: Settings, workers: int, memory: Memory) -> Plan:
    """Return the plan of a run; ValueError, in one line, where it does not fit, with what would."""
    needed = plan(shape, settings, workers, per_node=memory.per_node)
    if fits(needed, memory):
        return needed
    if memory.gpu is not None and needed.peak > memory.gpu:
        lack = f"{_gib(needed.peak)} GiB on each GPU ({needed.worst}), and there are {_gib(memory.gpu)}"
    else:
        lack = f"{_gib(needed.host)} GiB of host memory on a node, and there are {_gib(memory.host or 0)}"
    found = proposals(shape, settings, workers, memory)
    advice = "it fits with " + ", or ".join(change.flags() for change in found) if found else _no_way(settings)
    raise ValueError(f"this run needs {lack}: {advice}")


def proposals(shape: Shape, settings: Settings, workers: int, memory: Memory) -> list[Change]:
    """The smallest changes with which a run fits, three at most; none that holds another one as its part."""

    def fit(changed: Settings, count: int) -> bool:
        useless = memory.shared and is_sharded(changed, count)
        return not useless and fits(plan(shape, changed, count, per_node=memory.per_node), memory)

    return _smallest(settings, workers, fit)


def savings(shape: Shape, settings: Settings, workers: int, phases: Sequence[str]) -> list[Change]:
    """The smallest changes of settings by whose plan a run that found too little in some phases needs a fifth less."""

    def need(changed: Settings) -> int:
        planned = plan(shape, changed, workers).phases
        needed = [planned[phase] for phase in phases if phase in planned]
        return max((sum(size for part, size in parts.items() if part != "reserve") for parts in needed), default=0)

    most = LESS * need(settings)
    return _smallest(settings, workers, lambda changed, count: count == workers and need(changed) <= most)


def _smallest(settings: Settings, workers: int, enough: Callable[[Settings, int], bool]) -> list[Change]:
    """Of the changes with which the run is `enough`, by its settings and workers, the smallest, three at most."""
    found: list[Change] = []
    for change in sorted(_changes(settings, workers), key=lambda change: len(change.names())):
        if any(smaller.names() <= change.names() for smaller in found):
            continue
        if enough(replace(settings, **dict(change.settings)), change.workers or workers):
            found.append(change)
            if len(found) == MOST_PROPOSALS:
                break
    return found


def _changes(settings: Settings, workers: int) -> Iterator[Change]:
    """All that may be changed, the cheapest first."""
    counts: list[int | None] = [None, *_doubled(workers)]
    options = _options(settings)
    choices = [[None, *values] for values in options.values()]
    for count, *values in itertools.product(counts, *choices):
        changed = tuple((name, value) for name, value in zip(options, values, strict=True) if value is not None)
        alone = (count or workers) == 1
        if (changed or count) and not (alone and "parallel" in dict(changed)):  # shards need company
            yield Change(changed, count)


def _options(settings: Settings) -> dict[str, list[Any]]:
    """Other values of the settings that may be changed, the cheapest first."""
    scoring: dict[str, list[Any]] = {"score_batch": [size for size in (32, 8) if size < settings.score_batch]}
    if not isinstance(settings, Descent):
        return scoring
    smaller = [settings.micro_batch_size // 2**n for n in range(1, settings.micro_batch_size.bit_length())]
    return {
        "parallel": [
            way
            for way in settings.allowed()["parallel"].choices
            if way == "fsdp" != settings.parallel and settings.mask == "none"
        ],
        "precision": ["bf16"] if settings.precision != "bf16" else [],
        "micro_batch_size": smaller,
        **scoring,
        "checkpointing": [True] if not settings.checkpointing else [],
    }


def _doubled(workers: int) -> list[int]:
    """More workers, by powers of two; then fewer, which ease a node's host memory."""
    powers = [2**n for n in range(MOST_WORKERS.bit_length())]
    return [n for n in powers if n > workers] + [n for n in reversed(powers) if n < workers]


def _no_way(settings: Settings) -> str:
    if not isinstance(settings, Descent):
        return f"no smaller score_batch on up to {MOST_WORKERS} workers makes it fit"
    return f"neither bf16, checkpointing, smaller batches nor fsdp on up to {MOST_WORKERS} workers makes it fit"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}"
