"""The task vector: what the weights move by as the forget text is learned once more is taken away from the target."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trainables.method import Method, Needs, Record, Run, Start
from trainables.methods.overfitting import Overfitting, overfit
from trainables.settings import setting


@dataclass(frozen=True, kw_only=True)
class TaskVector(Overfitting):
    """Task-vector negation. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, 10 epochs, alpha 1 to 16."""

    method = "task_vector"

    alpha: float = setting(4.0, "the largest multiple of the task vector that is taken away", positive=True, most=1e6)


def needs(settings: TaskVector) -> Needs:
    """Beside the model that learns, the one that is scored; the target's weights wait on the host."""
    return Needs(trainable=settings.trainable, teacher=True, adamw=settings.optimizer == "adamw")


def unlearn(start: Start, settings: TaskVector, run: Run) -> Iterator[Record]:
    """Learn the forget text in `start.model`, in place: candidates are another model, a multiple of that behind it."""
    from trainables.training.parallel import lay_out, local
    from trainables.training.sweep import go_along_
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

    yield from overfit(student, start, settings, run, at)


TASK_VECTOR_METHOD = Method(
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
