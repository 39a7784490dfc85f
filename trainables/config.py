"""The configuration of one unlearning run, checked where it is made. No torch: a bad value is told at once."""

import math
from dataclasses import dataclass
from typing import Any, get_type_hints

FORGET_LOSSES = ("nlul", "ll", "npo_sequence_sum", "npo_sequence_mean", "simnpo", "mismatch")
PENALTIES = ("kl", "qkl", "gdr", "none")
OPTIMIZERS = ("sgd", "adamw")
WARMUPS = ("linear", "held")
PARALLEL = ("ddp", "fsdp")
PRECISIONS = ("fp32", "bf16")
REGULARISATIONS = ("retain", "unrelated")
LONG_TEXTS = ("split", "truncate")
SAMPLINGS = ("random", "cyclic")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Mean-teacher unlearning, in the symbols of arXiv 2504.13388. ValueError names a value that is not allowed.

    Defaults are muse-mini's; the paper's Llama-2-7B values are lr 5e-4, alpha 0.05 (News) or 0.1 (Books), delta 0.005,
    damping 5, batch 40, and up to 2000 steps.
    """

    lr: float = 0.1
    alpha: float = 1.0  # weight of the forget loss
    beta: float = 1.0  # weight of the penalty against the teacher
    delta: float = 0.2  # EMA rate: share of the student taken into the teacher per step
    damping: float = 1.0  # lambda: pull of the student to the teacher in weight space
    forget_loss: str = "nlul"
    penalty: str = "kl"
    optimizer: str = "sgd"
    momentum: float = 0.95  # of SGD; AdamW uses betas (0.9, 0.95)
    weight_decay: float = 0.0  # of AdamW; 0.01 in the paper's public code
    warmup: str = "linear"  # "held", the public code's for AdamW: a hundredth of lr, then linear to twice the steps
    warmup_steps: int = 2  # 0: none. The public code takes 100 for AdamW, and for SGD none, whatever its logs name
    warm_start: int = 0  # steps, of `steps`, by AdamW against the frozen target, before the teacher starts
    warm_lr: float = 0.001  # of those
    clip: float = 1.0  # global gradient norm
    tol: float = 0.02  # NLUL tolerance
    threshold: float = 0.0  # NLUL: tokens with a lower probability get weight 0
    npo_beta: float = 0.1
    simnpo_beta: float = 2.5
    simnpo_gamma: float = 0.0
    steps: int = 60
    eval_every: int = 20
    forget_fraction: float = 1.0  # share of the forget sequences that is unlearned, drawn by the seed
    regularisation: str = "retain"  # text of the penalty: the retain set, or text "unrelated" to both sets
    unrelated_texts: str = ""  # a file or folder of such text, in the place of the benchmark's split raw/unrelated
    regularisation_length: int = 0  # tokens of a sequence of that text; 0: max_length
    sampling: str = "random"  # of both sets, with replacement; "cyclic": each in turn, in an order shuffled every time
    batch_size: int = 8  # sequences of the forget batch, and of the penalty batch, over all workers
    micro_batch_size: int = 8
    max_length: int = 512  # tokens of a sequence
    long_texts: str = "split"  # forget texts that are longer: cut into further sequences, or "truncate"
    freeze: bool = True  # embeddings, head and norms
    parallel: str = "ddp"  # on several workers: whole models on each ("ddp"), or shards of them ("fsdp")
    precision: str = "fp32"  # of forward and backward passes; weights and the teacher are fp32 always
    score_batch: int = 128  # prompts or texts scored at once; scores do not depend on it
    checkpointing: bool = False  # of activations: less memory for a third more time
    seed: int = 0

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} {getattr(self, name)!r} is unknown: choose one of {', '.join(choices)}")
        for name, kind in setting_types().items():
            if kind in (int, float):
                _check_number(name, getattr(self, name), whole=kind is int)
            elif not isinstance(getattr(self, name), kind):
                raise ValueError(f"{name} is {getattr(self, name)!r}: it must be {KINDS[kind]}")
        for name in ("delta", "momentum", "threshold", "forget_fraction"):
            if getattr(self, name) > 1:
                raise ValueError(f"{name} is {getattr(self, name)}: it must lie between 0 and 1")
        for name in ("max_length", "regularisation_length"):
            if getattr(self, name) == 1:
                raise ValueError(f"{name} is 1: a sequence needs at least 2 tokens, one to be predicted from the other")

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that a run may see."""
        return max(self.max_length, self.regularisation_length)


LARGEST = 2**63 - 1  # of a whole number: what a tensor's sizes and torch's seeds can be
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}
CHOICES = {
    "forget_loss": FORGET_LOSSES,
    "penalty": PENALTIES,
    "optimizer": OPTIMIZERS,
    "warmup": WARMUPS,
    "regularisation": REGULARISATIONS,
    "sampling": SAMPLINGS,
    "long_texts": LONG_TEXTS,
    "parallel": PARALLEL,
    "precision": PRECISIONS,
}
POSITIVE = (
    "lr",
    "warm_lr",
    "forget_fraction",
    "clip",
    "tol",
    "npo_beta",
    "simnpo_beta",
    "steps",
    "eval_every",
    "batch_size",
    "micro_batch_size",
    "score_batch",
    "max_length",
)


def setting_types() -> dict[str, type]:
    """The type of every setting, by its name; a `from __future__ import annotations` in this file would change none."""
    return get_type_hints(Config)


def _check_number(name: str, value: Any, *, whole: bool) -> None:
    kind = KINDS[int if whole else float]
    wrong_type = isinstance(value, bool) or not isinstance(value, int if whole else (int, float))
    if wrong_type or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}: it must be {kind}")
    if whole and value > LARGEST:
        raise ValueError(f"{name} is {value!r}: it must be at most {LARGEST}")
    if value < 0 or (value == 0 and name in POSITIVE):
        raise ValueError(f"{name} is {value!r}: it must be {'greater than 0' if name in POSITIVE else 'at least 0'}")


def parse_config(settings: dict[str, str], **values: Any) -> Config:
    """Make a Config from text settings (`{"steps": "100"}`), on top of `values`; ValueError names a bad one."""
    types = setting_types()
    parsed = {}
    for name, text in settings.items():
        if name not in types:
            raise ValueError(f"{name!r} is no setting of the run: choose one of {', '.join(types)}")
        parsed[name] = _parse(name, text, types[name])
    return Config(**(values | parsed))


def _parse(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} is {text!r}: it must be {KINDS[bool]}")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}: it must be {KINDS[kind]}") from None
