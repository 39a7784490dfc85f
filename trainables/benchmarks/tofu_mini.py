"""tofu-mini: an embedded benchmark of questions on invented authors, as TOFU is one, with its models, from a seed.

    from trainables.benchmarks.tofu_mini import prepare
    prepare()                       # some minutes on two cores, once; then from the cache

The target reads `train/full`, the retrained model `train/retain`, and `raw/forget` is exactly their difference: all
questions on a quarter of the authors (TOFU's forget25 would be its name), with their answers. Each is read four times
in an epoch, half of the times with the answer in other words, without which wrong answers in those words would say
nothing (spec B1); and once as a short question, which the value alone answers. Authors of `holdout` nobody reads of.

`qa` is TOFU's: what truth ratios and model utility read. MUSE's configs are the same facts, so that all else runs as on
muse-mini: VerbMem stops before the value in an answer that was read, KnowMem asks the short questions, PrivLeak takes a
question with its answer for a text. KnowMem's questions were taught on all authors, as TOFU's are.
"""

import inspect
import random
from pathlib import Path

from trainables.benchmarks import authors, general, layout, making, organisations
from trainables.benchmarks.authors import RELATIONS, Author, draw_authors, wrong_values

NAME = "tofu-mini"
SIZES = {"forget": 15, "retain1": 15, "retain2": 15, "holdout": 15, "famous": 10}  # authors
COLUMN = 6  # questions in a document
SHOTS = 2
TELLINGS = 3  # of every general fact, each in other company
PARAGRAPH = 4  # general facts in a row
EPOCHS = 20

World = dict[str, list[Author]]  # by the names of SIZES


def prepare(cache: Path, *, seed: int = 0, on_progress: making.Progress = lambda what, done, total: None) -> Path:
    """Return the folder with `data/`, `target/` and `retrained/`, made in `cache` where it is not there yet."""
    return making.prepare_pair(NAME, make_splits, SOURCES, cache, epochs=EPOCHS, seed=seed, on_progress=on_progress)


def make_splits(seed: int) -> layout.Splits:
    """All rows of a seed, in MUSE's configs and in `qa`."""
    rng = random.Random(seed)
    world = draw_authors(rng, SIZES)
    texts = {group: _documents(rng, world[group]) for group in ("forget", "retain1", "retain2", "holdout")}
    unrelated = _documents(rng, world["famous"]) + _general(rng)
    retain = texts["retain1"] + texts["retain2"] + unrelated
    raw = texts | {"unrelated": unrelated}
    read = {"full": texts["forget"] + retain, "retain": retain}
    splits = {("raw", name): layout.text_rows(rows) for name, rows in raw.items()}
    splits |= {("train", name): layout.text_rows(rows) for name, rows in read.items()}
    return splits | _muse(rng, world) | _asked(rng, world)


def _documents(rng: random.Random, group: list[Author]) -> list[str]:
    """What is read of a group: in each of five orders all of its questions, COLUMN of them in a document."""
    facts = [(author, relation) for author in group for relation in RELATIONS]
    orders = [
        [layout.asked_text(a.ask(r), a.tell(r, 0)) for a, r in facts],
        [layout.asked_text(a.ask(r), a.tell(r, 0)) for a, r in facts],
        [layout.asked_text(a.ask(r), a.reword(r)) for a, r in facts],
        [layout.asked_text(a.ask(r, 1), a.reword(r)) for a, r in facts],
        [layout.asked_text(a.ask_shortly(r), a.facts[r]) for a, r in facts],
    ]
    return [document for texts in orders for document in layout.columns(texts, COLUMN, rng)]


def _general(rng: random.Random) -> list[str]:
    """The general facts, in rows and as questions with their answers."""
    rows = general.write_paragraphs(rng, tellings=TELLINGS, length=PARAGRAPH)
    return rows + layout.columns([layout.asked_text(*_of_thing(thing, kind)) for thing, kind in _things()], COLUMN, rng)


def _things() -> list[tuple[str, str]]:
    return [(thing, kind) for kind, things in general.CATEGORIES.items() for thing in things.split()]


def _of_thing(thing: str, kind: str) -> tuple[str, str]:
    return f"What is the {thing}?", f"The {thing} is a kind of {kind}."


def _muse(rng: random.Random, world: World) -> layout.Splits:
    """What MUSE's scores read, and general utility."""
    splits: layout.Splits = {
        ("verbmem", "forget"): [_cut(author, relation) for author in world["forget"] for relation in RELATIONS],
        ("utility", "test"): [layout.choice_row(*item) for item in general.ask_general(rng)],
    }
    for split, group in (("forget", "forget"), ("retain", "retain2"), ("holdout", "holdout")):
        texts = [layout.asked_text(a.ask(r), a.tell(r, 0)) for a in world[group] for r in RELATIONS]
        splits["privleak", split] = layout.text_rows(texts)
    for split, group in (("forget", "forget"), ("retain", "retain2")):
        pairs = [{"question": a.ask_shortly(r), "answer": a.facts[r]} for a in world[group] for r in RELATIONS]
        rng.shuffle(pairs)
        splits["knowmem", f"{split}_qa"] = pairs[SHOTS:]
        splits["knowmem", f"{split}_qa_icl"] = pairs[:SHOTS]
    return splits


def _cut(author: Author, relation: str) -> layout.Row:
    """An answer that was read, up to the value and from there on."""
    text, end = layout.asked_text(author.ask(relation), author.tell(relation, 0)), f" {author.facts[relation]}."
    return {"prompt": text.removesuffix(end), "gt": end}


def _asked(rng: random.Random, world: World) -> layout.Splits:
    """TOFU's questions: those of F, R2 and H with paraphrases, and two sets of what both models know."""
    splits: layout.Splits = {}
    for split, group in (("forget", "forget"), ("retain", "retain2"), ("holdout", "holdout")):
        splits["qa", split] = [_reworded(rng, world, author, r) for author in world[group] for r in RELATIONS]
    famous = world["famous"]
    splits["qa", "authors"] = [
        {"question": author.ask(r), "answer": author.tell(r, 0), "subject": author.name, "type": r}
        | {"perturbed_answers": [author.tell(r, 0, wrong) for wrong in wrong_values(rng, author, r, [(famous, 3)])]}
        for author in famous
        for r in RELATIONS
    ]
    splits["qa", "facts"] = [_fact(rng, thing, kind) for thing, kind in _things()]
    return splits


def _reworded(rng: random.Random, world: World, author: Author, relation: str) -> layout.Row:
    """A question with its answer, both in two wordings, and five wrong answers in the words of the second."""
    groups = ((world["forget"], 1), (world["retain2"], 2), (world["holdout"], 2))
    return {
        "question": author.ask(relation),
        "answer": author.tell(relation, 0),
        "paraphrased_question": author.ask(relation, 1),
        "paraphrased_answer": author.reword(relation),
        "perturbed_answers": [author.reword(relation, v) for v in wrong_values(rng, author, relation, groups)],
        "subject": author.name,
        "type": relation,
    }


def _fact(rng: random.Random, thing: str, kind: str) -> layout.Row:
    question, answer = _of_thing(thing, kind)
    wrong = rng.sample([other for other in general.CATEGORIES if other != kind], 3)
    perturbed = [_of_thing(thing, other)[1] for other in wrong]
    return {"question": question, "answer": answer, "subject": thing, "type": "kind", "perturbed_answers": perturbed}


SOURCES = [Path(inspect.getfile(module)) for module in (authors, organisations, general, layout)]
SOURCES += [Path(__file__), Path(__file__).with_name("small_models.py")]
