"""An ablation as its user asked for it, checked: everything that is known before torch or Ray is loaded."""

import hashlib
import json
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from lethe.analysis.designs import FRACTIONAL, Arm, Design, make_design
from lethe.search.space import Space
from lethe.store.optuna_tables import study_names
from lethe_cli import checks
from lethe_cli.effects import Tried, check_effects
from lethe_cli.flags import AblateFlags
from lethe_cli.presets import find_preset
from lethe_cli.request import LARGEST_SEED, Request, check_study, gather_request
from lethe_cli.spaces import addressed, check_bounds
from search_spaces.descent import Switch
from search_spaces.methods import SMALL, TUNED_FACTOR, designs_of, spaces_of
from search_spaces.methods import switches_of as every_switch
from trainables.methods import find_method
from trainables.settings import Settings

TUNING_SEED = LARGEST_SEED  # which no run of an ablation has
MOST_SEEDS = 10_000  # an interval of a hundredth of the spread; all runs are listed before the first


@dataclass(frozen=True, kw_only=True)
class AblationRequest(Request):
    """An ablation: a study whose trials are given, every arm of a design with every seed."""

    design_name: str
    design: Design
    seeds: tuple[int, ...]
    tuned: int  # trials of the search that each arm has before its seeds; 0 for none

    def settings_of(self, arm: str, seed: int) -> Settings:
        """The settings of a run, before its arm is tuned."""
        return replace(self.base, **self.design[arm].settings, seed=seed)

    def searches(self) -> list[Request]:
        """The search that each arm has before its seeds; none where no tuning is asked for."""
        return [_search_of(self, number, arm) for number, arm in enumerate(self.design)] if self.tuned else []

    def about(self) -> dict[str, Any]:
        """What has to be the same for an ablation to be gone on with; more seeds may be asked for."""
        digest = hashlib.sha256(json.dumps(self.design.to_json(), sort_keys=True).encode()).hexdigest()[:6]
        tuned = {"tuned": self.tuned} if self.tuned else {}
        return {"design": f"{self.design_name}, {len(self.design)} arms ({digest})"} | tuned | super().about()


def make_ablation(flags: AblateFlags) -> AblationRequest:
    """Check an ablation's flags and return what they ask for; ValueError, in one line, for the first that is wrong."""
    checks.check_cpus()
    check_seeds(flags.seeds, flags.first_seed)
    if flags.tuned < 0:
        raise ValueError(f"--tuned is {flags.tuned}: it must be a number of trials, or 0 for none")
    design = choose_design(flags)
    baseline = baseline_settings(flags, design)
    check_unswitched(addressed(flags.settings, [flags.method])[flags.method], baseline)
    request = gather_request(
        named(flags),
        {flags.method: {"arm": ("choice", tuple(arm.name for arm in design)), "seed": ("integer", 0, LARGEST_SEED)}},
        trials=len(design) * flags.seeds,
        sampler="random",
        seed=0,
    )
    base = replace(request.base, **baseline)
    arms = [check_arm(base, arm.name, arm.settings) for arm in design]
    for settings in arms:
        checks.check_sharing(settings, request.workers, request.gpus)
    check_effects(flags.settings, {flags.method: Tried(base, varied(arms))})
    ablation = AblationRequest(
        **request.known() | {"base": base},
        design_name=flags.design,
        design=design,
        seeds=tuple(range(flags.first_seed, flags.first_seed + flags.seeds)),
        tuned=flags.tuned,
    )
    checks.check_texts(arms, request.task.benchmark)
    check_study(ablation)
    check_searches(ablation)
    return ablation


def varied(arms: Sequence[Settings]) -> dict[str, list[Any]]:
    """The values of every setting that is not the same in all arms."""
    values = {name: list(dict.fromkeys(getattr(arm, name) for arm in arms)) for name in arms[0].types()}
    return {name: found for name, found in values.items() if len(found) > 1}


def named(flags: AblateFlags) -> AblateFlags:
    """Flags with a name: the one given, or the benchmark's and the design's."""
    if flags.name is not None:
        return flags
    return replace(flags, name=f"{checks.check_name(None, flags.benchmark)}-{flags.design}")


def check_seeds(seeds: int, first_seed: int) -> None:
    """At least two seeds: with one there is no telling an effect from luck."""
    if seeds < 2:
        raise ValueError(f"--seeds is {seeds}: an interval needs at least 2 seeds, and 5 are a fair beginning")
    if seeds > MOST_SEEDS:
        raise ValueError(f"--seeds is {seeds}: {MOST_SEEDS} at most, with which an interval is as narrow as it gets")
    if not 0 <= first_seed <= LARGEST_SEED - seeds:
        raise ValueError(f"--first-seed is {first_seed}: it must lie between 0 and {LARGEST_SEED - seeds}")


def check_unswitched(texts: Sequence[str], baseline: Container[str]) -> None:
    """ValueError where a setting `NAME=VALUE` is one that the ablation itself changes from run to run."""
    own = checks.split_settings(texts)
    if "seed" in own:
        raise ValueError("setting 'seed' is what an ablation repeats: give --seeds and --first-seed")
    for name in own:
        if name in baseline:
            raise ValueError(f"setting {name!r} is switched by this design: leave it out of --set")


def choose_design(flags: AblateFlags) -> Design:
    """The design that is named, or one of its kind over the switches that `NAME=LEVEL,LEVEL` texts name."""
    designs = designs_of(find_method(flags.method).name)
    if flags.design not in designs:
        raise ValueError(f"design {flags.design!r} is unknown: choose {', '.join(designs)}")
    switches = switches_of(flags)
    if not flags.switches:
        if flags.generators:
            raise ValueError("--generators belong to switches of your own: give --switch too")
        return make_design(designs[flags.design], switches)
    kind = designs[flags.design][0]["kind"]
    if kind == FRACTIONAL and not flags.generators:
        raise ValueError("a fractional design of your own switches needs --generators, for example D=ABC")
    chosen = dict(_switch(text) for text in flags.switches)
    return make_design([{"kind": kind, "switches": chosen, "generators": flags.generators}], switches)


def switches_of(flags: AblateFlags) -> Mapping[str, Switch]:
    """What can be switched of the method, for models of the benchmark's size."""
    return every_switch(flags.method)[find_preset(flags.benchmark, flags.method).size]


def _switch(text: str) -> tuple[str, tuple[str, ...]]:
    name, equals, levels = text.partition("=")
    return name, tuple(level.strip() for level in levels.split(",")) if equals else ("*",)


def baseline_settings(flags: AblateFlags, design: Design) -> dict[str, Any]:
    """What the baseline's levels of a design's switches set."""
    switches = switches_of(flags)
    found: dict[str, Any] = {}
    for part in design.parts:
        for name, levels in part.switches.items():
            found |= switches[name][levels[0]]
    return found


def check_searches(request: AblationRequest) -> None:
    """ValueError where the arms' searches of a new ablation cannot be, or are there and were asked for otherwise."""
    if request.name in study_names(request.storage):
        return  # its arms were tuned before it was made
    for search in request.searches():
        check_bounds(search.space, request.base.method)
        check_study(search)


def _search_of(request: AblationRequest, number: int, arm: Arm) -> Request:
    """An arm's own search."""
    base = replace(request.base, **arm.settings, seed=TUNING_SEED)
    return Request(
        **request.known()
        | {
            "name": f"{request.name} tuned {number}: {arm.name}",
            "space": space_around(base),
            "base": base,
            "trials": request.tuned,
            "sampler": "tpe",
        }
    )


def space_around(settings: Settings) -> Space:
    """The rates that its method's space has, each within a factor of its own value; one that is 0 stays so."""
    rates = {name for name, (kind, *_) in spaces_of(settings.method)[SMALL].items() if kind == "log_uniform"}
    values = {name: value for name, value in asdict(settings).items() if name in rates and value > 0}
    tops = {name: allowed.most for name, allowed in settings.allowed().items() if allowed.most is not None}
    if not values:
        raise ValueError(f"--tuned searches rates, and {settings.method} has none that is not 0: leave it out")
    return {
        name: ("log_uniform", value / TUNED_FACTOR, min(value * TUNED_FACTOR, tops.get(name, float("inf"))))
        for name, value in values.items()
    }


def check_arm(base: Settings, name: str, changes: dict[str, Any]) -> Settings:
    """An arm's settings; ValueError where they are none, or the baseline's own under another name."""
    try:
        settings = replace(base, **changes)
    except ValueError as error:
        raise ValueError(f"arm {name!r} cannot run: {error}") from None
    if changes and settings == base:
        raise ValueError(f"arm {name!r} is the baseline itself here: {changes} is what it has anyhow")
    return settings
