"""Derived data: what methods train on beside the texts themselves, by name, made of a benchmark and a seed.

A derivation is a function of a `Corpus` (corpus.py): what it reads is text that may be trained on, never what is
scored. A new one is a function in a file here, its docstring says what a row holds, and a line in DERIVATIONS. A method
asks for it by its name in its needs (`Needs.data`), and finds its rows in `Start.data`.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from importlib import import_module, metadata
from pathlib import Path

from trainables.benchmarks.layout import Benchmark
from trainables.cache import made_once
from trainables.derivations.corpus import ALL, SCORED, Corpus, Derived, Models
from trainables.program import program_of

DERIVATIONS = {
    "facts": "trainables.derivations.facts:facts",
    "qa": "trainables.derivations.facts:qa",
    "pairs": "trainables.derivations.texts:pairs",
    "refusals": "trainables.derivations.refusals:refusals",
    "wrong": "trainables.derivations.wrong:wrong",
    "own": "trainables.derivations.sampled:own",
    "memo": "trainables.derivations.inverted:memo",
    "own_memo": "trainables.derivations.inverted:own_memo",
    "paraphrases": "trainables.derivations.texts:paraphrases",
    "neighbours": "trainables.derivations.words:neighbours",
    "generic": "trainables.derivations.generic:generic",
    "modules": "trainables.derivations.modules:modules",
    "keywords": "trainables.derivations.words:keywords",
    "proxy": "trainables.derivations.invented:proxy",
    "unknown": "trainables.derivations.invented:unknown",
    "traces": "trainables.derivations.sampled:traces",
}
WRITTEN = frozenset({"own", "memo", "own_memo", "traces"})  # by the target, which has to be there; some proxy too
LIBRARIES = ("torch", "transformers")  # that decide what a target writes


def derive(
    benchmark: Benchmark,
    name: str,
    seed: int = 0,
    *,
    request: str = ALL,
    models: Models | None = None,
    cache: Path | None = None,
) -> Derived:
    """The rows of a derivation by side: "forget" and "retain1", or "new" for what is in neither.

    A pure function of its arguments. `request` is the split that is to be forgotten. With a cache folder they are
    found there again by the code, the rows that may be read, the seed and the models; without one they are made anew.
    ValueError for a name that is none; Unfit, a ValueError too, for data that the benchmark does not give.
    """
    corpus = Corpus(benchmark=benchmark, seed=seed, request=request, models=models)
    make = find_derivation(name)

    def made() -> str:
        return json.dumps(make(corpus))

    if cache is None or (models is not None and not models.key):
        return json.loads(made())
    place = cache / f"{name}-{_key(name, corpus)}.json"

    def write() -> None:
        draft = place.with_suffix(".draft")
        draft.write_text(made(), "utf-8")
        draft.replace(place)

    return json.loads(made_once(place, write).read_text("utf-8"))


def find_derivation(name: str) -> Callable[[Corpus], Derived]:
    """A derivation by its name; ValueError for an unknown one, and for what is scored."""
    if name in SCORED:
        raise ValueError(f"{name!r} is scored, and what is scored is never training data")
    module, attribute = _place(name)
    return getattr(import_module(module), attribute)


def module_of(name: str) -> str:
    """The module that makes derived data of a name; ValueError for an unknown one."""
    return _place(name)[0]


def _place(name: str) -> Sequence[str]:
    if name not in DERIVATIONS:
        raise ValueError(f"derived data {name!r} is unknown: choose {', '.join(DERIVATIONS)}")
    return DERIVATIONS[name].split(":")


def _key(name: str, corpus: Corpus) -> str:
    """Hash of all that decides what a derivation gives."""
    models = corpus.models
    written = [models.key, [metadata.version(library) for library in LIBRARIES]] if models else []
    parts = [name, program_of(module_of(name)).code, corpus.readable(), corpus.seed, corpus.request, written]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
