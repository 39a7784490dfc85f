"""An arena as its user asked for it, checked: who takes part, with which seeds, and what each may spend.

An entrant is a method, or a variant of one; with one seed it is an entry, which is a study of its own. All entries have
the same budget in forward passes of a sequence (a backward pass counts two), the same data, evaluations, objectives and
guard. A seed is that of an entry's suggestions and of its runs, and the same for all entrants.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lethe.search.limits import Budget
from lethe.search.rule import DEFAULT, Rule
from lethe.search.space import Space
from lethe.store.about import about
from lethe.store.facts import ARENA, Facts
from lethe.store.optuna_tables import study_names
from lethe.store.parameters import owner
from lethe.store.storage import check_writable, open_storage
from lethe_cli import checks
from lethe_cli.effects import Tried, check_effects
from lethe_cli.flags import METHOD, ArenaFlags, SearchFlags
from lethe_cli.presets import find_preset
from lethe_cli.request import Request, check_same, facts_of, gather_request
from lethe_cli.spaces import addressed, check_space, corners, ends_of, naming, with_own
from search_spaces.variants import VARIANTS, variant_space
from trainables.methods import METHODS, find_method
from trainables.methods.mean_teacher import MeanTeacher
from trainables.settings import Settings

ALL = "all"
EVERYBODY = (*METHODS, *VARIANTS)  # in the order in which they stand, whoever is named first
TEACHER_PASSES = 7  # of a sequence of each of its two batches: 3 of the forget loss, 4 of the penalty with its guide
SPARE = 4  # an entry begins at most so many times the trials that the mean teacher's budget is for
MOST_SEEDS = 100
LONGEST_NAME = 100 - max(len(f": {label} {MOST_SEEDS}") for label in (*METHODS, *VARIANTS))
DEFAULT_TRIALS = 6


@dataclass(frozen=True, kw_only=True)
class Entrant:
    """Who takes part: a method with settings and a space, under a label of its own."""

    label: str
    base: Settings  # but for the seed
    space: Space

    def corners(self) -> list[Settings]:
        """Configurations with each end and each choice of what is searched."""
        return corners(self.base, self.space)

    @property
    def family(self) -> str:
        """Its method's family."""
        return find_method(self.base.method).family


@dataclass(frozen=True, kw_only=True)
class EntryRequest(Request):
    """An entrant with a seed: a search that ends with its budget, or, where that is hardly touched, its `trials`."""

    arena: dict[str, Any]  # what is stored of it

    def about(self) -> dict[str, Any]:
        """What has to be the same for an entry to be gone on with."""
        return super().about() | {ARENA: self.arena}


@dataclass(frozen=True, kw_only=True)
class ArenaRequest(Request):
    """An arena: a study for each entrant with each seed, all with the same budget."""

    entrants: tuple[Entrant, ...]
    seeds: tuple[int, ...]
    budget: Budget
    named: bool  # the entrants were named one by one: none of them may be left out

    def searches(self) -> list[EntryRequest]:
        """Its entries, in the order in which they begin: all entrants with the first seed, then with the second, ..."""
        return [self._entry(entrant, seed) for seed in self.seeds for entrant in self.entrants]

    @property
    def score_batch(self) -> int:
        """See Request."""
        return min(entrant.base.score_batch for entrant in self.entrants)

    def shape(self) -> dict[str, Any]:
        """What all its entries share, as it is stored with each."""
        labels = [entrant.label for entrant in self.entrants]
        return {"entrants": labels, "budget": self.budget.cost}

    def _entry(self, entrant: Entrant, seed: int) -> EntryRequest:
        own = {
            "name": self.name,
            "entrant": entrant.label,
            "method": entrant.base.method,
            "family": entrant.family,
            "seed": seed,
            "patience": self.budget.patience,
            **self.shape(),
        }
        name = checks.check_name(f"{self.name}: {entrant.label} {seed}", "")
        base = replace(entrant.base, seed=seed)
        changed = {"name": name, "base": base, "space": entrant.space, "seed": seed, "trials": self.budget.most}
        return EntryRequest(**self.known() | changed, arena=own)


def make_arena(flags: ArenaFlags) -> ArenaRequest:
    """Check an arena's flags and return what they ask for; ValueError, in one line, for the first that is wrong."""
    checks.check_cpus()
    if checks.check_count("--seeds", flags.seeds) > MOST_SEEDS:
        raise ValueError(f"--seeds is {flags.seeds}: {MOST_SEEDS} at most")
    plain = replace(flags, settings=(), name=named(flags))
    common = gather_request(plain, {METHOD: {}}, trials=1, sampler=flags.sampler, seed=0)
    stored = stored_arena(common)
    entrants = tuple(make_entrant(label, flags) for label in labels_of(flags, stored))
    told = check_read(flags, entrants)
    tried = [corner for entrant in entrants for corner in entrant.corners()]
    for settings in tried:
        checks.check_sharing(settings, common.workers, common.gpus)
    checks.check_texts(tried, common.task.benchmark)
    ends = {entrant.label: Tried(entrant.base, ends_of(entrant.space)) for entrant in entrants}
    told += check_effects((*flags.settings, *flags.ranges, *flags.choices), ends)
    budget = make_budget(flags)
    arena = ArenaRequest(
        **common.known()
        | {"trials": len(entrants) * flags.seeds * budget.most, "notes": (*told, *common.notes)}
        | {"stop": Rule.named(flags.stop or DEFAULT)},
        entrants=entrants,
        seeds=tuple(range(flags.seeds)),
        budget=budget,
        named=flags.method != ALL,
    )
    return check_arena(arena, stored)


def named(flags: ArenaFlags) -> str:
    """The arena's name: the one given, or the benchmark's with -arena."""
    name = flags.name if flags.name is not None else f"{checks.check_name(None, flags.benchmark)}-arena"
    if len(name) > LONGEST_NAME:
        raise ValueError(
            f"the arena's name has {len(name)} letters: give a --name of {LONGEST_NAME} at most, to which entrant and "
            "seed are added"
        )
    return name


def labels_of(flags: ArenaFlags, stored: Mapping[str, Any] | None) -> list[str]:
    """Who was asked to take part; all of an arena that is there are those that it has.

    So it goes on where some could not take part, and where there are more methods by now.
    """
    if flags.method == ALL:
        return list(stored["entrants"] if stored else EVERYBODY)
    labels = [label.strip() for label in flags.method.split(",")]
    for label in labels:
        if label not in EVERYBODY:
            raise ValueError(f"entrant {label!r} is unknown: choose {ALL}, or some of {', '.join(EVERYBODY)}")
        if labels.count(label) > 1:
            raise ValueError(f"entrant {label!r} is given twice: name each once")
    return [label for label in EVERYBODY if label in labels]


def make_entrant(label: str, flags: ArenaFlags) -> Entrant:
    """An entrant with those of the flags' settings and ranges that its method has; ValueError for an unknown label."""
    variant = VARIANTS.get(label, {"method": label, "settings": {}})
    method = variant["method"]
    size = flags.space or find_preset(flags.benchmark).size
    ranges, choices = given(flags.ranges, method), given(flags.choices, method)
    if label in VARIANTS:
        space = with_own(variant_space(label, size), method, ranges, choices)
    else:
        space = check_space(method, size, ranges, choices)
    preset = find_preset(flags.benchmark, method).settings | variant["settings"]
    fixed = [text for text in flags.settings if name_of(text) not in space]  # what was said to all, to those it is for
    with naming(label):
        base = checks.check_settings(given(fixed, method), searched=space, preset=preset, method=method)
    return Entrant(label=label, base=base, space=space)


def given(texts: Sequence[str], method: str) -> list[str]:
    """Those of `NAME=...` and `METHOD.NAME=...` texts that are for a method, under the names that it has for them."""
    known = find_method(method).settings.types()
    meant = [text for text in texts if owner(name_of(text)) == method or name_of(text) in known]
    return addressed(meant, [method])[method]


def name_of(text: str) -> str:
    """Of `NAME=...` the name."""
    return text.partition("=")[0]


def check_read(flags: ArenaFlags, entrants: Sequence[Entrant]) -> list[str]:
    """Notes of who searches what was set for all; ValueError for what no entrant takes, and for the seed."""
    methods = {entrant.base.method for entrant in entrants}
    for name in map(name_of, (*flags.settings, *flags.ranges, *flags.choices)):
        if name.rpartition(".")[2] == "seed":
            raise ValueError("setting 'seed' is what an arena repeats: give --seeds")
        if owner(name) not in methods and not having(name, entrants):
            raise ValueError(f"{name!r} is no setting of any entrant: `lethe methods NAME` shows what each has")
    notes = []
    for text in flags.settings:
        name = name_of(text)
        searching = [entrant.label for entrant in entrants if name in entrant.space]
        if searching and len(searching) == len(having(name, entrants)):
            raise ValueError(f"setting {name!r} is searched: give its range with --range {name}=LOW:HIGH")
        notes += [f"{', '.join(searching)}: {name} is searched, which {text} leaves alone"] if searching else []
    return notes


def having(name: str, entrants: Sequence[Entrant]) -> list[Entrant]:
    """The entrants that have a setting."""
    return [entrant for entrant in entrants if name in entrant.base.types()]


def make_budget(flags: ArenaFlags) -> Budget:
    """What an entry may spend: the cost of so many trials of the mean teacher with the settings of the run."""
    preset = find_preset(flags.benchmark).settings
    teacher = MeanTeacher.parse(checks.split_settings(given(flags.settings, METHOD)), **preset)
    trial = float(TEACHER_PASSES * teacher.steps * teacher.batch_size)
    if flags.budget is None:
        asked = DEFAULT_TRIALS if flags.trials is None else flags.trials
        cost = checks.check_count("--trials", asked) * trial
    elif flags.trials is not None:
        raise ValueError(f"--trials is {flags.trials} and --budget {flags.budget:g}: give one of them")
    elif math.isfinite(flags.budget) and flags.budget > 0:
        cost = flags.budget
    else:
        raise ValueError(f"--budget is {flags.budget:g}: it must be a number of forward passes, greater than 0")
    trials = math.ceil(cost / trial)
    return Budget(cost=cost, trial=trial, most=SPARE * trials, patience=trials)


def stored_arena(request: Request) -> dict[str, Any] | None:
    """What the store says of an arena of this name; None where it has none."""
    open_storage(request.storage)  # which makes a new one
    every = [said for said in about(request.storage, ARENA).values() if said["name"] == request.name]
    return dict(every[0]) if every else None


def check_arena(request: ArenaRequest, stored: Mapping[str, Any] | None) -> ArenaRequest:
    """Return an arena that is new, or the same one to be gone on with.

    ValueError where one of this name exists without `--resume`, or was asked for with other flags.
    """
    storage = open_storage(request.storage)
    check_writable(request.storage)
    if stored is not None:
        if not request.flags.resume:
            raise ValueError(f"arena {request.name!r} exists: go on with --resume, or choose another --name")
        for what, value in request.shape().items():
            if stored[what] != value:
                raise ValueError(
                    f"arena {request.name!r} has {what} {shown(stored[what])}, not {shown(value)}: "
                    "choose another --name"
                )
    there = set(study_names(request.storage))
    begun = [entry.name for entry in request.searches() if entry.name in there]
    first = facts_of(begun[0], storage) if begun else None
    if first and isinstance(request.flags, SearchFlags) and request.flags.stop is None:
        request = replace(request, stop=Rule.of(first.about))
    for entry in request.searches():
        if entry.name in there:
            check_same(entry, storage)
    return replace(request, guard=guard_of(request, first)) if first else request


def guard_of(request: Request, begun: Facts) -> dict[str, float]:
    """A request's guard without what an entry that was begun has not: entries that come later are to be its equals."""
    there = {constraint.score for constraint in begun.constraints}
    return {score: much for score, much in request.guard.items() if score in there}


def shown(value: Any) -> str:
    """Of what an arena consists, in a line."""
    return ", ".join(map(str, value)) if isinstance(value, list) else f"{value:g}"
