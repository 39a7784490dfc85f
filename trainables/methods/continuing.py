"""What a model in training writes behind prompts, by which a method sees what it has forgotten."""

from collections.abc import Sequence
from typing import Any

from trainables.benchmarks.subsequences import f_measure
from trainables.benchmarks.words import unicode_words
from trainables.method import Sequences, Start
from trainables.settings import Descent
from trainables.world import World

MOST = 50  # tokens of a prompt, and behind it
BATCH = 32  # prompts at once


def written(start: Start, prompts: Sequences, settings: Descent, world: World, *, most: int) -> list[str]:
    """What `start.model` writes greedily behind each prompt, `most` tokens at most; workers share the prompts out."""
    from trainables.decoding.generate import greedy
    from trainables.training.parallel import gathered

    def passes(mine: list[Any]) -> list[str]:
        found = greedy(start.model, mine, max_new_tokens=most, batch_size=BATCH, decode=start.decode) if mine else []
        return [start.tokenizer.decode(ids, skip_special_tokens=True) for ids in found]

    with gathered(start.model):
        return world.share_out(passes, list(prompts))


def told(start: Start, sequences: Sequences, settings: Descent, world: World) -> list[float]:
    """How much of each sequence the model still tells behind its beginning: ROUGE-L of words, from 0 to 1.

    It is cut behind 50 tokens, or at half where it is shorter than 100, and as many are written.
    """
    cuts = [min(MOST, max(1, len(ids) // 2)) for ids in sequences]
    prompts = [ids[:cut] for ids, cut in zip(sequences, cuts, strict=True)]
    outputs = written(start, prompts, settings, world, most=MOST)
    truths = [
        start.tokenizer.decode(ids[cut : cut + MOST], skip_special_tokens=True)
        for ids, cut in zip(sequences, cuts, strict=True)
    ]
    return [overlap(truth, output) for truth, output in zip(truths, outputs, strict=True)]


def overlap(truth: str, output: str) -> float:
    """ROUGE-L F-measure of an output's words, of which as many count as the truth has."""
    words: Sequence[str] = unicode_words(truth)
    return f_measure(words, unicode_words(output)[: len(words)])
