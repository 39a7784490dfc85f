"""MEOW: the model is taught answers that contradict the true one, those of some that it finds likeliest itself.

How likely, MEMO says: how well the target continues such an answer from wherever it is cut.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from trainables import weighted
from trainables.benchmarks.words import contradicts
from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import GDR, KLR, NONE, RETAIN_TERM, Retaining

DATA = {"wrong": "memo", "own": "own_memo"}  # by what is taught
CUT = 5  # characters between two cuts of what is derived
LARGEST, SMALLEST, RANDOM = "largest", "smallest", "random"


@dataclass(frozen=True, kw_only=True)
class MEOW(Retaining):
    """MEOW. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, ten epochs, 3 answers of 4."""

    method = "meow"

    answers: str = setting(
        "wrong", "what is taught: wrong objects, or answers that the target writes", choices=tuple(DATA)
    )
    inverted: int = setting(
        4, "how many of them to each question there are to choose from, at most", positive=True, most=5
    )
    top_k: int = setting(3, "how many are taught, at most", positive=True, most=5)
    pick: str = setting(LARGEST, "which of them by MEMO", choices=(LARGEST, SMALLEST, RANDOM))
    memo_stride: int = setting(CUT, f"characters between two cuts of MEMO: a multiple of {CUT}", positive=True)
    retain_term: str = setting(NONE, RETAIN_TERM, choices=(NONE, GDR, KLR))

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.memo_stride % CUT:
            raise ValueError(f"memo_stride is {self.memo_stride}: it must be a multiple of {CUT}")


def needs(settings: MEOW) -> Needs:
    """What the two terms hold, and the answers with their MEMO."""
    return replace(weighted.needs(settings), data=(DATA[settings.answers],))


def unlearn(start: Start, settings: MEOW, run: Run) -> Iterator[Record]:
    """Teach `start.model`, in place, wrong answers; records say how many were dropped since they say the truth."""
    from trainables.losses.logits import gdr
    from trainables.training.answers import answered
    from trainables.training.data import Read
    from trainables.training.descend import Telling
    from trainables.training.forget_and_retain import forget_and_retain
    from trainables.training.sampling import rows_of_part

    rows = start.data[DATA[settings.answers]]["forget"]
    asked: list[tuple[str, str]] = []
    texts: list[int] = []
    dropped = 0
    for number in rows_of_part(rows, settings, start):
        kept, lost = _offered(rows[number], settings)
        asked += [(rows[number]["prompt"], answer) for answer in picked(kept, settings, number)]
        texts += [rows[number]["row"]] * (len(asked) - len(texts))
        dropped += lost
    if not asked:
        raise Unfit(f"each of the {dropped} inverted answers ({settings.answers}) says the true one, or nothing at all")
    read = Read(*answered(start.tokenizer, asked, max_length=settings.max_length), texts=texts)
    told = Telling(settings, {"alternatives_dropped": dropped})
    yield from forget_and_retain(start, settings, run, lambda batch: gdr(batch.log_p()), forget=read, hook=told)


def _offered(row: Mapping[str, Any], settings: MEOW) -> tuple[dict[str, float], int]:
    """The answers that there are to choose from, each once, with their MEMO; and how many were dropped."""

    pairs = list(zip(row["inverted"], row["memo"], strict=True))[: settings.inverted]
    kept = [(answer.strip(), values) for answer, values in pairs if contradicts(answer, row["answer"])]
    step = settings.memo_stride // CUT
    return {answer: fmean(values[::step]) for answer, values in kept}, len(pairs) - len(kept)


def picked(memo: Mapping[str, float], settings: MEOW, row: int) -> Sequence[str]:
    """The answers that are taught, in their order; of two of the same MEMO the first. Random ones hang on the row."""
    if settings.pick == RANDOM:
        import numpy as np

        order = np.random.default_rng((settings.seed, row)).permutation(list(memo)).tolist()
    else:
        order = sorted(memo, key=memo.__getitem__, reverse=settings.pick == LARGEST)
    taught = set(order[: settings.top_k])
    return [answer for answer in memo if answer in taught]


MEOW_METHOD = Method(
    settings=MEOW,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="answers that contradict the true one are taught behind questions on what is to be forgotten",
    source="Gu et al. 2024, arXiv 2409.11844",
    unverified="published with answers of another model to TOFU's questions; here wrong objects "
    "behind sentences that are cut before what they tell, or answers of the target",
    traps=(
        "only answers behind prompts are learned: the true one falls slowly, the text itself hardly",
        "MEMO here is ROUGE-1's F-measure, of words as they stand, over no more tokens than are left: public code "
        "takes the precision of stemmed words, and lets outputs run on",
        "public code takes the answers of the largest MEMO in its script and of the smallest in its class: see `pick`",
        "what is written to weigh answers is derived data, kept in the cache: a step's cost leaves it out",
    ),
)
