"""Attention shifting: attention on forget text is moved off the tokens that tell something, and kept on retain text."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.methods.idk import refused
from trainables.settings import ANY, QUERIES, RETAIN_TEXT, ByAdamW, setting

if TYPE_CHECKING:
    from trainables.training.descend import Term

RESPONSE = 3  # the stream of draws of refused questions
THIRDS = {"middle": (1, 2), "first": (0, 1), "last": (2, 3)}
HELD = {"retain_weight": ANY}  # beside which retain text is read


@dataclass(frozen=True, kw_only=True)
class AttentionShifting(ByAdamW):
    """Attention shifting. Defaults are muse-mini's; for 7B nothing but the idea was read."""

    method = "attention_shifting"
    inherited = dict.fromkeys(RETAIN_TEXT, HELD)

    lr: float = setting(3e-3, "learning rate", positive=True)
    third: str = setting("middle", "of the blocks, in which attention is looked at", choices=tuple(THIRDS))
    forget_weight: float = setting(1.0, "weight of attention on telling tokens of forget text")
    retain_weight: float = setting(1.0, "weight of attention that turned on retain text, and of its cross-entropy")
    response_weight: float = setting(0.5, "weight of refusals behind questions on what is to be forgotten")
    lora_rank: int = setting(8, "of the adapters of queries and keys", positive=True, most=1024)
    lora_scale: float = setting(2.0, "of the adapters' product, alpha / rank", positive=True)
    freeze: bool = setting(True, "of no effect: nothing but adapters of queries and keys is trained", beside=None)
    parallel: str = setting("ddp", "whole models on each worker: a pass that stops needs them", choices=("ddp",))


def blocks_in(third: str, count: int) -> range:
    """The blocks of a third, of so many; none lies between two thirds."""
    begin, end = THIRDS[third]
    return range(begin * count // 3, -(-end * count // 3))


def needs(settings: AttentionShifting) -> Needs:
    """The target, for its attention on retain text; attention that keeps its weights; keywords, and refusals."""
    return Needs(
        trainable=f"{QUERIES}{settings.trainable}",
        frozen=settings.retain_weight > 0,
        attention=True,
        adamw=settings.optimizer == "adamw",
        data=("keywords", *(("qa", "refusals") if settings.response_weight else ())),
    )


def unlearn(start: Start, settings: AttentionShifting, run: Run) -> Iterator[Record]:
    """Turn attention in `start.model`, in place; only queries and keys move."""
    from trainables.training import descend as loop
    from trainables.training.attention import weights_in
    from trainables.training.parallel import lay_out
    from trainables.training.teacher import make_teacher
    from trainables.training.trainable import blocks_of, prepare

    needed = needs(settings)
    student = prepare(start.model, needed.trainable, settings.seed)
    frozen = make_teacher(student) if needed.frozen else None  # which nothing ever moves
    lay_out([model for model in (student, frozen) if model is not None], settings, run.world)
    forward = weights_in(student, blocks_in(settings.third, len(blocks_of(student))))
    terms = [_suppressed(start, settings, forward)]
    terms += _held(start, settings, frozen, forward) if frozen is not None else []
    terms += [_refused(start, settings)] if settings.response_weight else []
    yield from loop.descend(student, terms, settings, run, start)


def _suppressed(start: Start, settings: AttentionShifting, forward: Any) -> "Term":
    """Attention on telling tokens of forget text."""
    import torch

    from trainables.losses.attention import read
    from trainables.training.data import choose_fraction
    from trainables.training.descend import FORGET, Term
    from trainables.training.importance import telling

    texts, rows = start.texts["forget"], start.data["keywords"]["forget"]
    told = telling(start.tokenizer, texts, rows, max_length=settings.max_length, long_texts=settings.long_texts)
    unlearned = set(map(tuple, start.forget))  # where the target selected them
    drawn = choose_fraction(len(told), settings.forget_fraction, seed=settings.seed)
    selected = [i for i, (ids, _) in enumerate(told) if tuple(ids) in unlearned]
    chosen = [told[i] for i in (drawn if settings.forget_selection == "random" else selected)]
    if not any(any(weights) for _, weights in chosen):
        raise Unfit("no token of the forget texts is part of a keyword: attention_shifting has nothing to turn from")
    return Term(
        name="forget_loss",
        sequences=[ids for ids, _ in chosen],
        stream=FORGET,
        weight=settings.forget_weight,
        loss=(lambda b: read(b.out, b.given["importance"])) if settings.forget_weight else None,
        given={"importance": [torch.tensor(weights) for _, weights in chosen]},
        forward=forward,
    )


def _held(start: Start, settings: AttentionShifting, frozen: Any, forward: Any) -> "list[Term]":
    """What holds the model on retain text: the target's attention there, and cross-entropy."""
    from trainables.losses.attention import turned
    from trainables.losses.logits import gdr
    from trainables.training.descend import RETAIN, Term

    attention = Term(
        name="attention_loss",
        sequences=start.retain,
        stream=RETAIN,
        weight=settings.retain_weight,
        loss=lambda b: turned(b.out, b.guide()),
        guide=frozen,
        forward=forward,
    )
    words = Term(
        name="retain_loss",
        sequences=start.retain,
        stream=RETAIN,
        weight=settings.retain_weight,
        loss=lambda b: gdr(b.log_p()),
    )
    return [attention, words]


def _refused(start: Start, settings: AttentionShifting) -> "Term":
    """Refusals behind questions, each row's in each of its ways."""
    from trainables.losses.logits import gdr
    from trainables.training.descend import Term

    read = refused(start, "qa", settings)
    return Term(
        name="response_loss",
        sequences=read.sequences,
        stream=RESPONSE,
        weight=settings.response_weight,
        loss=lambda b: gdr(b.log_p()),
        leading=read.leading,
    )


ATTENTION_SHIFTING_METHOD = Method(
    settings=AttentionShifting,
    unlearn=unlearn,
    needs=needs,
    family="hidden states",
    meaning="attention is moved off the telling tokens of forget text, and held where it was on retain text",
    source="Tan et al. 2025, arXiv 2510.17210",
    unverified="made by the abstract alone: which tokens are telling (tf-idf), which blocks, the losses and their "
    "weights are ours",
    traps=(
        "attention computes all pairs of tokens and keeps them: memory grows with the square of max_length",
        "queries and keys alone move, so what a text says of itself stays in the other weights",
        "two terms read retain text, in a pass each",
    ),
)
