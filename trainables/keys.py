"""Keys: hashes by which a run, what it is run on, and the program that runs it are known again. No torch.

A run is the same run only where all that decides what comes of it is the same; so a saved state and an ablation's
finished run both carry `run_key`. Settings that change a run by no more than rounding (micro_batch_size, score_batch,
parallel, checkpointing) are part of it like any other: a run that goes on is the run that was begun, bit for bit. The
number of workers is no setting, and no part of it.
"""

import hashlib
import json
from dataclasses import asdict
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from trainables.benchmarks.corpus import corpus_hash
from trainables.config import Config

CODE = Path(__file__).parent
LIBRARIES = ("torch", "transformers")  # whose kernels and models decide the bits of a run, and what a model bears


def run_key(config: Config, data: str) -> str:
    """Hash of a run's configuration, its seed included, of its data (`references.fingerprint`) and of the program.

    Texts that the configuration names by their path count by what they hold.
    """
    texts = {"unrelated_texts": corpus_hash(config.unrelated_texts)} if config.unrelated_texts else {}
    return hash_of([asdict(config) | texts, data, program_hash()])


def program_hash() -> str:
    """Hash of all that computes: this package's code, and the versions of torch and transformers."""
    return hash_of([code_hash(), [metadata.version(name) for name in LIBRARIES]])


@cache
def code_hash() -> str:
    """Hash of this package's source files as they were when it was first asked for: what a process imported of them."""
    files = sorted(CODE.rglob("*.py"))
    return hash_of([[str(file.relative_to(CODE)), file.read_text("utf-8")] for file in files])


def hash_of(parts: Any) -> str:
    """Hash of plain data, as JSON writes it: 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
