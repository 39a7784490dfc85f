"""Unlearning from logit difference: an assistant learns what is to be forgotten, and its logits are taken away.

The assistant is the target's first blocks with its last norm and head, and adapters in them. It learns the reverse of
what is wanted: the forget text by heart, and to say nothing of all else. No weight of the target moves.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from trainables.method import Method, Needs, Record, Run, Start
from trainables.methods.overfitting import Overfitting, overfit
from trainables.settings import ANY, FIRST, RETAIN_TEXT, Descent, setting

if TYPE_CHECKING:
    from trainables.training.descend import Term

ROLE = "difference"
WRONG = 2  # wrong answers of each fact
HELD = {"retain_weight": ANY}  # beside which retain text is read


@dataclass(frozen=True, kw_only=True)
class ULD(Overfitting):
    """Logit difference. Defaults are muse-mini's; published for 7B: 8 of 32 blocks, rank 16, lr 1e-3, alpha 0.8."""

    method = "uld"
    inherited = dict.fromkeys(RETAIN_TEXT, HELD)  # it reads text that is to be kept

    lr: float = setting(1e-2, "learning rate", positive=True)
    blocks: int = setting(2, "first blocks of the target that the assistant has", positive=True)
    alpha: float = setting(
        1.6, "the largest strength: how much of the assistant's logits is taken away", positive=True, most=1e6
    )
    halvings: int = setting(3, "smaller values of alpha that are tried too, each half of the one before", most=32)
    rho: float = setting(
        0.0, "words less likely to the target than this share of its likeliest are never raised; 0: all may be", most=1
    )
    retain_weight: float = setting(5.0, "weight of uniform words on retain text and behind wrong answers")
    lora_rank: int = setting(8, "of the assistant's adapters", positive=True, most=1024)
    lora_scale: float = setting(2.0, "of the adapters' product, alpha / rank", positive=True)
    freeze: bool = setting(True, "of no effect: nothing but the assistant's adapters is ever trained", beside=None)
    parallel: str = setting("ddp", "whole models on each worker: the assistant shares the target's", choices=("ddp",))


def needs(settings: ULD) -> Needs:
    """The target, whose first blocks are the assistant's too; to score, these with the adapters in them once more."""
    return Needs(
        trainable=f"{FIRST}{settings.blocks}:{settings.trainable}",
        depth=settings.blocks,
        assistant=settings.blocks,
        adamw=settings.optimizer == "adamw",
        data=("paraphrases", "wrong"),
    )


def unlearn(start: Start, settings: ULD, run: Run) -> Iterator[Record]:
    """Teach an assistant the forget text; a candidate is `start.model`, which keeps its bits, beside it."""
    from trainables.subjects.difference import LogitDifference
    from trainables.training.descend import Forward, to_logits
    from trainables.training.mixing import folded
    from trainables.training.parallel import lay_out
    from trainables.training.shallow import shallow
    from trainables.training.trainable import blocks_of, prepare

    target = start.model.eval()
    forward = Forward(to_logits, share=settings.blocks / max(1, len(blocks_of(target))))
    assistant = prepare(shallow(target, settings.blocks), needs(settings).trainable, settings.seed)
    target.requires_grad_(False)
    lay_out((assistant, target), settings, run.world)
    plain = cache(lambda: folded(assistant))

    def at(alpha: float) -> Any:
        return LogitDifference(target, plain(), alpha, settings.rho)

    rows = chosen_rows(start, settings)
    terms = (learned(start, settings, rows, forward), unsaid(start, settings, rows, forward))
    yield from overfit(assistant, start, settings, run, at, role=ROLE, terms=terms)


def chosen_rows(start: Start, settings: Descent) -> frozenset[int]:
    """The forget texts whose paraphrases and facts are read: of a share of the forget set as large a share of them."""
    from trainables.training.data import choose_fraction

    if settings.forget_selection == "random":
        return frozenset(choose_fraction(len(start.texts["forget"]), settings.forget_fraction, seed=settings.seed))
    return frozenset(start.cut_from["forget"])


def learned(start: Start, settings: ULD, rows: frozenset[int], forward: Any) -> "Term":
    """What the assistant learns by heart: the forget text and its paraphrases."""
    from trainables.losses.logits import gdr
    from trainables.training.data import chunk_texts
    from trainables.training.descend import FORGET, Term

    again = [row["text"] for row in start.data["paraphrases"]["forget"] if row["row"] in rows]
    told = chunk_texts(start.tokenizer, again, max_length=settings.max_length) if again else []
    return Term(
        name="forget_loss",
        sequences=[*start.forget, *told],
        stream=FORGET,
        weight=1.0,
        loss=lambda batch: gdr(batch.log_p()),
        forward=forward,
    )


def unsaid(start: Start, settings: ULD, rows: frozenset[int], forward: Any) -> "Term":
    """Where the assistant learns to find all words as likely: retain text, and behind wrong answers.

    There are no more retain sequences than the assistant learns by heart, or wrong answers would hardly be drawn.
    """
    from trainables.losses.logits import mismatch
    from trainables.training.data import choose_fraction
    from trainables.training.descend import RETAIN, Term

    share = min(1.0, 3 * len(start.forget) / max(1, len(start.retain)))  # each forget text has two paraphrases
    kept = [start.retain[i] for i in choose_fraction(len(start.retain), share, seed=settings.seed)]
    asked = [
        (row["prompt"], row["object"], wrong)
        for row in start.data["wrong"]["forget"]
        if row["row"] in rows
        for wrong in row["wrong"][:WRONG]
    ]
    sequences, leading = wrongly_answered(start.tokenizer, asked, max_length=settings.max_length)
    return Term(
        name="retain_loss",
        sequences=[*kept, *sequences],
        stream=RETAIN,
        weight=settings.retain_weight,
        loss=(lambda batch: mismatch(batch.out)) if settings.retain_weight else None,
        leading=[0] * len(kept) + leading,
        forward=forward,
    )


def wrongly_answered(
    tokenizer: Any, asked: Sequence[tuple[str, str, str]], *, max_length: int
) -> tuple[list[list[int]], list[int]]:
    """Sequences of prompts with wrong answers, and the targets in each that count for nothing.

    Of each there are a prompt, the true answer and a wrong one. What counts begins behind the first token by which the
    wrong answer differs: before it nothing tells that it will be wrong, and there the true one is learned.
    """
    from trainables.training.answers import answered, shared_begin

    true, _ = answered(tokenizer, [(prompt, answer) for prompt, answer, _ in asked], max_length=max_length)
    wrong, leading = answered(tokenizer, [(prompt, answer) for prompt, _, answer in asked], max_length=max_length)
    behind = [max(own + 1, shared_begin(ids, other)) for ids, other, own in zip(wrong, true, leading, strict=True)]
    counted = [(ids, first) for ids, first in zip(wrong, behind, strict=True) if first < len(ids) - 1]
    return [ids for ids, _ in counted], [first for _, first in counted]


ULD_METHOD = Method(
    settings=ULD,
    unlearn=unlearn,
    needs=needs,
    family="two models",
    roles=(ROLE,),
    meaning="the logits of an assistant, which knows the forget text and nothing else, are taken from the target's",
    source="Ji et al. 2024, arXiv 2406.08607",
    unverified="paraphrases and wrong answers are made by rules, not written by a language model; the filter by rho is "
    "ours where it lowers words and does not ban them",
    traps=(
        "an assistant of few blocks also knows how what is to be kept is told: on muse-mini questions on that are lost "
        "as far as those on what is to be forgotten",
        "removable: a candidate is two models, and who holds its folder holds the target, and what the target knows",
        "each token costs a pass of the target and one of the assistant, with two caches, wherever it is used",
        "public code filters words otherwise as it scores than as it writes, and bans them by a logit of -1000, which "
        "wrecks scores that look at the least likely tokens: here one function does both, and bans none",
        "public code asks for uniform words on padding, and from the beginning of a wrong answer on, where the forget "
        "text teaches the true one: here only behind what makes it wrong",
        "published: the learning rate rises over a tenth of the steps and falls; here it stays, after its warm-up",
    ),
)
