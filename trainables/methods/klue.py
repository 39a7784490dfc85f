"""KLUE: ascent on answers that are still given, by the neurons that hold this knowledge alone.

Which neurons these are is asked of the target: those that contribute to an answer behind its own question, and not as
much behind others. Only their weights move, and an answer that is no longer given leaves what is trained on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trainables import weighted
from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.settings import NEURONS, setting
from trainables.weighted import BY_NAME, GDR, Retaining

if TYPE_CHECKING:
    from torch import Tensor

ASKED = {"qa": ("prompt", "answer"), "pairs": ("prefix", "continuation")}  # derived data: what is asked, and answered
OTHERS = 3  # questions behind which an answer is put that is not theirs
FORGOTTEN = 0.3  # ROUGE-L of a continuation below which it is forgotten
MOST = 50  # tokens that are written


@dataclass(frozen=True, kw_only=True)
class KLUE(Retaining):
    """KLUE. Defaults are muse-mini's; no published values were read."""

    method = "klue"
    inherited = dict(Retaining.inherited) | dict.fromkeys(("mask_density", "mask_mu"))

    lr: float = setting(1e-3, "learning rate", positive=True)
    asked: str = setting(
        "qa", "behind what answers are forgotten: questions, or first halves of texts", choices=tuple(ASKED)
    )
    klue_density: float = setting(0.05, "share of the MLPs' neurons that move", positive=True, most=1)
    klue_lam: float = setting(1.0, "how much of what a neuron gives to an answer behind other questions is taken off")
    look_every: int = setting(0, "steps between two looks at what is forgotten; 0: an epoch")
    retain_term: str = setting(GDR, BY_NAME, choices=(GDR,))
    sampling: str = setting(
        "random",
        "of batches: with replacement, or each set in turn in a shuffled order, without what has left",
        choices=("random", "cyclic"),
    )
    module_neighbours: int = setting(4, "of no effect: it has no modules", positive=True, most=8, beside=None)
    module_general: int = setting(4, "of no effect: it has no modules", most=8, beside=None)
    mask: str = setting("none", "of no effect: it has a mask of its own", choices=("none",))
    freeze: bool = setting(True, "of no effect: nothing but the MLPs' neurons is ever trained", beside=None)
    lora_rank: int = setting(0, "of adapters, which this method does not take: 0", most=0)
    lora_scale: float = setting(2.0, "of no effect", positive=True, beside=None)
    parallel: str = setting("ddp", "whole models on each worker, as its mask needs them", choices=("ddp",))

    @property
    def trainable(self) -> str:
        """Which weights move."""
        return NEURONS


def needs(settings: KLUE) -> Needs:
    """What is asked, and the mask of neurons."""
    return replace(weighted.needs(settings), masked=True, data=(settings.asked,))


def knowledge(own: "Tensor", others: "Tensor", lam: float) -> "Tensor":
    """How much of what a neuron contributes is the fact and not the answer's words: `A_n - lam A'_n`."""
    return own - lam * others


def unlearn(start: Start, settings: KLUE, run: Run) -> Iterator[Record]:
    """Unlearn answers from `start.model`, in place: only the weights of some neurons move."""
    from trainables.losses.logits import ll
    from trainables.methods.continuing import written
    from trainables.training.answers import answered
    from trainables.training.data import Read
    from trainables.training.forget_and_retain import forget_and_retain
    from trainables.training.leaving import Leaving
    from trainables.training.neurons import top_neurons, weights_of_neurons
    from trainables.training.sampling import rows_of_part
    from trainables.training.trainable import prepare

    every, (prompt, answer) = start.data[settings.asked]["forget"], ASKED[settings.asked]
    rows = [every[i] for i in rows_of_part(every, settings, start)]
    if not rows:
        raise Unfit(f"no {settings.asked} are made of the forget texts: klue has nothing to forget")
    asked = [(row[prompt], row[answer]) for row in rows]
    sequences, leading = answered(start.tokenizer, asked, max_length=settings.max_length)
    model = prepare(start.model, settings.trainable, settings.seed).to(run.world.device)
    values = _knowledge(model, start, asked, settings, run)
    keep = weights_of_neurons(model, top_neurons(values, settings.klue_density))

    cuts = [1 + read for read in leading]
    prompts = [ids[:cut] for ids, cut in zip(sequences, cuts, strict=True)]
    behind = [ids[cut : cut + MOST] for ids, cut in zip(sequences, cuts, strict=True)]
    truths = [start.tokenizer.decode(ids, skip_special_tokens=True) for ids in behind]

    def forgotten() -> list[bool]:
        outputs = written(start, prompts, settings, run.world, most=MOST)
        return [not gives(settings.asked, truth, output) for truth, output in zip(truths, outputs, strict=True)]

    once = 3.0 * len(asked) * (1 + (OTHERS if settings.klue_lam else 0))
    start = replace(start, spent=start.spent + once)
    read = Read(sequences, leading, texts=[row["row"] for row in rows])
    hook = Leaving(settings, len(sequences), settings.look_every, forgotten, float(len(sequences)))
    yield from forget_and_retain(start, settings, run, lambda b: ll(b.log_p()), forget=read, hook=hook, keep=keep)


def gives(asked: str, answer: str, output: str) -> bool:
    """Whether an output still gives an answer: its words, one behind the other; or three tenths of what follows."""
    from trainables.benchmarks.words import unicode_words
    from trainables.methods.continuing import overlap

    if asked == "pairs":
        return overlap(answer, output) >= FORGOTTEN
    words, found = unicode_words(answer), unicode_words(output)
    return any(found[i : i + len(words)] == words for i in range(len(found) - len(words) + 1))


def _knowledge(model: Any, start: Start, asked: Sequence[tuple[str, str]], settings: KLUE, run: Run) -> "Tensor":
    """The mean over all answers of what each neuron knows of them: [blocks, neurons], the same on every worker."""
    import torch

    from trainables.training.answers import answered
    from trainables.training.neurons import contributions
    from trainables.training.trainable import layers_of_neurons

    def given(pairs: Sequence[tuple[str, str]]) -> "Tensor":
        sequences, leading = answered(start.tokenizer, pairs, max_length=settings.max_length)
        found = [contributions(model, *one) for one in zip(sequences, leading, strict=True)]
        return torch.stack(found).mean(0)

    model.eval()
    layers = layers_of_neurons(model)
    total = torch.zeros(len(layers), layers[0][0].in_features)
    for number in range(run.world.rank, len(asked), run.world.size):
        elsewhere = [(prompt, asked[number][1]) for prompt in others(asked, number)] if settings.klue_lam else []
        own = given([asked[number]])
        total += knowledge(own, given(elsewhere) if elsewhere else torch.zeros_like(own), settings.klue_lam).cpu()
    summed = run.world.sum(total.flatten().tolist())
    return torch.tensor(summed).view_as(total) / len(asked)


def others(asked: Sequence[tuple[str, str]], number: int) -> list[str]:
    """The next questions, in turn, that have another answer than a question: three, where there are so many."""
    turned = [*asked[number + 1 :], *asked[:number]]
    return [prompt for prompt, answer in turned if answer != asked[number][1]][:OTHERS]


KLUE_METHOD = Method(
    settings=KLUE,
    unlearn=unlearn,
    needs=needs,
    family="ascent",
    meaning="answers that are still given are made less likely, by the neurons alone that know them",
    source="Yang et al. 2025, arXiv 2502.19207 (FaithUn)",
    unverified="all of it but the idea: no code is public and summaries were read; attribution, the other questions "
    "and when an answer counts as forgotten are ours",
    traps=(
        "only answers behind questions are forgotten: of the text itself what no question asks for stays",
        "it stops when no answer is given any more: later steps move nothing, and their candidates are the same",
    ),
)
