"""Designs of ablations: which arms a question needs. Pure: switches in, arms out; no Ray, no store.

    switches = {"loss": {"nlul": {}, "ll": {"forget_loss": "ll"}}, "damping": {"on": {}, "off": {"damping": 0.0}}}
    for arm in one_at_a_time(switches): ...       # baseline, loss=ll, damping=off; arm.settings is what to change

A switch is `{level: settings}`, and its first level is the baseline's. Arms are named by the levels in which they
differ from the baseline, so that the arms of several designs can be joined, and an arm that two of them have is run
once.
"""

import itertools
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Settings = Mapping[str, Any]
Switches = Mapping[str, Mapping[str, Settings]]
BASELINE = "baseline"
ONE_AT_A_TIME, FACTORIAL, FRACTIONAL = "one at a time", "factorial", "fractional"
EVERY_LEVEL = "*"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One configuration of a design: `settings` go on top of the base, `levels` differ from the baseline's."""

    name: str
    levels: dict[str, str]
    settings: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The arms of one question: its kind, its switches with the levels used, the baseline's first, its arms' levels."""

    kind: str
    switches: dict[str, tuple[str, ...]]
    arms: dict[str, dict[str, str]]  # name -> the level of every switch of this part
    generators: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Design:
    """An iterable of arms, the baseline first. `parts` say which arms answer which question."""

    arms: tuple[Arm, ...]
    parts: tuple[Part, ...]

    def __iter__(self) -> Iterator[Arm]:
        return iter(self.arms)

    def __len__(self) -> int:
        return len(self.arms)

    def __getitem__(self, name: str) -> Arm:
        return next(arm for arm in self.arms if arm.name == name)

    def to_json(self) -> dict[str, Any]:
        """Plain data for a store."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Design":
        """The inverse of `to_json`."""
        parts = [
            part
            | {
                "switches": {name: tuple(levels) for name, levels in part["switches"].items()},
                "generators": tuple(part["generators"]),
            }
            for part in data["parts"]
        ]
        return cls(arms=tuple(Arm(**arm) for arm in data["arms"]), parts=tuple(Part(**part) for part in parts))


def one_at_a_time(switches: Switches) -> Design:
    """The baseline, and for every other level of every switch one arm that differs from it in nothing else.

    With two levels a switch, this leaves one component out at a time.
    """
    check_switches(switches)
    base = {name: next(iter(levels)) for name, levels in switches.items()}
    chosen = [base] + [base | {name: level} for name, levels in switches.items() for level in list(levels)[1:]]
    return _design(ONE_AT_A_TIME, switches, chosen)


def full_factorial(switches: Switches) -> Design:
    """Every combination of levels. ValueError where two switches set the same setting."""
    check_switches(switches)
    check_separate(switches)
    names = list(switches)
    return _design(
        FACTORIAL,
        switches,
        [dict(zip(names, levels, strict=True)) for levels in itertools.product(*switches.values())],
    )


def fractional_factorial(switches: Switches, generators: Sequence[str]) -> Design:
    """A two-level fraction: the switches that no generator defines are crossed, the others follow from them.

    `generators` are such as "D=ABC": A is the first switch, B the second, ...; level by level, D is the product of the
    others (first level -1, second +1), with the sign that keeps the baseline in the fraction. ValueError for a switch
    of more than two levels, a generator that makes no sense, or one that makes two main effects one (resolution II).
    """
    check_switches(switches)
    check_separate(switches)
    for name, levels in switches.items():
        if len(levels) != 2:
            raise ValueError(f"switch {name!r} has {len(levels)} levels: a fractional factorial takes two of each")
    defined = parse_generators(generators, len(switches))
    if resolution(generators, len(switches)) < 3:
        raise ValueError(f"generators {', '.join(generators)} make two main effects one: choose others")
    letters = string.ascii_uppercase[: len(switches)]
    free = [letter for letter in letters if letter not in defined]
    chosen = []
    for signs in itertools.product((-1, 1), repeat=len(free)):
        sign = dict(zip(free, signs, strict=True))
        sign |= {letter: _generated(word, sign) for letter, word in defined.items()}
        chosen.append({name: list(switches[name])[sign[x] > 0] for name, x in zip(switches, letters, strict=True)})
    return _design(FRACTIONAL, switches, chosen, tuple(generators))


def union(*designs: Design) -> Design:
    """The arms of several designs with the same baseline, each arm once."""
    arms = {arm.name: arm for design in designs for arm in design}
    return Design(arms=tuple(arms.values()), parts=tuple(part for design in designs for part in design.parts))


def make_design(parts: Iterable[Mapping[str, Any]], switches: Switches) -> Design:
    """A design from plain data, `{"kind", "switches": {name: levels}, "generators"}` for each of its parts.

    `("*",)` stands for all levels of a switch. ValueError names an unknown kind, switch or level, or says that a part
    has no baseline.
    """
    made = []
    for part in parts:
        chosen = {name: choose_levels(switches, name, levels) for name, levels in part["switches"].items()}
        kind = part["kind"]
        if kind == FRACTIONAL:
            made.append(fractional_factorial(chosen, part["generators"]))
        elif kind in (ONE_AT_A_TIME, FACTORIAL):
            made.append((one_at_a_time if kind == ONE_AT_A_TIME else full_factorial)(chosen))
        else:
            raise ValueError(f"kind {kind!r} of a design is unknown: choose {ONE_AT_A_TIME}, {FACTORIAL}, {FRACTIONAL}")
    return union(*made)


def choose_levels(switches: Switches, name: str, levels: Sequence[str]) -> dict[str, Settings]:
    """Chosen levels of a switch, the baseline's first. ValueError for an unknown one, or without the baseline's."""
    if name not in switches:
        raise ValueError(f"switch {name!r} is unknown: choose {', '.join(switches)}")
    known = switches[name]
    levels = list(known) if list(levels) == [EVERY_LEVEL] else levels
    for level in levels:
        if level not in known:
            raise ValueError(f"level {level!r} of switch {name!r} is unknown: choose {', '.join(known)}")
    baseline = next(iter(known))
    if baseline not in levels:
        raise ValueError(f"switch {name!r} is left without its baseline: name the level {baseline!r} too")
    if len(set(levels)) < 2:
        raise ValueError(f"switch {name!r} has the one level {baseline!r}: name one more of {', '.join(known)}")
    return {level: known[level] for level in known if level in levels}


def check_switches(switches: Switches) -> None:
    """ValueError where there is nothing to switch."""
    if not switches:
        raise ValueError("a design needs at least one switch")
    for name, levels in switches.items():
        if len(levels) < 2:
            raise ValueError(f"switch {name!r} has {len(levels)} level: there is nothing to compare with")


def check_separate(switches: Switches) -> None:
    """ValueError where two switches that are to be crossed set the same setting: one would undo the other."""
    owner: dict[str, str] = {}
    for name, levels in switches.items():
        for setting in sorted({key for settings in levels.values() for key in settings}):
            if owner.setdefault(setting, name) != name:
                raise ValueError(
                    f"switches {owner[setting]!r} and {name!r} both set {setting}: they cannot be crossed, leave out "
                    "one of them or its level"
                )


def parse_generators(generators: Sequence[str], switches: int) -> dict[str, str]:
    """`{"D": "ABC"}` of "D=ABC". ValueError for one that names a letter that is not there or is itself defined."""
    letters = string.ascii_uppercase[:switches]
    found: dict[str, str] = {}
    for text in generators:
        match = re.fullmatch(r"([A-Z])=([A-Z]{2,})", text)
        if not match or match[1] in found:
            raise ValueError(f"generator {text!r} is not such as D=ABC, one for each letter that is defined")
        found[match[1]] = match[2]
    for letter, word in found.items():
        wrong = [x for x in letter + word if x not in letters] + [x for x in word if x in found or word.count(x) > 1]
        if wrong:
            raise ValueError(f"generator {letter}={word} names {wrong[0]}: it must name crossed switches, each once")
    return found


def defining_words(generators: Sequence[str], switches: int) -> list[frozenset[str]]:
    """The words of letters whose product is the same in every arm: all products of `D` times `ABC`, and so on."""
    single = [frozenset(letter + word) for letter, word in parse_generators(generators, switches).items()]
    words: set[frozenset[str]] = set()
    for count in range(1, len(single) + 1):
        for chosen in itertools.combinations(single, count):
            product: frozenset[str] = frozenset()
            for word in chosen:
                product ^= word
            words.add(product)
    return sorted(words, key=lambda word: (len(word), sorted(word)))


def resolution(generators: Sequence[str], switches: int) -> int:
    """Length of the shortest defining word: III mixes main effects with two-way interactions, IV these with each other,
    V neither. A full factorial has one more than it has switches.
    """
    words = defining_words(generators, switches)
    return len(words[0]) if words else switches + 1


def aliases(effect: Iterable[str], part: Part) -> list[tuple[str, ...]]:
    """Other main effects and two-way interactions that a fraction cannot tell from `effect`, as names of switches."""
    names = dict(zip(string.ascii_uppercase, part.switches, strict=False))
    letters = frozenset(letter for letter, name in names.items() if name in set(effect))
    others = [letters ^ word for word in defining_words(part.generators, len(part.switches))]
    return [tuple(names[x] for x in sorted(other)) for other in others if len(other) <= 2]


def _generated(word: str, sign: Mapping[str, int]) -> int:
    product = -1 if len(word) % 2 == 0 else 1  # so that all first levels together are an arm
    for letter in word:
        product *= sign[letter]
    return product


def _design(
    kind: str, switches: Switches, chosen: Sequence[dict[str, str]], generators: tuple[str, ...] = ()
) -> Design:
    arms = sorted((_arm(switches, levels) for levels in chosen), key=lambda arm: arm.name != BASELINE)
    by_name = {_arm(switches, levels).name: levels for levels in chosen}
    part = Part(
        kind=kind,
        switches={name: tuple(levels) for name, levels in switches.items()},
        arms={arm.name: by_name[arm.name] for arm in arms},
        generators=generators,
    )
    return Design(arms=tuple(arms), parts=(part,))


def _arm(switches: Switches, levels: Mapping[str, str]) -> Arm:
    """An arm: the baseline's settings of every switch, then those of the levels that differ from it."""
    differing = {name: level for name, level in levels.items() if level != next(iter(switches[name]))}
    settings: dict[str, Any] = {}
    for name, level in differing.items():
        settings |= switches[name][level]
    return Arm(
        name=", ".join(f"{name}={level}" for name, level in differing.items()) or BASELINE,
        levels=differing,
        settings=settings,
    )
