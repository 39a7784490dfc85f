"""An import as its user asked for it becomes a study: files are read, in Lethe's words, and what is new is stored."""

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from rich.console import Console

from lethe.fronts.objectives import GOALS, Objective
from lethe.imports import open_unlearning
from lethe.imports.kinds import KINDS, read, recognise
from lethe.imports.mapping import Columns
from lethe.imports.rows import Found, Row
from lethe.imports.study import ALIKE, Brought, bring, load_there
from lethe.store.cards import Card
from lethe.store.facts import CARDS, IMPORTED, Facts, new_id
from lethe.store.storage import going_on_later, open_storage
from lethe.store.urls import hide_password
from lethe_cli import hints
from lethe_cli.translation import hints_of, method_of, translated
from search_spaces.objectives import OBJECTIVES
from trainables.folders import expanded
from trainables.methods import METHODS
from trainables.scores import all_scores

# What is searched for in others' results, as far as most of them have it.
USUAL = OBJECTIVES | {card.name: card.goal for card in open_unlearning.CARDS if card.goal == "maximize"}
MOST = 0.5  # of the candidates must have a score for it to be an objective by itself


@dataclass(frozen=True, kw_only=True)
class Import:
    """What is to be imported: the sources, the study, and what the sources do not say."""

    sources: Sequence[str]
    name: str
    storage: str
    kind: str | None = None
    columns: Columns = field(default_factory=Columns)
    objectives: str | None = None
    said: Mapping[str, str] = field(default_factory=dict)  # benchmark, model, protocol, method: of all rows


def run_import(asked: Import, console: Console) -> None:
    """Read all sources, store what is new, and say what came of it. ValueError where there is nothing to import."""
    kinds = {source: asked.kind or recognise(str(_place(source)), asked.columns) for source in asked.sources}
    found = Found.joined(_read(asked, source, kind) for source, kind in kinds.items())
    for oddity in found.oddities:
        print(oddity, file=sys.stderr)
    if not found.rows and not found.references:
        raise _nothing(asked, found)
    storage = open_storage(asked.storage)
    there = load_there(storage, asked.name)
    if not found.rows and not there:
        raise _nothing(asked, found)
    formats = list(dict.fromkeys(kinds.values()))
    if there:
        check_there(asked, found.rows, formats, there)
    facts = there or make_facts(asked, found, formats)
    shapes = hints_of(found.rows, facts.about.get("method"))
    with going_on_later(asked.storage):
        brought = bring(storage, asked.name, found.rows, facts, shapes, found.references)
    for oddity in brought.oddities:
        print(oddity, file=sys.stderr)
    if not brought.candidates and not brought.known and not brought.added:
        raise ValueError(f"nothing was imported: all {len(found.oddities) + len(brought.oddities)} rows are odd")
    _say(asked, brought, len(found.oddities) + len(brought.oddities), facts, console)


def _nothing(asked: Import, found: Found) -> ValueError:
    odd = f"{len(found.oddities)} odd rows" if found.oddities else "no row"
    return ValueError(f"nothing was imported: {', '.join(asked.sources)} had {odd} and nothing else")


def _place(source: str) -> Any:
    return source if "://" in source else expanded(source)


def _read(asked: Import, source: str, kind: str) -> Found:
    """What a source holds, in Lethe's words, and with what its user said of it."""
    if kind not in KINDS:
        raise ValueError(f"--as {kind!r} is unknown: choose {', '.join(KINDS)}")
    found = read(str(_place(source)), kind, asked.columns)
    said = {what: value for what, value in asked.said.items() if what != "method"}
    rows = [replace(translated(row, kind), facts={**row.facts, **said}) for row in found.rows]
    references = [replace(one, facts={**one.facts, **said}) for one in found.references]
    return replace(found, rows=rows, references=references)


def check_there(asked: Import, rows: Sequence[Row], kinds: Sequence[str], facts: Facts) -> None:
    """ValueError where more is to be added to a study than it can have: of another method, or by other objectives."""
    other = "import into a study of its own, under another --name"
    known = facts.about.get("method")
    for method in _methods(asked, kinds) - {None, known}:
        if known or "method" in asked.said:
            its = known or "no method that is known"
            raise ValueError(f"study {asked.name!r} is of {its}, not of {method}: {other}")
    wanted = choose(asked.objectives, rows, cards_of(rows)) if asked.objectives is not None else facts.objectives
    if set(wanted) != set(facts.objectives):
        words = _words(facts.objectives)
        raise ValueError(f"study {asked.name!r} has the objectives {words}, not {_words(wanted)}: {other}")


def _methods(asked: Import, kinds: Sequence[str]) -> set[str | None]:
    """The methods that rows are of, as their user or their formats say; None where neither does."""
    return {asked.said.get("method") or method_of(kind) for kind in kinds}


def make_facts(asked: Import, found: Found, kinds: Sequence[str]) -> Facts:
    """What is stored with a new study, by those rows that are of its benchmark."""
    benchmark = _said(found.rows, ALIKE)
    rows = [row for row in found.rows if row.facts.get(ALIKE, benchmark) == benchmark]
    cards = cards_of(rows)
    about = {what: _said(rows, what) for what in (ALIKE, "model", "protocol")}
    methods = _methods(asked, kinds)
    method = next(iter(methods)) if len(methods) == 1 else None
    if method is None and all("method" in row.parameters for row in rows):
        method = ",".join(name for name in METHODS if any(row.parameters["method"] == name for row in rows))
    return Facts(
        objectives=tuple(choose(asked.objectives, rows, cards)),
        constraints=(),
        sampler="",
        seed=0,
        id=new_id(),
        about={what: value for what, value in {**about, "method": method}.items() if value}
        | {IMPORTED: ", ".join(kinds), CARDS: [asdict(card) for card in cards.values()]},
    )


def _said(rows: Sequence[Row], what: str) -> str:
    """What most rows say of something; of a protocol or a model only what all of them do."""
    values = Counter(row.facts[what] for row in rows if row.facts.get(what))
    if what == ALIKE:
        return values.most_common(1)[0][0] if values else ""
    return ", ".join(values) if what == "protocol" else next(iter(values), "") if len(values) == 1 else ""


def cards_of(rows: Sequence[Row]) -> dict[str, Card]:
    """The cards of Lethe's scores, and of those of others that there are."""
    own = {name: Card(**asdict(score.card)) for name, score in all_scores().items()}
    there = {name for row in rows for name in row.scores}
    return own | {card.name: card for card in open_unlearning.CARDS if card.name in there}


def choose(text: str | None, rows: Sequence[Row], cards: Mapping[str, Card]) -> list[Objective]:
    """The objectives that are asked for, or the usual ones that most rows have. ValueError where there are none."""
    having = Counter(name for row in rows for name in row.scores)
    if text is not None:
        return [_objective(item.strip(), having, cards) for item in text.split(",")]
    usual = [Objective(score=s, goal=g) for s, g in USUAL.items() if having[s] > MOST * len(rows)]
    if not usual:
        raise ValueError(
            f"none of the scores is a usual objective: name some, --objectives SCORE:GOAL (there: {', '.join(having)})"
        )
    return usual


def _objective(item: str, there: Mapping[str, int], cards: Mapping[str, Card]) -> Objective:
    score, _, goal = item.partition(":")
    if score not in there:
        raise ValueError(f"objective {score!r} is none of the scores that were read (there: {', '.join(there)})")
    if not goal and score not in cards:
        raise ValueError(f"where {score!r} should go is not known: give {score}:GOAL with one of {', '.join(GOALS)}")
    return Objective(score=score, goal=goal or cards[score].goal)


def _words(objectives: Sequence[Objective]) -> str:
    return ", ".join(f"{o.score} ({o.goal})" for o in objectives)


def _say(asked: Import, brought: Brought, odd: int, facts: Facts, console: Console) -> None:
    def say(text: str) -> None:
        console.print(text, soft_wrap=True, highlight=False)

    known = f"; {brought.known} candidates were there already" if brought.known else ""
    left = f"; {odd} odd rows were left out" if odd else ""
    say(f"imported {brought.runs} runs with {brought.candidates} candidates{known}{left}")
    if brought.added:
        say(f"scores of its reference models: {', '.join(brought.added)}")
    if brought.kept:
        say(f"note: other scores of {', '.join(brought.kept)} are known already, and stay")
    say(f"objectives {_words(facts.objectives)}; no score has an interval")
    say(f"study    {hide_password(asked.storage)}  (name {asked.name})")
    told = (str(facts.about.get(what, "")) for what in (ALIKE, "method"))
    say("next")
    say(f"  look and compare    {hints.dashboard(asked.storage)}")
    say(f"  search from there   {hints.start_from(asked.name, asked.storage, *told)}")
