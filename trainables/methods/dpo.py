"""Direct preference optimisation: behind a question another answer is preferred over the one to be forgotten.

What is preferred is a refusal (`dpo`), or an alternative that is wrong (`altpo`). How likely the target found each
answer is its reference, taken once: so the answers of a question stay the same through a run.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from trainables import weighted
from trainables.benchmarks.words import contradicts
from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import CACHED, Retaining

if TYPE_CHECKING:
    from trainables.training.data import Read
    from trainables.training.forget_and_retain import Loss

ASKED = {"qa": ("prompt", "answer"), "pairs": ("prefix", "continuation")}  # columns: what is asked, and what is true
ALTERNATIVES = {"wrong": "object", "own": "answer"}  # the column of what is true
Asked = tuple[str, Sequence[str]]  # a prompt and the answers behind it, the true one last


@dataclass(frozen=True, kw_only=True)
class Preferring(Retaining):
    """What both have in common."""

    reference = CACHED

    dpo_beta: float = setting(0.1, "inverse temperature, on the log-probability of a whole answer", positive=True)


@dataclass(frozen=True, kw_only=True)
class DPO(Preferring):
    """IdkDPO. Defaults are muse-mini's; published for 7B (TOFU): AdamW at lr 1e-5, beta 0.1, batches of 32."""

    method = "dpo"

    asked: str = setting(
        "qa", "behind what a refusal is preferred: questions, or halves of texts", choices=tuple(ASKED)
    )


def needs_dpo(settings: DPO) -> Needs:
    """What the two terms hold, what is asked, and refusals; two answers go through the model side by side."""
    return replace(weighted.needs(settings), data=(settings.asked, "refusals"), together=2)


def unlearn_dpo(start: Start, settings: DPO, run: Run) -> Iterator[Record]:
    """Have `start.model`, in place, prefer a refusal over the true answer; each row has one of its own."""
    from trainables.training.answers import answered_beside
    from trainables.training.forget_and_retain import forget_and_retain
    from trainables.training.sampling import rows_of_part

    rows, refusals = start.data[settings.asked]["forget"], start.data["refusals"]["forget"]
    chosen = rows_of_part(rows, settings, start)
    if not chosen:
        raise Unfit(f"no {settings.asked} are made of the forget texts: dpo has nothing to refuse")
    prompt, answer = ASKED[settings.asked]
    asked = [(rows[i][prompt], (refusals[i]["texts"][0], rows[i][answer].strip())) for i in chosen]
    read = answered_beside(start.tokenizer, asked, max_length=settings.max_length)
    read = replace(read, texts=[rows[i]["row"] for i in chosen])
    yield from forget_and_retain(start, settings, run, _preferring(read, settings.dpo_beta), forget=read)


@dataclass(frozen=True, kw_only=True)
class AltPO(Preferring):
    """AltPO. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5 to 5e-5, beta 0.05 to 0.5, five answers."""

    method = "altpo"

    answers: str = setting(
        "wrong", "what is preferred: wrong objects, or answers that the target writes", choices=tuple(ALTERNATIVES)
    )
    alternatives: int = setting(4, "how many of them behind each question, at most", positive=True, most=5)
    altpo_k: str = setting(
        "rows", "each of them beside the true answer, or the mean of a question's", choices=("rows", "mean")
    )

    @property
    def beside_the_truth(self) -> int:
        """Alternatives that are compared with a true answer at once."""
        return self.alternatives if self.altpo_k == "mean" else 1


def needs_altpo(settings: AltPO) -> Needs:
    """What the two terms hold, and the alternatives; those that are compared go through the model side by side."""
    return replace(weighted.needs(settings), data=(settings.answers,), together=1 + settings.beside_the_truth)


def unlearn_altpo(start: Start, settings: AltPO, run: Run) -> Iterator[Record]:
    """Have `start.model`, in place, prefer alternatives over the true answers; records say how many were dropped."""
    from trainables.training.answers import answered_beside
    from trainables.training.descend import Telling
    from trainables.training.forget_and_retain import forget_and_retain
    from trainables.training.sampling import rows_of_part

    rows = start.data[settings.answers]["forget"]
    chosen = [rows[i] for i in rows_of_part(rows, settings, start)]
    asked, texts, dropped = _alternatives(chosen, settings)
    if not asked:
        raise Unfit(f"each of the {dropped} alternatives ({settings.answers}) says the true answer, or nothing at all")
    read = replace(answered_beside(start.tokenizer, asked, max_length=settings.max_length), texts=texts)
    loss, told = _preferring(read, settings.dpo_beta), Telling(settings, {"alternatives_dropped": dropped})
    yield from forget_and_retain(start, settings, run, loss, forget=read, hook=told)


def _alternatives(rows: Sequence[Mapping[str, Any]], settings: AltPO) -> tuple[list[Asked], list[int], int]:
    """Prompts with what is compared behind them, of which texts, and how many alternatives said the truth and went.

    Where a mean is over more of them than a question has left, its own are taken in turn.
    """

    asked: list[Asked] = []
    texts: list[int] = []
    dropped = 0
    for row in rows:
        true = row[ALTERNATIVES[settings.answers]].strip()
        offered = row[settings.answers][: settings.alternatives]
        kept = [one.strip() for one in offered if contradicts(one, true)]
        dropped += len(offered) - len(kept)
        if settings.altpo_k == "rows":
            asked += [(row["prompt"], (one, true)) for one in kept]
        elif kept:
            asked.append((row["prompt"], (*islice(cycle(kept), settings.alternatives), true)))
        texts += [row["row"]] * (len(asked) - len(texts))
    return asked, texts, dropped


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
    unverified="published on TOFU's questions; other texts are asked about by sentences cut before what they tell",
    traps=(
        "only answers behind prompts are learned: the text itself stays about as likely, so VerbMem hardly falls",
        "public code draws a refusal anew each time, and has a whole second model for its reference: here a row's "
        "refusal is fixed by the seed, and the target's log-probabilities are taken once",
        "a refusal that was never written rises by tens of nats at once, which alone satisfies the loss: then the true "
        "answer stays nearly as likely",
        "utility falls as the model drifts, and refusals spread to what is to be kept",
    ),
)
ALTPO_METHOD = Method(
    settings=AltPO,
    unlearn=unlearn_altpo,
    needs=needs_altpo,
    family="preference",
    meaning="plausible wrong answers are preferred over the true one behind questions on what is to be forgotten",
    source="Mekala et al. 2024, arXiv 2409.13474",
    unverified="published with five answers of the target to TOFU's questions; here four, or "
    "wrong objects behind sentences that are cut before what they tell",
    traps=(
        "only answers behind prompts are learned: the text itself stays about as likely, so VerbMem hardly falls",
        "a target that knows the answer writes little else: alternatives that say the true answer are dropped and "
        "counted (`alternatives_dropped`), since they cancel themselves",
        "public code has a row for each alternative, as here altpo_k=rows; the paper's mean lies within the sigmoid",
    ),
)
