"""Descent on a forget loss and a retain term: what most methods of gradient descent are.

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
from trainables.training.descend import FORGET, RETAIN, Batch, Forward, Term, descend, initial_log_probs
from trainables.training.parallel import lay_out
from trainables.training.teacher import make_teacher
from trainables.training.trainable import prepare
from trainables.weighted import CACHED, FROZEN, GDR, KLR, NONE, Retaining, Weighted, needs
from trainables.world import World

Loss = Callable[[Batch], Tensor]  # a value a token, [B, T], or a sequence, [B]

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
    leading: Sequence[int] = (),
    guide_forward: Forward | None = None,
) -> Iterator[Record]:
    """Lower `loss` on forget text and the retain term of the settings on retain text, in `start.model`, in place.

    By the settings' reference a batch of `loss` has `reference()`, the target's log-probabilities, or `guide()`, its
    logits, by a pass of its own where there is a `guide_forward`. `own` are retain terms that the method alone has, by
    name; `skip` targets at the beginning of a forget sequence are left out, and before them so many as `leading` says.
    """
    needed = needs(settings)
    student = prepare(start.model, needed.trainable, settings.seed)
    frozen = make_teacher(student) if needed.frozen else None  # which nothing ever moves
    lay_out([model for model in (student, frozen) if model is not None], settings, run.world)
    forget = _forget_term(student, frozen, start, settings, run.world, loss, skip, leading)
    forget = replace(forget, guide_forward=guide_forward)
    retain = _retain_terms(frozen, start, settings, {**RETAIN_LOSSES, **(own or {})})
    yield from descend(student, (forget, *retain), settings, run, pad=start.pad)


def _forget_term(
    student: Any,
    frozen: Any,
    start: Start,
    settings: Weighted,
    world: World,
    loss: Loss,
    skip: int,
    leading: Sequence[int],
) -> Term:
    cached = settings.compares == CACHED
    if skip and not leading and all(len(ids) - 1 <= skip for ids in start.forget):
        raise Unfit(f"{skip} targets at the beginning of each forget sequence are left out: none has more")
    return Term(
        name="forget_loss",
        sequences=start.forget,
        stream=FORGET,
        weight=settings.forget_weight,
        loss=loss if settings.forget_weight else None,
        guide=frozen if settings.compares == FROZEN else None,
        references=initial_log_probs(student, start, settings, world) if cached else None,
        once=len(start.forget) if cached else 0,
        skip=skip,
        leading=leading,
    )


def _retain_terms(frozen: Any, start: Start, settings: Weighted, known: Mapping[str, Loss]) -> list[Term]:
    """The retain term, where there is one."""
    if not isinstance(settings, Retaining) or settings.holding == NONE:
        return []
    term = Term(
        name="retain_loss",
        sequences=start.retain,
        stream=RETAIN,
        weight=settings.retain_weight,
        loss=known[settings.holding],
        guide=frozen if settings.holding != GDR else None,
    )
    return [term]
