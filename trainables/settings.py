"""Settings: frozen dataclasses whose fields say what they mean and what they allow; checked where they are made.

    @dataclass(frozen=True, kw_only=True)
    class NPO(Descent):
        npo_beta: float = setting(0.1, "inverse temperature", positive=True)

From a field follow its flag (`--set npo_beta=0.2`), its line of help and its check; it may say beside which values of
others it is read, so that nobody sets it for nothing. No torch: a bad value is told at once, by its name.

`Settings` has what every run needs, `Descent` what all methods of gradient descent share.
"""

import math
from collections.abc import Mapping
from dataclasses import MISSING, Field, asdict, dataclass, field, fields
from typing import Any, ClassVar, Self, get_type_hints

Values = Mapping[str, tuple[Any, ...]]  # settings, and the values of each
Beside = Values | tuple[Values, ...]  # beside all of which another one is read; of several such sets beside any
ANY: tuple[Any, ...] = ()  # of these values: all that switch something on, which 0, false and "none" do not
LARGEST = 2**63 - 1  # of a whole number: what a tensor's sizes and torch's seeds can be
KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "a word"}


@dataclass(frozen=True)
class Allowed:
    """What a field takes: one of `choices`, or, for a number, at least 0, above 0 where `positive`, at most `most`.

    The number of a `block` is that of a transformer block of the model, from 0, against which it is held before a run.
    It is read `beside` these values of others alone; None: never.
    """

    meaning: str
    choices: tuple[str, ...] = ()
    positive: bool = False
    most: float | None = None
    block: bool = False
    beside: Beside | None = field(default_factory=dict, hash=False)


def setting(default: Any, meaning: str, **allowed: Any) -> Any:
    """A field of settings with its meaning, in a reader's words, and what is `Allowed`."""
    return field(default=default, metadata={"allowed": Allowed(meaning, **allowed)})


def allowed_of(entry: "Field[Any]") -> Allowed:
    """What a field takes."""
    return entry.metadata["allowed"]


@dataclass(frozen=True, kw_only=True)
class Checked:
    """Fields that are checked where they are made. ValueError names a value that is not allowed."""

    def __post_init__(self) -> None:
        types = self.types()
        for entry in fields(self):
            _check(entry.name, getattr(self, entry.name), types[entry.name], allowed_of(entry))

    @classmethod
    def whose(cls) -> str:
        """Whose settings they are, as a message names it."""
        return cls.__name__

    @classmethod
    def types(cls) -> dict[str, type]:
        """The type of every setting, by its name, however annotations are spelt."""
        hints = get_type_hints(cls)
        return {entry.name: hints[entry.name] for entry in fields(cls)}

    @classmethod
    def allowed(cls) -> dict[str, Allowed]:
        """What every setting takes, by its name."""
        return {entry.name: allowed_of(entry) for entry in fields(cls)}

    @classmethod
    def defaults(cls) -> dict[str, Any]:
        """The default of every setting, by its name."""
        return {entry.name: entry.default for entry in fields(cls) if entry.default is not MISSING}

    @classmethod
    def parse(cls, texts: Mapping[str, str], **values: Any) -> Self:
        """Make settings from texts (`{"steps": "100"}`), on top of `values`; ValueError names a bad one."""
        types, parsed = cls.types(), {}
        for name, text in texts.items():
            if name not in types:
                raise ValueError(f"{name!r} is no setting of {cls.whose()}: choose one of {', '.join(types)}")
            parsed[name] = _parse(name, text, types[name])
        return cls(**(values | parsed))

    def chosen(self) -> dict[str, Any]:
        """The settings that differ from their defaults."""
        defaults = self.defaults()
        return {name: value for name, value in asdict(self).items() if value != defaults[name]}


@dataclass(frozen=True, kw_only=True)
class Settings(Checked):
    """The settings of a method, which `method` names."""

    method: ClassVar[str]
    inherited: ClassVar[Mapping[str, Beside | None]] = {}  # beside what a class reads settings that are not its own

    seed: int = setting(0, "of all that is drawn: batches, dropout")
    score_batch: int = setting(128, "prompts or texts scored at once; scores do not depend on it", positive=True)

    @classmethod
    def whose(cls) -> str:
        """The method's name."""
        return cls.method

    @classmethod
    def beside(cls) -> dict[str, Beside | None]:
        """Beside which values of others every setting is read, by its name; None for one that never is."""
        return {name: cls.inherited.get(name, allowed.beside) for name, allowed in cls.allowed().items()}

    @property
    def requests(self) -> tuple[str, ...]:
        """The splits of a benchmark that are unlearned, one after the other."""
        return (FORGET,)

    @property
    def evaluations(self) -> int:
        """How often a run is scored."""
        return 1

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that a run may train on; 0 where it trains on none."""
        return 0


def _check(name: str, value: Any, kind: type, allowed: Allowed) -> None:
    if allowed.choices and value not in allowed.choices:
        raise ValueError(f"{name} {value!r} is unknown: choose one of {', '.join(allowed.choices)}")
    if kind in (int, float):
        _check_number(name, value, kind, allowed)
    elif not isinstance(value, kind):
        raise ValueError(f"{name} is {value!r}: it must be {KINDS[kind]}")


def _check_number(name: str, value: Any, kind: type, allowed: Allowed) -> None:
    wrong_type = isinstance(value, bool) or not isinstance(value, int if kind is int else (int, float))
    if wrong_type or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}: it must be {KINDS[kind]}")
    if kind is int and value > LARGEST:
        raise ValueError(f"{name} is {value!r}: it must be at most {LARGEST}")
    if value < 0 or (value == 0 and allowed.positive):
        least = "greater than 0" if allowed.positive else "at least 0"
        raise ValueError(f"{name} is {value!r}: it must be {least}")
    if allowed.most is not None and value > allowed.most:
        span = f"lie between 0 and {allowed.most:g}" if allowed.most else "be 0"
        raise ValueError(f"{name} is {value}: it must {span}")


def _parse(name: str, text: str, kind: type) -> Any:
    if kind is bool:
        if text.lower() not in ("true", "false"):
            raise ValueError(f"{name} is {text!r}: it must be {KINDS[bool]}")
        return text.lower() == "true"
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} is {text!r}: it must be {KINDS[kind]}") from None


MATRICES, ALL, NOTHING = "matrices", "all", "nothing"  # of every model: what attention and MLP have, each weight, none
EMBEDDINGS = "embeddings"  # of tokens, of every model
NEURONS = "neurons"  # of the MLP of each block: the weights that are theirs
LORA = "lora:"  # begins the name of adapters, beside the matrices: lora:RANK:SCALE
QUERIES = "queries:"  # begins the name of what moves queries and keys alone: queries:lora:RANK:SCALE
FIRST = "first:"  # begins the name of what lies in the first blocks alone: first:COUNT:lora:RANK:SCALE
OPTIMIZERS = ("sgd", "adamw")
WARMUPS = ("linear", "held")
PARALLEL = ("ddp", "fsdp")
PRECISIONS = ("fp32", "bf16")
REGULARISATIONS = ("retain", "unrelated")
LONG_TEXTS = ("split", "truncate")
SAMPLINGS = ("random", "one_to_one", "cyclic", "modular")
SELECTIONS = ("random", "grand", "moderate", "min_k")
MASKS = ("none", "wagle", "random", "magnitude", "forget_gradient", "mlp")
FORGET = "raw/forget"  # the split that holds all that is to be forgotten
PARTS = range(1, 5)  # of it, by MUSE's criteria C5 and C6
SUCCESSIVE = "sust"
REQUESTS = {  # the splits that are unlearned, one after the other
    "all": (FORGET,),
    **{f"scal_{part}": (f"scal/forget_{part}",) for part in PARTS},
    SUCCESSIVE: tuple(f"sust/forget_{part}" for part in PARTS),
}
BENIGN_WORDS = "benign_words"
RETAIN_TEXT = ("regularisation", "regularisation_length")  # and the unrelated text that the first may ask for


@dataclass(frozen=True, kw_only=True)
class Descent(Settings):
    """Settings of gradient descent on batches of forget and retain text. Defaults are muse-mini's."""

    lr: float = setting(0.1, "learning rate", positive=True)
    optimizer: str = setting("sgd", "SGD with momentum, or AdamW with betas (0.9, 0.95)", choices=OPTIMIZERS)
    momentum: float = setting(0.95, "of SGD", most=1, beside={"optimizer": ("sgd",)})
    weight_decay: float = setting(0.0, "of AdamW", beside={"optimizer": ("adamw",)})
    warmup: str = setting(
        "linear",
        "held: a hundredth of lr, then linear to twice the steps",
        choices=WARMUPS,
        beside={"warmup_steps": ANY},
    )
    warmup_steps: int = setting(2, "steps until the learning rate is reached; 0: none")
    clip: float = setting(1.0, "largest global gradient norm", positive=True)
    steps: int = setting(60, "optimizer steps", positive=True)
    eval_every: int = setting(20, "steps between two evaluations", positive=True)
    forget_fraction: float = setting(
        1.0, "share of the forget sequences that is unlearned, in as many steps", positive=True, most=1
    )
    forget_selection: str = setting(
        "random",
        "which share that is: drawn; of the largest gradients, of states at a middling distance to their centroid, or "
        "of the lowest Min-K score, as the target has them",
        choices=SELECTIONS,
    )
    request: str = setting(
        "all",
        "what is to be forgotten: all at once, its first 1 to 4 parts, or its parts one after the other",
        choices=tuple(REQUESTS),
    )
    request_attack: str = setting(
        "none", "harmless words, put into the texts that are to be forgotten", choices=("none", BENIGN_WORDS)
    )
    regularisation: str = setting(
        "retain", "text that is to be kept: the retain set, or unrelated to both sets", choices=REGULARISATIONS
    )
    unrelated_texts: str = setting(
        "",
        "a file or folder of unrelated text, in the place of the benchmark's",
        beside={"regularisation": ("unrelated",)},
    )
    regularisation_length: int = setting(0, "tokens of a sequence of that text; 0: max_length")
    sampling: str = setting(
        "random",
        "of batches: with replacement; forget sequences in turn, each with one retain sequence; each set in turn; or "
        "entity by entity, with what is kept beside it (MELU)",
        choices=SAMPLINGS,
    )
    module_neighbours: int = setting(
        4,
        "retain texts near an entity that are kept beside it, and as many of its kind that share no name with it",
        positive=True,
        most=8,
        beside={"sampling": ("modular",)},
    )
    module_general: int = setting(
        4, "further retain texts that are kept beside an entity", most=8, beside={"sampling": ("modular",)}
    )
    batch_size: int = setting(8, "sequences of each batch, over all workers", positive=True)
    micro_batch_size: int = setting(8, "sequences in one forward pass", positive=True)
    max_length: int = setting(512, "tokens of a sequence", positive=True)
    long_texts: str = setting(
        "split", "forget texts that are longer: cut into further sequences, or their beginning", choices=LONG_TEXTS
    )
    mask: str = setting(
        "none",
        "which weights move at all: by what they bear on what is to be forgotten and not on what is kept (WAGLE), "
        "drawn, the largest, those of the largest forget gradient, or those of the MLP",
        choices=MASKS,
    )
    mask_density: float = setting(
        0.8,
        "share of the trained weights that move",
        most=1,
        beside={"mask": tuple(m for m in MASKS if m != "mlp")[1:]},
    )
    mask_mu: float = setting(
        1.0, "of WAGLE: by how little the gradient of retain text counts", positive=True, beside={"mask": ("wagle",)}
    )
    freeze: bool = setting(True, "leave embeddings, head and norms as they are")
    lora_rank: int = setting(
        0, "of adapters that are trained beside attention's and the MLP's matrices; 0: none", most=1024
    )
    lora_scale: float = setting(2.0, "of the adapters' product, alpha / rank", positive=True, beside={"lora_rank": ANY})
    mixes: int = setting(0, "models between the target and the last step's, scored behind it", most=64)
    parallel: str = setting("ddp", "on several workers: whole models on each, or shards of them", choices=PARALLEL)
    precision: str = setting("fp32", "of forward and backward passes; weights are fp32 always", choices=PRECISIONS)
    checkpointing: bool = setting(False, "compute activations twice: less memory for a third more time")

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_length", "regularisation_length"):
            if getattr(self, name) == 1:
                raise ValueError(f"{name} is 1: a sequence needs at least 2 tokens, one to be predicted from the other")
        if self.lora_rank and not self.freeze:
            raise ValueError(f"freeze is false and lora_rank {self.lora_rank}: adapters leave all else as it is")
        if self.mask != "none":
            self._check_mask()
        if self.sampling == "modular" and self.regularisation != "retain":
            raise ValueError(
                f"sampling is modular and regularisation {self.regularisation}: modules are of retain text"
            )
        if len(self.requests) > 1 and self.mixes:
            raise ValueError(f"mixes is {self.mixes} and request {self.request}: only a single request has mixtures")

    def _check_mask(self) -> None:
        if self.lora_rank:
            raise ValueError(f"mask is {self.mask} and lora_rank {self.lora_rank}: a mask is of the weights themselves")
        if self.parallel != "ddp":
            raise ValueError(
                f"mask is {self.mask} and parallel {self.parallel}: a mask needs whole models on each worker"
            )

    @property
    def requests(self) -> tuple[str, ...]:
        """The splits of a benchmark that are unlearned, one after the other."""
        return REQUESTS[self.request]

    @property
    def evaluations(self) -> int:
        """How often a run is scored: every `eval_every` steps, after the last, and at every mixture behind it.

        Of several requests, only behind each.
        """
        if len(self.requests) > 1:
            return len(self.requests)
        return math.ceil(self.steps / self.eval_every) + self.mixes

    @property
    def trainable(self) -> str:
        """Which weights move, of every model."""
        if self.lora_rank:
            return f"{LORA}{self.lora_rank}:{float(self.lora_scale)}"
        return MATRICES if self.freeze else ALL

    @property
    def longest(self) -> int:
        """Tokens of the longest sequence that a run may train on."""
        return max(self.max_length, self.regularisation_length)

    @property
    def derived(self) -> tuple[str, ...]:
        """Derived data that batches are drawn by, beside what the method reads."""
        return ("modules",) if self.sampling == "modular" else ()


@dataclass(frozen=True, kw_only=True)
class ByAdamW(Descent):
    """Settings of descent by AdamW, where nothing else is said."""

    optimizer: str = setting("adamw", "AdamW with betas (0.9, 0.95), or SGD with momentum", choices=("adamw", "sgd"))


@dataclass(frozen=True, kw_only=True)
class WithoutAdapters(ByAdamW):
    """Settings of such descent on weights that are a method's own choice: it takes no adapters beside them."""

    lora_rank: int = setting(0, "of adapters, which this method does not take: 0", most=0)
    lora_scale: float = setting(2.0, "of no effect", positive=True, beside=None)
