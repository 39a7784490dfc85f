"""Whether a plan fits the memory there is, and if not, what would: every change proposed is one that was planned.

    check_fit(shape, settings, 1, Memory(gpu=80 * GIB))     # ValueError: this run needs ..., and there are ...

Changes keep the results up to rounding: where a run lies and how it is computed, never what is computed.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainables.memory.plan import GIB, Plan, Shape, plan
from trainables.settings import Descent

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


def check_fit(shape: Shape, settings: Descent, workers: int, memory: Memory) -> Plan:
    """Return the plan of a run; ValueError, in one line, where it does not fit, with what would."""
    needed = plan(shape, settings, workers, per_node=memory.per_node)
    if fits(needed, memory):
        return needed
    if memory.gpu is not None and needed.peak > memory.gpu:
        lack = f"{_gib(needed.peak)} GiB on each GPU ({needed.worst}), and there are {_gib(memory.gpu)}"
    else:
        lack = f"{_gib(needed.host)} GiB of host memory on a node, and there are {_gib(memory.host or 0)}"
    found = proposals(shape, settings, workers, memory)
    advice = "it fits with " + ", or ".join(change.flags() for change in found) if found else _no_way()
    raise ValueError(f"this run needs {lack}: {advice}")


def proposals(shape: Shape, settings: Descent, workers: int, memory: Memory) -> list[Change]:
    """The smallest changes with which a run fits, three at most; none that holds another one as its part."""

    def fit(changed: Descent, count: int) -> bool:
        useless = memory.shared and changed.parallel == "fsdp" and count > 1
        return not useless and fits(plan(shape, changed, count, per_node=memory.per_node), memory)

    return _smallest(settings, workers, fit)


def savings(shape: Shape, settings: Descent, workers: int, phases: Sequence[str]) -> list[Change]:
    """The smallest changes of settings by whose plan a run that found too little in some phases needs a fifth less."""

    def need(changed: Descent) -> int:
        planned = plan(shape, changed, workers).phases
        return max(sum(size for part, size in planned[phase].items() if part != "reserve") for phase in phases)

    most = LESS * need(settings)
    return _smallest(settings, workers, lambda changed, count: count == workers and need(changed) <= most)


def _smallest(settings: Descent, workers: int, enough: Callable[[Descent, int], bool]) -> list[Change]:
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


def _changes(settings: Descent, workers: int) -> Iterator[Change]:
    """All that may be changed, the cheapest first."""
    counts: list[int | None] = [None, *_doubled(workers)]
    smaller = [settings.micro_batch_size // 2**n for n in range(1, settings.micro_batch_size.bit_length())]
    options: dict[str, list[Any]] = {
        "parallel": [way for way in settings.allowed()["parallel"].choices if way == "fsdp" != settings.parallel],
        "precision": ["bf16"] if settings.precision != "bf16" else [],
        "micro_batch_size": smaller,
        "score_batch": [size for size in (32, 8) if size < settings.score_batch],
        "checkpointing": [True] if not settings.checkpointing else [],
    }
    choices = [[None, *values] for values in options.values()]
    for count, *values in itertools.product(counts, *choices):
        changed = tuple((name, value) for name, value in zip(options, values, strict=True) if value is not None)
        alone = (count or workers) == 1
        if (changed or count) and not (alone and "parallel" in dict(changed)):  # shards need company
            yield Change(changed, count)


def _doubled(workers: int) -> list[int]:
    """More workers, by powers of two; then fewer, which ease a node's host memory."""
    powers = [2**n for n in range(MOST_WORKERS.bit_length())]
    return [n for n in powers if n > workers] + [n for n in reversed(powers) if n < workers]


def _no_way() -> str:
    return f"neither bf16, checkpointing, smaller batches nor fsdp on up to {MOST_WORKERS} workers makes it fit"


def _gib(size: int) -> str:
    return f"{size / GIB:.1f}"
