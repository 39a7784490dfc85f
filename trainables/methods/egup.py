"""Entanglement-guided unlearning with a proxy constraint: forget texts weigh by how near they are to what is kept.

The loss of NPO is weighted by row, more where a text is like retained ones, less where it has already moved; and a text
that has become less likely than text which no model has read is pulled back.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trainables import weighted
from trainables.method import Method, Needs, Record, Run, Sequences, Start
from trainables.methods.npo import NPOGDR
from trainables.settings import ANY, setting

if TYPE_CHECKING:
    from torch import Tensor

NEAREST = 5  # retain texts by which a forget text's entanglement goes
ROW = "row_"  # begins the names of the numbers that say how much of each forget sequence is left to do


@dataclass(frozen=True, kw_only=True)
class EGUP(NPOGDR):
    """EGUP on NPO with cross-entropy on retain text. Defaults are muse-mini's; no published values were read."""

    method = "egup"

    egup_tau: float = setting(
        0.1, "temperature of the weights by nearness to retain text: the larger the more alike", positive=True
    )
    proxy_weight: float = setting(
        1.0, "weight of the bound, which is the target's loss on text that nobody read", beside={"forget_weight": ANY}
    )
    egup_shift: float = setting(
        0.5, "of a forget text's mean hidden state, as 1 - cosine, at which its weight is 0", positive=True, most=2
    )
    shift_every: int = setting(5, "steps between two looks at that shift", positive=True)


def needs(settings: EGUP) -> Needs:
    """As NPO, and text that no model has read."""
    return replace(weighted.needs(settings), data=("proxy",))


def entanglement(forget: "Tensor", retain: "Tensor", tau: float) -> "Tensor":
    """`w_i = n exp(s_i / tau) / sum_j exp(s_j / tau)`, whose mean is 1: [n], of states [n, d] and [m, d].

    `s_i` is the mean of a text's five largest cosines to retain texts.
    """
    from torch.nn.functional import normalize

    cosines = normalize(forget.double(), dim=-1) @ normalize(retain.double(), dim=-1).T  # [n, m]
    near = cosines.topk(min(NEAREST, cosines.shape[1])).values.mean(-1)
    return weights_of(near, tau)


def weights_of(near: "Tensor", tau: float) -> "Tensor":
    """The softmax of `near / tau`, times how many there are."""
    return len(near) * (near / tau).softmax(0)


def left_to_do(now: "Tensor", before: "Tensor", shift: float) -> "Tensor":
    """`v_i = max(0, 1 - d_i / d*)`, d_i = 1 - cosine of a text's mean state now and before: [n], of states [n, d]."""
    from torch.nn.functional import cosine_similarity

    moved = 1 - cosine_similarity(now.double(), before.double(), dim=-1)
    return (1 - moved / shift).clamp(min=0, max=1)


def beyond(log_p: "Tensor", mask: "Tensor", level: float) -> "Tensor":
    """`max(0, nll_i - l*)^2` of each sequence, nll_i its mean over tokens: [B]."""
    nll = -(log_p * mask).sum(-1) / mask.sum(-1).clamp(min=1)
    return (nll - level).clamp(min=0) ** 2


def unlearn(start: Start, settings: EGUP, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    import torch

    from trainables.losses.logits import npo_sequence_sum
    from trainables.training.data import chunk_texts
    from trainables.training.descend import FORGET, Batch, Hook, Term
    from trainables.training.forget_and_retain import forget_and_retain
    from trainables.training.hidden import mean_states
    from trainables.training.initial import initial_loss

    target = start.model.to(run.world.device)
    texts = [row["text"] for row in start.data["proxy"]["new"]]
    unread = chunk_texts(start.tokenizer, texts, max_length=settings.max_length)
    level = initial_loss(target, replace(start, retain=unread), settings, run.world)

    def states(sequences: Sequences) -> "Tensor":
        return mean_states(start.model, sequences, batch_size=settings.micro_batch_size, pad=start.pad)

    before = states(start.forget)
    weights = entanglement(before, states(start.retain), settings.egup_tau).tolist()

    class Entangled(Hook):
        def __init__(self) -> None:
            super().__init__(settings)
            self.kept.update({f"{ROW}{i}": 1.0 for i in range(len(weights))})

        def between(self, step: int) -> float:
            if step == 1 or (step - 1) % settings.shift_every:
                return 0.0
            left = run.world.share(left_to_do(states(start.forget), before, settings.egup_shift).tolist())
            self.kept.update({f"{ROW}{i}": value for i, value in enumerate(left)})
            return float(len(left))

        def weighed(self, term: Term) -> Term:
            if term.stream != FORGET:
                return term
            left = [weight * self.kept[f"{ROW}{i}"] for i, weight in enumerate(weights)]
            return replace(term, given={"weight": [torch.tensor([weight]) for weight in left]})

    def loss(batch: Batch) -> "Tensor":
        log_p, bound = batch.log_p(), settings.proxy_weight / settings.forget_weight
        npo = npo_sequence_sum(log_p, batch.reference(), batch.mask, beta=settings.npo_beta)
        return batch.given["weight"][:, 0] * npo + bound * beyond(log_p, batch.mask, level)

    once = len(start.forget) + len(start.retain) + len(unread)
    start = replace(start, spent=start.spent + once)
    yield from forget_and_retain(start, settings, run, loss, hook=Entangled())


EGUP_METHOD = Method(
    settings=EGUP,
    unlearn=unlearn,
    needs=needs,
    family="preference",
    meaning="as npo_gdr, more on texts that are like retained ones, and no further than text that nobody read",
    source="Liu et al. 2025, arXiv 2508.20443 (EAGLE-PC)",
    unverified="all of it but the idea: no code is public and the abstract was read; both weights, the bound and their "
    "defaults are ours",
    traps=(
        "outside muse-mini the target itself writes the text that nobody read, and finds it likelier than new text",
        "a text that moved as far as egup_shift weighs nothing more, and is held by the bound alone",
    ),
)
