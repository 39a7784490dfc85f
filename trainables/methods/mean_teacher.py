"""Mean-teacher unlearning: descent on a forget loss, and a penalty against the slow average of the student's weights.

What a step does, in this order (arXiv 2504.13388): the gradient of alpha * forget loss, the gradient of beta * penalty
against the teacher, clipping of the global norm, damping scaled by the clip coefficient, the optimizer's step, and the
teacher's contraction, scaled too. With `warm_start` its first steps are AdamW's against the frozen target, and the
teacher begins where they end.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import ANY, RETAIN_TEXT, Descent, setting

if TYPE_CHECKING:
    from trainables.training.descend import Batch, Hook

FORGET_LOSSES = ("nlul", "ll", "npo_sequence_sum", "npo_sequence_mean", "simnpo", "mismatch")
PENALTIES = ("kl", "qkl", "gdr", "none")
BY_NLUL, BY_NPO, BY_SIMNPO = (
    {"forget_loss": losses} for losses in (("nlul",), ("npo_sequence_sum", "npo_sequence_mean"), ("simnpo",))
)


@dataclass(frozen=True, kw_only=True)
class MeanTeacher(Descent):
    """Mean-teacher unlearning, in the symbols of arXiv 2504.13388.

    Defaults are muse-mini's; the paper's Llama-2-7B values are lr 5e-4, alpha 0.05 (News) or 0.1 (Books), delta 0.005,
    damping 5, batch 40, and up to 2000 steps.
    """

    method = "mean_teacher"
    inherited = {name: {"penalty": ANY, "beta": ANY} for name in RETAIN_TEXT} | {"weight_decay": {}}  # of a warm start

    alpha: float = setting(1.0, "weight of the forget loss")
    beta: float = setting(1.0, "weight of the penalty against the teacher", beside={"penalty": ANY})
    delta: float = setting(0.2, "EMA rate: share of the student taken into the teacher at each step", most=1)
    damping: float = setting(1.0, "lambda: pull of the student to the teacher in weight space")
    forget_loss: str = setting("nlul", "what is lowered on forget text", choices=FORGET_LOSSES)
    penalty: str = setting("kl", "what holds the student on retain text", choices=PENALTIES)
    warm_start: int = setting(0, "steps, of all, by AdamW against the frozen target, before the teacher starts")
    warm_lr: float = setting(0.001, "learning rate of those", positive=True, beside={"warm_start": ANY})
    tol: float = setting(0.02, "tolerance of nlul", positive=True, beside=BY_NLUL)
    threshold: float = setting(0.0, "of nlul: tokens with a lower probability get weight 0", most=1, beside=BY_NLUL)
    npo_beta: float = setting(0.1, "inverse temperature of npo", positive=True, beside=BY_NPO)
    simnpo_beta: float = setting(2.5, "inverse temperature of simnpo", positive=True, beside=BY_SIMNPO)
    simnpo_gamma: float = setting(0.0, "margin of simnpo", beside=BY_SIMNPO)


def needs(settings: MeanTeacher) -> Needs:
    """The teacher, and what damping and a warm start need."""
    return Needs(
        trainable=settings.trainable,
        teacher=True,
        guided=settings.penalty in ("kl", "qkl") and settings.beta > 0,
        scratch=settings.damping > 0,
        adamw=settings.optimizer == "adamw" or settings.warm_start > 0,
    )


def unlearn(start: Start, settings: MeanTeacher, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place: candidates are the student and the teacher."""
    from trainables.training import descend as loop
    from trainables.training.initial import initial_log_probs
    from trainables.training.parallel import lay_out
    from trainables.training.teacher import make_teacher
    from trainables.training.trainable import prepare

    student = prepare(start.model, needs(settings).trainable, settings.seed)
    teacher = make_teacher(student)
    lay_out((student, teacher), settings, run.world)
    by_npo = settings.forget_loss.startswith("npo") and settings.alpha > 0
    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=settings.alpha,
        loss=forget_losses(settings)[settings.forget_loss] if settings.alpha else None,
        references=initial_log_probs(teacher, start, settings, run.world) if by_npo else None,
        once=len(start.forget) if by_npo else 0,
    )
    penalty = loop.Term(
        name="penalty",
        sequences=start.retain,
        stream=loop.RETAIN,
        weight=settings.beta,
        loss=penalties()[settings.penalty] if settings.beta else None,
        guide=teacher if settings.penalty in ("kl", "qkl") else None,
    )
    hook = _pull(student, teacher, settings)
    yield from loop.descend(student, (forget, penalty), settings, run, start, hook=hook, beside={"teacher": teacher})


def forget_losses(settings: MeanTeacher) -> dict[str, Callable[["Batch"], Any]]:
    """Every forget loss as a function of a batch, by name."""
    from trainables.losses import logits as losses

    s = settings
    return {
        "nlul": lambda b: losses.nlul(b.log_p(), tol=s.tol, threshold=s.threshold),
        "ll": lambda b: losses.ll(b.log_p()),
        "npo_sequence_sum": lambda b: losses.npo_sequence_sum(b.log_p(), b.reference(), b.mask, beta=s.npo_beta),
        "npo_sequence_mean": lambda b: losses.npo_sequence_mean(b.log_p(), b.reference(), b.mask, beta=s.npo_beta),
        "simnpo": lambda b: losses.simnpo(b.log_p(), b.mask, beta=s.simnpo_beta, gamma=s.simnpo_gamma),
        "mismatch": lambda b: losses.mismatch(b.out),
    }


def penalties() -> dict[str, Callable[["Batch"], Any] | None]:
    """Every penalty as a function of a batch, by name."""
    from trainables.losses import logits as losses

    return {
        "kl": lambda b: losses.kl(b.out, b.guide()),
        "qkl": lambda b: losses.qkl(b.out, b.guide()),
        "gdr": lambda b: losses.gdr(b.log_p()),
        "none": None,
    }


def _pull(student: Any, teacher: Any, settings: MeanTeacher) -> "Hook":
    """The hook of the two: damping pulls the student to the teacher, contraction the teacher to the student."""
    from trainables.training.descend import Hook, Phase
    from trainables.training.parallel import local
    from trainables.training.teacher import add_damping_, contract_

    pairs = [(p, q) for p, q in zip(student.parameters(), teacher.parameters(), strict=True) if p.requires_grad]
    theta, phi = [p for p, _ in pairs], [q for _, q in pairs]

    class Pull(Hook):
        def phase(self, step: int) -> Phase:
            if step > settings.warm_start:
                return Phase(settings, step - settings.warm_start)
            return Phase(replace(settings, optimizer="adamw", lr=settings.warm_lr, delta=0.0, damping=0.0), step)

        def begin(self) -> None:
            contract_(local(phi), local(theta), 1.0)

        def before(self, gradients: list[Any], now: MeanTeacher, c: float) -> None:
            add_damping_(gradients, local(theta), local(phi), now.damping * c)

        def after(self, now: MeanTeacher, c: float) -> None:
            contract_(local(phi), local(theta), now.delta * c)

    return Pull(settings)


MEAN_TEACHER_METHOD = Method(
    settings=MeanTeacher,
    unlearn=unlearn,
    needs=needs,
    family="teacher",
    roles=("student", "teacher"),
    meaning="the model is trained away from the forget text, and held to the slow average of its own weights",
    source="Klochkov 2025, arXiv 2504.13388",
    traps=(
        "the public code counts padding in the mean of npo, and gives SGD no warm-up, whatever its logs name",
        "with adapters (lora_rank) the average is of A and of B, each by itself, and not of their product",
    ),
)
