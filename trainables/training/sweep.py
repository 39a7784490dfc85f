"""A sweep: a model is trained once, and a candidate is given for each strength at which its change is taken.

    train = lambda run: descend(student, [term], settings, run, start)
    yield from sweep(train, (1.0, 2.0, 4.0), subject, run, axis="alpha")

Nothing is scored while it trains, but its state is saved; behind the last step it is saved after every strength.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from trainables.method import Candidate, Evaluated, Record, Run, State, Step


def sweep(
    train: Callable[[Run], Iterator[Record]],
    strengths: Sequence[float],
    subject: Callable[[float], Any],
    run: Run,
    *,
    axis: str,
    role: str = "student",
) -> Iterator[Record]:
    """Train, then give `subject(strength)` for each strength, but for those that were scored before.

    `train` is a method's own generator, whose candidates are left out. A subject may be the one before it, changed in
    place. `axis` is what the strengths are called.
    """
    states: list[State] = []

    def restore(state: State) -> None:
        states.append(state)  # a run that was interrupted behind its last step has no record that bears it
        run.restore(state)

    for record in train(replace(run, restore=restore)):
        if isinstance(record, Step):
            yield record
        elif isinstance(record, Evaluated):
            yield Evaluated(state=states[0])
    for number, strength in list(enumerate(strengths, 1))[run.evaluated :]:
        yield Candidate(at=strength, role=role, subject=subject(strength), axis=axis)
        yield Evaluated(state=states[0] if number < len(strengths) else None)


@torch.no_grad()
def go_along_(weights: Sequence[Tensor], start: Sequence[Tensor], end: Sequence[Tensor], strength: float) -> None:
    """`weights <- start + strength (end - start)`, in place: 0 is the start, 1 the end, -1 as far from it.

    In the weights' own precision, which is fp32; `start` and `end` may lie on the host.
    """
    for weight, first, last in zip(weights, start, end, strict=True):
        origin = first.to(weight.device)
        weight.copy_(torch.add(origin, last.to(weight.device) - origin, alpha=strength))
