"""The contract of a method of unlearning, on one page. No torch: methods are listed, checked and planned without it.

A method is a name, settings of its own, what it needs, and a generator: from a `Start` it yields a `Step` for every
step, a `Candidate` for every subject that is to be scored, and `Evaluated` behind those that are scored together, with
the `State` from which the run can go on. Scoring, saving and Ray are not its business. Named methods are listed in
`trainables.methods`; the loop that most of them share is `trainables.training.descend`.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trainables.settings import Settings

if TYPE_CHECKING:
    from trainables.world import World

Sequences = Sequence[Sequence[int]]
STEP = "step"  # the axis of most methods: a candidate is the subject behind so many steps
FAMILIES = (  # by what of a model a method works on, or by its idea
    *("teacher", "ascent", "preference", "distribution", "hidden states", "two models", "prompt"),
)


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a run begins with: a copy of the target, which it may change in place, and what it may read.

    Token sequences are there for methods whose settings say how they are cut (`Descent`). `cached(key, make)` is what
    `make` gives, which may be known from an earlier run of the same target: the key holds all else that decides its
    bits.
    """

    model: Any
    forget: Sequences
    retain: Sequences  # of text that is to be kept
    pad: int  # the id that fills sequences up
    tokenizer: Any = None
    texts: Mapping[str, Sequence[str]] = field(default_factory=dict)  # whole: "forget" and "retain"
    cut_from: Mapping[str, Sequence[int]] = field(default_factory=dict)  # of each sequence, the text; none: its number
    data: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]] = field(default_factory=dict)  # as `Needs.data` names
    spent: float = 0.0  # forward passes of a sequence that were done for it
    decode: str = "shared"  # a way of decoding that is right for the model (decoding/passes.py)
    cached: Callable[[Hashable, Callable[[], Any]], Any] = lambda key, make: make()


@dataclass(kw_only=True)
class State:
    """All that a run changes: it goes on from it behind step `step`. Batches are drawn by the step."""

    models: Mapping[str, Any]  # by role; the first is the one that is trained
    optimizer: Any
    step: int = 0
    kept: dict[str, float] = field(default_factory=dict)  # further numbers, by name, such as a dual variable


@dataclass(frozen=True, kw_only=True)
class Run:
    """Where a method runs: its workers, all of which run it on the same arguments, and what was done before.

    `restore` puts the state of a run that was interrupted behind step `done` in the place of a new one. Of what was
    scored before, `evaluated` evaluations are kept: a method that scores behind its last step leaves these out.
    """

    world: "World"
    done: int = 0
    evaluated: int = 0
    restore: Callable[[State], None] = lambda state: None


@dataclass(frozen=True, kw_only=True)
class Step:
    """What one step saw: losses are unweighted means over the batch, in nats; `cost` is in forwards of a sequence."""

    step: int
    values: Mapping[str, float]
    cost: float  # a forward pass of a sequence is 1, a backward pass 2; through a share of the blocks that share

    def row(self) -> dict[str, float]:
        """As it is written down: one number by name."""
        return {"step": self.step, **self.values, "cost": self.cost}


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A subject to be scored: where on which axis of the run, and in which role; it moves on with the next step."""

    at: int | float
    role: str
    subject: Any
    axis: str = STEP

    @property
    def name(self) -> str:
        """What its files are called; no other candidate of the run is called so."""
        at = f"{self.at:05d}" if isinstance(self.at, int) else repr(self.at)
        return f"{self.axis}-{at}-{self.role}"


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """The candidates since the last such record, if any, are one evaluation; the run can go on from `state`.

    It has no state where there is nothing to go on to.
    """

    state: State | None


Record = Step | Candidate | Evaluated


@dataclass(frozen=True, kw_only=True)
class Needs:
    """What a method holds in memory besides the student, its gradients and its optimizer: the plan reads it."""

    trainable: str  # which weights move: MATRICES, ALL, NOTHING, "down_proj:1,2", "lora:8:2.0" (training.trainable)
    teacher: bool = False  # a copy that moves: of the trainable weights
    frozen: bool = False  # a copy of the target: of the trainable weights, since the others are shared
    scored: int = 1  # whole models that run side by side where a candidate is scored
    assistant: int = 0  # blocks of one more that runs beside them there, in which its weights are its own
    guided: bool = False  # the losses compare two models' logits
    depth: int | None = None  # blocks that a pass goes through; None: all
    logits: bool = True  # the losses look at logits; else at hidden states
    attention: bool = False  # passes keep the attention of all heads, for every two tokens
    scratch: bool = False  # the update needs one more tensor for each trainable one
    masked: bool = False  # of each trainable weight, what it began as, and a mark
    adamw: bool = False  # at some time the optimizer is AdamW
    data: tuple[str, ...] = ()  # derived data that it reads, by name (trainables.derivations), in `Start.data`
    together: int = 1  # sequences that a forward pass has at least: those that are drawn as one


@dataclass(frozen=True, kw_only=True)
class Method:
    """A method: `settings` is its class of settings, `unlearn` its generator, the rest its card."""

    settings: type[Settings]
    unlearn: Callable[[Start, Any, Run], Iterator[Record]]
    needs: Callable[[Any], Needs]
    family: str  # one of FAMILIES
    meaning: str  # a sentence for a reader
    source: str  # paper, equation, or the page of the specification
    roles: tuple[str, ...] = ("student",)
    unverified: str = ""  # what of it was never held against public code or the paper's text
    traps: tuple[str, ...] = field(default=())  # what public code does otherwise

    @property
    def name(self) -> str:
        """Its name, which its settings bear."""
        return self.settings.method
