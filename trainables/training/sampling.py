"""Which sequences a batch holds: drawn at random, in turn, in fixed pairs, or entity by entity.

    drawn = Sampling(settings, {FORGET: 40}, {FORGET: range(40)}, {}).draws(FORGET, 40, step=1)

A batch is a function of (seed, step) alone, so a run can start at any step and any worker can draw its share of it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trainables.failures import Unfit
from trainables.method import Start
from trainables.settings import Descent
from trainables.training.data import choose_fraction, cyclic_indices, sample_indices

FORGET, RETAIN = 0, 1  # streams of draws; 2 draws a share of the forget set, 3 what a scope term reads
PAIRS, MODULES, BESIDE = 4, 5, 6  # further ones: which retain sequences are paired, modules, what is drawn in them


@dataclass(frozen=True)
class Module:
    """The sequences of one entity: those that are to be forgotten, and those that are kept beside them."""

    forget: Sequence[int]
    retain: Sequence[int]


class Sampling:
    """The draws of a run, whose streams have so many each, of these texts. Unfit where it is not known of which.

    `random`: each stream by itself, with replacement. `cyclic`: each in turn by itself. `one_to_one`: what is forgotten
    in turn, each with what it is paired with for the run. `modular`: modules in turn, in each what is forgotten in
    turn, each with something that is drawn from its module. Streams beside these two are drawn in turn then.
    """

    def __init__(
        self,
        settings: Descent,
        counts: Mapping[int, int],
        texts: Mapping[int, Sequence[int]],
        data: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]],
    ) -> None:
        self._settings, self._forget = settings, counts.get(FORGET, 0)
        self._modules = []
        if settings.sampling == "modular":
            if any(len(texts[stream]) != counts[stream] for stream in counts.keys() & {FORGET, RETAIN}):
                raise Unfit(f"sampling is modular: {settings.method} does not say of which texts its sequences are")
            self._modules = in_modules(
                data["modules"]["forget"],
                texts.get(FORGET, ()),
                texts.get(RETAIN, ()),
                neighbours=settings.module_neighbours,
                general=settings.module_general,
            )

    def draws(self, stream: int, count: int, *, step: int) -> list[int]:
        """What a stream draws in a step, counted from 1, of the `count` that it has."""
        s = self._settings
        if s.sampling == "random":
            return sample_indices(count, size=s.batch_size, seed=s.seed, stream=stream, step=step)
        if s.sampling == "modular" and stream in (FORGET, RETAIN):
            return [pair[stream] for pair in modular_indices(self._modules, size=s.batch_size, seed=s.seed, step=step)]
        if s.sampling == "one_to_one" and stream == RETAIN:
            return paired_indices(self._forget or count, count, size=s.batch_size, seed=s.seed, step=step)
        return cyclic_indices(count, size=s.batch_size, seed=s.seed, stream=stream, step=step)


def paired_indices(forget: int, retain: int, *, size: int, seed: int, step: int) -> list[int]:
    """The retain sequences that are paired with the forget sequences of a step: as many are taken as are forgotten.

    Where fewer are retained, some are paired twice. The pairs are drawn by the seed, for the whole run.
    """
    taken = np.random.default_rng((seed, PAIRS)).permutation(retain)
    drawn = cyclic_indices(forget, size=size, seed=seed, stream=FORGET, step=step)
    return [int(taken[row % retain]) for row in drawn]


def modular_indices(modules: Sequence[Module], *, size: int, seed: int, step: int) -> list[tuple[int, int]]:
    """The next `size` forget sequences, each with a retain sequence of its module, by a step that is counted from 1.

    In an epoch every forget sequence is taken once, module by module; modules and sequences are shuffled anew in each.
    """
    count = sum(len(module.forget) for module in modules)
    places = [divmod((step - 1) * size + i, count) for i in range(size)]
    epochs = {epoch: _epoch(modules, seed, epoch) for epoch in {epoch for epoch, _ in places}}
    drawn = [epochs[epoch][place] for epoch, place in places]
    shares = np.random.default_rng((seed, BESIDE, step)).random(size)
    kept = [modules[number].retain for number, _ in drawn]
    return [
        (row, own[int(share * len(own))] if own else 0)
        for (_, row), own, share in zip(drawn, kept, shares, strict=True)
    ]


def _epoch(modules: Sequence[Module], seed: int, epoch: int) -> list[tuple[int, int]]:
    """The module and the sequence of every place of an epoch."""
    rng = np.random.default_rng((seed, MODULES, epoch))
    order = rng.permutation(len(modules)).tolist()
    return [(number, int(row)) for number in order for row in rng.permutation(np.array(modules[number].forget, int))]


def in_modules(
    rows: Sequence[Mapping[str, Any]],
    forget: Sequence[int],
    retain: Sequence[int],
    *,
    neighbours: int,
    general: int,
) -> list[Module]:
    """The modules of some sequences, of which `forget` and `retain` say from which text each was cut.

    `rows` are derived (derivations/modules.py): of each kind of neighbours at most so many, and so many general texts
    that are none of them. Sequences of no module's text are one more, beside which all that is kept may be drawn, as
    beside a module of whose texts none is there.
    """
    every, found = range(len(retain)), []
    for row in rows:
        kept: list[int] = []
        for kind, most in (("direct", neighbours), ("indirect", neighbours), ("general", general)):
            kept += [text for text in row[kind] if text not in kept][:most]
        own = [i for i, text in enumerate(forget) if text in row["rows"]]
        found.append(Module(own, [i for i, text in enumerate(retain) if text in kept] or every))
    known = {text for row in rows for text in row["rows"]}
    found.append(Module([i for i, text in enumerate(forget) if text not in known], every))
    return [module for module in found if module.forget]


def rows_of_part(rows: Sequence[Mapping[str, Any]], settings: Descent, start: Start) -> list[int]:
    """Which derived rows are unlearned: a share of them that is drawn, or those of the texts that were selected."""
    if settings.forget_selection == "random":
        return choose_fraction(len(rows), settings.forget_fraction, seed=settings.seed)
    texts = set(start.cut_from.get("forget", range(len(start.forget))))
    return [i for i, row in enumerate(rows) if row["row"] in texts]
