"""MUSE's baselines as its public code computes them, on raw logits: only to reproduce the published rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trainables.method import Method, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import BY_NAME, FROZEN, GDR, NONE, Retaining, needs

if TYPE_CHECKING:
    from trainables.training.forget_and_retain import Loss

KLR_MUSE = "klr_muse"  # the retain term


@dataclass(frozen=True, kw_only=True)
class KLRMuse(Retaining):
    """The published GA_KLR. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, 10 epochs on News."""

    method = "klr_muse"

    retain_term: str = setting(KLR_MUSE, BY_NAME, choices=(KLR_MUSE,))


@dataclass(frozen=True, kw_only=True)
class NPOMuse(Retaining):
    """The published NPO, NPO_GDR and NPO_KLR. Defaults are muse-mini's; for 7B: AdamW at lr 1e-5, beta 0.1."""

    method = "npo_muse"
    reference = FROZEN

    npo_beta: float = setting(0.1, "inverse temperature, on each logit", positive=True)
    retain_term: str = setting(
        GDR, "what holds the model on retain text; klr_muse is no divergence", choices=(GDR, KLR_MUSE, NONE)
    )


def unlearn_klr(start: Start, settings: KLRMuse, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place, by ascent."""
    from trainables.losses import logits as losses
    from trainables.training.forget_and_retain import forget_and_retain

    yield from forget_and_retain(start, settings, run, lambda b: losses.ll(b.log_p()), own=_own())


def unlearn_npo(start: Start, settings: NPOMuse, run: Run) -> Iterator[Record]:
    """Lower the logits of all words on the forget text, in `start.model`, in place."""
    from trainables.losses import raw_logits as losses
    from trainables.training.forget_and_retain import forget_and_retain

    beta = settings.npo_beta
    yield from forget_and_retain(
        start, settings, run, lambda b: losses.npo_muse(b.out, b.guide(), beta=beta), own=_own()
    )


def _own() -> dict[str, "Loss"]:
    """The retain term that only these have."""
    from trainables.losses.raw_logits import klr_muse

    return {KLR_MUSE: lambda b: klr_muse(b.out, b.guide(), b.mask)}


TRAPS = (
    "not for use: kept to set its figures beside the published ones",
    "published: weights and AdamW's updates in bf16, where most of an update of 1e-5 is lost; here weights are fp32, "
    "and move further at the same rate",
    "published: the first checkpoint whose KnowMem_f is the retrained model's or lower; here every one is a candidate",
    "published: the last position of a chunk, which predicts nothing, counts too; here it does not",
)
KLR_MUSE_METHOD = Method(
    settings=KLRMuse,
    unlearn=unlearn_klr,
    needs=needs,
    family="ascent",
    meaning="ascent with MUSE's raw-logit term on retain text, which has no minimum; for its published GA_KLR alone",
    source="Shi et al. 2024, arXiv 2407.06460, its public code",
    traps=(*TRAPS, "the retain term pushes up the largest logits for ever, summed over a sequence: see ga_klr"),
)
NPO_MUSE_METHOD = Method(
    settings=NPOMuse,
    unlearn=unlearn_npo,
    needs=needs,
    family="preference",
    meaning="MUSE's raw-logit form of NPO, which never looks at the label; for its published NPO rows alone",
    source="Shi et al. 2024, arXiv 2407.06460, its public code",
    traps=(*TRAPS, "at the start its gradient is the same on every logit, which changes no probability: see npo"),
)
