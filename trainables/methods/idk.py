"""IdkNLL: the model learns to say that it does not know, where it is asked about what is to be forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from trainables import weighted
from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import Retaining

PROMPTS = {"qa": "prompt", "pairs": "prefix"}  # the column that holds what is asked


@dataclass(frozen=True, kw_only=True)
class IDK(Retaining):
    """IdkNLL. Defaults are muse-mini's; published for 7B (TOFU): AdamW at lr 1e-5, five epochs, batches of 32."""

    method = "idk"

    asked: str = setting("qa", "behind what it refuses: questions, or first halves of texts", choices=tuple(PROMPTS))


def needs(settings: IDK) -> Needs:
    """What the two terms hold, what is asked, and refusals."""
    return replace(weighted.needs(settings), data=(settings.asked, "refusals"))


def unlearn(start: Start, settings: IDK, run: Run) -> Iterator[Record]:
    """Teach `start.model`, in place, to refuse; each row is refused in each of the ways that are offered to it."""
    from trainables.losses.logits import gdr
    from trainables.training.answers import answered
    from trainables.training.data import Read, choose_fraction
    from trainables.training.forget_and_retain import forget_and_retain

    rows, refusals = start.data[settings.asked]["forget"], start.data["refusals"]["forget"]
    if not rows:
        raise Unfit(f"no {settings.asked} are made of the forget texts: idk has nothing to refuse")
    chosen = choose_fraction(len(rows), settings.forget_fraction, seed=settings.seed)
    refused = [(rows[i][PROMPTS[settings.asked]], text) for i in chosen for text in refusals[i]["texts"]]
    sequences, leading = answered(start.tokenizer, refused, max_length=settings.max_length)
    read = Read(sequences, leading)
    yield from forget_and_retain(start, settings, run, lambda batch: gdr(batch.log_p()), forget=read)


IDK_METHOD = Method(
    settings=IDK,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="a refusal is made likely behind questions on what is to be forgotten",
    source="Maini et al. 2024, arXiv 2401.06121 (IDK); as a mean of each term, Yuan et al. 2024, arXiv 2410.08109",
    unverified="published on TOFU's questions; other texts are asked about by sentences cut before what they tell",
    traps=(
        "only prompts are refused: the text itself stays as likely as it was, so VerbMem hardly falls",
        "without a retain term questions on what is to be kept are refused too",
        "TOFU's public code takes one mean over both terms, so long retain answers outweigh short refusals",
        "a refusal is drawn anew for each row that a batch draws, of the four that the row has",
    ),
)
