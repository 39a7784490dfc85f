"""SimNPO: negative preference optimisation without a reference, on the mean log-probability of a sequence."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import Retaining, needs


@dataclass(frozen=True, kw_only=True)
class SimNPO(Retaining):
    """SimNPO. Defaults are muse-mini's; published for 7B (TOFU): AdamW at lr 1e-5, beta 2.5, forget weight 0.1375."""

    method = "simnpo"

    simnpo_beta: float = setting(2.5, "inverse temperature, on the mean log-probability of a sequence", positive=True)
    simnpo_gamma: float = setting(0.0, "margin: the larger, the further what is unlikely already is lowered")


def unlearn(start: Start, settings: SimNPO, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses.logits import simnpo
    from trainables.training.forget_and_retain import forget_and_retain

    beta, gamma = settings.simnpo_beta, settings.simnpo_gamma
    yield from forget_and_retain(start, settings, run, lambda b: simnpo(b.log_p(), b.mask, beta=beta, gamma=gamma))


SIMNPO_METHOD = Method(
    settings=SimNPO,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="the forget text is made less likely, the more so the likelier it still is, whatever the target found",
    source="Fan et al. 2024, arXiv 2410.07163",
    traps=(
        "the paper's public code for MUSE takes raw logits in the place of log-probabilities: its beta of 0.7 and "
        "retain weight of 0.1 are of that loss",
        "public code divides by label counts that are not shifted: one too many where the first token has a label",
        "where public code says delta, gamma is beta times delta",
        "code of others leaves out the division by a sequence's length, and sums over the batch",
    ),
)
