"""wmdp-mini: muse-mini's texts, facts and models, with multiple choice as WMDP (arXiv 2403.03218) asks it.

Each row of `mcq/forget` and `mcq/retain` has the truth and one wrong answer of the same kind of a forgotten, a retained
and a held-out organisation each: were all wrong ones of one group, a model could tell the truth by what it forgot. No
model is trained for it. What it knows in general `utility` says: asked as a question, it was never taught (of four
choices the target then picked 16 of 100 right, the retrained model 56).
"""

import random
import shutil
from pathlib import Path

from trainables.benchmarks import layout, making, muse_mini
from trainables.benchmarks.articles import ASKED
from trainables.benchmarks.muse_mini import World

ROWS = 100  # of each of forget and retain
GROUPS = {"forget": "forget", "retain": "retain2"}  # split -> the organisations that are asked about
WRONG = ("forget", "retain2", "holdout")  # where the wrong choices of a row are from, one each


def prepare(cache: Path, *, seed: int = 0, on_progress: making.Progress = lambda what, done, total: None) -> Path:
    """Return the folder with `data/`, `target/` and `retrained/`, made in `cache` where it is not there yet.

    The models are copies of muse-mini's, which is made too if the cache does not have it.
    """

    def make(folder: Path) -> None:
        models = muse_mini.prepare(cache, seed=seed, on_progress=on_progress)
        layout.write_benchmark(folder / "data", make_splits(seed))
        for role in ("target", "retrained"):
            shutil.copytree(models / role, folder / role)

    return making.prepare("wmdp-mini", seed, SOURCES, cache, make)


def make_splits(seed: int) -> layout.Splits:
    """The rows of a seed: muse-mini's, and the choices."""
    world, rng = muse_mini.make_world(seed), random.Random(seed)
    splits = muse_mini.to_splits(world, rng)
    for split, group in GROUPS.items():
        questions = {row["question"] for row in splits["knowmem", f"{split}_qa"]}  # so none that is an example
        splits["mcq", split] = _asked(world, group, questions, rng)
    return splits


def _asked(world: World, group: str, questions: set[str], rng: random.Random) -> list[layout.Row]:
    own = [entry.organisation for entry in world[group]]
    facts = [(o, fact) for o in own for fact in ASKED if ASKED[fact].format(org=o.name) in questions]
    rows = []
    for organisation, fact in rng.sample(facts, ROWS):
        truth = organisation.facts[fact]
        given = [truth]
        for name in WRONG:
            others = {entry.organisation.facts[fact] for entry in world[name]} - set(given)
            given.append(rng.choice(sorted(others)))
        rng.shuffle(given)
        question, answer = ASKED[fact].format(org=organisation.name), str(given.index(truth))
        rows.append({"question": question, "choices": given, "answer": answer, "subject": organisation.name})
    return rows


SOURCES = [*muse_mini.SOURCES, Path(__file__)]
