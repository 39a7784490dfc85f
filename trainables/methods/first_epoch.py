"""First-epoch ascent: the embeddings of the tokens that are to be forgotten go up the gradient of their loss.

Nothing but rows of the embedding matrix moves, by a length that is a share of its norm; so a step says how far they go,
and not how large the gradient was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import ANY, EMBEDDINGS, RETAIN_TEXT, WithoutAdapters, setting

ALIKE = {"fuzzy": ANY}  # beside which retain text is read
NO_EFFECT = "weight_decay", "mask_density", "mask_mu", "module_neighbours", "module_general"


@dataclass(frozen=True, kw_only=True)
class FirstEpoch(WithoutAdapters):
    """First-epoch ascent. Defaults are muse-mini's; no published values were read.

    Every step is over the whole forget set, so nothing is drawn.
    """

    method = "first_epoch"
    inherited = dict.fromkeys(RETAIN_TEXT, ALIKE) | dict.fromkeys(NO_EFFECT)

    lr: float = setting(0.03, "length of a step, as a share of the norm of the embeddings")
    steps: int = setting(4, "how often the step is repeated", positive=True)
    eval_every: int = setting(1, "steps between two evaluations", positive=True)
    fuzzy: float = setting(
        0.0,
        "retain sequences that are as like a forget sequence, by difflib's ratio, are unlearned too; 0: none",
        most=1,
    )
    optimizer: str = setting("sgd", "plain descent: sgd", choices=("sgd",))
    momentum: float = setting(0.0, "of which this method has none: 0", most=0, beside=None)
    warmup_steps: int = setting(0, "of which this method has none: 0", most=0, beside=None)
    clip: float = setting(1.0, "of no effect: steps have a length of their own", positive=True, beside=None)
    sampling: str = setting("cyclic", "all sequences in each step: cyclic", choices=("cyclic",))
    batch_size: int = setting(8, "of no effect: a step is over all sequences", positive=True, beside=None)
    mask: str = setting("none", "of no effect: it moves rows of its own choice", choices=("none",))
    freeze: bool = setting(True, "of no effect: nothing but embeddings is ever trained", beside=None)
    parallel: str = setting("ddp", "whole models on each worker, of whose embeddings it takes rows", choices=("ddp",))

    @property
    def trainable(self) -> str:
        """Which weights move."""
        return EMBEDDINGS


def needs(settings: FirstEpoch) -> Needs:
    """Nothing beside the student."""
    return Needs(trainable=EMBEDDINGS)


def alike(forget: Sequence[Sequence[int]], others: Sequence[Sequence[int]], ratio: float) -> list[int]:
    """Which of the others are like any forget sequence, by difflib's ratio of token ids; none where the ratio is 0."""
    from difflib import SequenceMatcher

    found: list[int] = []
    matcher: SequenceMatcher[int] = SequenceMatcher(None, (), (), autojunk=False)
    for place, other in enumerate(others if ratio else ()):
        matcher.set_seq2(other)
        for ids in forget:
            matcher.set_seq1(ids)
            bounds = (matcher.real_quick_ratio, matcher.quick_ratio, matcher.ratio)  # each below the one before
            if all(bound() >= ratio for bound in bounds):
                found.append(place)
                break
    return found


def unlearn(start: Start, settings: FirstEpoch, run: Run) -> Iterator[Record]:
    """Unlearn the forget text from `start.model`, in place: rows of its embeddings move, of tokens in that text."""
    import torch

    from trainables.losses.logits import ll
    from trainables.training import descend as loop
    from trainables.training.parallel import lay_out
    from trainables.training.trainable import prepare

    student = prepare(start.model, EMBEDDINGS, settings.seed)
    lay_out((student,), settings, run.world)
    sequences = [*start.forget, *(start.retain[i] for i in alike(start.forget, start.retain, settings.fuzzy))]
    embeddings = student.get_input_embeddings().weight
    rows = torch.zeros(len(embeddings), dtype=torch.bool, device=embeddings.device)
    rows[sorted({token for ids in sequences for token in ids})] = True

    class Along(loop.Hook):
        def before(self, gradients: list[Any], now: Any, c: float) -> None:
            (gradient,) = gradients
            gradient[~rows] = 0  # what a tied head gives to every other word
            length = gradient.norm()
            if length > 0:
                gradient.mul_(embeddings.detach().norm() / length)

    forget = loop.Term(
        name="forget_loss",
        sequences=sequences,
        stream=loop.FORGET,
        weight=1.0,
        loss=lambda b: ll(b.log_p()),
    )
    whole = replace(settings, batch_size=len(sequences), seed=0)
    yield from loop.descend(student, (forget,), whole, run, start, hook=Along(whole))


FIRST_EPOCH_METHOD = Method(
    settings=FirstEpoch,
    unlearn=unlearn,
    needs=needs,
    family="ascent",
    meaning="the embeddings of the forgotten text's tokens go up the gradient of its loss, and nothing else moves",
    source="Zagardo 2024, arXiv 2406.09391",
    unverified="all of it but the idea, on GPT-2: the abstract was read. The paper records gradients in the first "
    "epoch of training; no benchmark keeps such a model, so they are the target's own",
    traps=(
        "crude: all text that shares words with the forgotten one goes with it",
        "a head that is tied to the embeddings moves with them",
    ),
)
