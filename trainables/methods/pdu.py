"""Primal-dual unlearning: logits on forget text are made flat, while the loss on retain text is held at a level.

How hard it is held is the dual variable lambda, the weight of that loss: it rises as long as the loss is above the
level, and falls to 0 where it is below.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables.method import Method, Record, Run, Start
from trainables.settings import Descent, setting
from trainables.weighted import Weighted, needs

if TYPE_CHECKING:
    from trainables.training.descend import Hook


@dataclass(frozen=True, kw_only=True)
class PDU(Weighted):
    """PDU. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, lam0 50 or 100, eta 1 or 5."""

    method = "pdu"
    inherited = Descent.inherited  # it has a retain term of its own

    lr: float = setting(5e-4, "learning rate", positive=True)
    slack: float = setting(0.5, "by which share the loss on retain text may lie above the target's")
    lam0: float = setting(50.0, "weight of cross-entropy on retain text at the start: lambda")
    eta: float = setting(1.0, "by how much lambda moves in a step, for each nat between the loss and its level")
    lam_warmup: int = setting(5, "steps before lambda moves")

    @property
    def holds(self) -> bool:
        """Whether the loss on retain text ever has a weight."""
        return self.lam0 > 0 or self.eta > 0


def moved(lam: float, loss: float, level: float, eta: float) -> float:
    """Lambda behind a step whose loss on retain text was `loss`: `max(0, lam + eta (loss - level))`."""
    return max(0.0, lam + eta * (loss - level))


def unlearn(start: Start, settings: PDU, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses.flattening import flattening
    from trainables.losses.logits import gdr
    from trainables.subjects.positions import most_positions
    from trainables.training import descend as loop
    from trainables.training.initial import initial_loss
    from trainables.training.parallel import lay_out
    from trainables.training.scope import scope_terms
    from trainables.training.trainable import prepare

    student = prepare(start.model, needs(settings).trainable, settings.seed)
    lay_out((student,), settings, run.world)
    initial = initial_loss(student, start, settings, run.world) if settings.eta else 0.0
    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=settings.forget_weight,
        loss=(lambda batch: flattening(batch.out)) if settings.forget_weight else None,
    )
    retain = loop.Term(
        name="retain_loss",
        sequences=start.retain,
        stream=loop.RETAIN,
        weight=settings.lam0,
        loss=(lambda batch: gdr(batch.log_p())) if settings.holds else None,
        once=len(start.retain) if settings.eta else 0,
    )
    scope = scope_terms(start, settings, most_positions(student.config))
    hook = _dual(settings, level=initial * (1 + settings.slack))
    yield from loop.descend(student, (forget, retain, *scope), settings, run, start, hook=hook)


def _dual(settings: PDU, level: float) -> "Hook":
    """The hook that weighs the retain term by lambda, and moves lambda by the loss of all workers together."""
    from trainables.training.descend import RETAIN, Hook, Term

    class Dual(Hook):
        def __init__(self) -> None:
            super().__init__(settings)
            self.kept["lam"] = settings.lam0

        def weighed(self, term: Term) -> Term:
            return replace(term, weight=self.kept["lam"]) if term.stream == RETAIN else term

        def seen(self, step: int, losses: Mapping[str, float]) -> dict[str, float]:
            weight = self.kept["lam"]
            if step > settings.lam_warmup:
                self.kept["lam"] = moved(weight, losses["retain_loss"], level, settings.eta)
            return {"lam": weight}

    return Dual()


PDU_METHOD = Method(
    settings=PDU,
    unlearn=unlearn,
    needs=needs,
    family="distribution",
    meaning="on forget text all words are made as likely, while the loss on retain text is held at a level",
    source="Entesari et al. 2025, arXiv 2506.05314",
    traps=(
        "public code has its mask one position late: what predicts the first target is missed",
        "its workers each move a lambda of their own: here all move one, by the loss of the whole batch",
        "published, the level is a number of nats, another for each model: here a share above the target's own loss",
    ),
)
