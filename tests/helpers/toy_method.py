"""A method that Lethe does not have: every weight that may move shrinks a little at each step. No teacher, no text.

All that a new method takes, but its space, toy_space/shrink.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Candidate, Evaluated, Method, Needs, Record, Run, Start, State, Step
from trainables.settings import Descent, setting


@dataclass(frozen=True, kw_only=True)
class Shrink(Descent):
    """Shrinking, by a share of each weight."""

    method = "shrink"

    share: float = setting(0.01, "of each weight that a step takes away", positive=True, most=1)


def needs(settings: Shrink) -> Needs:
    """Nothing beside the model."""
    return Needs(trainable="matrices")


def unlearn(start: Start, settings: Shrink, run: Run) -> Iterator[Record]:
    """Shrink `start.model`, in place: candidates are called `shrunk`, and stand where so much is left of each weight."""
    import torch

    from trainables.training.trainable import prepare, trainable_parameters

    model = prepare(start.model, needs(settings).trainable, settings.seed)
    weights = trainable_parameters(model)
    state = State(models={"shrunk": model}, optimizer=torch.optim.SGD(weights, lr=settings.lr))
    run.restore(state)
    for step in range(state.step + 1, settings.steps + 1):
        with torch.no_grad():
            torch._foreach_mul_(weights, 1 - settings.share)
        state.step = step
        yield Step(step=step, values={"share": settings.share}, cost=0.0)
        if step % settings.eval_every == 0 or step == settings.steps:
            left = (1 - settings.share) ** step
            yield Candidate(at=left, axis="left", role="shrunk", subject=model)
            yield Evaluated(state=state if step < settings.steps else None)


SHRINK = Method(
    settings=Shrink,
    unlearn=unlearn,
    needs=needs,
    family="ascent",
    roles=("shrunk",),
    meaning="every weight shrinks a little",
    source="nowhere: a toy of the tests",
)
