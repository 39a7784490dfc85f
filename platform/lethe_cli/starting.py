"""How a search begins: with what another study knows (`--start-from`), and with how many trials at random."""

from dataclasses import asdict, replace

from optuna.storages import BaseStorage
from optuna.trial import TrialState
from rich.console import Console

from lethe.analysis.ablation import is_ablation
from lethe.search.ledger import Ledger
from lethe.search.samplers import start_up
from lethe.search.warm_start import Known, Sought, best_of, in_words, start_from
from lethe.store.facts import PLANNED, load_facts
from lethe.store.reading import open_study, split_address
from lethe.store.snapshot import Reader
from lethe.store.trials import REPEATS
from lethe_cli.flags import TuneFlags
from lethe_cli.request import Request, older


def source_of(request: Request) -> tuple[str, str] | None:
    """The store and the name of the study that a search starts from; None where it starts from none."""
    given = request.flags.start_from if isinstance(request.flags, TuneFlags) else None
    if given is None:
        return None
    if "://" not in given:
        return request.storage, given
    return split_address(given, "--start-from")


def check_start(request: Request) -> None:
    """ValueError, in one line, where a search would start from no study of Lethe's, from itself or an ablation."""
    source = source_of(request)
    if source is None:
        return
    if source == (request.storage, request.name):
        raise ValueError(f"--start-from names the search's own study {request.name!r}: choose another --name")
    if is_ablation(load_facts(open_study(*source))):
        raise ValueError(
            f"--start-from names the ablation {source[1]!r}, whose arms set what is not among their parameters: "
            "a search starts from a search, an arena's study or an import"
        )


def start_warm(request: Request, ledger: Ledger, storage: BaseStorage, console: Console) -> None:
    """Tell a new search, or queue first, what the study knows that it starts from, and say so in one line."""
    source = source_of(request)
    if source is None:
        return
    sought = Sought(space=request.space, bases={method: asdict(base) for method, base in request.bases.items()})
    start = start_from(ledger, known_of(*source), sought, storage)
    ledger.study.set_user_attr(PLANNED, request.trials + ledger.trials.known())
    console.print(in_words(start, repr(source[1])), soft_wrap=True, highlight=False)


def say_start_up(request: Request, ledger: Ledger, left: int, console: Console) -> None:
    """Say how many of the trials that are left are drawn at random, before the sampler learns."""
    complete = sum(trial.state == TrialState.COMPLETE for trial in ledger.trials.all())
    told = start_up(request.sampler, known=complete, left=left)
    if told:
        console.print(told, soft_wrap=True, highlight=False)


def known_of(url: str, name: str) -> Known:
    """A study as a search may start from it."""
    study = open_study(url, name)
    facts = load_facts(study)
    written = facts if "settings" not in facts.about else replace(facts, about=older(facts.about))
    return Known(
        name=name,
        facts=written,
        trials=[
            t for t in study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,)) if REPEATS not in t.user_attrs
        ],
        best=best_of(Reader(url, name).read().candidates, facts),
    )
