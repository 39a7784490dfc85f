"""Keys: hashes by which a run, what it is run on, and the program that runs it are known again. No torch.

A run is the same run only where all that decides what comes of it is the same; so a saved state and an ablation's
finished run both carry `run_key`: the method and its settings, the data, and what the code computes that can change the
result: the file of its settings, which is the method's own, those of the derived data that it needs, and all that
these, the runner and the scores import. So a
change to another method, or one more of them, changes no key, nor do comments; any other change to those files does.

A setting that no run's code names decides nothing as long as it is at its default: that is how a new one begins. One
that is named counts by its value, so that another default is another key. Settings that change a run by no more than
rounding (micro_batch_size, score_batch, parallel, checkpointing) are part of it like any other: a run that goes on is
the run that was begun, bit for bit. The number of workers is no setting, and no part of it.
"""

import hashlib
import json
from functools import cache
from importlib import metadata
from typing import Any

from trainables.benchmarks.corpus import corpus_hash
from trainables.derivations import module_of
from trainables.methods import needs_of
from trainables.program import CODE, Program, program_of
from trainables.settings import Descent, Settings

# Whose kernels, models and adapters decide the bits of a run, and what a model bears.
LIBRARIES = ("torch", "transformers", "peft")
RUNNER = "trainables.runs.unlearning"
SCORES = "trainables.scores"


def run_key(settings: Settings, data: str) -> str:
    """Hash of a run's method and settings, its seed included, of its data (`references.fingerprint`) and its program.

    Texts that the settings name by their path count by what they hold.
    """
    own = isinstance(settings, Descent) and settings.unrelated_texts
    texts = {"unrelated_texts": corpus_hash(own)} if own else {}
    modules = modules_of(settings)
    chosen = deciding(settings, program_of(*modules)) | texts
    return hash_of([settings.method, sorted(chosen.items()), data, program_hash(*modules)])


def modules_of(settings: Settings) -> tuple[str, ...]:
    """What computes a run of these settings: the method, the data that is derived for it, the runner and the scores."""
    return (type(settings).__module__, *map(module_of, needs_of(settings).data), RUNNER, SCORES)


def deciding(settings: Settings, program: Program) -> dict[str, Any]:
    """The settings that decide what comes of a program: those that it names, and all that are not their defaults."""
    counted = program.names | settings.chosen().keys()
    return {name: kind(getattr(settings, name)) for name, kind in settings.types().items() if name in counted}


def program_hash(*modules: str) -> str:
    """Hash of what computes a result: these modules with all that they import of this package, torch, transformers.

    A package stands for all of its files.
    """
    return hash_of([program_of(*modules).code, [metadata.version(name) for name in LIBRARIES]])


@cache
def code_hash() -> str:
    """Hash of this package's source files as they were when it was first asked for: what a process imported of them."""
    files = sorted(CODE.rglob("*.py"))
    return hash_of([[str(file.relative_to(CODE)), file.read_text("utf-8")] for file in files])


def hash_of(parts: Any) -> str:
    """Hash of plain data, as JSON writes it: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
