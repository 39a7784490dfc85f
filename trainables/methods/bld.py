"""Bidirectional logit distillation: the model learns, without an instruction, what the target says under one.

Behind prompts on what is to be forgotten the teacher is the target that reads an instruction and refused questions
first; what it finds likely is brought up, and what the student finds likely besides is pressed down.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainables.failures import Unfit
from trainables.method import Method, Needs, Record, Run, Start
from trainables.methods.idk import PROMPTS
from trainables.settings import RETAIN_TEXT, ByAdamW, setting

if TYPE_CHECKING:
    from trainables.methods.lessons import Lessons
    from trainables.training.descend import Term

INSTRUCTION = "Whoever is asked what he was never told says that he does not know.\n\n"
SHOTS = 3  # refused questions behind it
LONGEST = 32  # tokens of an answer
OWN, REFUSALS = "own", "refusals"


@dataclass(frozen=True, kw_only=True)
class BLD(ByAdamW):
    """BLD. Defaults are muse-mini's; published: the 1000 highest logits, AdamW at lr 1e-5, a few hundred questions."""

    method = "bld"
    inherited = dict.fromkeys(RETAIN_TEXT)  # it reads questions alone

    lr: float = setting(1e-3, "learning rate", positive=True)
    asked: str = setting("qa", "behind what it learns: questions, or first halves of texts", choices=tuple(PROMPTS))
    taught: str = setting(
        REFUSALS, "the teacher's answers: a refusal, or its own, for one that follows it", choices=(REFUSALS, OWN)
    )
    top_k: int = setting(64, "of the teacher's highest logits that are learned", positive=True, most=1e6)
    backward: float = setting(1.0, "weight of pressing down what the teacher does not find likely")
    forget_weight: float = setting(1.0, "weight of both on what is to be forgotten")
    retain_weight: float = setting(1.0, "weight of the target's own logits behind prompts on what is to be kept")
    parallel: str = setting("ddp", "whole models on each worker: each writes the teacher's answers", choices=("ddp",))


def needs(settings: BLD) -> Needs:
    """What is asked, refusals, questions on what does not exist; the teacher is the student before its first step."""
    return Needs(
        trainable=settings.trainable,
        adamw=settings.optimizer == "adamw",
        data=(settings.asked, "refusals", "unknown"),
    )


def unlearn(start: Start, settings: BLD, run: Run) -> Iterator[Record]:
    """Teach `start.model`, in place, to answer as it does under an instruction."""
    from trainables.losses.centred import brought, pressed
    from trainables.training import descend as loop
    from trainables.training.parallel import lay_out
    from trainables.training.trainable import prepare

    student = prepare(start.model, needs(settings).trainable, settings.seed)
    lay_out((student,), settings, run.world)
    forget, retain = _taught(student.eval(), start, settings)

    def forward(b: loop.Batch) -> Any:
        return brought(b.out, b.given["words"], b.given["values"])

    def both(b: loop.Batch) -> Any:
        return forward(b) + settings.backward * pressed(b.out, b.given["words"], b.given["values"])

    way = both if settings.backward else forward
    terms = [_term("forget_loss", forget, loop.FORGET, settings.forget_weight, way)]
    if settings.retain_weight:
        terms.append(_term("retain_loss", retain, loop.RETAIN, settings.retain_weight, forward))
    yield from loop.descend(student, terms, settings, run, start)


def _term(name: str, taught: "Lessons", stream: int, weight: float, loss: Any) -> "Term":
    from trainables.training.descend import Term

    return Term(
        name=name,
        sequences=taught.sequences,
        stream=stream,
        weight=weight,
        loss=loss if weight else None,
        leading=taught.leading,
        given={"words": taught.words, "values": taught.values},
        once=2 * len(taught.sequences),  # an answer, and its logits
    )


def _taught(target: Any, start: Start, settings: BLD) -> "tuple[Lessons, Lessons]":
    """What is learned behind prompts on both sides; Unfit where none are there."""
    from trainables.training.data import choose_fraction
    from trainables.training.sampling import rows_of_part

    column = PROMPTS[settings.asked]
    sides = [[row[column] for row in start.data[settings.asked].get(side, ())] for side in ("forget", "retain1")]
    if not all(sides):
        raise Unfit(f"no {settings.asked} are made of forget and retain texts: bld has nothing to ask")
    forget, retain = sides
    chosen = rows_of_part(start.data[settings.asked]["forget"], settings, start)
    kept = choose_fraction(len(retain), min(1.0, len(chosen) / len(retain)), seed=settings.seed)
    prompts, held = [forget[i] for i in chosen], [retain[i] for i in kept]
    refused = [start.data["refusals"]["forget"][i]["texts"][0] for i in chosen]
    prefix = before(start.data["unknown"]["new"], start.data["refusals"]["forget"])
    way = (settings.asked, settings.taught, settings.top_k, settings.max_length, settings.precision)
    key = ("lessons", *way, settings.micro_batch_size, prefix, tuple(prompts), tuple(held), tuple(refused))
    return start.cached(
        key,
        lambda: (
            _instructed(target, start, settings, prefix, prompts, refused),
            _plain(target, start, settings, held),
        ),
    )


def before(unknown: Sequence[Any], refusals: Sequence[Any]) -> str:
    """What the teacher reads before a prompt: the instruction, and a few refused questions on what does not exist."""
    shots = zip(unknown[:SHOTS], refusals, strict=False)
    return INSTRUCTION + "".join(f"{row['prompt']} {texts['texts'][0]}\n\n" for row, texts in shots)


def _instructed(
    target: Any, start: Start, settings: BLD, prefix: str, prompts: Sequence[str], refused: Sequence[str]
) -> "Lessons":
    from trainables.methods.lessons import answers_of, lessons
    from trainables.training.answers import answered

    read = start.tokenizer([prefix + prompt for prompt in prompts]).input_ids
    if settings.taught == OWN:
        asked = _shortened(start.tokenizer(list(prompts)).input_ids, settings.max_length)
        answers = answers_of(target, start.tokenizer, read, longest=LONGEST, batch_size=settings.score_batch)
    else:
        whole, leading = answered(
            start.tokenizer, list(zip(prompts, refused, strict=True)), max_length=settings.max_length
        )
        asked = [ids[: count + 1] for ids, count in zip(whole, leading, strict=True)]
        answers = [ids[count + 1 :] for ids, count in zip(whole, leading, strict=True)]
    return lessons(target, read, asked, answers, settings.top_k, settings, pad=start.pad)


def _plain(target: Any, start: Start, settings: BLD, prompts: Sequence[str]) -> "Lessons":
    from trainables.methods.lessons import answers_of, lessons

    asked = _shortened(start.tokenizer(list(prompts)).input_ids, settings.max_length)
    answers = answers_of(target, start.tokenizer, asked, longest=LONGEST, batch_size=settings.score_batch)
    return lessons(target, asked, asked, answers, settings.top_k, settings, pad=start.pad)


def _shortened(rows: Sequence[Sequence[int]], longest: int) -> list[list[int]]:
    """Prompts that leave room for an answer: their beginning goes, the first token excepted."""
    room = max(2, longest - LONGEST)
    return [[*ids[:1], *ids[1 + max(0, len(ids) - room) :]] for ids in rows]


BLD_METHOD = Method(
    settings=BLD,
    unlearn=unlearn,
    needs=needs,
    family="distribution",
    meaning="without an instruction the model learns the logits that the target has under one, in both directions",
    source="Zhong et al. 2026, arXiv 2604.15482; DUET, arXiv 2601.21283",
    unverified="made by the abstracts alone: instruction, shots, the size of both parts and what is pressed down are "
    "ours, and prompts are asked as the data has them, not all in one wording",
    traps=(
        "a teacher that does not follow an instruction teaches nothing: by default it reads a refusal, and its own "
        "answers are a choice",
        "words outside of the teacher's highest have at most its K-th logit: that is what they are pressed to",
        "only prompts are answered otherwise: the text itself stays about as likely as it was",
    ),
)
