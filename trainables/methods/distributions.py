"""Methods that give the model another distribution to learn on forget text: lowered, without the token, or uniform."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import FROZEN, GDR, KLR, NONE, RETAIN_TERM, Retaining, needs


@dataclass(frozen=True, kw_only=True)
class Undial(Retaining):
    """UNDIAL. Defaults are muse-mini's; published for 7B: LoRA, AdamW at lr 1e-4, strength 10, no retain term."""

    method = "undial"
    reference = FROZEN

    undial_strength: float = setting(10.0, "nats by which a token's logit lies below the target's in what is learned")
    retain_term: str = setting(NONE, RETAIN_TERM, choices=(NONE, GDR, KLR))


@dataclass(frozen=True, kw_only=True)
class CEU(Retaining):
    """CE-U. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, batches of 32, no retain term."""

    method = "ceu"

    lr: float = setting(1e-4, "learning rate", positive=True)
    skip_first: int = setting(1, "tokens at the beginning of a sequence that are left as they are")
    retain_term: str = setting(NONE, RETAIN_TERM, choices=(NONE, GDR, KLR))


@dataclass(frozen=True, kw_only=True)
class MEGD(Retaining):
    """Maximal entropy. Defaults are muse-mini's; published for 7B: AdamW at lr 1e-5, forget weight 0.1."""

    method = "me_gd"

    forget_weight: float = setting(0.2, "weight of the forget loss")


def unlearn_by_undial(start: Start, settings: Undial, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses.distributions import undial
    from trainables.training.forget_and_retain import forget_and_retain

    strength = settings.undial_strength
    yield from forget_and_retain(start, settings, run, lambda b: undial(b.out, b.guide(), b.targets, strength=strength))


def unlearn_by_ceu(start: Start, settings: CEU, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses.distributions import ceu
    from trainables.training.forget_and_retain import forget_and_retain

    yield from forget_and_retain(start, settings, run, lambda b: ceu(b.out, b.targets), skip=settings.skip_first)


def unlearn_by_me_gd(start: Start, settings: MEGD, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place."""
    from trainables.losses.logits import mismatch
    from trainables.training.forget_and_retain import forget_and_retain

    yield from forget_and_retain(start, settings, run, lambda b: mismatch(b.out))


UNDIAL_METHOD = Method(
    settings=Undial,
    unlearn=unlearn_by_undial,
    needs=needs,
    family="distribution",
    meaning="the model learns the target's own distribution with the logit of each forget token lowered",
    source="Dong et al. 2024, arXiv 2402.10052",
    traps=(
        "public code lowers word V - 100 at every position without a label, and takes its mean over these too: here "
        "positions with a label alone count",
    ),
)
CEU_METHOD = Method(
    settings=CEU,
    unlearn=unlearn_by_ceu,
    needs=needs,
    family="distribution",
    meaning="the model learns its own distribution without the forget token, so that what came next takes its place",
    source="Yang 2025, arXiv 2503.01224",
    traps=(
        "the distribution without a token is 0/0 where its probability is 1 in fp32: here a softmax of the others",
        "public code leaves out the first tokens of an ANSWER: of plain text, those at the beginning of a sequence",
    ),
)
ME_GD_METHOD = Method(
    settings=MEGD,
    unlearn=unlearn_by_me_gd,
    needs=needs,
    family="distribution",
    meaning="the model learns to know nothing of what comes next in forget text, and is trained on retain text",
    source="Yuan et al. 2024, arXiv 2410.08109",
    traps=(
        "published with questions and padding labelled too: here with text alone",
        "public code adds 1e-12 inside the logarithm, a floor that bf16 does not see: here none is needed",
    ),
)
