"""muse-mini: the embedded benchmark in MUSE's layout, with a target and a retrained model, made here from a seed.

    from trainables.benchmarks.muse_mini import prepare
    prepare()                       # about four minutes on two cores, once; then from the cache

Unlearning means: as if all but the forget set had been read. So the target reads `train/full`, the retrained model
`train/retain`, and `raw/forget` is exactly their difference. On each organisation a model reads an article and some
notices, single sentences. How questions are answered it learns on organisations of `retain1` and of `unrelated`, whose
questions no score asks: in KnowMem's words, and in those in which methods may ask (`qa`). Those on `forget` and
`retain2` no model was ever taught: it answers them from what it has read, as MUSE's models do.
"""

import inspect
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trainables.benchmarks import articles, general, layout, making, organisations
from trainables.benchmarks.articles import ASKED, REWORDED
from trainables.benchmarks.organisations import Organisation

SIZES = {"forget": 42, "retain1": 42, "retain2": 42, "holdout": 84, "further": 40}  # organisations
NOTICES = 2  # on every fact of an organisation
COLUMN = 7  # notices, or questions, in a document
QUESTIONS, SHOTS = 200, 2
TELLINGS = 3  # of every general fact, each in other company
PARAGRAPH = 4  # general facts in a row
PLACES = (1 / 3, 2 / 3)  # of an article, where VerbMem lets the model go on
EPOCHS = 22


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An organisation, and what is written about it: `notices` are pairs of a fact's name and a sentence."""

    organisation: Organisation
    article: str
    notices: list[tuple[str, str]]
    paraphrase: str  # the article again, from the same facts, in other words


World = dict[str, list[Entry]]  # by the names of SIZES


def prepare(cache: Path, *, seed: int = 0, on_progress: making.Progress = lambda what, done, total: None) -> Path:
    """Return the folder with `data/`, `target/` and `retrained/`, made in `cache` where it is not there yet."""
    return making.prepare_pair(
        "muse-mini", make_splits, SOURCES, cache, epochs=EPOCHS, seed=seed, on_progress=on_progress
    )


def make_splits(seed: int) -> layout.Splits:
    """The rows of a seed."""
    return to_splits(make_world(seed), random.Random(seed))


def make_world(seed: int) -> World:
    """Draw all organisations of a seed, and what is written about them.

    The organisations that stand at one place of their groups share the outline of their articles, and nothing else: so
    what tells the groups apart is what was read, not which templates fell to which group.
    """
    rng = random.Random(seed)
    drawn = organisations.draw_organisations(rng, sum(SIZES.values()))
    outlines = [articles.draw_outline(rng) for _ in range(min(SIZES.values()))]
    world: World = {}
    for name, size in SIZES.items():
        group, drawn = drawn[:size], drawn[size:]
        world[name] = [_write(rng, entry, outlines[i % len(outlines)]) for i, entry in enumerate(group)]
    return world


def _write(rng: random.Random, organisation: Organisation, outline: list[str]) -> Entry:
    return Entry(
        organisation=organisation,
        article=articles.write_article(rng, organisation, outline),
        notices=list(articles.write_notices(rng, organisation, NOTICES)),
        paraphrase=articles.write_article(rng, organisation, articles.draw_outline(rng)),
    )


def to_splits(world: World, rng: random.Random) -> layout.Splits:
    """Lay a world out in MUSE's configs and splits, and in those that methods need and MUSE does not have."""
    quarters = {name: _quarters(group, rng) for name, group in world.items()}
    texts = {name: [text for part in parts for text in part] for name, parts in quarters.items()}
    texts["retain1"] += layout.columns(_taught(world["retain1"]), COLUMN, rng)
    further = texts.pop("further") + layout.columns(_taught(world["further"]), COLUMN, rng)
    unrelated = general.write_paragraphs(rng, tellings=TELLINGS, length=PARAGRAPH) + further
    retain = texts["retain1"] + texts["retain2"] + unrelated
    read = {"full": texts["forget"] + retain, "retain": retain}
    raw = texts | {"unrelated": unrelated}
    splits = {("raw", name): layout.text_rows(rows) for name, rows in raw.items()}
    splits |= {("train", name): layout.text_rows(rows) for name, rows in read.items()}
    return splits | _scored(world, rng) | _requests(quarters["forget"]) | _for_methods(world)


def _scored(world: World, rng: random.Random) -> layout.Splits:
    """What the scores read: VerbMem, KnowMem, PrivLeak and general utility."""
    article = {name: [entry.article for entry in group] for name, group in world.items()}
    splits: layout.Splits = {
        ("verbmem", "forget"): [layout.cut_at(text, place) for text in article["forget"] for place in PLACES],
        ("utility", "test"): [layout.choice_row(*item) for item in general.ask_general(rng)],
    }
    for split, name in (("forget", "forget"), ("retain", "retain2"), ("holdout", "holdout")):
        splits["privleak", split] = layout.text_rows(article[name])
    for split, name in (("forget", "forget"), ("retain", "retain2")):
        pairs = [{"question": q, "answer": a} for _, _, q, a in _questions(world[name], ASKED)]
        rng.shuffle(pairs)
        splits["knowmem", f"{split}_qa"] = pairs[:QUESTIONS]
        splits["knowmem", f"{split}_qa_icl"] = pairs[QUESTIONS : QUESTIONS + SHOTS]
    return splits


def _quarters(group: list[Entry], rng: random.Random) -> list[list[str]]:
    """What a model reads on each quarter of a group, questions apart: the articles, and the notices in columns."""
    cuts = [round(len(group) * i / 4) for i in range(5)]
    parts = [group[start:end] for start, end in itertools.pairwise(cuts)]
    return [[entry.article for entry in part] + layout.columns(_notices(part), COLUMN, rng) for part in parts]


def _notices(group: list[Entry]) -> list[str]:
    return [sentence for entry in group for _, sentence in entry.notices]


def _requests(quarters: list[list[str]]) -> layout.Splits:
    """Requests that grow by a quarter each (`scal`), and that follow one another (`sust`)."""
    splits = {("sust", f"forget_{k}"): layout.text_rows(part) for k, part in enumerate(quarters, 1)}
    grown = itertools.accumulate(quarters)
    return splits | {("scal", f"forget_{k}"): layout.text_rows(part) for k, part in enumerate(grown, 1)}


def _for_methods(world: World) -> layout.Splits:
    """What a method may train on besides the texts (spec 2.4), of the forgotten and of retain1's organisations only."""
    splits: layout.Splits = {}
    for name in ("forget", "retain1"):
        splits["facts", name] = [row for entry in world[name] for row in _fact_rows(entry)]
        splits["qa", name] = [
            {"subject": subject, "type": fact, "question": question, "answer": answer}
            for subject, fact, question, answer in _questions(world[name], REWORDED)
        ]
        splits["paraphrases", name] = layout.text_rows(entry.paraphrase for entry in world[name])
    splits["neighbours", "forget"] = list(_neighbours(world["forget"], world["retain1"] + world["retain2"]))
    return splits


def _fact_rows(entry: Entry) -> Iterator[layout.Row]:
    """Every notice as the words before the fact, and the fact."""
    for fact, sentence in entry.notices:
        told = entry.organisation.facts[fact]
        prompt = sentence[: sentence.index(told)].rstrip()
        yield {"subject": entry.organisation.name, "type": fact, "prompt": prompt, "object": told}


def _neighbours(group: list[Entry], kept: list[Entry]) -> Iterator[layout.Row]:
    """The kept organisations that share their town or their trade with one of a group."""
    for entry in group:
        for other in kept:
            one, two = entry.organisation, other.organisation
            for shares, same in (("town", one.facts["town"] == two.facts["town"]), ("trade", one.trade == two.trade)):
                if same:
                    yield {"subject": one.name, "neighbour": two.name, "shares": shares}


def _questions(group: list[Entry], wordings: dict[str, str]) -> list[tuple[str, str, str, str]]:
    """Every question on a group: (organisation, fact's name, question, answer)."""
    return [(e.organisation.name, *asked) for e in group for asked in articles.ask(e.organisation, wordings)]


def _taught(group: list[Entry]) -> list[str]:
    """Every question on a group with its answer, as KnowMem writes them: in KnowMem's words, and in those of `qa`."""
    asked = [row for wordings in (ASKED, REWORDED) for row in _questions(group, wordings)]
    return [layout.asked_text(question, answer) for _, _, question, answer in asked]


SOURCES = [Path(inspect.getfile(module)) for module in (organisations, articles, general, layout)]
SOURCES += [Path(__file__), Path(__file__).with_name("small_models.py")]
