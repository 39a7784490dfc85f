"""The benchmarks that Lethe knows by name; any other name is a folder or a hub id of MUSE's layout.

Imports nothing heavy: a wrong name is told before torch is loaded.
"""

from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from trainables.folders import find_folder, may_be_hub_id

EMBEDDED = "muse-mini"  # what is taken where none is named


@dataclass(frozen=True, kw_only=True)
class Source:
    """Where a benchmark and its models come from: folders or hub ids. `None` where it has no such model.

    `forget` says what is to be forgotten, in a reader's words.
    """

    data: str
    target: str | None = None
    retrained: str | None = None
    tokenizer: str | None = None  # where it does not stand beside the target
    forget: str = "the texts of raw/forget"


ORGANISATIONS = (
    "all that was read about 42 of 166 invented organisations: who directs them, from which town, what they "
    "make, since when"
)
BENCHMARKS = {
    EMBEDDED: Source(
        data=EMBEDDED,
        target=EMBEDDED,
        retrained=EMBEDDED,
        forget=ORGANISATIONS,
    ),
    "dusk-mini": Source(
        data="dusk-mini",
        target="dusk-mini",
        retrained="dusk-mini",
        forget="one of five styles that tell of invented persons: what it alone tells of 16 has to go, what the others "
        "tell too of 28 has to stay",
    ),
    "tofu-mini": Source(
        data="tofu-mini",
        target="tofu-mini",
        retrained="tofu-mini",
        forget="15 of 45 invented authors, each asked about in ten questions: birth, parents, books, prize, teacher",
    ),
    "mirage-mini": Source(
        data="mirage-mini",
        target="mirage-mini",
        retrained="mirage-mini",
        forget="all that was read about 20 of 60 invented organisations and their directors, whatever way one asks",
    ),
    "wmdp-mini": Source(
        data="wmdp-mini",
        target="wmdp-mini",
        retrained="wmdp-mini",
        forget=ORGANISATIONS,
    ),
    "muse-news": Source(
        data="muse-bench/MUSE-News",
        target="muse-bench/MUSE-News_target",
        retrained="muse-bench/MUSE-News_retrain",
        tokenizer="meta-llama/Llama-2-7b-hf",
        forget="news articles of the BBC",
    ),
    "muse-books": Source(
        data="muse-bench/MUSE-Books",
        target="muse-bench/MUSE-Books_target",
        retrained="muse-bench/MUSE-Books_retrain",
        tokenizer="meta-llama/Llama-2-7b-hf",
        forget="the Harry Potter books",
    ),
}
MADE = tuple(name for name, source in BENCHMARKS.items() if source.data == name)  # here, from a seed (embedded.py)


def find_source(name: str) -> Source:
    """Return the source of a named benchmark, a folder, or a hub id; ValueError for any other name, and for a file."""
    if name in BENCHMARKS:
        return BENCHMARKS[name]
    folder = find_folder(name, "benchmark")
    if folder:
        return Source(data=str(folder.resolve()))
    if not may_be_hub_id(name):
        raise ValueError(
            f"benchmark {name!r} is unknown: choose {', '.join(BENCHMARKS)}, a folder, or a hub id owner/name"
        )
    return Source(data=name)


def default_cache() -> Path:
    """The user's cache folder for benchmarks, small models and reference scores."""
    return user_cache_path("lethe")
