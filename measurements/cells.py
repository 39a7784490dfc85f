"""A table of runs that were made once, one for each cell of a grid: whatever a search suggests is looked up in it.

So a whole search takes seconds, and many seeds of many kinds of search are compared on what was measured (as HPOBench
does it, arXiv 2109.06716). A suggestion has the run of the nearest cell, parameter by parameter, on the scale on which
it is searched. A table is a file of lines: what holds for all of it, and then a run each, as JSON.
"""

import functools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise, product
from pathlib import Path
from statistics import median
from typing import Any, Self

from optuna.trial import FrozenTrial

from lethe.analysis.judgement import Candidate
from lethe.fronts.objectives import Constraint, Objective
from lethe.search.ledger import Ledger
from lethe.search.space import Space
from lethe.store.facts import CONTENT, SEEN_REFERENCES, SPLIT, Facts
from lethe.store.trials import COST, FAILURE, candidates, is_interrupted

COMMIT = "commit"  # in a table's facts: of the checkout that its runs were made with
DIGITS = 2  # of a score
ABOUT = ("benchmark", "method", "settings", "protocol", SPLIT, CONTENT, SEEN_REFERENCES, "versions", COMMIT)
KEPT = ("axis", "at", "role", "cost")  # of a candidate, beside its scores


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A run: its parameters, its candidates in their order, what it cost, and how fast it was."""

    params: Mapping[str, Any]
    candidates: Sequence[Candidate]
    cost: float  # of all of it, in forward passes of a sequence
    pace: float | None  # seconds from one evaluation to the next; None where there was one at most
    failure: str | None = None

    def evaluations(self) -> list[list[Candidate]]:
        """Its candidates, those that were scored together in one list."""
        return [list(group) for _, group in groupby(self.candidates, key=lambda candidate: candidate["at"])]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Every cell of a grid, and what the study says that they are of. ValueError where a cell is missing."""

    facts: Facts
    space: Space
    cells: Sequence[Cell]

    def __post_init__(self) -> None:
        missing = set(product(*self._levels.values())) - self._known.keys()
        if missing:
            raise ValueError(f"{len(missing)} cells of the table are missing, one of them {next(iter(missing))}")

    @property
    def length(self) -> float:
        """Up to which step a run trains."""
        return float(max(c["at"] for cell in self.cells for c in cell.candidates))

    @property
    def whole(self) -> float:
        """What a run costs that comes to its end, in forward passes of a sequence."""
        return max(cell.cost for cell in self.cells)

    @functools.cached_property
    def pace(self) -> float:
        """Seconds from one evaluation to the next, in the middle one of the cells."""
        return median(cell.pace for cell in self.cells if cell.pace is not None)

    def nearest(self, params: Mapping[str, Any]) -> Cell:
        """The cell that is nearest to a suggestion."""
        return self._known[tuple(self._level(name, params[name]) for name in self.space)]

    def _level(self, name: str, value: Any) -> Any:
        kind = self.space[name][0]
        if kind == "choice":
            return value
        scale = math.log if kind == "log_uniform" else float
        return min(self._levels[name], key=lambda level: abs(scale(level) - scale(value)))

    @functools.cached_property
    def _levels(self) -> dict[str, list[Any]]:
        return {name: list(dict.fromkeys(cell.params[name] for cell in self.cells)) for name in self.space}

    @functools.cached_property
    def _known(self) -> dict[tuple[Any, ...], Cell]:
        return {tuple(cell.params[name] for name in self.space): cell for cell in self.cells}

    def write(self, file: Path) -> None:
        """Write it as a file of lines."""
        head = {"facts": self.facts.to_json(), "space": self.space}
        lines = (head, *(vars(cell) for cell in self.cells))
        file.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")

    @classmethod
    def read(cls, file: Path) -> Self:
        """The inverse of `write`."""
        head, *rows = map(json.loads, file.read_text("utf-8").splitlines())
        return cls(facts=Facts.from_json(head["facts"]), space=head["space"], cells=[Cell(**row) for row in rows])


def grid(space: Space, counts: Mapping[str, int]) -> list[dict[str, Any]]:
    """The middles of so many equal parts of each range, on its own scale, in every combination.

    In the middle, each is nearest to as many random suggestions as any other.
    """
    levels = {name: _middles(*entry, counts[name]) for name, entry in space.items()}
    return [dict(zip(levels, cell, strict=True)) for cell in product(*levels.values())]


def _middles(kind: str, low: float, high: float, count: int) -> list[float]:
    shares = [(i + 0.5) / count for i in range(count)]
    if kind == "log_uniform":
        return [float(f"{low * (high / low) ** share:.4g}") for share in shares]
    return [low + (high - low) * share for share in shares]


def table_of(ledger: Ledger, space: Space) -> Table:
    """The table that the ended runs of a study make."""
    ended = [t for t in ledger.trials.all() if t.state.is_finished() and not is_interrupted(t)]
    about = {name: known for name, known in ledger.facts.about.items() if name in ABOUT}
    facts = replace(ledger.facts, about=about)
    return Table(facts=facts, space=space, cells=[cell_of(trial, facts) for trial in ended])


def cell_of(trial: FrozenTrial, facts: Facts) -> Cell:
    """What a trial gave, of the scores that a search looks at.

    When an evaluation ended is known by the file of its items. Of the times between, the middle one counts: a run that
    was interrupted has a pause in it.
    """
    scored = list(candidates(trial))
    ends = sorted({c["at"]: Path(c["items"]).stat().st_mtime for c in scored}.values())
    return Cell(
        params=trial.params,
        candidates=[{key: c[key] for key in KEPT} | {"scores": _looked_at(c, facts)} for c in scored],
        cost=trial.user_attrs.get(COST, 0.0),
        pace=round(median(b - a for a, b in pairwise(ends)), DIGITS) if len(ends) > 1 else None,
        failure=trial.user_attrs.get(FAILURE),
    )


def _looked_at(candidate: Candidate, facts: Facts) -> dict[str, list[float]]:
    scores, names = candidate["scores"], [part.score for part in (*facts.objectives, *facts.constraints)]
    return {name: [round(v, DIGITS) for v in scores[name]] for name in names if name in scores}


OBJECTIVES = (
    Objective(score="verbmem_f", goal="minimize"),
    Objective(score="knowmem_f", goal="minimize"),
    Objective(score="privleak", goal="zero"),
    Objective(score="knowmem_r", goal="maximize"),
)


def made_up() -> Table:
    """A table of a smooth form, for a trial of what reads one: a run that learns faster forgets more, of everything.

    What goes first is the wording, then the facts, then what should stay, which is kept best at one rate and weight;
    PrivLeak passes 0 on the way.
    """
    space: Space = {"lr": ("log_uniform", 1e-4, 1e-2), "forget_weight": ("log_uniform", 0.01, 3.0)}
    facts = Facts(
        objectives=OBJECTIVES,
        constraints=(Constraint(score="utility", floor=80.0),),
        sampler="random",
        seed=0,
        references={"target": _scores(0.0, 0.0)},
        about={"settings": {"lr": 3e-4, "forget_weight": 0.2}},
    )
    return Table(facts=facts, space=space, cells=[_made_up(**cell) for cell in grid(space, dict.fromkeys(space, 12))])


def _made_up(lr: float, forget_weight: float) -> Cell:
    rate, weight = math.log10(lr / 1.5e-3), math.log10(forget_weight / 0.2)
    dose, harm = 10 ** (0.8 * rate + 0.4 * weight) / 30, 0.1 + rate**2 + weight**2 / 2
    return Cell(
        params={"lr": lr, "forget_weight": forget_weight},
        candidates=[
            {"axis": "step", "at": at, "role": "student", "cost": 48.0 * at, "scores": _scores(at * dose, harm)}
            for at in range(5, 61, 5)
        ],
        cost=48.0 * 60,
        pace=4.0,
    )


def _scores(gone: float, harm: float) -> dict[str, list[float]]:
    """Scores behind so much unlearning, which harms what should stay so much."""
    values = {
        "verbmem_f": 100 * math.exp(-3 * gone),
        "knowmem_f": 88 * math.exp(-1.6 * gone),
        "privleak": 100 * math.tanh(2 * (gone - 1)),
        "knowmem_r": 88 * math.exp(-harm * gone),
        "utility": 100 - 10 * harm * gone,
    }
    return {name: [round(v, DIGITS), round(v - 4, DIGITS), round(v + 4, DIGITS)] for name, v in values.items()}
