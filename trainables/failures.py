"""What ends a run, by whose fault: its own (it diverged, a disk or memory is full), or the loss of another worker.

The first ends it at once, with the reason; after the second it is tried again. torch tells both memory that is full and
a worker that is gone by a RuntimeError, and safetensors and tokenizers a disk that is full by errors of their own: so
what is which is decided here and nowhere else. Needs no torch.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from safetensors import SafetensorError

# In what torch says where CUDA, cuBLAS, NCCL or its allocator for CPUs has no memory left.
MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "_ALLOC_FAILED")


class Diverged(ArithmeticError):
    """A loss or the gradient norm is no longer finite."""


class OutOfMemory(Exception):
    """Memory does not hold a run; says when that was and what would need less."""


class NoSuchWeights(ValueError):
    """A model does not have the weights that are to be trained, or a block that a setting numbers."""


class Unfit(ValueError):
    """A method cannot be run on these texts, or what comes of it not be scored with this model."""


# Failures of a run that end it, and leave its worker sound.
OWN = (Diverged, OutOfMemory, NoSuchWeights, Unfit, OSError)


def is_memory(error: BaseException) -> bool:
    """Whether an error says that memory is full, on a GPU or on the host."""
    told = isinstance(error, RuntimeError) and any(words in str(error) for words in MEMORY)
    return told or isinstance(error, (MemoryError, OutOfMemory))


def may_be_a_lost_worker(error: BaseException, *, workers: int, group_is_gone: bool) -> bool:
    """Whether an error may come from another worker's end, so that trying again may help; never of the only worker.

    Once Ray Train has taken the process group away, as it does where a worker ended, that may be any but full memory.
    """
    return workers > 1 and not is_memory(error) and (isinstance(error, RuntimeError) or group_is_gone)


@contextmanager
def enough_memory(doing: str, advice: Callable[[], str] = str) -> Iterator[None]:
    """Turn an error that says that memory is full into OutOfMemory, with what was being done and some advice."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_memory(error):
            raise
        asked = re.search(r"allocate ([\d.]+ \w+)", str(error))
        more = f", where {asked[1]} more were asked for" if asked else ""
        raise OutOfMemory(f"memory is full while {doing}{more}{advice()}") from error


@contextmanager
def whole_weights() -> Iterator[None]:
    """Turn what safetensors and tokenizers raise where they cannot write into OSError, as other files raise it."""
    try:
        yield
    except Exception as error:
        by_tokenizers = type(error) is Exception and "(os error" in str(error)
        if not (by_tokenizers or isinstance(error, SafetensorError)):
            raise
        raise OSError(f"weights cannot be written: {error}") from error


def in_a_line(error: BaseException) -> str:
    """An error's kind and what it says."""
    return f"{type(error).__name__}: {' '.join(str(error).split()) or 'no more is known'}"


def reason_of(error: BaseException) -> str:
    """The first line of what an error says, with the next where it ends in a colon; else its kind."""
    first, *more = _lines(error)
    return " ".join([first, *more[:1]] if first.endswith(":") else [first])


def last_line(error: BaseException) -> str:
    """The last line of what an error says, which is the error where a traceback of another process stands above it."""
    return _lines(error)[-1]


def _lines(error: BaseException) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
