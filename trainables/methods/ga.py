"""Gradient ascent: the log-likelihood of the forget text is lowered, without any bound."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import BY_NAME, GDR, KLR, Retaining, Weighted, needs


@dataclass(frozen=True, kw_only=True)
class GA(Weighted):
    """Ascent alone. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, one epoch."""

    method = "ga"

    lr: float = setting(2e-4, "learning rate", positive=True)


@dataclass(frozen=True, kw_only=True)
class GAGDR(Retaining):
    """Ascent with cross-entropy on retain text. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5."""

    method = "ga_gdr"

    retain_term: str = setting(GDR, BY_NAME, choices=(GDR,))


@dataclass(frozen=True, kw_only=True)
class GAKLR(Retaining):
    """Ascent with the divergence from the target on retain text. Defaults are muse-mini's; for 7B: as GAGDR."""

    method = "ga_klr"

    retain_term: str = setting(KLR, BY_NAME, choices=(KLR,))


def unlearn(start: Start, settings: Weighted, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses import logits as losses
    from trainables.training.forget_and_retain import forget_and_retain

    yield from forget_and_retain(start, settings, run, lambda b: losses.ll(b.log_p()))


SOURCE = "Jang et al. 2022, arXiv 2210.01504"
TRAPS = (
    "unbounded: it goes on when all is forgotten, and takes the rest of the model with it within an epoch or two",
    "a token of probability 1 has no gradient: what is known by heart starts late",
    "public code labels padding, or takes its mean on each device: here over the tokens of the whole batch",
)
GA_METHOD = Method(
    settings=GA,
    unlearn=unlearn,
    needs=needs,
    family="ascent",
    meaning="the forget text is made less likely, without bound, and nothing is kept",
    source=f"{SOURCE}; MUSE's baseline, arXiv 2407.06460",
    traps=(*TRAPS, "nothing holds the model on retain text: all settings of that text are of no effect"),
)
GA_GDR_METHOD = Method(
    settings=GAGDR,
    unlearn=unlearn,
    needs=needs,
    family="ascent",
    meaning="the forget text is made less likely, without bound, while retain text is trained on",
    source="Liu et al. 2022, arXiv 2203.12817 (GradDiff); MUSE's GDR, arXiv 2407.06460",
    traps=TRAPS,
)
GA_KLR_METHOD = Method(
    settings=GAKLR,
    unlearn=unlearn,
    needs=needs,
    family="ascent",
    meaning="the forget text is made less likely, without bound, and the model stays near the target on retain text",
    source="Maini et al. 2024, arXiv 2401.06121 (KL minimisation); MUSE's KLR, arXiv 2407.06460",
    traps=(
        *TRAPS,
        "MUSE's published rows are of another loss, on raw logits: here that is klr_muse",
        "TOFU's and open-unlearning's mean runs over padding too, which weakens the term by the share of padding",
        "WAGLE's is a cross-entropy against the reference's log-probabilities, least at its single likeliest token",
    ),
)
