"""Who's Harry Potter, its logits: what a model that overfitted on the forget text says more of, the target says less.

It is the half of the method that MUSE takes as its baseline: two models write together, and none is distilled of them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Needs, Record, Run, Start
from trainables.methods.overfitting import Overfitting, overfit
from trainables.settings import setting

ROLE = "pair"


@dataclass(frozen=True, kw_only=True)
class WhpLogits(Overfitting):
    """Lowered logits. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, 10 epochs, alpha 1 to 16."""

    method = "whp_logits"

    alpha: float = setting(
        16.0, "the largest strength: how much the target's logits are lowered", positive=True, most=1e6
    )


def needs(settings: WhpLogits) -> Needs:
    """Beside the model that learns, the target, which shares what is not trained; to score runs both."""
    return Needs(trainable=settings.trainable, frozen=True, scored=2, adamw=settings.optimizer == "adamw")


def unlearn(start: Start, settings: WhpLogits, run: Run) -> Iterator[Record]:
    """Learn the forget text in `start.model`, in place: a candidate is the target beside it, at a strength."""
    from trainables.subjects.reinforced import Reinforced
    from trainables.training.parallel import lay_out
    from trainables.training.teacher import make_teacher
    from trainables.training.trainable import prepare

    reinforced = prepare(start.model, needs(settings).trainable, settings.seed)
    target = make_teacher(reinforced)  # which nothing ever moves
    lay_out((reinforced, target), settings, run.world)
    yield from overfit(reinforced, start, settings, run, lambda alpha: Reinforced(target, reinforced, alpha), role=ROLE)


WHP_LOGITS_METHOD = Method(
    settings=WhpLogits,
    unlearn=unlearn,
    needs=needs,
    family="two models",
    roles=(ROLE,),
    meaning="the target's logits are lowered where those of a model that overfitted on the forget text are higher",
    source="Eldan and Russinovich 2023, arXiv 2310.02238, its logits; MUSE's baseline, arXiv 2407.06460",
    unverified="the paper distils these logits into one model, on text in which names were replaced: that is whp",
    traps=(
        "removable: a candidate is two models, and who holds its folder holds the target, and what the target knows",
        "both models are written whole for every strength: a trial of 7B with five needs room for ten of them",
        "each token costs two forward passes and two caches, wherever it is used; public code decodes it without any",
        "published: the learning rate falls along a cosine; here it stays, after its warm-up",
        "nothing holds the model on retain text: all settings of that text are of no effect",
    ),
)
