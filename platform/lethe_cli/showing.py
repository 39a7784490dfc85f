"""What is derived of a benchmark for methods to train on, shown row by row, as `lethe benchmark show` asks for it."""

import inspect
from collections.abc import Sequence

from rich.console import Console

from lethe.display.console import open_console
from lethe_cli import checks
from trainables.benchmarks import MADE, find_source
from trainables.benchmarks.layout import Benchmark, load_benchmark
from trainables.derivations import DERIVATIONS, WRITTEN, derive, find_derivation
from trainables.derivations.corpus import Derived, Models
from trainables.failures import Unfit
from trainables.task import Task, locate

LONGEST = 200  # characters of a value that are shown


def show_derived(name: str, *, data: Sequence[str], rows: int, seed: int, model: str | None) -> None:
    """Print a few rows of each derivation; ValueError, in one line, for one that is none or that cannot be made.

    Those that the target writes are shown where they are named. Where none is, what a benchmark does not give is said,
    and the others are shown.
    """
    checks.check_count("--rows", rows)
    for one in data:
        find_derivation(one)
    console, benchmark = open_console(), _load(name)
    models = _models(name, model) if WRITTEN.intersection(data) or model else None
    for one in data or [known for known in DERIVATIONS if models or known not in WRITTEN]:
        try:
            found = derive(benchmark, one, seed, models=models)
        except Unfit as error:
            if data:
                raise
            _say(console, f"{one}: {error}")
            continue
        _show(console, one, found, rows)
    if not (data or models):
        _say(console, f"the target writes {', '.join(sorted(WRITTEN))}: --data NAME shows one of them")


def _load(name: str) -> Benchmark:
    source = find_source(name)
    if source.data not in MADE:
        return load_benchmark(source.data)
    from trainables.benchmarks.embedded import embedded  # which makes the rows without any model

    return Benchmark(name, embedded()[source.data].splits(0))


def _models(name: str, model: str | None) -> Models:
    """The target, which is made here where it is a small benchmark's."""
    from lethe_cli.preparing import show_training  # torch takes seconds to load
    from trainables.decoding.capabilities import probe
    from trainables.subjects.models import load_model
    from trainables.subjects.tokenizers import load_tokenizer

    with show_training(open_console()) as show:
        places = locate(Task(benchmark=name, model=model), on_progress=show)
    target = load_model(places.target)
    return Models(tokenizer=load_tokenizer(places.tokenizer), target=target, decode=probe(target).decode)


def _show(console: Console, name: str, found: Derived, rows: int) -> None:
    counts = ", ".join(f"{len(of_side)} {side}" for side, of_side in found.items())
    _say(console, f"{name}: {counts}")
    _say(console, f"  {(inspect.getdoc(find_derivation(name)) or '').splitlines()[0]}")
    for side, of_side in found.items():
        for row in of_side[:rows]:
            _say(console, f"  {side}")
            for key, value in row.items():
                text = str(value) if not isinstance(value, str) else repr(value)
                _say(console, f"    {key}: {text if len(text) <= LONGEST else text[:LONGEST] + '...'}")


def _say(console: Console, text: str) -> None:
    console.print(text, soft_wrap=True, highlight=False, markup=False)
