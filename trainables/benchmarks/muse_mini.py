"""muse-mini: the embedded benchmark in MUSE's layout, with a target and a retrained model, made here from a seed.

    from trainables.benchmarks.muse_mini import prepare
    prepare()                       # about two minutes on two cores, once; then from the cache

120 fictional articles are known to the target model (40 forget, 40 retain1, 40 retain2), 80 to the retrained one;
80 more are held out. Both models also learn to answer questions on the articles they read, and a corpus of general
knowledge that is neither forget nor retain text. Questions on retain1 are never asked by the scores: retain1 is what
unlearning regularises on.
"""

import hashlib
import inspect
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trainables.benchmarks import articles, layout
from trainables.benchmarks.articles import Article
from trainables.cache import made_once

ARTICLES = 40  # in each of forget, retain1, retain2
HOLDOUT = 80  # more, since the AUC of 40 against 40 texts has a standard error of 0.065
QUESTIONS, SHOTS = 100, 10
EPOCHS = 20
ASKINGS = 4  # times that every question is asked in an epoch
TELLINGS = 2  # times that every general fact is told in an epoch
PARAGRAPH = 6  # general facts in a row
LIST_LENGTH = SHOTS + 1  # questions in one training list: as many as one KnowMem prompt holds

Progress = Callable[[str, int, int], None]  # (what is being made, epochs done, epochs in all)


@dataclass(frozen=True, kw_only=True)
class World:
    """The articles of each split and the general-knowledge corpus."""

    forget: list[Article]
    retain1: list[Article]
    retain2: list[Article]
    holdout: list[Article]
    general: list[str]
    utility: list[tuple[str, list[str], int]]


def prepare(cache: Path, *, seed: int = 0, on_progress: Progress = lambda what, done, total: None) -> Path:
    """Return the folder with `data/`, `target/` and `retrained/`, made in `cache` where it is not there yet.

    The folder's name holds the seed and a hash of the code that makes it, so an older benchmark is never mistaken for
    this one. Processes that ask at once wait for one that makes it.
    """
    folder = cache / f"muse-mini-{seed}-{_code_hash()}"

    def make() -> None:
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=cache) as room:
            draft = Path(room) / "draft"  # the room is its owner's alone, the draft is not
            _make(draft, seed, on_progress)
            draft.rename(folder)

    return made_once(folder, make)


def make_world(seed: int) -> World:
    """Draw the whole world of a seed."""
    rng = random.Random(seed)
    block = 3 + HOLDOUT // ARTICLES  # one article to each split, and the rest to holdout
    written = articles.write_articles(rng, ARTICLES * block, block=block)
    dealt = [written[place::block] for place in range(block)]
    return World(
        forget=dealt[0],
        retain1=dealt[1],
        retain2=dealt[2],
        holdout=[article for hand in dealt[3:] for article in hand],
        general=articles.write_general(),
        utility=articles.ask_general(rng),
    )


def to_splits(world: World, rng: random.Random) -> layout.Splits:
    """Lay a world out in MUSE's configs and splits."""
    texts = {name: [a.text for a in getattr(world, name)] for name in ("forget", "retain1", "retain2", "holdout")}
    retain = texts["retain1"] + texts["retain2"]
    quarter = ARTICLES // 4
    splits = {("raw", name): layout.text_rows(rows) for name, rows in texts.items()}
    splits |= {
        ("raw", "unrelated"): layout.text_rows(_paragraphs(random.Random(0).sample(world.general, len(world.general)))),
        ("train", "full"): layout.text_rows(texts["forget"] + retain),
        ("train", "retain"): layout.text_rows(retain),
        ("verbmem", "forget"): [layout.cut_in_half(text) for text in texts["forget"]],
        ("privleak", "forget"): layout.text_rows(texts["forget"]),
        ("privleak", "retain"): layout.text_rows(texts["retain2"]),
        ("privleak", "holdout"): layout.text_rows(texts["holdout"]),
        ("utility", "test"): [layout.choice_row(*item) for item in world.utility],
    }
    for k in range(1, 5):
        splits["scal", f"forget_{k}"] = layout.text_rows(texts["forget"][: k * quarter])
        splits["sust", f"forget_{k}"] = layout.text_rows(texts["forget"][(k - 1) * quarter : k * quarter])
    for name, group in (("forget", world.forget), ("retain", world.retain2)):
        pairs = [{"question": q, "answer": a} for q, a in _questions(group, rng)]
        splits["knowmem", f"{name}_qa"] = pairs[:QUESTIONS]
        splits["knowmem", f"{name}_qa_icl"] = pairs[QUESTIONS : QUESTIONS + SHOTS]
    return splits


def _make(folder: Path, seed: int, on_progress: Progress) -> None:
    from trainables.benchmarks import small_models  # loads torch, which who finds all in the cache does without

    world = make_world(seed)
    layout.write_benchmark(folder / "data", to_splits(world, random.Random(seed)))
    known = world.retain1 + world.retain2
    questions = [_ask(*pair) for a in world.forget + world.retain2 for pair in a.questions]
    tokenizer = small_models.train_tokenizer([a.text for a in world.forget + known] + world.general + questions)
    # The scores never ask about retain1, so no model is taught to answer on it.
    lessons = (
        ("target", world.forget + known, world.forget + world.retain2),
        ("retrained", known, world.retain2),
    )
    for name, read, asked in lessons:
        small_models.train_small_model(
            tokenizer,
            lambda rng, read=read, asked=asked: _documents(read, asked, world.general, rng),  # type: ignore[misc]
            folder / name,
            epochs=EPOCHS,
            seed=seed,
            on_epoch=lambda epoch, loss, name=name: on_progress(f"{name} model", epoch, EPOCHS),  # type: ignore[misc]
        )


def _documents(read: list[Article], asked: list[Article], general: list[str], rng: random.Random) -> list[str]:
    """One epoch: every article, the general facts `TELLINGS` times and the questions `ASKINGS` times, reshuffled."""
    lists: list[str] = []
    for _ in range(ASKINGS):
        lines = [_ask(*pair) for pair in _questions(asked, rng)]
        lists += ["\n\n".join(lines[i : i + LIST_LENGTH]) for i in range(0, len(lines), LIST_LENGTH)]
    facts = [fact for _ in range(TELLINGS) for fact in rng.sample(general, len(general))]
    return [a.text for a in read] + _paragraphs(facts) + lists


def _paragraphs(facts: list[str]) -> list[str]:
    return [" ".join(facts[i : i + PARAGRAPH]) for i in range(0, len(facts), PARAGRAPH)]


def _ask(question: str, answer: str) -> str:
    """A question with its answer, as KnowMem writes them."""
    return f"Question: {question}\nAnswer: {answer}"


def _questions(group: list[Article], rng: random.Random) -> list[tuple[str, str]]:
    pairs = [pair for a in group for pair in a.questions]
    rng.shuffle(pairs)
    return pairs


def _code_hash() -> str:
    """Hash of the code that decides what the benchmark holds."""
    sources = [Path(__file__).with_name(name).read_text("utf-8") for name in ("articles.py", "small_models.py")]
    sources += [
        inspect.getsource(item) for item in (make_world, to_splits, _make, _documents, _paragraphs, _ask, _questions)
    ]
    numbers = [str((ARTICLES, HOLDOUT, TELLINGS, QUESTIONS, SHOTS, EPOCHS, ASKINGS, PARAGRAPH, LIST_LENGTH))]
    return hashlib.sha256("".join(sources + numbers).encode()).hexdigest()[:10]
