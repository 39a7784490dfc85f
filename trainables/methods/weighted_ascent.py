"""Weighted ascent: gradient ascent in which each token weighs by its own probability, so that what is gone is left."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Record, Run, Start
from trainables.settings import ANY, setting
from trainables.weighted import Retaining, needs


@dataclass(frozen=True, kw_only=True)
class WGA(Retaining):
    """Weighted gradient ascent. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, beta 1, batches of 16."""

    method = "wga"

    wga_beta: float = setting(1.0, "power of a token's probability that it weighs by", positive=True)


@dataclass(frozen=True, kw_only=True)
class SatImp(Retaining):
    """Saturation and importance. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, retain weight 0.1."""

    method = "satimp"

    lr: float = setting(1e-3, "learning rate", positive=True)
    satimp_beta1: float = setting(5.0, "power of a token's probability that it weighs by", positive=True)
    satimp_beta2: float = setting(1.0, "power of what its probability lacks to 1 that it weighs by", positive=True)
    retain_weight: float = setting(0.1, "weight of the retain term", beside={"retain_term": ANY})


def unlearn_by_wga(start: Start, settings: WGA, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses.weighted import wga
    from trainables.training.forget_and_retain import forget_and_retain

    yield from forget_and_retain(start, settings, run, lambda b: wga(b.log_p(), beta=settings.wga_beta))


def unlearn_by_satimp(start: Start, settings: SatImp, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses.weighted import satimp
    from trainables.training.forget_and_retain import forget_and_retain

    one, two = settings.satimp_beta1, settings.satimp_beta2
    yield from forget_and_retain(start, settings, run, lambda b: satimp(b.log_p(), beta1=one, beta2=two))


NO_MEASURE = "the weights take no gradient: log-likelihood falls, and the loss that a step shows may rise with that"
WGA_METHOD = Method(
    settings=WGA,
    unlearn=unlearn_by_wga,
    needs=needs,
    family="ascent",
    meaning="the forget text is made less likely, each token by its own probability: forgotten ones are left alone",
    source="Wang et al. 2025, arXiv 2502.19301",
    traps=(NO_MEASURE,),
)
SATIMP_METHOD = Method(
    settings=SatImp,
    unlearn=unlearn_by_satimp,
    needs=needs,
    family="ascent",
    meaning="the forget text is made less likely, tokens that are neither known by heart nor forgotten most of all",
    source="Yang et al. 2025, arXiv 2505.11953",
    traps=(
        NO_MEASURE,
        "what the target knows by heart, at a probability of 1, weighs 0 and does not move: a dead start",
        "public code disagrees with itself on the weights of forget and retain loss: its text says 1 and 0.1, the "
        "paper's ratio, and its configuration 0.1 and 1",
    ),
)
