"""Mean-teacher unlearning: one loop that yields a record for every step and the models at every evaluation step.

    for record in unlearn(student, forget, regularisation, Config(steps=60), pad=0): ...

What a step does, in this order (arXiv 2504.13388): the gradient of alpha * forget loss, the gradient of beta * penalty
against the teacher, clipping of the global norm, damping scaled by the clip coefficient, the optimizer's step, and the
teacher's contraction, scaled too. With `warm_start` its first steps are AdamW's against the frozen target, and the
teacher begins where they end. Scoring and saving are the caller's.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from trainables.config import Config
from trainables.failures import Diverged
from trainables.losses import logits as losses
from trainables.subjects.models import freeze, trainable_parameters
from trainables.training.data import IGNORED, collate, cyclic_indices, next_token_targets, sample_indices
from trainables.training.optimizers import make_optimizer, set_learning_rate
from trainables.training.parallel import deal, global_norm, lay_out, local, sum_gradients
from trainables.training.teacher import add_damping_, clip_coefficient, contract_, make_teacher
from trainables.training.world import ALONE, World

Sequences = Sequence[Sequence[int]]
FORGET, REGULARISATION = 0, 1  # the two streams of draws


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """What one optimizer step saw. Losses are unweighted means over the batch, in nats."""

    step: int
    forget_loss: float
    penalty: float
    gradient_norm: float
    clip_coefficient: float
    lr: float


@dataclass(kw_only=True)
class Training:
    """All that a run changes; batches are drawn by the step."""

    student: Any
    teacher: Any
    optimizer: torch.optim.Optimizer
    step: int = 0  # steps done


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """The student or the teacher after `step` steps; the model is live and moves on with the next step."""

    step: int
    role: str  # "student" or "teacher"
    model: Any
    training: Training


@dataclass(frozen=True, kw_only=True)
class Batch:
    """One micro-batch after the student's forward pass; `mask` is 1 at the positions that have a target."""

    logits: Tensor  # [B, T, V]
    targets: Tensor  # [B, T], IGNORED at padding
    mask: Tensor  # [B, T] fp32
    reference_log_p: Tensor | None = None  # [B, T] fp32, the initial model's; for npo
    teacher_logits: Tensor | None = None  # [B, T, V]; for kl and qkl

    def reference(self) -> Tensor:
        """The initial model's log-probability of each target: [B, T] fp32."""
        assert self.reference_log_p is not None
        return self.reference_log_p

    def guide(self) -> Tensor:
        """The teacher's logits: [B, T, V]."""
        assert self.teacher_logits is not None
        return self.teacher_logits

    def log_p(self) -> Tensor:
        """Log-probability of each target: [B, T] fp32."""
        return losses.token_log_probs(self.logits, self.targets)


FORGET_LOSSES: dict[str, Callable[[Batch, Config], Tensor]] = {
    "nlul": lambda b, c: losses.nlul(b.log_p(), tol=c.tol, threshold=c.threshold),
    "ll": lambda b, c: losses.ll(b.log_p()),
    "npo_sequence_sum": lambda b, c: losses.npo_sequence_sum(b.log_p(), b.reference(), b.mask, beta=c.npo_beta),
    "npo_sequence_mean": lambda b, c: losses.npo_sequence_mean(b.log_p(), b.reference(), b.mask, beta=c.npo_beta),
    "simnpo": lambda b, c: losses.simnpo(b.log_p(), b.mask, beta=c.simnpo_beta, gamma=c.simnpo_gamma),
    "mismatch": lambda b, c: losses.mismatch(b.logits),
}
PENALTIES: dict[str, Callable[[Batch, Config], Tensor]] = {
    "kl": lambda b, c: losses.kl(b.logits, b.guide()),
    "qkl": lambda b, c: losses.qkl(b.logits, b.guide()),
    "gdr": lambda b, c: losses.gdr(b.log_p()),
}


def unlearn(
    student: Any,
    forget: Sequences,
    regularisation: Sequences,
    config: Config,
    *,
    pad: int,
    world: World = ALONE,
    done: int = 0,
    restore: Callable[[Training], None] = lambda training: None,
) -> Iterator[StepRecord | Checkpoint]:
    """Unlearn `forget` in place from `student`, and yield records as they come.

    `forget` and `regularisation` are token sequences, `pad` the id that fills them up. Every `eval_every` steps, and
    after the last, a Checkpoint of the student and one of the teacher follow the step's record. Raises Diverged, with
    the step, as soon as a loss or the gradient norm is not finite. With a `world` of several workers, all of which run
    this on the same arguments, records are the same on each, and the same as on one worker up to rounding. `restore`
    puts the Training of a run that was interrupted behind step `done` in the place of a new one; the steps that are
    left then give the same bits on one worker, and on several where the model has no dropout.
    """
    torch.manual_seed(config.seed)  # for models with dropout; batches are drawn by (seed, step)
    if config.freeze:
        freeze(student)
    teacher = make_teacher(student)
    lay_out(student, teacher, config, world)
    theta, phi = _matching_parameters(student, teacher)
    references = _initial_log_probs(teacher, forget, config, pad) if config.forget_loss.startswith("npo") else None
    optimizer = make_optimizer(theta, phase(config, max(done, 1)))
    training = Training(student=student, teacher=teacher, optimizer=optimizer)
    restore(training)
    for step in range(training.step + 1, config.steps + 1):
        now = phase(config, step)
        if 1 < step == config.warm_start + 1:
            training.optimizer = make_optimizer(theta, now)
            contract_(local(phi), local(theta), 1.0)
        student.train()  # a caller may have put it in evaluation mode to score it
        rows = _draw(len(forget), FORGET, step, config)
        forget_loss = _backward_forget(student, forget, rows, references, config, pad, world)
        rows = _draw(len(regularisation), REGULARISATION, step, config)
        penalty = _backward_penalty(student, teacher, regularisation, rows, config, pad, world)
        forget_loss, penalty = world.sum([forget_loss, penalty])
        gradients = _gradients(theta)
        sum_gradients(gradients, world)
        norm = global_norm(gradients, world)
        c = clip_coefficient(norm, config.clip)
        if not math.isfinite(forget_loss + penalty + norm):
            raise Diverged(f"step {step}: forget loss {forget_loss}, penalty {penalty}, gradient norm {norm}")
        torch._foreach_mul_(local(gradients), c)
        add_damping_(local(gradients), local(theta), local(phi), now.damping * c)
        lr = set_learning_rate(training.optimizer, now, step if step <= config.warm_start else step - config.warm_start)
        training.optimizer.step()
        training.optimizer.zero_grad()
        del gradients  # or they would live beside those of the next step, and through scoring
        contract_(local(phi), local(theta), now.delta * c)
        training.step = step
        yield StepRecord(
            step=step, forget_loss=forget_loss, penalty=penalty, gradient_norm=norm, clip_coefficient=c, lr=lr
        )
        if step % config.eval_every == 0 or step == config.steps:
            yield Checkpoint(step=step, role="student", model=student, training=training)
            yield Checkpoint(step=step, role="teacher", model=teacher, training=training)


def phase(config: Config, step: int) -> Config:
    """The configuration of a step: in a warm start AdamW's, whose teacher stays the target and pulls by the penalty."""
    if step > config.warm_start:
        return config
    return replace(config, optimizer="adamw", lr=config.warm_lr, delta=0.0, damping=0.0)


def _matching_parameters(student: Any, teacher: Any) -> tuple[list[Tensor], list[Tensor]]:
    """The student's trainable parameters and the teacher's counterparts, in the same order."""
    pairs = [(p, q) for p, q in zip(student.parameters(), teacher.parameters(), strict=True) if p.requires_grad]
    assert len(pairs) == len(trainable_parameters(student))
    return [p for p, _ in pairs], [q for _, q in pairs]


def _gradients(theta: list[Tensor]) -> list[Tensor]:
    """The gradient of each parameter, zeros where no loss reached it (an expert no token was routed to)."""
    for parameter in theta:
        if parameter.grad is None:
            parameter.grad = torch.zeros_like(parameter)
    return [parameter.grad for parameter in theta if parameter.grad is not None]


def _draw(count: int, stream: int, step: int, config: Config) -> list[int]:
    draw = cyclic_indices if config.sampling == "cyclic" else sample_indices
    return draw(count, size=config.batch_size, seed=config.seed, stream=stream, step=step)


def _backward_forget(
    student: Any, sequences: Sequences, rows: list[int], references: Any, c: Config, pad: int, world: World
) -> float:
    """Accumulate the gradient of alpha * forget loss over this worker's part of the batch; return its part of it."""
    return _accumulate(
        rows,
        sequences,
        c,
        c.alpha,
        FORGET_LOSSES[c.forget_loss],
        lambda part: _forward(student, sequences, part, pad, c, references),
        world,
    )


def _backward_penalty(
    student: Any, teacher: Any, sequences: Sequences, rows: list[int], c: Config, pad: int, world: World
) -> float:
    """Accumulate the gradient of beta * penalty over this worker's part of the batch; return its part of it."""
    if c.penalty == "none" or c.beta == 0:
        return 0.0
    guide = None if c.penalty == "gdr" else teacher
    return _accumulate(
        rows,
        sequences,
        c,
        c.beta,
        PENALTIES[c.penalty],
        lambda part: _forward(student, sequences, part, pad, c, teacher=guide),
        world,
    )


def _accumulate(
    rows: list[int],
    sequences: Sequences,
    config: Config,
    weight: float,
    loss: Callable[[Batch, Config], Tensor],
    forward: Callable[[list[int]], Batch],
    world: World,
) -> float:
    """Backward through micro-batches, each normalised over the global batch: by its targets, or by its sequences."""
    targets, total = sum(len(sequences[row]) - 1 for row in rows), 0.0
    mine, weights = deal(rows, world)
    for start in range(0, len(mine), config.micro_batch_size):
        part = slice(start, start + config.micro_batch_size)
        batch = forward(mine[part])
        values = loss(batch, config)
        counted = torch.tensor(weights[part], device=values.device)
        if values.dim() == 2:
            mean = (values * (batch.mask * counted[:, None])).sum() / targets
        else:
            mean = (values * counted).sum() / len(rows)
        (weight * mean).backward()
        total += mean.item()
    return total


def _forward(
    student: Any,
    sequences: Sequences,
    rows: list[int],
    pad: int,
    config: Config,
    references: Any = None,
    teacher: Any = None,
) -> Batch:
    ids, attention = (t.to(student.device) for t in collate([sequences[row] for row in rows], pad=pad))
    targets = next_token_targets(ids, attention)
    mask = (targets != IGNORED).float()
    with torch.no_grad():
        guide = _logits(teacher, ids, attention, config) if teacher is not None else None
    reference = None
    if references is not None:
        reference = torch.nn.utils.rnn.pad_sequence([references[row] for row in rows], batch_first=True)
    return Batch(
        logits=_logits(student, ids, attention, config),
        targets=targets,
        mask=mask,
        reference_log_p=reference,
        teacher_logits=guide,
    )


def _logits(model: Any, ids: Tensor, attention: Tensor, config: Config) -> Tensor:
    """Logits at the positions that predict a next token: [B, T-1, V]."""
    with torch.autocast(ids.device.type, torch.bfloat16, enabled=config.precision == "bf16"):
        return model(input_ids=ids, attention_mask=attention, use_cache=False).logits[:, :-1]


@torch.no_grad()
def _initial_log_probs(model: Any, sequences: Sequences, config: Config, pad: int) -> list[Tensor]:
    """Per-token log-probabilities of every forget sequence under the initial model: the reference of npo."""
    out = []
    for start in range(0, len(sequences), config.micro_batch_size):
        rows = list(range(start, min(start + config.micro_batch_size, len(sequences))))
        batch = _forward(model, sequences, rows, pad, config)
        out += [log_p[: len(sequences[row]) - 1] for row, log_p in zip(rows, batch.log_p(), strict=True)]
    return out
