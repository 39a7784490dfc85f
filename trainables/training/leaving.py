"""Rows that leave: a forget sequence is trained on as long as it is not forgotten, and again when it comes back."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from trainables.settings import Descent
from trainables.training.descend import Hook, Term
from trainables.training.sampling import FORGET

ROW = "row_"  # begins the names of the numbers that say which sequences are trained on


class Leaving(Hook):
    """Looks every so many steps which forget sequences are forgotten, and leaves these out until the next look.

    Terms of the forget stream have a sequence for each of them, and leave it out too. Where none is left nothing is
    trained any more. `forgotten()` says it of every sequence, and takes `cost` forward passes.
    """

    def __init__(
        self, settings: Descent, count: int, every: int, forgotten: Callable[[], Sequence[bool]], cost: float
    ) -> None:
        """`every` so many steps of `count` sequences; 0: every epoch."""
        super().__init__(settings)
        self._every, self._forgotten, self._cost = every or math.ceil(count / settings.batch_size), forgotten, cost
        self._names = [f"{ROW}{i}" for i in range(count)]
        self.kept.update(dict.fromkeys(self._names, 1.0))

    def rows(self) -> list[int]:
        """The sequences that are trained on."""
        return [i for i, name in enumerate(self._names) if self.kept[name]]

    def between(self, step: int) -> float:
        """Look which are forgotten, where it is time to; what is trained on no more stays as it is."""
        if step == 1 or (step - 1) % self._every or not self.rows():
            return 0.0
        self.kept.update({name: float(not gone) for name, gone in zip(self._names, self._forgotten(), strict=True)})
        return self._cost

    def weighed(self, term: Term) -> Term:
        """A term without what has left; with no loss where all have."""
        rows = self.rows()
        if not rows:
            return replace(term, loss=None)
        if term.stream != FORGET or len(rows) == len(self._names):
            return term
        return replace(
            term,
            sequences=[term.sequences[row] for row in rows],
            references=[term.references[row] for row in rows] if term.references else None,
            leading=[term.leading[row] for row in rows] if term.leading else (),
            labels=[term.labels[row] for row in rows] if term.labels else (),
            given={name: [values[row] for row in rows] for name, values in term.given.items()},
        )

    def seen(self, step: int, losses: Mapping[str, float]) -> Mapping[str, float]:
        """How many sequences were trained on."""
        return {"rows": float(len(self.rows()))}
