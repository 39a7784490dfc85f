"""Direct preference optimisation: behind a question another answer is preferred over the one to be forgotten.

What is preferred is a refusal (`dpo`), or an alternative that is wrong (`altpo`). How likely the target found each
answer is its reference, taken once: so the answers of a question stay the same through a run.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables import weighted
from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import CACHED, Retaining

if TYPE_CHECKING:
    from trainables.training.data import Read
    from trainables.training.forget_and_retain import Loss

ASKED = {"qa": ("prompt", "answer"), "pairs": ("prefix", "continuation")}  # columns: what is asked, and what is true
Asked = tuple[str, Sequence[str]]  # a prompt and the answers behind it, the true one last


@dataclass(frozen=True, kw_only=True)
class DPO(Retaining):
    """IdkDPO. Defaults are muse-mini's; published for 7B (TOFU): AdamW at lr 1e-5, beta 0.1, batches of 32."""

    method = "dpo"
    reference = CACHED

    dpo_beta: float = setting(0.1, "inverse temperature, on the log-probability of a whole answer", positive=True)
    asked: str = setting(
        "qa", "behind what a refusal is preferred: questions, or halves of texts", choices=tuple(ASKED)
    )


def needs_dpo(settings: DPO) -> Needs:
    """What the two terms hold, what is asked, and refusals; two answers go through the model side by side."""
    return replace(weighted.needs(settings), data=(settings.asked, "refusals"), together=2)


def unlearn_dpo(start: Start, settings: DPO, run: Run) -> Iterator[Record]:
    """Have `start.model`, in place, prefer a refusal over the true answer; each row has one of its own."""
    from trainables.training.answers import answered_beside
    from trainables.training.data import choose_fraction
    from trainables.training.forget_and_retain import forget_and_retain

    rows, refusals = start.data[settings.asked]["forget"], start.data["refusals"]["forget"]
    if not rows:
        raise Unfit(f"no {settings.asked} are made of the forget texts: dpo has nothing to refuse")
    prompt, answer = ASKED[settings.asked]
    chosen = choose_fraction(len(rows), settings.forget_fraction, seed=settings.seed)
    asked = [(rows[i][prompt], (refusals[i]["texts"][0], rows[i][answer].strip())) for i in chosen]
    read = answered_beside(start.tokenizer, asked, max_length=settings.max_length)
    yield from forget_and_retain(start, settings, run, _preferring(read, settings.dpo_beta), forget=read)


def _preferring(read: "Read", beta: float) -> "Loss":
    """DPO's loss of a batch, in which the last answer of each question is the true one."""
    from trainables.losses.preference import dpo

    return lambda b: dpo(((b.log_p() - b.reference()) * b.mask).sum(-1).view(-1, read.together), beta=beta)


DPO_METHOD = Method(
    settings=DPO,
    unlearn=unlearn_dpo,
    needs=needs_dpo,
    family="preference",
    meaning="a refusal is preferred over the true answer behind questions on what is to be forgotten",
    source="Maini et al. 2024, arXiv 2401.06121 (IdkDPO); Rafailov et al. 2023, arXiv 2305.18290, eq. 7",
    unverified="published on TOFU's questions; here the questions are sentences cut before what they tell",
    traps=(
        "only answers behind prompts are learned: the text itself stays about as likely, so VerbMem hardly falls",
        "public code draws a refusal anew each time, and has a whole second model for its reference: here a row's "
        "refusal is fixed by the seed, and the target's log-probabilities are taken once",
        "utility falls as the model drifts, and refusals spread to what is to be kept",
    ),
)
