"""Iterative contrastive unlearning: ascent on forget text, descent on its nearest neighbour, until it is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables import weighted
from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import Descent, setting
from trainables.weighted import Weighted

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class ICU(Weighted):
    """ICU. Defaults are muse-mini's; published for 7B: Adam with betas (0.9, 0.98) at lr 5e-6, batches of 8."""

    method = "icu"
    inherited = dict(Descent.inherited) | dict.fromkeys(("unrelated_texts",))  # it reads retain text, and no other

    pair_weight: float = setting(0.5, "weight of cross-entropy on the nearest retain text of each forget text")
    kl_weight: float = setting(1.0, "weight of its divergence from the target there")
    forgotten_below: float = setting(
        0.3, "ROUGE-L of what is written behind the beginning of a forget text, below which it leaves", most=1
    )
    look_every: int = setting(0, "steps between two looks at what is forgotten; 0: an epoch")
    sampling: str = setting(
        "random", "of pairs: with replacement, or each in turn in a shuffled order", choices=("random", "cyclic")
    )
    module_neighbours: int = setting(4, "of no effect: pairs are the method's own", positive=True, most=8, beside=None)
    module_general: int = setting(4, "of no effect: pairs are the method's own", most=8, beside=None)
    regularisation: str = setting("retain", "of what text neighbours are: the retain set", choices=("retain",))

    @property
    def pairs(self) -> bool:
        """Whether the neighbours have a weight."""
        return self.pair_weight > 0 or self.kl_weight > 0


def needs(settings: ICU) -> Needs:
    """The target beside the student, for its divergence, and which retain text is next to what."""
    guided = settings.kl_weight > 0
    return replace(weighted.needs(settings), frozen=guided, guided=guided, data=("neighbours",))


def pair_loss(log_p: "Tensor", student: "Tensor", target: "Tensor | None", settings: ICU) -> "Tensor":
    """`l (-log p) + k (-sum_v p0 log p)` of each token of a neighbour: [B, T]; without k the target is not there.

    The second differs from the divergence by the entropy of the target alone. Source: Tang et al. 2024, arXiv
    2407.20271.
    """
    from trainables.losses.logits import gdr

    own = settings.pair_weight * gdr(log_p)
    return own if target is None else own + settings.kl_weight * soft_cross_entropy(student, target)


def soft_cross_entropy(student: "Tensor", target: "Tensor") -> "Tensor":
    """Cross-entropy of the student against the target's distribution, `-sum_v p0 log p`, from logits: [B, T]."""
    from trainables.losses.logits import by_chunk

    def of_chunk(student: "Tensor", target: "Tensor") -> "Tensor":
        return -(target.float().softmax(-1) * student.float().log_softmax(-1)).sum(-1)

    return by_chunk(of_chunk, student, target)


def unlearn(start: Start, settings: ICU, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place; what is forgotten leaves with its neighbour."""
    from trainables.losses.logits import ll
    from trainables.methods.continuing import told
    from trainables.subjects.positions import most_positions
    from trainables.training import descend as loop
    from trainables.training.leaving import Leaving
    from trainables.training.parallel import lay_out
    from trainables.training.scope import scope_terms
    from trainables.training.teacher import make_teacher
    from trainables.training.trainable import prepare

    needed = needs(settings)
    student = prepare(start.model, needed.trainable, settings.seed)
    frozen = make_teacher(student) if needed.frozen else None  # which nothing ever moves
    lay_out([model for model in (student, frozen) if model is not None], settings, run.world)
    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=settings.forget_weight,
        loss=(lambda b: ll(b.log_p())) if settings.forget_weight else None,
    )
    pairs = loop.Term(
        name="pair_loss",
        sequences=[start.retain[i] for i in neighbours(start)],
        stream=loop.FORGET,  # drawn as what it is next to
        weight=1.0,
        loss=(lambda b: pair_loss(b.log_p(), b.out, b.guide_out, settings)) if settings.pairs else None,
        guide=frozen,
    )

    def forgotten() -> list[bool]:
        return [value < settings.forgotten_below for value in told(start, start.forget, settings, run.world)]

    cost = float(len(start.forget))  # about a sequence is read and written
    hook = Leaving(settings, len(start.forget), settings.look_every, forgotten, cost)
    scope = scope_terms(start, settings, most_positions(student.config))
    yield from loop.descend(student, (forget, pairs, *scope), settings, run, start, hook=hook)


def neighbours(start: Start) -> list[int]:
    """Of each forget sequence the retain sequence that begins the text nearest to its own; Unfit where none is."""
    retain = start.cut_from.get("retain", range(len(start.retain)))
    first = {text: place for place, text in reversed(list(enumerate(retain)))}
    nearest = {row["row"]: row["neighbours"] for row in start.data["neighbours"]["forget"]}
    found = []
    for text in start.cut_from.get("forget", range(len(start.forget))):
        there = [first[other] for other in nearest[text] if other in first]
        if not there:
            raise Unfit(f"icu pairs each forget text with a retain text, and text {text} has none")
        found.append(there[0])
    return found


ICU_METHOD = Method(
    settings=ICU,
    unlearn=unlearn,
    needs=needs,
    family="ascent",
    meaning="the forget text is made less likely, its nearest retain text is learned, and what is forgotten leaves",
    source="Tang et al. 2024, arXiv 2407.20271",
    unverified="what is forgotten is told by ROUGE-L of what is written greedily, where the paper takes BERTScore "
    "below 0.3 or BLEU below 0.01 with two beams; neighbours are by tf-idf, where it takes sentence embeddings; AdamW "
    "has Lethe's betas",
    traps=(
        "it stops when every text has left: later steps move nothing, and their candidates are the same",
        "public code gives a mean of nothing where all rows of a batch have left: here only what is left is drawn",
        "public code keeps the target's distribution of each row, 40 MB: here a copy of the target gives it anew",
    ),
)
