"""The benchmarks that Lethe knows by name; any other name is a folder or a hub id of MUSE's layout.

Imports nothing heavy: a wrong name is told before torch is loaded.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

EMBEDDED = "muse-mini"


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a benchmark and its models come from: folders or hub ids. `None` where it has no such model."""

    data: str
    target: str | None = None
    retrained: str | None = None
    tokenizer: str | None = None  # where it does not stand beside the target


BENCHMARKS = {
    EMBEDDED: Source(data=EMBEDDED, target=EMBEDDED, retrained=EMBEDDED),
    "muse-news": Source(
        data="muse-bench/MUSE-News",
        target="muse-bench/MUSE-News_target",
        retrained="muse-bench/MUSE-News_retrain",
        tokenizer="meta-llama/Llama-2-7b-hf",
    ),
    "muse-books": Source(
        data="muse-bench/MUSE-Books",
        target="muse-bench/MUSE-Books_target",
        retrained="muse-bench/MUSE-Books_retrain",
        tokenizer="meta-llama/Llama-2-7b-hf",
    ),
}


def find_source(name: str) -> Source:
    """Return the source of a named benchmark, a folder, or a hub id; ValueError lists what is allowed."""
    if name in BENCHMARKS:
        return BENCHMARKS[name]
    if name and os.path.isdir(name):
        return Source(data=str(Path(name).resolve()))
    looks_like_path = name.startswith((".", "/", "~")) or name.count("/") != 1
    if looks_like_path:
        raise ValueError(
            f"benchmark {name!r} is unknown: choose {', '.join(BENCHMARKS)}, a folder, or a hub id owner/name"
        )
    return Source(data=name)


def default_cache() -> Path:
    """The user's cache folder for benchmarks, small models and reference scores."""
    return user_cache_path("lethe")
