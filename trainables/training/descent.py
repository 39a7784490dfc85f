"""The settings that all methods of gradient descent share: what is read, how steps are taken, how it is computed."""

from dataclasses import dataclass

from trainables.settings import Settings, setting

OPTIMIZERS = ("sgd", "adamw")
WARMUPS = ("linear", "held")
PARALLEL = ("ddp", "fsdp")
PRECISIONS = ("fp32", "bf16")
REGULARISATIONS = ("retain", "unrelated")
LONG_TEXTS = ("split", "truncate")
SAMPLINGS = ("random", "cyclic")


@dataclass(frozen=True, kw_only=True)
class Descent(Settings):
    """Settings of gradient descent on batches of forget and retain text. Defaults are muse-mini's."""

    lr: float = setting(0.1, "learning rate", positive=True)
    optimizer: str = setting("sgd", "SGD with momentum, or AdamW with betas (0.9, 0.95)", choices=OPTIMIZERS)
    momentum: float = setting(0.95, "of SGD", most=1)
    weight_decay: float = setting(0.0, "of AdamW")
    warmup: str = setting("linear", "held: a hundredth of lr, then linear to twice the steps", choices=WARMUPS)
    warmup_steps: int = setting(2, "steps until the learning rate is reached; 0: none")
    clip: float = setting(1.0, "largest global gradient norm", positive=True)
    steps: int = setting(60, "optimizer steps", positive=True)
    eval_every: int = setting(20, "steps between two evaluations", positive=True)
    forget_fraction: float = setting(
        1.0, "share of the forget sequences that is unlearned, drawn by the seed", positive=True, most=1
    )
    regularisation: str = setting(
        "retain", "text that is to be kept: the retain set, or unrelated to both sets", choices=REGULARISATIONS
    )
    unrelated_texts: str = setting("", "a file or folder of unrelated text, in the place of the benchmark's")
    regularisation_length: int = setting(0, "tokens of a sequence of that text; 0: max_length")
    sampling: str = setting("random", "with replacement, or each in turn in a shuffled order", choices=SAMPLINGS)
    batch_size: int = setting(8, "sequences of each batch, over all workers", positive=True)
    micro_batch_size: int = setting(8, "sequences in one forward pass", positive=True)
    max_length: int = setting(512, "tokens of a sequence", positive=True)
    long_texts: str = setting(
        "split", "forget texts that are longer: cut into further sequences, or their beginning", choices=LONG_TEXTS
    )
    freeze: bool = setting(True, "leave embeddings, head and norms as they are")
    parallel: str = setting("ddp", "on several workers: whole models on each, or shards of them", choices=PARALLEL)
    precision: str = setting("fp32", "of forward and backward passes; weights are fp32 always", choices=PRECISIONS)
    score_batch: int = setting(128, "prompts or texts scored at once; scores do not depend on it", positive=True)
    checkpointing: bool = setting(False, "compute activations twice: less memory for a third more time")
    seed: int = setting(0, "of batches and dropout")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_length", "regularisation_length"):
            if getattr(self, name) == 1:
                raise ValueError(f"{name} is 1: a sequence needs at least 2 tokens, one to be predicted from the other")

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that a run may see."""
        return max(self.max_length, self.regularisation_length)
