"""Negative preference optimisation: the forget text is made less likely than the initial model found it."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import Descent, setting


@dataclass(frozen=True, kw_only=True)
class NPO(Descent):
    """NPO with cross-entropy on retain text. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, beta 0.1."""

    method = "npo_gdr"

    optimizer: str = setting("adamw", "AdamW with betas (0.9, 0.95), or SGD with momentum", choices=("adamw", "sgd"))
    lr: float = setting(3e-4, "learning rate", positive=True)
    npo_beta: float = setting(0.1, "inverse temperature, on the log-probability of a whole sequence", positive=True)
    forget_weight: float = setting(1.0, "weight of the forget loss")
    retain_weight: float = setting(1.0, "weight of cross-entropy on retain text")


def needs(settings: NPO) -> Needs:
    """No second model: the reference is a number a token, taken once."""
    return Needs(trainable=settings.trainable, adamw=settings.optimizer == "adamw")


def unlearn(start: Start, settings: NPO, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses import logits as losses
    from trainables.training import descend as loop
    from trainables.training.parallel import lay_out
    from trainables.training.trainable import prepare

    student = prepare(start.model, needs(settings).trainable, settings.seed)
    lay_out((student,), settings, run.world)
    beta = settings.npo_beta
    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=settings.forget_weight,
        loss=lambda b: losses.npo_sequence_sum(b.log_p(), b.reference(), b.mask, beta=beta),
        references=loop.initial_log_probs(student, start, settings, run.world),
        once=len(start.forget),
    )
    retain = loop.Term(
        name="retain_loss",
        sequences=start.retain,
        stream=loop.RETAIN,
        weight=settings.retain_weight,
        loss=(lambda b: losses.gdr(b.log_p())) if settings.retain_weight else None,
    )
    yield from loop.descend(student, (forget, retain), settings, run, pad=start.pad)


NPO_GDR = Method(
    settings=NPO,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="the forget text is made less likely than the target found it, while retain text is trained on",
    source="Zhang et al. 2024, arXiv 2404.05868, eq. 3; MUSE's GDR, arXiv 2407.06460",
    traps=(
        "MUSE's public code takes raw logits in the place of log-probabilities: a loss that never looks at the label",
        "the loss is of a sequence's SUM: its weight fades with beta times length, so chunks of 2048 tokens need a "
        "smaller beta than short articles",
    ),
)
