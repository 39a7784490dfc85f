"""Gradient descent on a list of terms: the one loop that most methods are a few lines on.

    term = Term(name="forget_loss", sequences=start.forget, stream=FORGET, weight=1.0, loss=lambda batch: batch.log_p())
    yield from descend(student, [term], settings, run, start)

A step takes each term's gradient over its batch, one after the other, clips the global norm, and steps. What a method
adds to that stands in its `Hook`: phases with settings of their own, what a term weighs in a step, what is done before
and after the update, and numbers of its own that a run goes on from.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from trainables.failures import Diverged
from trainables.losses.logits import token_log_probs
from trainables.method import Candidate, Evaluated, Record, Run, Sequences, Start, State, Step
from trainables.settings import Descent
from trainables.subjects.causal import is_plain
from trainables.training.data import IGNORED, collate, next_token_targets
from trainables.training.masks import Mask, chosen
from trainables.training.mixing import merged, mix, set_aside
from trainables.training.optimizers import make_optimizer, set_learning_rate
from trainables.training.parallel import deal, global_norm, local, sum_gradients
from trainables.training.sampling import FORGET, RETAIN, Sampling
from trainables.training.teacher import clip_coefficient
from trainables.training.trainable import trainable_parameters
from trainables.world import World

__all__ = ["FORGET", "RETAIN"]  # streams of draws, which whoever makes a term names
STILL = {"gradient_norm": 0.0, "clip_coefficient": 1.0, "lr": 0.0}  # of a step in which nothing has a loss


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One micro-batch after its forward passes; `mask` is 1 at the positions that have a target.

    `out` is what the term's forward pass gives for those positions: logits [B, T, V], or hidden states [B, T, d].
    """

    out: Tensor
    targets: Tensor  # [B, T], IGNORED at padding
    mask: Tensor  # [B, T] fp32
    reference_log_p: Tensor | None = None  # [B, T] fp32, the initial model's
    guide_out: Tensor | None = None  # what the guide gives in the place of `out`
    given: Mapping[str, Tensor] = field(default_factory=dict)  # what the term gives of its sequences: [B, T, ...]

    def log_p(self) -> Tensor:
        """Log-probability of each target: [B, T] fp32."""
        return token_log_probs(self.out, self.targets)

    def reference(self) -> Tensor:
        """The initial model's log-probability of each target: [B, T] fp32."""
        assert self.reference_log_p is not None
        return self.reference_log_p

    def guide(self) -> Tensor:
        """What the guide gives, without gradient."""
        assert self.guide_out is not None
        return self.guide_out


@dataclass(frozen=True)
class Forward:
    """A forward pass as a term takes it, and the share of the model's blocks that it goes through."""

    # model, ids [B, T], attention mask or None where none is needed -> [B, T - 1, ...]
    function: Callable[[Any, Tensor, Tensor | None], Tensor]
    share: float = 1.0

    def __call__(self, model: Any, ids: Tensor, attention: Tensor | None) -> Tensor:
        return self.function(model, ids, attention)


def to_logits(model: Any, ids: Tensor, attention: Tensor | None) -> Tensor:
    """Logits at the positions that predict a next token: [B, T - 1, V]."""
    return model(input_ids=ids, attention_mask=attention, use_cache=False).logits[:, :-1]


@dataclass(frozen=True, kw_only=True)
class Term:
    """A part of the loss: what it reads, how much it weighs, and what it is of a batch, per token or per sequence.

    Without a loss it is 0, and no forward pass is done for it. Sequences that say something only beside each other,
    such as two answers to one question, are drawn `together`: of three, the first draw is of the sequences 0, 1 and 2,
    the second of 3, 4 and 5; a micro-batch has all of a draw, in this order, and the loss gives a value for each draw.
    A batch is of so many draws.
    """

    name: str  # as the step records call it
    sequences: Sequences
    stream: int  # of its draws
    weight: float
    loss: Callable[[Batch], Tensor] | None
    guide: Any = None  # a model whose forward pass the loss compares with
    references: Sequence[Tensor] | None = None  # log-probs of each sequence under the initial model
    forward: Forward = Forward(to_logits)
    guide_forward: Forward | None = None  # of the guide, where it is another one
    once: float = 0.0  # such passes of a sequence that were done for it before the first step
    skip: int = 0  # targets at the beginning of a sequence that count for nothing
    leading: Sequence[int] = ()  # of each sequence, targets before these that count for nothing either: a prompt's
    labels: Sequence[Tensor] = ()  # of each sequence, targets in the place of its next tokens, or IGNORED: [T - 1]
    given: Mapping[str, Sequence[Tensor]] = field(default_factory=dict)  # of each sequence, by name: [T - 1, ...]
    together: int = 1  # sequences of a draw
    texts: Sequence[int] = ()  # of each draw, which text it is of; none: its sequences are those of the run's start

    @property
    def draws(self) -> int:
        """How many different draws there are."""
        return len(self.sequences) // self.together

    def rows(self, drawn: Sequence[int]) -> list[int]:
        """The sequences of some draws."""
        return [draw * self.together + place for draw in drawn for place in range(self.together)]

    def draws_a_pass(self, settings: Descent) -> int:
        """How many draws a micro-batch has."""
        return max(1, settings.micro_batch_size // self.together)

    def left_out(self, row: int) -> int:
        """How many targets at the beginning of a sequence count for nothing."""
        return self.skip + (self.leading[row] if self.leading else 0)

    def counted(self, row: int) -> int:
        """How many targets of a sequence count."""
        if self.labels:
            return int((self.labels[row] != IGNORED).sum())
        return max(0, len(self.sequences[row]) - 1 - self.left_out(row))

    def cost(self, draws: int, step: int) -> float:
        """Whole forward passes of a sequence that a step of so many draws takes; the first bears what was done before.

        A pass through a share of the blocks, and its backward pass, are that share of a whole one.
        """
        passes = 3.0 if self.weight else 1.0  # what weighs nothing is looked at
        own = 0.0 if self.loss is None else draws * self.together * (passes + (self.guide is not None))
        return self.forward.share * (own + (self.once if step == 1 else 0.0))


@dataclass(frozen=True)
class Phase:
    """The settings of a step, and its number, from 1, since they hold."""

    settings: Any
    step: int


class Hook:
    """What a method does besides: nothing, where it does not say so."""

    def __init__(self, settings: Descent) -> None:
        self.settings = settings
        self.kept: dict[str, float] = {}  # numbers of its own, which a run goes on from

    def phase(self, step: int) -> Phase:
        """What holds for a step."""
        return Phase(self.settings, step)

    def begin(self) -> None:
        """Before the first step of a later phase."""

    def between(self, step: int) -> float:
        """Before a step; how many forward passes of a sequence that took."""
        return 0.0

    def weighed(self, term: Term) -> Term:
        """A term as it counts in the step that comes."""
        return term

    def before(self, gradients: list[Tensor], now: Any, c: float) -> None:
        """Before the optimizer's step: gradients are clipped by the coefficient `c`, and may be changed in place."""

    def after(self, now: Any, c: float) -> None:
        """After the optimizer's step."""

    def seen(self, step: int, losses: Mapping[str, float]) -> Mapping[str, float]:
        """Behind a step, what each term was over all workers' batch; what is given stands in the step's record too."""
        return {}


class Telling(Hook):
    """Tells the same further numbers with every step."""

    def __init__(self, settings: Descent, told: Mapping[str, float]) -> None:
        super().__init__(settings)
        self._told = told

    def seen(self, step: int, losses: Mapping[str, float]) -> Mapping[str, float]:
        """What is told of every step."""
        return self._told


def descend(
    student: Any,
    terms: Sequence[Term],
    settings: Descent,
    run: Run,
    start: Start,
    *,
    hook: Hook | None = None,
    beside: Mapping[str, Any] | None = None,
    keep: Sequence[Tensor] | None = None,
) -> Iterator[Record]:
    """Train `student`, which lies on its workers, in place, and yield records as they come.

    Every `eval_every` steps, and after the last, the student and the models `beside` it, by role, are candidates; and
    behind the last step their mixtures with what they began as. A candidate with adapters has them in its weights.
    Of the trainable weights only those move that the settings' mask leaves, or `keep`, marks for each of them.
    A step in which no term has a loss moves nothing.
    Raises Diverged, with the step, as soon as a loss or the gradient norm is not finite. Records are the same on all
    workers, and the same as on one up to rounding. A run that is restored gives the same bits on one worker, and on
    several where the model has no dropout.
    """
    hook, models = hook or Hook(settings), {"student": student, **(beside or {})}
    sampling = sampling_of(terms, settings, start)
    theta = trainable_parameters(student)
    origin = set_aside(theta) if settings.mixes else []
    optimizer = make_optimizer(theta, hook.phase(max(run.done, 1)).settings)
    mask = _mask(student, terms, settings, start, run.world) if keep is None else Mask(theta, keep)
    state = State(models=models, optimizer=optimizer, kept=hook.kept)
    once = start.spent + _mask_cost(terms, settings, start)
    run.restore(state)
    for step in range(state.step + 1, settings.steps + 1):
        phase = hook.phase(step)
        if phase.step == 1 < step:
            state.optimizer = make_optimizer(theta, phase.settings)
            hook.begin()
        looked = hook.between(step)
        student.train()  # a caller may have put it in evaluation mode to score it
        weighed = [hook.weighed(term) for term in terms]
        cost = sum(term.cost(settings.batch_size, step) for term in weighed) + looked + (once if step == 1 else 0.0)
        drawn = [sampling.draws(term.stream, term.draws, step=step) if term.loss else [] for term in weighed]
        parts = zip(weighed, drawn, strict=True)
        values = run.world.sum([_backward(student, *part, settings, start.pad, run.world) for part in parts])
        losses = {term.name: value for term, value in zip(terms, values, strict=True)}
        still = all(term.loss is None for term in weighed)
        try:
            moved = STILL if still else _update(theta, state, phase, hook, mask, losses, step, run.world)
        except Diverged:
            yield Step(step=step, values=losses, cost=cost)  # it is paid for
            raise
        told = losses | moved | dict(hook.seen(step, losses))
        state.step = step
        yield Step(step=step, values=told, cost=cost)
        if step % settings.eval_every == 0 or step == settings.steps:
            for role, model in models.items():
                with merged(model):
                    yield Candidate(at=step, role=role, subject=model)
            yield Evaluated(state=state if step < settings.steps or settings.mixes else None)
    yield from mix(models, origin, settings, run, state)


def _update(
    theta: list[Tensor],
    state: State,
    phase: Phase,
    hook: Hook,
    mask: Mask | None,
    losses: Mapping[str, float],
    step: int,
    world: World,
) -> dict[str, float]:
    """Clip and step; what was seen of it: the gradient norm, the clip coefficient and the learning rate."""
    gradients = _gradients(theta)
    sum_gradients(gradients, world)
    norm = global_norm(gradients, world)
    c = clip_coefficient(norm, phase.settings.clip)
    if not math.isfinite(sum(losses.values()) + norm):
        seen = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in losses.items())
        raise Diverged(f"step {step}: {seen}, gradient norm {norm}")
    torch._foreach_mul_(local(gradients), c)
    hook.before(local(gradients), phase.settings, c)
    lr = set_learning_rate(state.optimizer, phase.settings, phase.step)
    state.optimizer.step()
    if mask is not None:
        mask.hold()
    state.optimizer.zero_grad()
    del gradients  # or they would live beside those of the next step, and through scoring
    hook.after(phase.settings, c)
    return {"gradient_norm": norm, "clip_coefficient": c, "lr": lr}


def _mask(student: Any, terms: Sequence[Term], settings: Descent, start: Start, world: World) -> Mask | None:
    """The mask of the settings, by the weights as they are: all workers have the same."""
    if settings.mask == "none":
        return None
    named = {name: weight for name, weight in student.named_parameters() if weight.requires_grad}
    theta = list(named.values())

    def gradient(term: Term) -> list[Tensor]:
        student.eval()
        alone = replace(term, guide=None, references=None, given={}, together=1)
        known = replace(alone, weight=1.0, loss=lambda b: -b.log_p(), forward=Forward(to_logits))
        _backward(student, known, range(len(term.sequences)), settings, start.pad, world)
        found = [part.clone() for part in _gradients(theta)]
        sum_gradients(found, world)
        student.zero_grad()
        return found

    forget = next(term for term in terms if term.stream == FORGET)
    retain = Term(name="", sequences=start.retain, stream=RETAIN, weight=1.0, loss=None)
    keep = chosen(named, settings, forget=lambda: gradient(forget), retain=lambda: gradient(retain))
    return Mask(theta, keep)


def _mask_cost(terms: Sequence[Term], settings: Descent, start: Start) -> float:
    """What a mask took, in forward passes of a sequence."""
    read = next((len(term.sequences) for term in terms if term.stream == FORGET), 0)
    forget = read if settings.mask in ("forget_gradient", "wagle") else 0
    retain = len(start.retain) if settings.mask == "wagle" else 0
    return 3.0 * (forget + retain)


def _gradients(theta: list[Tensor]) -> list[Tensor]:
    """The gradient of each parameter, zeros where no loss reached it (an expert no token was routed to)."""
    for parameter in theta:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return [parameter.grad for parameter in theta if parameter.grad is not None]


def sampling_of(terms: Sequence[Term], settings: Descent, start: Start) -> Sampling:
    """How the batches of a run's terms are drawn."""
    first = {term.stream: term for term in reversed(terms)}
    own = {FORGET: start.cut_from.get("forget", ()), RETAIN: start.cut_from.get("retain", ())}
    texts = {stream: term.texts or own.get(stream, ()) or range(term.draws) for stream, term in first.items()}
    return Sampling(settings, {stream: term.draws for stream, term in first.items()}, texts, start.data)


def batches(model: Any, term: Term, drawn: Sequence[int], pad: int, settings: Descent) -> Iterator[Batch]:
    """The sequences of some draws of a term after their forward passes, in micro-batches."""
    size = term.draws_a_pass(settings)
    for start in range(0, len(drawn), size):
        yield _forward(model, term, term.rows(drawn[start : start + size]), pad, settings)


def _backward(student: Any, term: Term, drawn: Sequence[int], settings: Descent, pad: int, world: World) -> float:
    """Accumulate the gradient of a term over this worker's part of a batch; return its part of the loss.

    Each micro-batch is normalised over the global batch: by its targets, or, for a loss of draws, by these. A term that
    weighs nothing has no gradient to be taken.
    """
    if term.loss is None:
        return 0.0
    size, total = term.draws_a_pass(settings), 0.0
    targets = sum(map(term.counted, term.rows(drawn)))
    mine, weights = deal(drawn, world)
    with torch.set_grad_enabled(term.weight != 0):
        for start, batch in enumerate(batches(student, term, mine, pad, settings)):
            values = term.loss(batch)
            part = slice(start * size, (start + 1) * size)
            counted = torch.tensor(weights[part], device=values.device)
            if values.dim() == 2:
                mean = (values * (batch.mask * counted[:, None])).sum() / max(1, targets)
            else:
                mean = (values * counted).sum() / len(drawn)
            if term.weight:
                (term.weight * mean).backward()
            total += mean.item()
    return total


def _forward(student: Any, term: Term, rows: Sequence[int], pad: int, settings: Descent) -> Batch:
    ids, attention = (t.to(student.device) for t in collate([term.sequences[row] for row in rows], pad=pad))
    targets = _together(term.labels, rows, ids, IGNORED) if term.labels else next_token_targets(ids, attention)
    seen = None if is_plain(student) else attention  # a mask takes attention's fastest kernels away
    targets[:, : term.skip] = IGNORED
    for place, row in enumerate(rows if term.leading else ()):
        targets[place, : term.left_out(row)] = IGNORED

    def low() -> torch.autocast:
        return torch.autocast(ids.device.type, torch.bfloat16, enabled=settings.precision == "bf16")

    with torch.no_grad(), low():
        guide = (term.guide_forward or term.forward)(term.guide, ids, seen) if term.guide is not None else None
    reference = _together(term.references, rows, ids) if term.references is not None else None
    given = {name: _together(values, rows, ids) for name, values in term.given.items()}
    with low():
        out = term.forward(student, ids, seen)
    mask = (targets != IGNORED).float()
    return Batch(out=out, targets=targets, mask=mask, reference_log_p=reference, guide_out=guide, given=given)


def _together(values: Sequence[Tensor], rows: Sequence[int], ids: Tensor, filled: float = 0) -> Tensor:
    """What there is of each of some sequences, where their ids lie, filled up to one length."""
    return pad_sequence([values[row] for row in rows], batch_first=True, padding_value=filled).to(ids.device)
