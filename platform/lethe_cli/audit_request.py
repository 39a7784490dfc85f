"""An audit as its user asked for it, checked: all that is known before torch or Ray is loaded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from lethe.display.front_table import front_candidates
from lethe.fronts.objectives import loss_array
from lethe.fronts.spread import spread
from lethe.handover.choice import name_of
from lethe.handover.weights import are_there
from lethe.store.facts import CONTENT, IMPORTED, SPLIT
from lethe.store.places import Place
from lethe.store.snapshot import Snapshot
from lethe.store.storage import check_writable
from lethe.store.study_folder import folder_name, study_folder
from lethe.store.urls import RESULTS
from lethe_cli import checks
from lethe_cli.exporting import check_weights, choose, named
from lethe_cli.presets import find_preset
from lethe_cli.stored import read_study
from lethe_cli.surroundings import check_cache, check_sockets
from trainables.benchmarks import MADE, default_cache, find_source
from trainables.folders import expanded
from trainables.methods import METHODS
from trainables.probes.measuring import split_probes
from trainables.runs import evidence
from trainables.scores.references import RETRAINED, TARGET
from trainables.task import Places, Task

AUDITS = "audits"  # below a study's folder: the tables of items
SCORE_BATCH = 128  # prompts or texts scored at once, if the study says nothing


@dataclass(frozen=True, kw_only=True)
class Request:
    """Which models of a study are put under which stresses, and on what."""

    study: Snapshot
    url: str
    task: Task
    models: Mapping[str, str]  # whose -> where that model lies: target, retrained where there is one, candidates
    probes: tuple[str, ...]  # stresses, by their kinds
    folder: str  # where tables of items are written
    score_batch: int
    concurrent: int | None
    cpus: float  # of a process
    gpus: float
    notes: tuple[str, ...] = field(default=())

    @property
    def candidates(self) -> list[str]:
        """The names of the candidates."""
        return [whose for whose in self.models if whose not in (TARGET, RETRAINED)]


def make_request(
    name: str,
    candidates: Sequence[str],
    probes: Sequence[str],
    url: str,
    *,
    most: int,
    concurrent: int | None = None,
    cpus: float = 1,
    gpus: float | None = None,
) -> Request:
    """Check what an audit is asked for; ValueError, in one line, for the first thing that is wrong."""
    kinds = split_probes(list(probes))
    if concurrent is not None:
        checks.check_count("--concurrent", concurrent)
    study = read_study(name, url)
    check_writable(url)
    about = study.facts.about
    if about.get(IMPORTED):
        raise ValueError(f"study {name!r} was imported: it has scores, and no models that could be put under a stress")
    gpus = find_preset(str(about.get("benchmark"))).gpus if gpus is None else gpus
    checks.check_worker(cpus, gpus)
    check_sockets()
    found, notes = choose_candidates(study, candidates, most)
    task, places = find_task(study)
    if places.retrained is None:
        notes.append("the study has no retrained model: nothing says what a stress gives a model that never knew")
    references = {TARGET: places.target} | ({RETRAINED: places.retrained} if places.retrained else {})
    return Request(
        study=study,
        url=url,
        task=task,
        models=references | found,
        probes=tuple(kinds),
        folder=folder_of(study, found),
        score_batch=batch_of(about.get("settings", {})),
        concurrent=concurrent,
        cpus=cpus,
        gpus=gpus,
        notes=tuple(notes),
    )


def choose_candidates(study: Snapshot, texts: Sequence[str], most: int) -> tuple[dict[str, str], list[str]]:
    """The candidates that are named, or those that stand for the front: name -> weights; and what there is to say.

    ValueError where one is not there, or its weights are not.
    """
    if not texts:
        return _standing_for_the_front(study, most)
    found = {}
    for text in texts:
        handed = choose(study, text, (), "knee")
        check_weights(handed)
        found[named(handed)] = str(handed.candidate["weights"])
    return found, []


def _standing_for_the_front(study: Snapshot, most: int) -> tuple[dict[str, str], list[str]]:
    front = front_candidates(study.candidates, study.facts)
    if not len(front):
        raise ValueError(f"no candidate is on the front of study {study.name!r}: name one, as 12@step/40/student")
    kept = front[[are_there(place) for place in front["weights"]]]
    if not len(kept):
        raise ValueError(f"the weights of no candidate on the front of study {study.name!r} are kept")
    chosen = kept.iloc[spread(loss_array(kept, study.facts.objectives), most)]
    notes = []
    if len(kept) < len(front):
        notes.append(f"{len(front) - len(kept)} of {len(front)} candidates on the front have no weights any more")
    if len(chosen) < len(kept):
        notes.append(
            f"{len(chosen)} of the front's {len(kept)} candidates stand for it, the recommended one first and each as "
            "unlike the others as can be: name any to audit that one"
        )
    names = [name_of(row["trial"], Place.of(row)) for row in chosen.to_dict("records")]
    return dict(zip(names, chosen["weights"].astype(str), strict=True)), notes


def find_task(study: Snapshot) -> tuple[Task, Places]:
    """What a study's models are judged on, and where all of it is; ValueError where it is not there any more."""
    about = study.facts.about
    task = Task(
        benchmark=str(about.get("benchmark")),
        model=about.get("model"),
        retrained=about.get("retrained"),
        protocol=str(about.get("protocol")),
        split=bool(about.get(SPLIT)),
        cache=str(check_cache(default_cache())),
    )
    found = evidence.find_made_from(task, about.get(CONTENT))
    if found is None:
        raise ValueError(
            f"the texts or models that study {study.name!r} was made from are not in their places any more: it cannot "
            "be audited"
        )
    _, places = found
    if find_source(task.benchmark).data in MADE:  # another version's may be the one
        task = replace(task, benchmark=places.data, model=places.target, retrained=places.retrained)
    return task, places


def folder_of(study: Snapshot, candidates: Mapping[str, str]) -> str:
    """Where an audit's tables are written: in the study's own folder, where its candidates lie."""
    name = folder_name(study.name, study.facts.id)
    for place in candidates.values():
        own = quote(name) if "://" in place else name
        before, there, _ = place.partition(f"/{own}/")
        if there:
            return f"{before}/{own}/{AUDITS}"
    return f"{study_folder(str(expanded(RESULTS)), study.name, study.facts.id).place}/{AUDITS}"


def batch_of(settings: Mapping[str, Any]) -> int:
    """Prompts or texts scored at once in a study; the least of its methods."""
    each = settings.values() if settings and all(name in METHODS for name in settings) else [settings]
    return min((int(own["score_batch"]) for own in each if "score_batch" in own), default=SCORE_BATCH)
