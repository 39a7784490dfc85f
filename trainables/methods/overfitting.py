"""What methods share that learn the forget text once more, and take what that changed away, at a grid of strengths."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainables.method import Record, Run, Start
from trainables.settings import REQUESTS, RETAIN_TEXT, SUCCESSIVE, WithoutAdapters, setting

if TYPE_CHECKING:
    from trainables.training.descend import Term


@dataclass(frozen=True, kw_only=True)
class Overfitting(WithoutAdapters):
    """Settings of such a method. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, 10 epochs."""

    inherited = dict.fromkeys(RETAIN_TEXT)

    lr: float = setting(1e-3, "learning rate", positive=True)
    alpha: float = setting(4.0, "the largest strength at which what was learned is taken away", positive=True, most=1e6)
    halvings: int = setting(4, "smaller values of alpha that are tried too, each half of the one before", most=32)
    eval_every: int = setting(
        20, "steps between two saved states; what is scored is every strength, behind the last step", positive=True
    )
    request: str = setting(
        "all",
        "what is to be forgotten: all at once, or its first 1 to 4 parts",
        choices=tuple(request for request in REQUESTS if request != SUCCESSIVE),
    )
    mixes: int = setting(0, "of mixtures, which this method's strengths are already: 0", most=0)

    @property
    def strengths(self) -> tuple[float, ...]:
        """The strengths, the smallest first."""
        return tuple(sorted({self.alpha / 2**halving for halving in range(self.halvings + 1)}))

    @property
    def evaluations(self) -> int:
        """How often a run is scored: at every strength."""
        return len(self.strengths)


def overfit(
    student: Any,
    start: Start,
    settings: Overfitting,
    run: Run,
    subject: Callable[[float], Any],
    *,
    role: str = "student",
    terms: "Sequence[Term]" = (),
) -> Iterator[Record]:
    """Train `student`, which lies on its workers, on `terms`; then `subject(alpha)` at every strength.

    Without terms it learns the forget text, and nothing else.
    """
    from trainables.training import descend as loop
    from trainables.training.sweep import sweep

    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=1.0,
        loss=lambda batch: -batch.log_p(),  # which falls: the model that is left behind learns
    )
    yield from sweep(
        lambda run: loop.descend(student, terms or (forget,), settings, run, start),
        settings.strengths,
        subject,
        run,
        axis="alpha",
        role=role,
    )
