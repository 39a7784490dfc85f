"""Keys: hashes by which a run, what it is run on, and the program that runs it are known again. No torch.

A run is the same run only where all that decides what comes of it is the same; so a saved state and an ablation's
finished run both carry `run_key`: the method and those of its settings that are not their defaults, the data, and the
code that can change the result: the file of its settings, which is the method's own, and all that this, the runner and
the scores import. So a change to another method, or one more of them, changes no key; any change to those files does.
Settings that change a run by no more than rounding (micro_batch_size, score_batch, parallel, checkpointing) are part of
it like any other: a run that goes on is the run that was begun, bit for bit. The number of workers is no setting, and
no part of it.
"""

import ast
import hashlib
import json
from collections.abc import Iterable
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from trainables.benchmarks.corpus import corpus_hash
from trainables.settings import Descent

CODE = Path(__file__).parent
LIBRARIES = ("torch", "transformers")  # whose kernels and models decide the bits of a run, and what a model bears
RUNNER = "trainables.runs.unlearning"
SCORES = "trainables.scores"
LISTS = frozenset({"trainables", "trainables.methods"})  # of names, which change no result


def run_key(settings: Descent, data: str) -> str:
    """Hash of a run's method and settings, its seed included, of its data (`references.fingerprint`) and its program.

    Texts that the settings name by their path count by what they hold.
    """
    texts = {"unrelated_texts": corpus_hash(settings.unrelated_texts)} if settings.unrelated_texts else {}
    program = program_hash(type(settings).__module__, RUNNER, SCORES)
    return hash_of([settings.method, sorted((settings.chosen() | texts).items()), data, program])


def program_hash(*modules: str) -> str:
    """Hash of what computes a result: these modules with all that they import of this package, torch, transformers.

    A package stands for all of its files.
    """
    return hash_of([_code_of(frozenset(modules)), [metadata.version(name) for name in LIBRARIES]])


@cache
def _code_of(modules: frozenset[str]) -> str:
    files = _by_module()
    reached: set[str] = set()
    todo = [name for module in modules for name in files if name == module or name.startswith(f"{module}.")]
    while todo:
        name = todo.pop()
        if name in files and name not in reached | LISTS:
            reached.add(name)
            todo += _imports(files[name])
    return hash_of([[name, files[name].read_text("utf-8")] for name in sorted(reached)])


def _by_module() -> dict[str, Path]:
    """Every file of this package by the name that it is imported by."""
    names = {file: file.relative_to(CODE.parent).with_suffix("").parts for file in CODE.rglob("*.py")}
    return {".".join(part for part in parts if part != "__init__"): file for file, parts in names.items()}


def _imports(file: Path) -> Iterable[str]:
    """What a file imports, also in a function; `from a import b` gives `a` and `a.b`."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@cache
def code_hash() -> str:
    """Hash of this package's source files as they were when it was first asked for: what a process imported of them."""
    files = sorted(CODE.rglob("*.py"))
    return hash_of([[str(file.relative_to(CODE)), file.read_text("utf-8")] for file in files])


def hash_of(parts: Any) -> str:
    """Hash of plain data, as JSON writes it: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
