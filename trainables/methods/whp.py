"""Who's Harry Potter, whole: the target learns of a text what a model would say that never read it.

Labels are made once: a copy overfits on the forget text; what its logits say more of is lowered in the target's own, as
these are where names are replaced. Then the target is trained on the text as it stands, with these labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import RETAIN_TEXT, ByAdamW, setting

if TYPE_CHECKING:
    from torch import Tensor

HARD, SOFT = "hard", "soft"
WORDS = 64  # of a soft label


@dataclass(frozen=True, kw_only=True)
class WHP(ByAdamW):
    """WHP. Defaults are muse-mini's; published for 7B: alpha 5, AdamW at lr 3e-6 to overfit and 1e-6, 150 steps."""

    method = "whp"
    inherited = dict.fromkeys(RETAIN_TEXT)

    lr: float = setting(1e-3, "learning rate", positive=True)
    alpha: float = setting(5.0, "how much the target's logits are lowered where the overfitted model's are higher")
    labels: str = setting(HARD, "what is learned: the likeliest word, or the 64 likeliest", choices=(HARD, SOFT))
    overfit_steps: int = setting(60, "steps by which a copy overfits on the forget text", positive=True)
    overfit_lr: float = setting(1e-3, "learning rate of these steps", positive=True)


@dataclass(frozen=True, kw_only=True)
class Labels:
    """What is learned of each sequence: a word at each position or IGNORED, [T - 1]; of soft ones more of them."""

    words: "list[Tensor]"
    likeliest: "list[Tensor]"  # [T - 1, K]; K is 0 for hard labels
    shares: "list[Tensor]"  # [T - 1, K], which add up to 1


def needs(settings: WHP) -> Needs:
    """While labels are made the target stands beside the copy that overfits; stand-ins for names."""
    return Needs(trainable=settings.trainable, frozen=True, adamw=settings.optimizer == "adamw", data=("generic",))


def unlearn(start: Start, settings: WHP, run: Run) -> Iterator[Record]:
    """Teach `start.model`, in place, what a model would say of the forget text that never read it."""
    import torch

    from trainables.losses.distributions import towards
    from trainables.losses.logits import gdr
    from trainables.training import descend as loop
    from trainables.training.parallel import lay_out
    from trainables.training.teacher import make_teacher
    from trainables.training.trainable import prepare

    student = prepare(start.model, needs(settings).trainable, settings.seed)
    target = make_teacher(student)
    lay_out((student, target), settings, run.world)
    first = _overfitting(settings)
    key = ("generic labels", first, tuple(map(tuple, start.forget)))
    labels = start.cached(key, lambda: _made(student, target, start, settings, run))
    with torch.no_grad():
        for weight, own in zip(student.parameters(), target.parameters(), strict=True):
            weight.copy_(own)
    torch.manual_seed(settings.seed)  # whether labels were made here or known decides nothing
    soft = settings.labels == SOFT
    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=1.0,
        loss=(lambda b: towards(b.out, b.given["words"], b.given["shares"])) if soft else lambda b: gdr(b.log_p()),
        once=3 * (first.steps * first.batch_size + len(start.forget)),
        labels=labels.words,
        given={"words": labels.likeliest, "shares": labels.shares} if soft else {},
    )
    yield from loop.descend(student, (forget,), settings, run, start)


def _overfitting(settings: WHP) -> WHP:
    """The settings of the steps by which the copy overfits."""
    steps = settings.overfit_steps
    return replace(settings, lr=settings.overfit_lr, steps=steps, eval_every=steps, mixes=0)


def _made(student: Any, target: Any, start: Start, settings: WHP, run: Run) -> Labels:
    """Overfit `student`, and give the labels that it and the target make; Unfit where there are none."""
    from trainables.training import descend as loop

    forget = loop.Term(
        name="forget_loss",
        sequences=start.forget,
        stream=loop.FORGET,
        weight=1.0,
        loss=lambda batch: -batch.log_p(),
    )
    for _ in loop.descend(student, (forget,), _overfitting(settings), Run(world=run.world), start):
        pass
    student.eval()
    labels = _labels(student, target, start, settings, run)
    if not any((words >= 0).any() for words in labels.words):
        raise Unfit("no position of the forget texts has a label where names are replaced: whp has nothing to teach")
    return labels


def _labels(reinforced: Any, target: Any, start: Start, settings: WHP, run: Run) -> Labels:
    """The labels of all forget sequences; workers share out whole micro-batches."""
    from trainables.training.generic_labels import Translator
    from trainables.training.parallel import by_micro_batch

    translator = Translator(start.tokenizer, start.data["generic"]["forget"])
    longest = max(settings.max_length, max(map(len, start.forget)))
    texts = [translator.translate(ids, longest=longest) for ids in start.forget]

    def passes(rows: range) -> "list[tuple[Tensor, Tensor, Tensor]]":
        return list(_of_batch(reinforced, target, texts, rows, start, settings))

    found = by_micro_batch(passes, len(texts), settings.micro_batch_size, run.world)
    words, likeliest, shares = ([row[i] for row in found] for i in range(3))
    return Labels(words=words, likeliest=likeliest, shares=shares)


def _of_batch(
    reinforced: Any, target: Any, texts: "list[Any]", rows: range, start: Start, settings: WHP
) -> "Iterator[tuple[Tensor, Tensor, Tensor]]":
    """Labels of some sequences, by a pass of both models over each and one of the target over its translation."""
    import torch

    from trainables.training import descend as loop
    from trainables.training.generic_labels import adjusted, generic_logits, hard

    own = loop.Term(name="", sequences=start.forget, stream=loop.FORGET, weight=0.0, loss=None, guide=target)
    other = replace(own, sequences=[text.ids for text in texts], guide=None)
    with torch.no_grad():
        (batch,) = loop.batches(reinforced, own, rows, start.pad, settings)
        (translated,) = loop.batches(target, other, rows, start.pad, settings)
        for place, row in enumerate(rows):
            count = len(start.forget[row]) - 1
            went = torch.tensor(texts[row].places[:count], device=batch.out.device).clamp(
                0, translated.out.shape[1] - 1
            )
            raised = generic_logits(
                translated.out[place, went], batch.out[place, :count], batch.guide()[place, :count], settings.alpha
            )
            values, learned = adjusted(raised.cpu(), texts[row], start.forget[row], settings.alpha)
            likeliest = values.topk(min(WORDS, values.shape[-1]) if settings.labels == SOFT else 0, dim=-1)
            yield hard(values, learned, texts[row]), likeliest.indices, likeliest.values.softmax(-1)


WHP_METHOD = Method(
    settings=WHP,
    unlearn=unlearn,
    needs=needs,
    family="distribution",
    meaning="the target learns of the forget text what a model would say that never read it, with names replaced",
    source="Eldan and Russinovich 2023, arXiv 2310.02238",
    unverified="no official code: made by the paper's description, not held against its text again; names and their "
    "stand-ins are found by rules, not by a language model; by how much a name's first token is lowered behind it is "
    "ours, alpha nats",
    traps=(
        "what cost to make the labels stands in the first step's cost",
        "a name that the tokenizer joins with what stands around it is not replaced",
        "soft labels are the 64 likeliest words alone",
        "nothing holds the model on retain text: all settings of that text are of no effect",
    ),
)
