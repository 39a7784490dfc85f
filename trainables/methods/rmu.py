"""Representation misdirection (RMU): hidden states of forget text are turned to a random direction, others kept.

`rmu` turns them to a length that is a setting, `rmu_adaptive` to a multiple of the length that they have in the target.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import WithoutAdapters, setting

REACH = 2  # blocks before the layer that are trained with it


@dataclass(frozen=True, kw_only=True)
class Misdirection(WithoutAdapters):
    """What both have. Defaults are muse-mini's; for 7B: layer 7 of 32, alpha 1200, lr 5e-5, 150 batches of 4."""

    lr: float = setting(3e-3, "learning rate", positive=True)
    layer: int = setting(2, "block, from 0, behind which hidden states are turned", block=True)
    alpha: float = setting(10.0, "weight of keeping the hidden states of retain text")
    freeze: bool = setting(True, "of no effect: nothing but down_proj of three blocks is ever trained", beside=None)
    parallel: str = setting("ddp", "whole models on each worker: a pass that stops needs them", choices=("ddp",))


@dataclass(frozen=True, kw_only=True)
class RMU(Misdirection):
    """RMU. Published for 7B: rmu_c 6.5, or 20 in the public code; muse-mini's hidden states are longer, 58 to 88."""

    method = "rmu"

    rmu_c: float = setting(400.0, "length to which they are turned", positive=True)


@dataclass(frozen=True, kw_only=True)
class AdaptiveRMU(Misdirection):
    """Adaptive RMU. Published: rmu_beta 5."""

    method = "rmu_adaptive"

    rmu_beta: float = setting(5.0, "length to which they are turned, as a multiple of their own", positive=True)


def needs(settings: Misdirection) -> Needs:
    """The target beside the student, for the hidden states of retain text; no logits, and no block behind the layer."""
    blocks = range(max(0, settings.layer - REACH), settings.layer + 1)
    return Needs(
        trainable=f"down_proj:{','.join(map(str, blocks))}",
        frozen=settings.alpha > 0,
        depth=settings.layer + 1,
        logits=False,
        adamw=settings.optimizer == "adamw",
    )


def unlearn(start: Start, settings: RMU | AdaptiveRMU, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place: only `down_proj` of three blocks moves."""
    from trainables.losses import activations as losses
    from trainables.training import descend as loop
    from trainables.training.hidden import behind_block
    from trainables.training.parallel import lay_out
    from trainables.training.teacher import make_teacher
    from trainables.training.trainable import prepare

    needed = needs(settings)
    student = prepare(start.model, needed.trainable, settings.seed)
    frozen = make_teacher(student) if needed.frozen else None  # which nothing ever moves
    lay_out([model for model in (student, frozen) if model is not None], settings, run.world)
    forward = behind_block(student, settings.layer)
    if isinstance(settings, AdaptiveRMU):
        length, once = settings.rmu_beta * _mean_norm(student.eval(), start, settings, forward), settings.batch_size
    else:
        length, once = settings.rmu_c, 0
    size = student.config.get_text_config().hidden_size
    direction = losses.random_direction(size, seed=settings.seed).to(student.device)
    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=1.0,
        loss=lambda b: losses.towards(b.out, direction, length),
        forward=forward,
        once=once,  # for the length
    )
    retain = loop.Term(
        name="retain_loss",
        sequences=start.retain,
        stream=loop.RETAIN,
        weight=settings.alpha,
        loss=(lambda b: losses.apart(b.out, b.guide())) if needed.frozen else None,
        guide=frozen,
        forward=forward,
    )
    yield from loop.descend(student, (forget, retain), settings, run, start)


def _mean_norm(target: Any, start: Start, settings: AdaptiveRMU, forward: Any) -> float:
    """The mean length of the target's hidden states over the first forget batch, by which adaptive RMU is scaled."""
    import torch

    from trainables.training import descend as loop

    term = loop.Term(name="", sequences=start.forget, stream=loop.FORGET, weight=0.0, loss=None, forward=forward)
    total, count, rows = 0.0, 0.0, loop.sampling_of([term], settings, start).draws(term.stream, term.draws, step=1)
    with torch.no_grad():
        for batch in loop.batches(target, term, rows, start.pad, settings):
            total += (batch.out.float().norm(dim=-1) * batch.mask).sum().item()
            count += batch.mask.sum().item()
    return total / count


TRAPS = (
    "public code picks parameter 6 of a block, which is down_proj in Llama and o_proj in Qwen2: here by name",
    "its mean runs over padding too: here over tokens with a predecessor",
)
RMU_METHOD = Method(
    settings=RMU,
    unlearn=unlearn,
    needs=needs,
    family="hidden states",
    meaning="hidden states of forget text are turned to a random direction, those of retain text are kept",
    source="Li et al. 2024, arXiv 2403.03218",
    traps=(
        *TRAPS,
        "rmu_c and alpha: 6.5 and 1200 in the paper, 20 and 100 in its code, 2 and 1 in open-unlearning, which trains "
        "every weight",
    ),
)
RMU_ADAPTIVE_METHOD = Method(
    settings=AdaptiveRMU,
    unlearn=unlearn,
    needs=needs,
    family="hidden states",
    meaning="as rmu, to a multiple of the length that hidden states have in the target",
    source="Huu-Tien et al. 2024, arXiv 2408.06223; Li et al. 2024, arXiv 2403.03218",
    traps=TRAPS,
)
