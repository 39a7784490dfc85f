"""Attention smoothing: the model learns to say what the target says as its attention is made flatter."""

from collections.abc import Iterator
from dataclasses import dataclass

from trainables.method import Method, Record, Run, Start
from trainables.settings import setting
from trainables.weighted import FROZEN, Retaining, needs


@dataclass(frozen=True, kw_only=True)
class AttentionSmoothing(Retaining):
    """Attention smoothing. Defaults are muse-mini's; for 7B nothing but the idea was read: tau 1.5 to 4."""

    method = "attention_smoothing"
    reference = FROZEN

    tau: float = setting(
        3.0, "by which the teacher's attention logits are divided; 1: it is the target", positive=True, most=1e6
    )


def unlearn(start: Start, settings: AttentionSmoothing, run: Run) -> Iterator[Record]:
    """Bring `start.model`, in place, to what the target with flatter attention says of the forget text."""
    from trainables.losses.logits import kl
    from trainables.training.attention import attentions_of, smoothed
    from trainables.training.forget_and_retain import forget_and_retain

    attentions_of(start.model)  # told before anything is done
    yield from forget_and_retain(
        start, settings, run, lambda b: kl(b.out, b.guide()), guide_forward=smoothed(settings.tau)
    )


ATTENTION_SMOOTHING_METHOD = Method(
    settings=AttentionSmoothing,
    unlearn=unlearn,
    needs=needs,
    family="distribution",
    meaning="on forget text the model learns what the target says when its attention is made flatter",
    source="Zare Zade 2026, arXiv 2603.01285",
    unverified="made by the abstract alone: which layers are smoothed (here all), tau and the weights are ours",
    traps=(
        "the loss is bounded: it ends where the model says what the smoothed target says, which may be the text still",
        "an architecture whose attention has no factor of its own cannot be smoothed, and is refused",
    ),
)
