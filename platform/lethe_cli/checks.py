"""Checks of a user's input that need neither torch nor Ray, so that a mistake is told in a second.

Every function returns what it checked, and raises ValueError with one line: what was wrong, which value, what is
allowed.
"""

import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

from pyarrow import ArrowInvalid
from pyarrow.fs import FileSystem

from lethe.cluster.cores import available_cpus
from lethe.cluster.environment import joins
from lethe.search.samplers import find_sampler
from lethe.store.urls import hide_password
from trainables.benchmarks import MADE, Source, find_source
from trainables.benchmarks.corpus import read_corpus
from trainables.benchmarks.embedded import embedded
from trainables.benchmarks.layout import Benchmark, load_benchmark
from trainables.failures import reason_of
from trainables.folders import expanded, find_folder, may_be_hub_id
from trainables.hub import check_hub
from trainables.methods import find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.probes import parse
from trainables.scores import searched_scores
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.score import Score
from trainables.scores.truths import check_benchmark_truths
from trainables.settings import FORGET, Descent, Settings
from trainables.subjects.model_files import PARTS, TOKENIZER_FILES, check_model_files


def check_cpus(least: int = 2) -> int:
    """At least two CPUs: one for the driver and its store, one for a worker."""
    cpus = available_cpus()
    if cpus < least:
        raise ValueError(f"this machine offers {cpus} CPU: a search needs at least {least}")
    return cpus


def check_name(name: str | None, benchmark: str) -> str:
    """A study's name: the one given, or the benchmark's; part of paths and commands, so of plain characters."""
    chosen = name if name is not None else Path(os.path.abspath(benchmark)).name
    if not re.fullmatch(r"[^\W_][\w .,:=+()-]{0,99}", chosen):
        raise ValueError(
            f"a study cannot be called {chosen!r}: give a --name that begins with a letter or digit and has at most "
            "100 letters, digits, spaces and . , : = + ( ) _ -"
        )
    return chosen


def check_protocol(name: str) -> str:
    """A protocol that Lethe knows."""
    if name not in PROTOCOLS:
        raise ValueError(f"protocol {name!r} is unknown: choose {', '.join(PROTOCOLS)}")
    return name


def check_model(reference: str | None, flag: str) -> str | None:
    """A model folder with a configuration, safetensors weights and a tokenizer; or a hub id."""
    if reference is None:
        return None
    place = _find_model(reference, flag, MODEL_FILES)
    if Path(place).is_dir():
        check_model_files(Path(place))
    return place


def check_planned(reference: str) -> str:
    """What a model is planned by: a folder with a configuration, if nothing else; or a hub id that can be had."""
    place = _find_model(reference, "--model", ("configuration",))
    check_hub_models(None, place, None)
    return place


def _find_model(reference: str, flag: str, needed: Iterable[str]) -> str:
    """A model's folder as a whole path, with the files of MODEL_FILES that are needed; or its hub id."""
    folder = find_folder(reference, flag)
    if folder is None:
        if not may_be_hub_id(reference):
            raise ValueError(f"{flag} {reference!r} is neither a folder nor a hub id owner/name")
        return reference
    if (folder / PARTS).is_file():
        within = " or ".join(f"{config.parent.name}/" for config in sorted(folder.glob("*/config.json")))
        raise ValueError(f"{flag} {reference!r} is no plain model, by its {PARTS}: give its folder {within}")
    for what in needed:
        if not any(any(folder.glob(pattern)) for pattern in MODEL_FILES[what]):
            raise ValueError(f"{flag} {reference!r} has no {what} (looked for {', '.join(MODEL_FILES[what])})")
    return str(folder.resolve())


MODEL_FILES = {
    "configuration": ("config.json",),
    "weights": ("*.safetensors",),
    "tokenizer": TOKENIZER_FILES,
}


def check_hub_models(named: Source | None, model: str | None, retrained: str | None) -> None:
    """Every model of a task that is a hub id can be had."""
    for reference in (model or (named and named.target), retrained or (named and named.retrained)):
        if reference and reference not in MADE and not Path(reference).is_dir():
            check_hub(reference, "model")


def check_benchmark(name: str) -> Benchmark:
    """A benchmark that can be read; of one that is made here the rows, without its models."""
    source = find_source(name)
    if source.data in MADE:
        return Benchmark(source.data, embedded()[source.data].splits(0))
    return load_benchmark(source.data)


def check_truths(benchmark: Benchmark, protocol: str) -> None:
    """A protocol whose ROUGE sees the words of the benchmark's truths."""
    check_benchmark_truths(benchmark, PROTOCOLS[protocol])


def available_scores(benchmark: Benchmark, *, retrained: bool, beside: Iterable[Score] = ()) -> dict[str, str]:
    """Return the scores a benchmark can give, and for each that it cannot, why: `{score: ""}` or `{score: reason}`.

    Scores `beside` those that searches measure are looked at too.
    """
    scores = (*searched_scores().values(), *beside)
    return {score.name: _why_absent(score.of(benchmark), benchmark, retrained) for score in scores}


def _why_absent(score: Score, benchmark: Benchmark, has_reference: bool) -> str:
    absent = next((split for split in score.needs if not benchmark.has(*split)), None)
    if absent:
        what = f"split {'/'.join(absent)}" if benchmark.has(absent[0]) else f"config {absent[0]}"
        return f"benchmark {benchmark.name!r} has no {score.lacking or what}"
    if unfit := score.unfit(benchmark):
        return f"benchmark {benchmark.name!r} {unfit}"
    if score.relative and not has_reference:
        return f"benchmark {benchmark.name!r} has no retrained model: give --retrained"
    return ""


def split_settings(texts: Sequence[str]) -> dict[str, str]:
    """Settings `NAME=VALUE` by name, still as text."""
    settings = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"setting {text!r} is not NAME=VALUE, for example steps=60")
        settings[name] = value
    return settings


def check_settings(
    texts: Sequence[str],
    searched: Iterable[str] = (),
    preset: Mapping[str, Any] = MappingProxyType({}),
    method: str = MeanTeacher.method,
) -> Settings:
    """Settings `NAME=VALUE` of a method, on top of a preset's and the defaults; none may be `searched` as well."""
    named = split_settings(texts)
    settings = find_method(method).settings.parse(named, **preset)
    for name in named:
        if name in searched:
            raise ValueError(f"setting {name!r} is searched: give its range with --range {name}=LOW:HIGH")
    if isinstance(settings, Descent) and settings.unrelated_texts:
        read_corpus(settings.unrelated_texts)
        settings = replace(settings, unrelated_texts=str(expanded(settings.unrelated_texts).resolve()))
    return settings


def check_texts(all_settings: Sequence[Settings], benchmark: str) -> None:
    """ValueError where a configuration needs text that is not there."""
    trained = [settings for settings in all_settings if isinstance(settings, Descent)]
    check_requests(trained, benchmark)
    unrelated = [settings for settings in trained if settings.regularisation == "unrelated"]
    if not unrelated or any(settings.unrelated_texts for settings in trained):
        return
    if not check_benchmark(benchmark).has("raw", "unrelated"):
        raise ValueError(
            f"benchmark {benchmark!r} has no split raw/unrelated: give text of your own, --set unrelated_texts=FILE"
        )


def check_requests(all_settings: Sequence[Descent], benchmark: str) -> None:
    """ValueError where a configuration is to unlearn a part of the forget set that the benchmark does not tell."""
    asked = {split: settings.request for settings in all_settings for split in settings.requests if split != FORGET}
    if not asked:
        return
    found = check_benchmark(benchmark)
    for split, request in asked.items():
        if not found.has(*split.split("/")):
            raise ValueError(f"request is {request!r}, and benchmark {benchmark!r} has no split {split}: leave it out")


def check_count(flag: str, count: int) -> int:
    """A number of something of which there must be one."""
    if count < 1:
        raise ValueError(f"{flag} is {count}: it must be at least 1")
    return count


def check_worker(cpus: float, gpus: float) -> None:
    """What one worker wants: more than no CPU, and no GPU, a share of one, or whole ones."""
    if not (math.isfinite(cpus) and cpus > 0):
        raise ValueError(f"--cpus-per-worker is {cpus:g}: it must be a number greater than 0")
    if not (math.isfinite(gpus) and gpus >= 0):
        raise ValueError(f"--gpus-per-worker is {gpus:g}: it must be a number, 0 or greater")
    if gpus > 1 and gpus != int(gpus):
        raise ValueError(f"--gpus-per-worker is {gpus:g}: it must be a share of one GPU or a whole number")


def check_workers(text: str, cpus: float) -> range:
    """The workers of a trial, `N` or `LEAST:MOST`, as a range; on this machine alone they must fit into it."""
    least, _, most = text.partition(":")
    try:
        ends = int(least), int(most or least)
    except ValueError:
        ends = (0, 0)
    if not 1 <= ends[0] <= ends[1]:
        raise ValueError(f"--workers is {text!r}: it must be a number of at least 1, or LEAST:MOST, for example 1:4")
    if not joins() and ends[0] * cpus > available_cpus():
        raise ValueError(
            f"a trial wants {ends[0]} workers of {cpus:g} CPUs (--workers, --cpus-per-worker), but this machine has "
            f"{available_cpus()}: ask for less, or join a cluster by RAY_ADDRESS"
        )
    return range(ends[0], ends[1] + 1)


def check_sharing(settings: Settings, workers: range, gpus: float) -> None:
    """ValueError where a model would be cut into shards that then lie on the same GPU, which saves nothing."""
    if isinstance(settings, Descent) and settings.parallel == "fsdp" and 0 < gpus < 1 and workers[-1] > 1:
        raise ValueError(
            f"--gpus-per-worker is {gpus:g} with parallel=fsdp: shards save memory on GPUs of their own; "
            "give 1 or more, or --set parallel=ddp"
        )


def check_stresses(stresses: Sequence[str], workers: range) -> None:
    """ValueError for a stress that cannot be put on a model which lies on several workers."""
    for name in stresses:
        if workers[-1] > 1 and parse(name).learns:
            raise ValueError(
                f"{name} trains the model, and each of up to {workers[-1]} workers would score another: give --workers "
                "1, or a stress that trains nothing, as quant:nf4"
            )


def check_sampler(name: str) -> str:
    """A sampler that Lethe knows."""
    find_sampler(name)
    return name


def check_storage_path(place: str) -> str:
    """A folder that can be made and written to, as a whole path; or a URL of an object store that answers."""
    if "://" not in place:
        if not place.isprintable():  # nor can a path be told or stored whose bytes are no UTF-8
            raise ValueError(f"--storage-path {place!r} has signs that cannot be printed: choose another folder")
        return str(check_folder_to_write("--storage-path", place))
    if urlsplit(place).query or "@" in place:
        raise ValueError(
            f"--storage-path {hide_password(place)!r} holds keys or options: give them by the environment "
            "(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, ...)"
        )
    try:
        filesystem, path = FileSystem.from_uri(place)
        filesystem.create_dir(path, recursive=True)
    except (OSError, ArrowInvalid) as error:
        raise ValueError(f"--storage-path {place!r} cannot be written to: {reason_of(error)}") from None
    return place.rstrip("/")


def check_folder_to_write(flag: str, place: str) -> Path:
    """A folder that is there and can be written to, or can be made, as a whole path."""
    folder = expanded(place).resolve()
    above = next(path for path in (folder, *folder.parents) if path.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise ValueError(f"{flag} {place!r} cannot be made: {str(above)!r} is not a folder to write in")
    return folder


def check_new_folder(path: str) -> Path:
    """A folder that does not exist yet and can be made, or is empty and can be written to."""
    folder = expanded(path)
    try:
        taken = folder.exists() and (not folder.is_dir() or any(folder.iterdir()))
    except OSError as error:
        raise ValueError(f"{path!r} cannot be made: {error.strerror}") from None
    if taken:
        raise ValueError(f"{path!r} exists and is not an empty folder: choose another place to write to")
    return check_folder_to_write("the folder", path)
