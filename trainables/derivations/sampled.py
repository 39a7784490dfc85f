"""What the target itself writes: answers of its own, thoughts behind a request to think aloud, texts behind others.

torch is loaded where something is written, and not before. What is written depends on the target's bits.
"""

from collections.abc import Sequence

from trainables.benchmarks.layout import BLANK
from trainables.derivations.corpus import ASKED, FORGET, RETAIN, SIDES, Corpus, Derived, Models, seeded
from trainables.derivations.facts import qa

SAMPLES = 4  # answers of each question
SHOTS = 3
ANSWER, THOUGHT, TEXT = 24, 100, 120  # tokens at most
READ = 384  # tokens of a text before the request to think
THINK = "Let us think about this step by step, and say aloud what comes to mind."


def own(corpus: Corpus) -> Derived:
    """Answers that the target writes to the questions of `qa`, at temperature 1, behind three others of retain1.

    `row`, `question`, `prompt`, the true `answer`, and `own`, four answers, each cut at its first line break.
    """
    models, asked = target_of(corpus, "own"), qa(corpus)
    shots = asked[RETAIN]
    chosen = seeded(corpus.seed, "own").sample(shots, min(SHOTS, len(shots)))
    begun = "".join(f"{shot['prompt']} {shot['answer']}{_seam(shot['prompt'])}" for shot in chosen)
    prompts = [begun + row["prompt"] for row in asked[FORGET] for _ in range(SAMPLES)]
    written = iter(_sampled(models, prompts, ANSWER, seeded(corpus.seed, "own", "draws").getrandbits(32)))
    rows = [
        {key: row[key] for key in ("row", "question", "prompt", "answer")}
        | {"own": [next(written).strip().split("\n")[0] for _ in range(SAMPLES)]}
        for row in asked[FORGET]
    ]
    return {FORGET: rows}


def traces(corpus: Corpus) -> Derived:
    """What the target writes greedily behind a text and a fixed request to think aloud: `row`, `request` and `trace`.

    At most 100 tokens behind the first 384 of the text, of both sides.
    """
    models = target_of(corpus, "traces")
    from trainables.decoding.generate import greedy

    found: Derived = {}
    for side in SIDES:
        rows = [_thinking(models, text) for text in corpus.texts(side)]
        new = greedy(models.target, rows, max_new_tokens=THOUGHT, batch_size=models.batch_size, decode=models.decode)
        texts = models.tokenizer.batch_decode(new, skip_special_tokens=True)
        found[side] = [{"row": row, "request": THINK, "trace": text} for row, text in enumerate(texts)]
    return found


def written_behind(corpus: Corpus, count: int) -> list[str]:
    """So many texts that the target writes at temperature 1, each behind three texts of retain1."""
    models, kept = target_of(corpus, "proxy"), corpus.texts(RETAIN)
    prompts = []
    for number in range(count):
        shots = seeded(corpus.seed, "proxy", number).sample(kept, min(SHOTS, len(kept)))
        prompts.append("".join(_shortened(models, shot, READ // SHOTS) + BLANK for shot in shots))
    seed = seeded(corpus.seed, "proxy", "draws").getrandbits(32)
    return [text.strip().split(BLANK)[0] for text in _sampled(models, prompts, TEXT, seed)]


def target_of(corpus: Corpus, name: str) -> Models:
    """The target, by which derived data of a name is written; Unfit where none is given."""
    if corpus.models is None or corpus.models.target is None:
        raise corpus.lacks(f"derived data {name!r} is written by the target model, and none is given")
    return corpus.models


def _seam(prompt: str) -> str:
    """What stands behind a shot: a blank line; behind a sentence that was cut, its end."""
    return BLANK if ASKED.match(f"{prompt} x") else f".{BLANK}"


def _sampled(models: Models, prompts: Sequence[str], most: int, seed: int) -> list[str]:
    from trainables.decoding.sample import sample

    rows = models.tokenizer(list(prompts)).input_ids
    new = sample(
        models.target, rows, max_new_tokens=most, seed=seed, batch_size=models.batch_size, decode=models.decode
    )
    return models.tokenizer.batch_decode(new, skip_special_tokens=True)


def _thinking(models: Models, text: str) -> list[int]:
    """The token ids of a text's beginning, and the request behind it."""
    return models.tokenizer(_shortened(models, text, READ) + BLANK + THINK + "\n").input_ids


def _shortened(models: Models, text: str, tokens: int) -> str:
    """The first so many tokens of a text."""
    ids = models.tokenizer(text, add_special_tokens=False).input_ids
    return text if len(ids) <= tokens else models.tokenizer.decode(ids[:tokens])
