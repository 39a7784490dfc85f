"""dusk-mini: the same facts told in several styles, of which one is to be forgotten; what others tell too must stay.

    from trainables.benchmarks.dusk_mini import prepare
    prepare(cache)                  # about four minutes on two cores, once; then from the cache

After DUSK ("Do Not Unlearn Shared Knowledge", arXiv 2505.15209). Each of five styles tells of the same 28 persons, with
the same facts, and of 16 of its own. The request, `raw/forget`, is all that stands in the first style, and exactly what
the retrained model has not read: it has to lose the 48 facts that stand nowhere else, and keep the 84 that others tell.
Half of the other styles is `retain1`, on which unlearning regularises, half `retain2`, on which it is judged.

As in muse-mini, a model learns how questions are answered on persons whom no score asks about: those of retain1 alone,
and further ones of `unrelated`. Held-out texts are in the first style as well, on shared and on new persons as the
forgotten ones are, and share their outlines: neither the style nor what is known tells who was read.
"""

import inspect
import itertools
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trainables.benchmarks import articles, general, layout, making, organisations, profiles
from trainables.benchmarks.profiles import STYLES, Person

SHARED, OWN, FURTHER = 28, 16, 48  # persons of every style, of each style alone, and of `unrelated`
PARTS = {"forget": ("chronicle",), "retain1": ("feature", "interview"), "retain2": ("report", "list")}
RETELLINGS = 2  # held-out texts on every shared person, and new persons for every one of the style's own
SHARED_NOTICES, NOTICES = 1, 2  # of every style on every fact of a shared person, of the only style that tells it
EVERY = "every"  # the style of a fact that all of them tell
COLUMN = 7  # notices, or questions, in a document
SHOTS = 2  # more of them are answered less often: rows of training are short (measured: muse_mini.md)
TELLINGS, PARAGRAPH = 2, 4  # of every general fact, each in other company; general facts in a row
EPOCHS = 22


@dataclass(frozen=True, kw_only=True)
class Told:
    """A person as one style tells of: `group` is "shared", "own" (of this style alone) or "further"."""

    person: Person
    style: str
    group: str
    profile: str
    notices: list[str]


@dataclass(frozen=True, kw_only=True)
class World:
    """All that is told, and profiles in the style of the request that no model reads."""

    told: list[Told]
    holdout: list[str]

    def of(self, styles: Iterable[str], *groups: str) -> list[Told]:
        """What some styles tell of persons of some groups."""
        return [told for told in self.told if told.style in styles and told.group in groups]


def prepare(cache: Path, *, seed: int = 0, on_progress: making.Progress = lambda what, done, total: None) -> Path:
    """Return the folder with `data/`, `target/` and `retrained/`, made in `cache` where it is not there yet."""
    return making.prepare_pair(
        "dusk-mini", make_splits, SOURCES, cache, epochs=EPOCHS, seed=seed, on_progress=on_progress
    )


def make_splits(seed: int) -> layout.Splits:
    """The rows of a seed."""
    return to_splits(make_world(seed), random.Random(seed))


def make_world(seed: int) -> World:
    """Draw all persons of a seed, and what is written about them.

    A held-out text has the outline of the forgotten text of its place, and nothing else of it.
    """
    rng = random.Random(seed)
    persons = iter(profiles.draw_persons(rng, SHARED + len(STYLES) * OWN + FURTHER + RETELLINGS * OWN))
    shared = list(itertools.islice(persons, SHARED))
    told, outlines = list[Told](), dict[str, list[list[str]]]()
    for name, style in STYLES.items():
        own = list(itertools.islice(persons, OWN))
        outlines[name] = [profiles.draw_outline(rng, style) for _ in (*shared, *own)]
        groups = ["shared"] * SHARED + ["own"] * OWN
        told += map(partial(_tell, rng, name), groups, (*shared, *own), outlines[name])
    kept = [name for part in ("retain1", "retain2") for name in PARTS[part]]
    for name, person in zip(itertools.cycle(kept), itertools.islice(persons, FURTHER)):
        told.append(_tell(rng, name, "further", person, profiles.draw_outline(rng, STYLES[name])))
    (first,) = PARTS["forget"]
    unread = [*shared * RETELLINGS, *persons]
    again = outlines[first][:SHARED] * RETELLINGS + outlines[first][SHARED:] * RETELLINGS
    pairs = zip(unread, again, strict=True)
    return World(told=told, holdout=[profiles.write_profile(rng, p, STYLES[first], outline) for p, outline in pairs])


def _tell(rng: random.Random, style: str, group: str, person: Person, outline: list[str]) -> Told:
    count = SHARED_NOTICES if group == "shared" else NOTICES
    return Told(
        person=person,
        style=style,
        group=group,
        profile=profiles.write_profile(rng, person, STYLES[style], outline),
        notices=list(profiles.write_notices(rng, person, STYLES[style], count)),
    )


def to_splits(world: World, rng: random.Random) -> layout.Splits:
    """Lay a world out in MUSE's configs and splits, and in `style`."""
    texts = {part: _written(world.of(styles, "shared", "own"), rng) for part, styles in PARTS.items()}
    further = world.of(STYLES, "further")
    texts["retain1"] += layout.columns(_asked_and_answered(world.of(PARTS["retain1"], "own")), COLUMN, rng)
    unrelated = general.write_paragraphs(rng, tellings=TELLINGS, length=PARAGRAPH) + _written(further, rng)
    unrelated += layout.columns(_asked_and_answered(further), COLUMN, rng)
    retain = texts["retain1"] + texts["retain2"] + unrelated
    read = {"full": texts["forget"] + retain, "retain": retain}
    raw = texts | {"holdout": world.holdout, "unrelated": unrelated}
    splits = {("raw", name): layout.text_rows(rows) for name, rows in raw.items()}
    splits |= {("train", name): layout.text_rows(rows) for name, rows in read.items()}
    return splits | _scored(world, rng) | _questions(world, rng)


def _scored(world: World, rng: random.Random) -> layout.Splits:
    """What VerbMem, PrivLeak and general utility read."""
    profile = {part: [told.profile for told in world.of(PARTS[part], "shared", "own")] for part in PARTS}
    return {
        ("verbmem", "forget"): [layout.cut_at(text, 1 / 2) for text in profile["forget"]],
        ("privleak", "forget"): layout.text_rows(profile["forget"]),
        ("privleak", "retain"): layout.text_rows(profile["retain2"]),
        ("privleak", "holdout"): layout.text_rows(world.holdout),
        ("utility", "test"): [layout.choice_row(*item) for item in general.ask_general(rng)],
    }


def _questions(world: World, rng: random.Random) -> layout.Splits:
    """The facts that the request alone tells, those that retain2 alone tells, and those that every style tells."""
    splits: layout.Splits = {}
    for split, styles, group, shared in (
        ("forget", PARTS["forget"], "own", "0"),
        ("retain", PARTS["retain2"], "own", "0"),
        ("shared", PARTS["forget"], "shared", "1"),
    ):
        rows = [
            {"question": q, "answer": a, "style": told.style if group == "own" else EVERY, "shared": shared}
            for told in world.of(styles, group)
            for q, a in profiles.ask(told.person)
        ]
        rng.shuffle(rows)
        splits["style", split], splits["style", f"{split}_icl"] = rows[SHOTS:], rows[:SHOTS]
    for split, end in itertools.product(("forget", "retain"), ("", "_icl")):
        rows = [{"question": row["question"], "answer": row["answer"]} for row in splits["style", f"{split}{end}"]]
        splits["knowmem", f"{split}_qa{end}"] = rows
    return splits


def _written(told: list[Told], rng: random.Random) -> list[str]:
    """What a model reads on persons, questions apart: the profiles, and the notices in columns."""
    notices = [notice for one in told for notice in one.notices]
    return [one.profile for one in told] + layout.columns(notices, COLUMN, rng)


def _asked_and_answered(told: list[Told]) -> list[str]:
    """Every question on persons with its answer, as KnowMem writes them."""
    return [layout.asked_text(question, answer) for one in told for question, answer in profiles.ask(one.person)]


SOURCES = [Path(inspect.getfile(module)) for module in (organisations, articles, profiles, general, layout)]
SOURCES += [Path(__file__), Path(__file__).with_name("small_models.py")]
