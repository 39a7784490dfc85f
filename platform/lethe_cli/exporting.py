"""A candidate is written as a model's folder of its own, with a card of what it is and a manifest of its files."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from importlib import metadata
from pathlib import Path

from dashboard.reports import card
from dashboard.reports.card import Handed
from dashboard.table import candidate_of, command
from lethe.analysis.requests import REQUEST
from lethe.handover import choice
from lethe.handover.manifest import write_manifest
from lethe.handover.weights import bring, names
from lethe.store.facts import SPLIT
from lethe.store.places import Place
from lethe.store.snapshot import Snapshot
from lethe_cli.recommending import NOTHING, choose_limits, take
from lethe_cli.stored import print_json, read_study, say
from trainables.benchmarks.layout import Benchmark
from trainables.folders import expanded
from trainables.methods import METHODS, find_method
from trainables.probes.robustness import is_robustness, robustness_scores
from trainables.runs import evidence
from trainables.settings import REQUESTS
from trainables.subjects.model_files import PARTS
from trainables.task import Places, Task

UNKNOWN = "not known any more"
PACKAGES = ("lethe-tune", "torch", "transformers")


def run(study: str, candidate: str, folder: str, url: str, limits: Sequence[str], rule: str, *, as_json: bool) -> None:
    """Write a candidate's folder, and say what it is and how it is checked."""
    place = check_folder(expanded(folder))
    handed = choose(read_study(study, url), candidate, limits, rule)
    check_weights(handed)
    handed, lacks = with_evidence(handed)
    digest = write(handed, place)
    if as_json:
        told = {"study": handed.study.name, "candidate": named(handed), "folder": str(place), "manifest sha256": digest}
        print_json(told | {"lacks": lacks})
        return
    for line in lacks:
        say(f"note: {line}")
    say(f"wrote {place}: {named(handed)} of study {handed.study.name}")
    say(f"manifest.json has the sha256 {digest}: tell it to who gets the folder, on another way")
    say(f"check it: {shlex.join(['lethe', 'verify', folder])}")


def check_folder(folder: Path) -> Path:
    """A folder that can be written; ValueError where something is in its way."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"{str(folder)!r} is a file: choose another folder")
    if folder.is_dir() and any(folder.iterdir()):
        raise ValueError(f"{str(folder)!r} is not empty: choose another folder")
    return folder.absolute()


def choose(study: Snapshot, candidate: str, texts: Sequence[str], rule: str) -> Handed:
    """The candidate that is meant, beside what the rule takes; ValueError in one line where there is none."""
    meant = None if candidate == choice.RECOMMENDED else choice.parse(candidate)
    limits = choose_limits(texts, study)
    found = take(study, limits, rule)
    if meant is not None:
        return Handed(study=study, row=choice.row_of(study, *meant), found=found, limits=limits)
    if found is None:
        raise ValueError(f"of study {study.name!r} {NOTHING}")
    return Handed(study=study, row=found.row, found=found, limits=limits)


def check_weights(handed: Handed) -> None:
    """ValueError where the candidate's weights are not kept, with the command that makes them again, or are no model's.

    Where they are a row of the store says, and that is no reason to copy any folder.
    """
    place = handed.candidate["weights"]
    there = names(place)
    if not there:
        again = shlex.join(command(handed.study, handed.candidate))
        how = f": make it again with {again}" if again else ", and its study does not know how it was made"
        raise ValueError(f"the weights of {named(handed)} are not kept{how}")
    if not holds_model(there):
        raise ValueError(f"{place!r}, where the weights of {named(handed)} should be, holds no model")


def holds_model(there: Sequence[str]) -> bool:
    """Whether files of these names are a plain model's, or those of a subject that is none."""
    weights = [name for name in there if name.endswith(".safetensors") and "/" not in name]
    return PARTS in there or ("config.json" in there and bool(weights))


def with_evidence(handed: Handed) -> tuple[Handed, list[str]]:
    """The candidate with what is known of its texts, models and method; and what its card lacks, a line each."""
    about = handed.study.facts.about
    task = Task(benchmark=str(about.get("benchmark")), model=about.get("model"), retrained=about.get("retrained"))
    made_from, lacks = find_made_from(task, about.get("content"))
    rows = made_from[0] if made_from else None
    readings = evidence.readings_beside(about.get("items", {}))
    protocol, split = str(about.get("protocol")), bool(about.get(SPLIT))
    beside = robustness_scores(filter(is_robustness, handed.study.facts.judged))
    scored_by = evidence.code_that_scored(
        about.get("items", {}), about.get("content"), protocol, split=split, beside=beside
    )
    if not scored_by:
        lacks.append("it was scored by other code than is here: measured again, its scores may differ")
    if not readings.get("reference"):
        lacks.append("no readings of a retrained model are kept: scores that are read against it cannot be verified")
    measured_on = {} if rows is None else {"rows": evidence.rows_hash(rows)}
    known = replace(
        handed,
        forgotten=None if rows is None else evidence.forgotten(rows, asked_for(handed)),
        sources=sources(task, made_from),
        notes=notes_on(str(handed.about["method"])),
        versions={name: metadata.version(name) for name in PACKAGES},
        evidence=readings | {"code": scored_by, SPLIT: split} | measured_on,
    )
    return known, lacks


def asked_for(handed: Handed) -> tuple[str, ...]:
    """The splits that were to be forgotten when a candidate was scored: of several requests, those made by then."""
    requests = REQUESTS[handed.settings.get("request", "all")]
    place = Place.of(handed.candidate)
    return requests[: int(place.at)] if place.axis == REQUEST else requests


def find_made_from(task: Task, content: str | None) -> tuple[tuple[Benchmark, Places] | None, list[str]]:
    """The texts and models that a study was made from; None, and why in a line, where they are not there any more."""
    try:
        if found := evidence.find_made_from(task, content):
            return found, []
        reason = "the texts or models that the study was made from are not in their places any more"
    except (ValueError, OSError) as error:
        reason = str(error)
    return None, [f"the card has no hashes of what was forgotten: {reason}"]


def sources(task: Task, made_from: tuple[Benchmark, Places] | None) -> dict[str, tuple[str, str]]:
    """Data and models by their names, and which ones exactly: benchmark, target, retrained model where there is one."""
    named = {"target": task.model or task.benchmark, "retrained": task.retrained or task.benchmark}
    if made_from is None:
        return {what: (name, UNKNOWN) for what, name in {"benchmark": task.benchmark, **named}.items()}
    rows, places = made_from
    models = {"target": places.target, "retrained": places.retrained}
    found = {what: (named[what], evidence.revision_of(model)) for what, model in models.items() if model is not None}
    return {"benchmark": (task.benchmark, f"rows {evidence.rows_hash(rows)}"), **found}


def notes_on(method: str) -> list[str]:
    """What is unverified of a method, and its traps; nothing of one that is unknown here."""
    if method not in METHODS:
        return []
    found = find_method(method)
    return [*([f"unverified: {found.unverified}"] if found.unverified else []), *found.traps]


def named(handed: Handed) -> str:
    """The candidate as the command takes it."""
    which = candidate_of(handed.candidate)
    return choice.name_of(which.trial, which.place)


def write(handed: Handed, folder: Path) -> str:
    """Write the folder, whole or not at all; returns its manifest's sha256. OSError where that cannot be."""
    from trainables.subjects.models import written_whole  # torch: not before the input is known to be good
    from trainables.subjects.saving import merge_exact

    with written_whole(folder) as draft:
        bring(handed.candidate["weights"], draft)
        merge_exact(draft)
        parts = draft / PARTS
        handed = replace(handed, kind=json.loads(parts.read_text("utf-8"))["kind"] if parts.is_file() else "")
        if handed.kind:
            (draft / card.LOADER).write_text(card.loader(handed), "utf-8")
        told = json.dumps(card.plain(handed), indent=2, ensure_ascii=False)
        (draft / card.DATA).write_text(told + "\n", "utf-8")
        (draft / "README.md").write_text(card.as_markdown(handed), "utf-8")
        return write_manifest(draft)
