"""Negative preference optimisation: the forget text is made less likely than the initial model found it."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import BY_NAME, CACHED, GDR, KLR, Retaining, Weighted, needs


@dataclass(frozen=True, kw_only=True)
class NPO(Weighted):
    """NPO alone. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, beta 0.1."""

    method = "npo"
    reference = CACHED

    npo_beta: float = setting(0.1, "inverse temperature, on the log-probability of a whole sequence", positive=True)


@dataclass(frozen=True, kw_only=True)
class NPOGDR(NPO, Retaining):
    """NPO with cross-entropy on retain text. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, beta 0.1."""

    method = "npo_gdr"

    retain_term: str = setting(GDR, BY_NAME, choices=(GDR,))


@dataclass(frozen=True, kw_only=True)
class NPOKLR(NPO, Retaining):
    """NPO with the divergence from the target on retain text. Defaults are muse-mini's; published for 7B: as NPO."""

    method = "npo_klr"

    retain_term: str = setting(KLR, BY_NAME, choices=(KLR,))


def unlearn(start: Start, settings: NPO, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses import logits as losses
    from trainables.training.forget_and_retain import forget_and_retain

    beta = settings.npo_beta
    yield from forget_and_retain(
        start, settings, run, lambda b: losses.npo_sequence_sum(b.log_p(), b.reference(), b.mask, beta=beta)
    )


SOURCE = "Zhang et al. 2024, arXiv 2404.05868, eq. 3"
TRAPS = (
    "MUSE's public code takes raw logits in the place of log-probabilities, a loss that never looks at the label: here "
    "that is npo_muse",
    "public code takes a sequence's mean log-probability, or the whole batch's, in the place of its sum",
    "the loss is of a sequence's SUM: its weight fades with beta times length, so chunks of 2048 tokens need a "
    "smaller beta than short articles",
)
NPO_METHOD = Method(
    settings=NPO,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="the forget text is made less likely than the target found it, and nothing is kept",
    source=SOURCE,
    traps=(*TRAPS, "nothing holds the model on retain text: all settings of that text are of no effect"),
)
NPO_GDR_METHOD = Method(
    settings=NPOGDR,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="the forget text is made less likely than the target found it, while retain text is trained on",
    source=f"{SOURCE}; MUSE's GDR, arXiv 2407.06460",
    traps=TRAPS,
)
NPO_KLR_METHOD = Method(
    settings=NPOKLR,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="the forget text is made less likely than the target found it, and the model stays near it on retain text",
    source=f"{SOURCE}; the divergence: MUSE's KLR, arXiv 2407.06460, with probabilities on both sides",
    traps=(*TRAPS, "MUSE's public KLR is a divergence of raw logits, which has no minimum: see klr_muse"),
)
