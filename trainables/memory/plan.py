"""The memory that a run needs, computed before anything is loaded: bytes per GPU by part and phase, and on the host.

    plan(read_shape("muse-bench/MUSE-News_target"), MeanTeacher(parallel="fsdp", precision="bf16"), workers=8)

Symbols: P parameters, T trainable ones (see Needs), W workers, c bytes of a number in forward and backward passes
(bf16 2, fp32 4), B rows of a worker's micro-batch (those of a draw at least: Needs.together), L its tokens, h width,
i MLP width, q heads x head size, N layers, V vocabulary. Weights, gradients, optimizer and teacher are fp32, 4 bytes.
`fsdp` cuts each tensor by rows over the workers, rounded up to whole rows (how FSDP2 pads); `ddp`, and any run on one
worker, holds it whole.

- weights: 4 P (/W).
- teacher, or a frozen copy of the target: 4 T, since it shares frozen tensors with the student; fsdp: 4 P / W, since
  shards are cut for each alone.
- optimizer state: SGD 4 T (none without momentum), AdamW 8 T (/W): one or two moments of each trainable number.
- gradients: 4 T (/W): kept from the forget to the penalty batch, freed after the update.
- gathered weights: fsdp c (root + 3 blocks) + (c + 8) block: what is outside the blocks, a block at work, one in flight
  before it and one behind it; a block's gradients in c, and twice in fp32 on their way to the sum. ddp in bf16: 2 P,
  autocast's copies, which the backward pass needs, without the blocks that it leaves out.
- activations: what `saved` says, of the blocks from the first that is trained to the last that a pass goes through
  (Needs.depth); an upper bound where only some weights of these are trained. In the backward pass also one block's
  `block_bytes`, for the gradients of what it saved, and with checkpointing once more, for the block that is computed
  again.
- logits: c B L V, the student's, and with kl and qkl as much, the teacher's. At the loss their gradient too, and the
  larger of its copy, when chunks are joined, and of what a chunk of K = 128 positions (`CHUNK`) takes in fp32:
  4 B min(K, L) V times 8 for kl and qkl, which compare two distributions, or times 4. (Of SMALL logits, 16 MB, a few
  copies are kept instead: the reserve has room for them.)
- update: 4 T (/W): theta - phi of the damping, or AdamW's square root. Activations are gone by then.
- gathered weights, scoring: fsdp c (P + block): `parallel.gathered`, and the buffer of one unit.
- key-value cache: 1.75 * 2 c N (kv heads x head size) (prompt + new tokens) a row: when a quarter of the rows has
  ended, the rest is copied while the old cache is still there.
- scoring pass: the larger of a prefill's and of a log-prob pass's tensors; nothing is saved, one block is at work.
- a candidate of several models (Needs.scored): gathered weights, cache and logits once for each, and what the trunks
  gave before the last one ran: c h a token. Their passes follow one another. Of one that has only some of the target's
  blocks (Needs.assistant), its cache is of these, and what they hold is its own: 4 bytes a number.
- reserve: 2 GiB + 5% of the rest: CUDA's context and libraries, NCCL's buffers, holes in the allocator. Assumed; 3.1
  to 4.9 GiB on one H100, where 1.7 and 2.3 were needed with segments that grow, 1.3 to 20.7 without.

Scoring computes in c where the model is sharded and in fp32 elsewhere, since autocast is off. Attention is taken to be
a kernel that keeps no [L, L] scores (flash, memory-efficient); where grouped queries fall back to the plain kernel,
scoring needs more. Blocks are Llama's (gated MLP, two norms); other families are estimates by the same formula. A test
holds it against the bytes of a real run of small models on a CPU; on an H100 (measurements/results/gpu-step.md)
training took 97 to 100% of the plan, and the copied cache of scoring was not seen. Never yet held against several GPUs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trainables.failures import NoSuchWeights, reason_of
from trainables.methods import needs_of
from trainables.settings import ALL, Descent, Settings

GIB = 2**30
FP32 = 4
LOSS, BACKWARD, UPDATE, SCORING = "loss", "backward", "update", "scoring"  # the phases of a run


@dataclass(frozen=True)
class Weight:
    """One parameter tensor: its rows (what is cut), its elements, and whether unlearning moves it."""

    rows: int
    elements: int
    trainable: bool

    def local(self, parts: int) -> int:
        """Elements of the largest of `parts` shards."""
        return math.ceil(self.rows / parts) * (self.elements // self.rows)


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What the plan has to know of a model."""

    layers: int
    hidden: int
    mlp: int
    heads: int
    kv_heads: int
    head_size: int
    vocabulary: int
    weights: tuple[Weight, ...]
    block: int  # elements of the largest transformer block: what FSDP gathers at once
    root: int  # elements outside the blocks
    first: int = 0  # block, the first that is trained: none before it keeps anything for a backward pass

    def elements(self, parts: int = 1, *, trainable: bool = False) -> int:
        """Elements of one of `parts` workers' shards; of the trainable tensors only, where asked."""
        return sum(weight.local(parts) for weight in self.weights if weight.trainable or not trainable)


@dataclass(frozen=True, kw_only=True)
class Scoring:
    """The longest generation of an evaluation; the defaults are MUSE's VerbMem."""

    items: int = 100
    prompt: int = 1024  # tokens
    new: int = 128


MUSE = Scoring()


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Bytes per GPU: phase -> part -> bytes; and host bytes per node."""

    phases: Mapping[str, Mapping[str, int]]
    host: int

    def need(self, phase: str) -> int:
        """Bytes per GPU that a phase needs, the reserve counted."""
        return sum(self.phases[phase].values())

    @property
    def worst(self) -> str:
        """The phase that needs most."""
        return max(self.phases, key=self.need)

    @property
    def peak(self) -> int:
        """Bytes per GPU that the run needs."""
        return self.need(self.worst)


def read_shape(reference: str | Path, *, trainable: str = "matrices") -> Shape:
    """The shape of a model in a folder or on the hub, of which only the configuration is read; ValueError if none."""
    from trainables.subjects.models import read_config  # loads torch, which a search without a plan does without

    return shape_of(read_config(reference), trainable=trainable)


class Unplanned(ValueError):
    """An architecture of which the plan does not know what it computes, such as a recurrent one."""


def shape_of(config: Any, *, trainable: str = "matrices") -> Shape:
    """The shape of a model by its transformers configuration: it is built on the `meta` device, without memory.

    Unplanned where it has no attention heads or the like, or differs from layer to layer; NoSuchWeights where it lacks
    those that are to be trained.
    """
    try:
        return _shape_of(config, trainable)
    except NoSuchWeights:
        raise
    except Exception as error:  # here, too: an attribute that differs from layer to layer is a RuntimeError
        kind, reason = getattr(config, "model_type", "?"), reason_of(error)
        raise Unplanned(f"the memory of a model of type {kind} cannot be planned: {reason}") from error


def _shape_of(config: Any, trainable: str) -> Shape:
    from trainables.subjects.models import outline
    from trainables.training.trainable import blocks_of, choose

    model = outline(config)
    choose(model, trainable)
    text = config.get_text_config()
    blocks = blocks_of(model)
    sizes = [sum(p.numel() for p in block.parameters()) for block in blocks]
    weights = tuple(Weight(p.shape[0], p.numel(), p.requires_grad) for p in model.parameters())
    heads, hidden = text.num_attention_heads, text.hidden_size
    return Shape(
        layers=text.num_hidden_layers,
        hidden=hidden,
        mlp=_widest(getattr(text, "intermediate_size", None) or getattr(text, "n_inner", None) or 4 * hidden),
        heads=heads,
        kv_heads=getattr(text, "num_key_value_heads", None) or heads,
        head_size=getattr(text, "head_dim", None) or hidden // heads,
        vocabulary=text.vocab_size,
        weights=weights,
        block=max(sizes, default=0),
        root=sum(weight.elements for weight in weights) - sum(sizes),
        first=next((number for number, block in enumerate(blocks) if _is_trained(block)), 0),
    )


def _is_trained(block: Any) -> bool:
    return any(weight.requires_grad for weight in block.parameters())


def _widest(size: int | list[int]) -> int:
    """Some architectures list a width for each layer."""
    return size if isinstance(size, int) else max(size)


def plan(shape: Shape, settings: Settings, workers: int = 1, *, per_node: int = 8, scoring: Scoring = MUSE) -> Plan:
    """The plan of a run on `workers` workers of one GPU each, `per_node` of them on a machine; formulas above.

    A run that trains nothing is only scored.
    """
    sharded = is_sharded(settings, workers)
    held = _held(shape, settings, workers if sharded else 1)
    phases = _training(shape, settings, workers, held) if isinstance(settings, Descent) else {}
    phases |= {SCORING: held | _scoring(shape, settings, workers, sharded, scoring)}
    reserved = {name: _with_reserve(phase) for name, phase in phases.items()}
    return Plan(phases=reserved, host=_host(shape, settings, workers, per_node))


def is_sharded(settings: Settings, workers: int) -> bool:
    """Whether models are cut into shards."""
    return isinstance(settings, Descent) and settings.parallel == "fsdp" and workers > 1


def _held(shape: Shape, settings: Settings, parts: int) -> dict[str, int]:
    """Bytes that are held through all of a run."""
    whole, trainable = FP32 * shape.elements(parts), FP32 * shape.elements(parts, trainable=True)
    if not isinstance(settings, Descent):
        return {"weights": whole}
    moments = 2 if needs_of(settings).adamw else int(settings.momentum > 0)
    return {
        "weights": whole,
        "teacher": _copies(settings) * (whole if parts > 1 else trainable),
        "optimizer state": moments * trainable,
        **({"mask": trainable + trainable // FP32} if needs_of(settings).masked else {}),
    }


def _copies(settings: Settings) -> int:
    """Models beside the student."""
    needs = needs_of(settings)
    return needs.teacher + needs.frozen


def _training(shape: Shape, settings: Descent, workers: int, held: dict[str, int]) -> dict[str, dict[str, int]]:
    """Bytes of the phases of a step, by part."""
    sharded, needs = is_sharded(settings, workers), needs_of(settings)
    trainable = FP32 * shape.elements(workers if sharded else 1, trainable=True)
    gradients = {"gradients": trainable}
    drawn = needs.together * math.ceil(settings.batch_size / workers)
    rows = max(needs.together, min(settings.micro_batch_size, drawn))
    gathered = {"gathered weights": _gathered(shape, settings, sharded)}
    kept = saved(shape, settings, rows, sharded=sharded)
    block = rows * settings.longest * block_bytes(shape, settings, settings.longest, sharded=sharded)
    at_loss, behind = _logits(shape, settings, rows, guided=needs.guided) if needs.logits else (0, 0)
    scratch = trainable if needs.scratch or needs.adamw else 0
    return {
        LOSS: held | gradients | gathered | {"activations": kept, "logits": at_loss},
        BACKWARD: held
        | gradients
        | gathered
        | {"activations": kept + (2 if settings.checkpointing else 1) * block, "logits": behind},
        UPDATE: held | gradients | {"update": scratch},
    }


def _with_reserve(parts: dict[str, int]) -> dict[str, int]:
    return parts | {"reserve": 2 * GIB + sum(parts.values()) // 20}


def _width(settings: Descent) -> int:
    return 2 if settings.precision == "bf16" else FP32


def _gathered(shape: Shape, settings: Descent, sharded: bool) -> int:
    c = _width(settings)
    if sharded:
        units = shape.root + min(3, shape.layers) * shape.block
        return c * units + (c + 2 * FP32) * shape.block
    left_out = shape.layers - _kept(shape, settings)
    return c * (shape.elements() - left_out * shape.block) if c < FP32 else 0


def _kept(shape: Shape, settings: Descent) -> int:
    """The blocks that a backward pass goes through: from the first that is trained to the last that is computed."""
    return min(needs_of(settings).depth or shape.layers, shape.layers) - shape.first


def _trains_norms(settings: Descent) -> bool:
    return needs_of(settings).trainable == ALL


def block_bytes(shape: Shape, settings: Descent, length: int, *, sharded: bool) -> int:
    """Bytes that one block saves for the backward pass, per token of a sequence of `length`.

    8h, the two norms' inputs in fp32, and 8 for their factors; 2ch, what projections read, once for attention and
    once for the MLP (autocast, in ddp with bf16, copies it for each of the five: 5ch); 4cq + 4 heads, queries, keys and
    values (spread to all heads), the attention's output and its normaliser; cL, a row of the padding mask; 4ci, gate,
    its activation, up, and their product. Where norms are trained, 2ch more; with adapters of rank r 7cr, what A gives.
    Where attention is looked at (Needs.attention), its weights: 4 heads L in fp32, and in c once more.
    """
    c = _width(settings)
    reads = 5 if c < FP32 and not sharded else 2
    norms = 2 * (FP32 * shape.hidden + FP32) + (2 * c * shape.hidden if _trains_norms(settings) else 0)
    attention = 4 * c * shape.heads * shape.head_size + FP32 * shape.heads + c * length
    attention += (FP32 + c) * shape.heads * length if needs_of(settings).attention else 0
    adapters = 7 * c * settings.lora_rank
    return norms + reads * c * shape.hidden + attention + 4 * c * shape.mlp + adapters


def saved(shape: Shape, settings: Descent, rows: int, *, sharded: bool) -> int:
    """Bytes that a forward pass leaves behind for the backward pass, logits not counted.

    A block's input, what checkpointing keeps of it, is in fp32, but where FSDP casts the embeddings too. One norm
    stands behind the last block; where it and the head are trained, they keep what they read: 2ch.
    """
    length, layers = settings.longest, _kept(shape, settings)
    residual = _width(settings) if sharded else FP32
    if settings.checkpointing:
        per_token = layers * residual * shape.hidden
    else:
        per_token = layers * block_bytes(shape, settings, length, sharded=sharded)
    behind = FP32 * shape.hidden + FP32 + (2 * _width(settings) * shape.hidden if _trains_norms(settings) else 0)
    return rows * length * (per_token + behind)


def _logits(shape: Shape, settings: Descent, rows: int, *, guided: bool) -> tuple[int, int]:
    """Bytes at the loss, and behind it, while the blocks' gradients are computed."""
    from trainables.losses.logits import CHUNK  # loads torch, which a search without a plan does without

    whole = _width(settings) * rows * settings.longest * shape.vocabulary
    chunk = (8 if guided else 4) * FP32 * rows * min(CHUNK, settings.longest) * shape.vocabulary
    kept = (2 if guided else 1) * whole
    return kept + whole + max(whole, chunk), kept


def _scoring(shape: Shape, settings: Settings, workers: int, sharded: bool, scoring: Scoring) -> dict[str, int]:
    from trainables.decoding.log_probs import PASS_TOKENS

    c, needs = _width(settings) if sharded and isinstance(settings, Descent) else FP32, needs_of(settings)
    assistant = min(needs.assistant, shape.layers)
    models, layers = needs.scored + (assistant > 0), needs.scored * shape.layers + assistant
    rows = min(settings.score_batch, math.ceil(scoring.items / workers))
    cache = rows * (scoring.prompt + scoring.new) * 2 * layers * shape.kv_heads * shape.head_size * c
    # At work at once: the residual in fp32, four tensors of width h, three of the MLP's.
    token = FP32 * shape.hidden + c * (4 * shape.hidden + 3 * shape.mlp)
    mask = rows * scoring.prompt**2 * (1 + 2 * c)
    prefill = rows * (scoring.prompt * token + models * shape.vocabulary * (c + FP32)) + mask
    states = PASS_TOKENS * c * shape.hidden * (models - 1)
    log_probs = PASS_TOKENS * token + states + models * 1024 * shape.vocabulary * (c + 2 * FP32)
    return {
        "gathered weights": models * c * (shape.elements() + shape.block) if sharded else 0,
        "key-value cache": cache * 7 // 4,
        **({"assistant": FP32 * assistant * shape.block} if assistant else {}),
        "scoring pass": max(prefill, log_probs),
    }


def _host(shape: Shape, settings: Settings, workers: int, per_node: int) -> int:
    """Host bytes of the fullest node.

    At a run's start each worker holds the target, the student and its copies (frozen tensors shared) in fp32 before
    they go to its GPU. Later it holds the target, for the next run, and the first worker what is written: a candidate's
    weights, or a part of the state, which is no larger. What a run sets aside waits there too: for mixtures the weights
    that are trained as they began, and as they are while one is scored; with adapters what these are added to.
    """
    here = min(workers, per_node)
    total, trainable = FP32 * shape.elements(), FP32 * shape.elements(trainable=True)
    mixes, adapted = (settings.mixes, settings.lora_rank) if isinstance(settings, Descent) else (0, 0)
    parts = workers if is_sharded(settings, workers) else 1
    origin = FP32 * shape.elements(parts, trainable=True) if mixes else 0
    kept = FP32 * shape.elements(parts) if adapted else origin
    start = 2 * total + _copies(settings) * trainable + origin
    written = FP32 * written_elements(shape, settings) if workers > 1 else 0
    return max(here * start, here * (total + origin + kept) + written)


def written_elements(shape: Shape, settings: Settings) -> int:
    """Numbers that are written of a candidate: of each of its models all."""
    needs = needs_of(settings)
    assistant = shape.root + min(needs.assistant, shape.layers) * shape.block if needs.assistant else 0
    return needs.scored * shape.elements() + assistant
