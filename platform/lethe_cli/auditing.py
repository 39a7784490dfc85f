"""A checked audit is run: what the study has not yet is measured on the cluster, stored as it comes, and shown."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

import optuna
from rich.console import Console

from lethe.analysis import audit_words, trace_words
from lethe.analysis.audit import audit_of, stored_items
from lethe.cluster import connection as cluster
from lethe.cluster.pool import Answer, work_off
from lethe.display.audit_progress import AuditProgress
from lethe.display.audit_table import draw_audit, draw_traces, main_score
from lethe.store.audits import Audited
from lethe.store.snapshot import Reader
from lethe.store.storage import load_study
from lethe.store.urls import hide_password
from lethe_cli import hints
from lethe_cli.audit_request import Request, make_request
from lethe_cli.preparing import SHIPPED
from lethe_cli.request import Request as Search
from trainables.keys import CODE, code_hash
from trainables.probes import parse_probe
from trainables.probes.measuring import PLAIN, Asked, audit_code, split_probes
from trainables.probes.session import Job, make_auditor

GOES_ON = "the same command goes on"
Known = Mapping[tuple[str, str], Audited]


def run_audit(request: Request, console: Console) -> dict[str, Any]:
    """Run an audit to its end, or to Ctrl-C, and return what the study has of it then as plain data."""
    for note in request.notes:
        console.print(f"note: {note}", soft_wrap=True, highlight=False)
    stresses = [PLAIN, *dict.fromkeys(parse_probe(text).name for text in request.probes)]
    wanted = readings(request.models, stresses)
    queue = Queue(wanted, functools.partial(known_of, Reader(request.url, request.study.name)))
    interrupted = False
    if queue.left():
        interrupted = measure(request, queue, console)
    return conclude(request, wanted, console, interrupted=interrupted)


def check_probes(probes: Sequence[str]) -> None:
    """ValueError for the first probe that is not known, or has a setting that is not allowed."""
    for probe in split_probes(list(probes)) if probes else ():
        parse_probe(probe)


def audit_front(search: Search, probes: Sequence[str], most: int, console: Console) -> dict[str, Any]:
    """Audit so many that stand for the front of a search that is through; returns what is added to its outcome.

    The front as it ended is audited, on the search's own workers and GPUs: a candidate that would have been pushed off
    it meanwhile costs nothing.
    """
    request = make_request(
        search.name,
        (),
        probes,
        search.storage,
        most=most,
        concurrent=search.flags.concurrent,
        cpus=search.cpus,
        gpus=search.gpus,
    )
    console.print()
    found = run_audit(request, console)
    return {"audit": found, "interrupted": found["interrupted"], "failure": found["failure"]}


def readings(models: Mapping[str, str], stresses: Sequence[str]) -> list[Asked]:
    """Every model under every stress, those of a model one after another. ValueError for too long a name."""
    asked = [Asked(whose=whose, place=place, stress=stress) for whose, place in models.items() for stress in stresses]
    for one in asked:
        _ = audited(one, {"seconds": 0.0}).key
    return asked


def known_of(reader: Reader) -> Known:
    """What a study has of audits just now, by whose and the stress."""
    return {(found.whose, found.stress): found for found in reader.read().audits}


def is_known(asked: Asked, known: Known) -> bool:
    """Whether a study has a reading, or that it is refused for good, by the code that is here."""
    found = known.get((asked.whose, asked.stress))
    return found is not None and found.code == audit_code() and not found.passing


class Queue:
    """The readings that are left: those of one model go to one process, which holds it, as long as that can be."""

    def __init__(self, wanted: Sequence[Asked], known: Callable[[], Known]) -> None:
        self._known = known
        self._waiting = list(wanted)
        self._begun: set[str] = set()

    def left(self) -> int:
        """How many there are; what another driver has stored meanwhile goes."""
        known = self._known()
        self._waiting = [asked for asked in self._waiting if not is_known(asked, known)]
        return len(self._waiting)

    def take(self, before: Asked | None) -> Asked | None:
        """The next reading for a process that made another one before; None where none is left.

        One of the same model; else of a model that no process had yet; else of that with most left.
        """
        if not self.left():
            return None
        models = [asked.whose for asked in self._waiting]
        fresh = [whose for whose in models if whose not in self._begun]
        if before is not None and before.whose in models:
            whose = before.whose
        else:
            whose = fresh[0] if fresh else max(models, key=models.count)
        self._begun.add(whose)
        return self._waiting.pop(models.index(whose))


def measure(request: Request, queue: Queue, console: Console) -> bool:
    """Measure what is left, and store each reading as it comes; returns whether Ctrl-C ended it."""
    study = load_study(request.url, request.study.name)
    job = Job(
        task=request.task,
        score_batch=request.score_batch,
        folder=request.folder,
        cpus=request.cpus,
        code=code_hash(),
        path=str(CODE),
    )
    load = functools.partial(make_auditor, job)
    left, room = queue.left(), {"cpus": request.cpus, "gpus": request.gpus}
    try:
        with cluster.connect(SHIPPED) as joined:
            slots = cluster.slots(joined, workers=1, trials=min(left, request.concurrent or left), **room)
            with (
                AuditProgress(console, left, slots, words=lambda asked: asked.words) as progress,
                closing(work_off(load, queue.take, progress, slots=slots, **room)) as answers,
            ):
                store_all(study, answers, progress)
    except KeyboardInterrupt:
        return True
    return False


def store_all(study: optuna.Study, answers: Iterable[Answer[Asked]], progress: AuditProgress) -> None:
    """Store the answers one by one, and say what came of each."""
    for answer in answers:
        found = audited(answer.job, told_by(answer))
        study.set_user_attr(found.key, found.to_json())
        outcome = f"refused: {found.refused}" if found.refused else f"{found.seconds:.1f} s"
        progress.finished(answer.job, outcome, refused=bool(found.refused))


def told_by(answer: Answer[Asked]) -> dict[str, Any]:
    """What an auditor said of a reading, or why it said nothing: then it is tried again the next time."""
    return {"refused": answer.failure, "passing": True, "seconds": 0.0} if answer.failure else answer.value


def audited(asked: Asked, told: Mapping[str, Any]) -> Audited:
    """A reading as it is stored."""
    return Audited(
        whose=asked.whose,
        stress=asked.stress,
        scores=told.get("scores", {}),
        items=told.get("items", ""),
        code=audit_code(),
        seconds=told["seconds"],
        refused=told.get("refused", ""),
        tells=told.get("tells", {}),
        asks=told.get("asks", False),
        worst_of=told.get("worst_of", {}),
        passing=told.get("passing", False),
    )


def conclude(request: Request, wanted: Sequence[Asked], console: Console, *, interrupted: bool) -> dict[str, Any]:
    """Print what a study has of an audit, and return it as plain data."""
    study = Reader(request.url, request.study.name).read()
    known = {(found.whose, found.stress): found for found in study.audits}
    there = [asked for asked in wanted if is_known(asked, known)]
    found = [known[asked.whose, asked.stress] for asked in wanted if (asked.whose, asked.stress) in known]
    audit = audit_of(study.audits, stored_items, study.facts.card)
    table = draw_audit(audit, request.candidates)

    def say(line: str) -> None:
        console.print(line.replace("−", "-"), soft_wrap=True, highlight=False)

    console.print()
    if interrupted:
        say(f"interrupted after {len(there)} of {len(wanted)} readings; {GOES_ON}")
    if table:
        say(f"{main_score(audit)} of each candidate before and under each stress, and of the retrained model")
        console.print(table)
    traces = draw_traces(audit, request.candidates)
    if traces:
        say("what each candidate holds, whatever it answers, beside the target and the retrained model")
        console.print(traces)
    words = [*audit_words.summary(audit), *trace_words.summary(audit)]
    for line in (*words, *audit_words.refusals(audit)):
        say(line)
    if any(one.passing for one in found):
        say("what was refused for something that may pass is measured by the same command again")
    say(f"read more  {hints.dashboard(request.url)}")
    refused = [one for one in found if one.refused]
    return {
        "study": study.name,
        "storage": hide_password(request.url),
        "interrupted": interrupted,
        "failure": f"all {len(refused)} readings were refused" if len(refused) == len(wanted) else None,
        "audits": [one.to_json() for one in found],
        "summary": words,
    }
