"""Descent on a forget loss and a retain term, and a scope term: what most methods of gradient descent are.

    yield from forget_and_retain(start, settings, run, lambda batch: losses.ll(batch.log_p()))

What the settings leave out is not done: no forward pass of retain text without a retain term, and no copy of the
target where nothing is compared with its logits. Both terms share one copy, and it shares its frozen weights with the
student.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from trainables.failures import Unfit
from trainables.losses import logits as losses
from trainables.method import Record, Run, Start
from trainables.subjects.positions import most_positions
from trainables.training.data import Read
from trainables.training.descend import FORGET, RETAIN, Batch, Forward, Hook, Term, descend
from trainables.training.initial import initial_log_probs
from trainables.training.parallel import lay_out
from trainables.training.scope import scope_terms
from trainables.training.teacher import make_teacher
from trainables.training.trainable import prepare
from trainables.weighted import CACHED, FROZEN, GDR, KLR, NONE, UNGUIDED, Retaining, Weighted, needs
from trainables.world import World

Loss = Callable[[Batch], Tensor]  # a value a token, [B, T], or a draw, [B] of sequences that are drawn alone

RETAIN_LOSSES: dict[str, Loss] = {
    GDR: lambda batch: losses.gdr(batch.log_p()),
    KLR: lambda batch: losses.kl(batch.out, batch.guide()),
}


def forget_and_retain(
    start: Start,
    settings: Weighted,
    run: Run,
    loss: Loss,
    *,
    own: Mapping[str, Loss] | None = None,
    skip: int = 0,
    forget: Read | None = None,
    retain: Read | None = None,
    guide_forward: Forward | None = None,
    hook: Hook | None = None,
    keep: Sequence[Tensor] | None = None,
) -> Iterator[Record]:
    """Lower `loss` on forget text and the settings' retain term and scope term, in `start.model`, in place.

    By the settings' reference a batch of `loss` has `reference()`, the target's log-probabilities, or `guide()`, its
    logits, by a pass of its own where there is a `guide_forward`. `own` are retain terms that the method alone has, by
    name; `skip` targets at the beginning of a forget sequence are left out. `forget` and `retain` are what is read in
    the place of the texts' own sequences. `keep` marks what moves of each trainable weight; all, where there is none.
    """
    needed = needs(settings)
    student = prepare(start.model, needed.trainable, settings.seed)
    frozen = make_teacher(student) if needed.frozen else None  # which nothing ever moves
    lay_out([model for model in (student, frozen) if model is not None], settings, run.world)
    read = forget or Read(start.forget)
    if skip and not read.leading and all(len(ids) - 1 <= skip for ids in read.sequences):
        raise Unfit(f"{skip} targets at the beginning of each forget sequence are left out: none has more")
    lowered = Term(
        name="forget_loss",
        sequences=read.sequences,
        stream=FORGET,
        weight=settings.forget_weight,
        loss=loss if settings.forget_weight else None,
        guide=frozen if settings.compares == FROZEN else None,
        guide_forward=guide_forward,
        skip=skip,
        leading=read.leading,
        together=read.together,
        texts=read.texts,
    )
    if settings.compares == CACHED:
        lowered = _compared(lowered, student, start, settings, run.world)
    held = _retain_terms(frozen, retain or Read(start.retain), settings, {**RETAIN_LOSSES, **(own or {})})
    held += scope_terms(start, settings, most_positions(student.config))
    yield from descend(student, (lowered, *held), settings, run, start, hook=hook, keep=keep)


def _compared(term: Term, student: Any, start: Start, settings: Weighted, world: World) -> Term:
    """A term with the target's log-probabilities of what it reads."""
    references = initial_log_probs(student, replace(start, forget=term.sequences), settings, world)
    return replace(term, references=references, once=len(term.sequences))


def _retain_terms(frozen: Any, read: Read, settings: Weighted, known: Mapping[str, Loss]) -> list[Term]:
    """The retain term, where there is one."""
    if not isinstance(settings, Retaining) or settings.holding == NONE:
        return []
    term = Term(
        name="retain_loss",
        sequences=read.sequences,
        stream=RETAIN,
        weight=settings.retain_weight,
        loss=known[settings.holding],
        guide=None if settings.holding in UNGUIDED else frozen,
        leading=read.leading,
        together=read.together,
        texts=read.texts,
    )
    return [term]
