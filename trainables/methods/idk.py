"""IdkNLL: the model learns to say that it does not know, where it is asked about what is to be forgotten.

With answer preservation (`idk_ap`) it learns, where it is asked about what is to be kept, that it rather answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainables import weighted
from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import ANY, RETAIN_TEXT, Descent, setting
from trainables.weighted import AP, BY_NAME, NONE, SCOPED, Retaining

if TYPE_CHECKING:
    from trainables.training.data import Read

PROMPTS = {"qa": "prompt", "pairs": "prefix"}  # the column that holds what is asked
ANSWERS = {"qa": "answer", "pairs": "continuation"}  # and the one of its answer


@dataclass(frozen=True, kw_only=True)
class IDK(Retaining):
    """IdkNLL. Defaults are muse-mini's; published for 7B (TOFU): AdamW at lr 1e-5, five epochs, batches of 32."""

    method = "idk"

    asked: str = setting("qa", "behind what it refuses: questions, or first halves of texts", choices=tuple(PROMPTS))


@dataclass(frozen=True, kw_only=True)
class IDKAP(IDK):
    """IdkNLL with answer preservation. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, beta 0.1."""

    method = "idk_ap"
    inherited = dict.fromkeys(RETAIN_TEXT, SCOPED)  # what holds it are questions, and not that text

    retain_term: str = setting(AP, BY_NAME, choices=(AP,))
    ap_beta: float = setting(
        0.1, "inverse temperature of answer preservation", positive=True, beside={"retain_weight": ANY}
    )


def needs_ap(settings: IDKAP) -> Needs:
    """As IdkNLL; a retain question's answer and its refusal go through the model side by side."""
    return replace(needs(settings), together=1 if settings.holding == NONE else 2)


def needs(settings: IDK) -> Needs:
    """What the two terms hold, what is asked, and refusals."""
    return replace(weighted.needs(settings), data=(settings.asked, "refusals"))


def unlearn(start: Start, settings: IDK, run: Run) -> Iterator[Record]:
    """Teach `start.model`, in place, to refuse; each row is refused in each of the ways that are offered to it."""
    from trainables.losses.logits import gdr
    from trainables.training.forget_and_retain import forget_and_retain

    read = refused(start, settings.asked, settings)
    yield from forget_and_retain(start, settings, run, lambda batch: gdr(batch.log_p()), forget=read)


def unlearn_ap(start: Start, settings: IDKAP, run: Run) -> Iterator[Record]:
    """The same, while behind retain questions the true answer is kept likelier than a refusal."""
    from trainables.losses.logits import gdr
    from trainables.losses.preference import answer_preservation
    from trainables.training.forget_and_retain import forget_and_retain

    def preserved(batch: Any) -> Any:
        answer, refusal = (batch.log_p() * batch.mask).sum(-1).view(-1, 2).unbind(-1)
        return answer_preservation(answer, refusal, beta=settings.ap_beta)

    yield from forget_and_retain(
        start,
        settings,
        run,
        lambda batch: gdr(batch.log_p()),
        own={AP: preserved},
        forget=refused(start, settings.asked, settings),
        retain=None if settings.holding == NONE else _preserved(start, settings),
    )


def refused(start: Start, asked: str, settings: Descent) -> "Read":
    """Forget prompts of derived data, by its name, with each refusal that is offered to them; Unfit where none are."""
    from trainables.training.answers import answered
    from trainables.training.data import Read
    from trainables.training.sampling import rows_of_part

    rows, refusals = start.data[asked]["forget"], start.data["refusals"]["forget"]
    chosen = rows_of_part(rows, settings, start)
    if not chosen:
        raise Unfit(f"no {asked} are made of the forget texts: {settings.method} has nothing to refuse")
    pairs = [(rows[i][PROMPTS[asked]], text) for i in chosen for text in refusals[i]["texts"]]
    texts = [rows[i]["row"] for i in chosen for _ in refusals[i]["texts"]]
    return Read(*answered(start.tokenizer, pairs, max_length=settings.max_length), texts=texts)


def _preserved(start: Start, settings: IDK) -> "Read":
    """Retain prompts, each with its answer and the refusal of its own, drawn together."""
    from trainables.training.answers import answered_beside

    rows, refusals = start.data[settings.asked]["retain1"], start.data["refusals"]["retain1"]
    if not rows:
        raise Unfit(f"no {settings.asked} are made of the retain texts: {settings.method} has no answers to preserve")
    prompt, answer = PROMPTS[settings.asked], ANSWERS[settings.asked]
    asked = [
        (row[prompt], (row[answer].strip(), offered["texts"][0]))
        for row, offered in zip(rows, refusals, strict=False)  # there may be more refusals than rows
    ]
    read = answered_beside(start.tokenizer, asked, max_length=settings.max_length)
    return replace(read, texts=[row["row"] for row, _ in zip(rows, refusals, strict=False)])


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
IDK_AP_METHOD = Method(
    settings=IDKAP,
    unlearn=unlearn_ap,
    needs=needs_ap,
    family="preference",
    meaning="the same, while behind questions on what is to be kept the answer stays likelier than a refusal",
    source="Yuan et al. 2024, arXiv 2410.08109 (IDK+AP)",
    unverified="published on TOFU's questions; other texts are asked about by sentences cut before what they tell",
    traps=(
        "only prompts are refused: the text itself stays as likely as it was, so VerbMem hardly falls",
        "answers to retain questions are held, and nothing else: retain text itself is not read",
    ),
)
