"""The task vector: what the weights move by as the forget text is learned once more is taken away from the target."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import Descent, setting


@dataclass(frozen=True, kw_only=True)
class TaskVector(Descent):
    """Task-vector negation. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, 10 epochs, alpha 1 to 16."""

    method = "task_vector"

    optimizer: str = setting("adamw", "AdamW with betas (0.9, 0.95), or SGD with momentum", choices=("adamw", "sgd"))
    lr: float = setting(1e-3, "learning rate", positive=True)
    alpha: float = setting(4.0, "the largest multiple of the task vector that is taken away", positive=True, most=1e6)
    halvings: int = setting(4, "smaller multiples that are tried too, each half of the one before", most=32)
    eval_every: int = setting(
        20, "steps between two saved states; what is scored is every multiple, behind the last step", positive=True
    )
    lora_rank: int = setting(0, "of adapters, which this method does not take: 0", most=0)
    lora_scale: float = setting(2.0, "of no effect", positive=True)
    mixes: int = setting(0, "of mixtures, which this method's multiples are already: 0", most=0)

    @property
    def strengths(self) -> tuple[float, ...]:
        """The multiples of the task vector, the smallest first."""
        return tuple(sorted({self.alpha / 2**halving for halving in range(self.halvings + 1)}))

    @property
    def evaluations(self) -> int:
        """How often a run is scored: at every multiple."""
        return len(self.strengths)


def needs(settings: TaskVector) -> Needs:
    """Beside the model that learns, the one that is scored; the target's weights wait on the host."""
    return Needs(trainable=settings.trainable, teacher=True, adamw=settings.optimizer == "adamw")


def unlearn(start: Start, settings: TaskVector, run: Run) -> Iterator[Record]:
    """Learn the forget text in `start.model`, in place: candidates are another model, a multiple of that behind it."""
    from trainables.training import descend as loop
    from trainables.training.parallel import lay_out, local
    from trainables.training.sweep import go_along_, sweep
    from trainables.training.teacher import make_teacher
    from trainables.training.trainable import prepare

    student = prepare(start.model, needs(settings).trainable, settings.seed)
    candidate = make_teacher(student)
    lay_out((student, candidate), settings, run.world)
    pairs = [(p, q) for p, q in zip(student.parameters(), candidate.parameters(), strict=True) if p.requires_grad]
    learned, moved = local([p for p, _ in pairs]), local([q for _, q in pairs])
    target = [weight.detach().to("cpu", copy=True) for weight in moved]

    def at(alpha: float) -> Any:
        go_along_(moved, target, learned, -alpha)
        return candidate

    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=1.0,
        loss=lambda batch: -batch.log_p(),  # which falls: the model that is left behind learns
    )
    yield from sweep(
        lambda run: loop.descend(student, (forget,), settings, run, pad=start.pad),
        settings.strengths,
        at,
        run,
        axis="alpha",
    )


TASK_VECTOR = Method(
    settings=TaskVector,
    unlearn=unlearn,
    needs=needs,
    family="two models",
    meaning="the forget text is learned once more, and multiples of what that moved are taken away from the target",
    source="Ilharco et al. 2023, arXiv 2212.04089; MUSE's baseline, arXiv 2407.06460",
    traps=(
        "public code takes the difference of weights in bf16, where most of an update as small as 1e-5 is 0 and the "
        "rest a whole spacing: here in fp32, whatever the precision of the passes",
        "published: the learning rate falls along a cosine; here it stays, after its warm-up",
        "nothing holds the model on retain text: all settings of that text are of no effect",
    ),
)
