"""A study of real runs on the tiny benchmark, made without Ray: its candidates' weights lie on the disk."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from searching import Tiny
from tiny_study import OBJECTIVES

from lethe.search.ledger import Ledger
from lethe.store.facts import CARDS, PLANNED, Facts
from lethe.store.storage import open_storage
from lethe.store.study_folder import study_folder
from trainables.runs.unlearning import Unlearner
from trainables.scores import all_scores
from trainables.settings import Settings
from trainables.task import Task
from trainables.workers.session import trial_folder

SPACE = {"lr": ("log_uniform", 0.01, 0.5)}
ID = "0a1b2c3d"


def run_study(
    tiny: Tiny, home: Path, base: Settings, *, trials: int = 1, searched: bool = True, split: bool = False
) -> str:
    """Run trials of a method on the tiny benchmark, as a search does, with results below `home`; the store's URL."""
    task = Task(**tiny.places(), cache=tiny.cache(), split=split)
    unlearner = Unlearner(task, score_batch=8)
    url = f"sqlite:///{home}/studies.db"
    ledger = Ledger.create(open_storage(url), "real", facts_of(unlearner, task, base), SPACE)
    ledger.study.set_user_attr(PLANNED, trials)
    place = study_folder(str(home), "real", ID).place
    for _ in range(trials):
        number, params = ledger.ask()
        settings = replace(base, **params) if searched else base
        for result in unlearner(settings, trial_folder(place, number)):
            for candidate in result["candidates"]:
                ledger.record(number, candidate)
        ledger.tell(number)
    return url


def facts_of(unlearner: Unlearner, task: Task, base: Settings) -> Facts:
    """What a search would store with the study."""
    references = unlearner.loaded.references
    about: dict[str, Any] = {
        **{name: getattr(task, name) for name in ("benchmark", "model", "retrained", "protocol", "split")},
        "method": base.method,
        "space": SPACE,
        "settings": asdict(base),
        "content": references.content,
        "items": references.items,
        "versions": {"torch": "2.13.0"},
        CARDS: [asdict(score.card) for score in all_scores().values()],
    }
    return Facts(
        objectives=OBJECTIVES, constraints=(), sampler="random", seed=0, id=ID, references=references.rows, about=about
    )
