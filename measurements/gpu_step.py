"""What a mean-teacher step costs on a GPU: tokens a second, share of the peak, memory and its plan, time over a floor.

    python -m measurements.gpu_step --out gpu_step.json                          # a Llama of 1.3B parameters
    python -m measurements.gpu_step --layers 2 --width 64 --length 32 --new 8 --precision fp32  # to try it out

A Llama with random weights unlearns random tokens on one device. Its floor is what no implementation can leave out: the
student's forward and backward on the forget and the penalty batch, and one teacher forward, on the same micro-batches,
with ready-made gradients of the logits in the place of losses. Both are medians over steps after warm-up, in one run.
FLOPs are the model's, nothing counted for what checkpointing computes again: per token 6 for every trainable weight and
4 for the head (frozen: no gradient of its own) in the student, 2 for each in the teacher, and causal attention's
6 N L q (2 N L q) for N blocks, L tokens and q = heads x head size. Behind the last step the student is scored at its
longest: as many prompts as VerbMem has, continued without a stop, and their log-probabilities. `lethe tune` asks for
segments that grow (`lethe.cluster.environment.ALLOCATOR`); to measure with them, set that variable. Not covered: GPUs
in the plural.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import LlamaConfig, LlamaForCausalLM

from trainables.decoding.generate import greedy
from trainables.decoding.log_probs import token_logprobs
from trainables.memory.plan import GIB, SCORING, Plan, Scoring, Shape, plan, shape_of
from trainables.method import Candidate, Step
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.training.data import collate
from trainables.training.teacher import make_teacher
from trainables.training.trainable import freeze
from trainables.world import World

# Dense bf16 FLOP/s by a part of the device's name, from the makers' data sheets; the first that matches counts.
PEAKS = {
    "B200": 2250e12,
    "H200": 989e12,
    "H100 PCIe": 756e12,
    "H100": 989e12,
    "A100": 312e12,
    "L40S": 362e12,
    "L4": 121e12,
    "A10": 125e12,
}


def main() -> None:
    """Measure, print the table, and write the JSON."""
    arguments = parse()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    scoring = Scoring(items=arguments.items, prompt=arguments.length, new=arguments.new)
    outcome = measure(make_config(arguments), make_run(arguments), device, arguments.warmup, scoring)
    Console().print(draw(outcome))
    text = json.dumps(outcome, indent=2)
    print(text)
    if arguments.out:
        Path(arguments.out).write_text(text + "\n")


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The flags; by default TinyLlama's shape, with as many key and value heads as heads."""
    parser = argparse.ArgumentParser()
    defaults = {"layers": 22, "width": 2048, "mlp": 0, "heads": 32, "vocabulary": 32000, "length": 1024}
    defaults |= {"batch": 16, "micro": 4, "steps": 12, "warmup": 3, "items": 100, "new": 128, "score-batch": 32}
    for name, value in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--precision", default="bf16")
    parser.add_argument("--checkpointing", action="store_true")
    parser.add_argument("--out", help="JSON file to write.")
    found = parser.parse_args(arguments)
    if found.steps <= found.warmup:
        raise ValueError(f"--steps is {found.steps}: it must be more than --warmup, {found.warmup}")
    return found


def make_config(a: argparse.Namespace) -> LlamaConfig:
    """The model's shape; an MLP of 11/4 of the width where none is asked for."""
    heads = min(a.heads, a.width // 16)
    return LlamaConfig(
        hidden_size=a.width,
        intermediate_size=a.mlp or a.width * 11 // 4,
        num_hidden_layers=a.layers,
        num_attention_heads=heads,
        num_key_value_heads=heads,
        vocab_size=a.vocabulary,
        max_position_embeddings=max(2048, a.length + a.new),
    )


def make_run(a: argparse.Namespace) -> MeanTeacher:
    """The run's settings: the paper's rates, scored behind the last step alone."""
    return MeanTeacher(
        lr=5e-4,
        alpha=0.05,
        delta=0.005,
        damping=5.0,
        steps=a.steps,
        eval_every=a.steps,
        batch_size=a.batch,
        micro_batch_size=a.micro,
        max_length=a.length,
        precision=a.precision,
        checkpointing=a.checkpointing,
        score_batch=a.score_batch,
    )


def measure(
    shape_config: LlamaConfig, run: MeanTeacher, device: torch.device, warmup: int, scoring: Scoring
) -> dict[str, Any]:
    """All figures of one shape and run, as plain data; sizes in bytes, times in seconds."""
    shape = shape_of(shape_config)
    needed, flops = plan(shape, run, scoring=scoring), step_flops(shape, run)
    taken = timed_run(shape_config, run, device, scoring)
    floor = statistics.median(timed_floor(shape_config, run, device, warmup))
    step = statistics.median(taken.steps[warmup:])
    best = peak_flops(device)
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "torch": torch.__version__,
        "parameters": shape.elements(),
        "config": {
            k: getattr(run, k) for k in ("batch_size", "micro_batch_size", "max_length", "precision", "checkpointing")
        },
        "step_s": step,
        "floor_s": floor,
        "over_floor": step / floor,
        "tokens_per_s": 2 * run.batch_size * run.max_length / step,
        "flops_per_step": flops,
        "share_of_peak": flops / step / best if best else None,
        "peak_bytes": taken.training_peak,
        "planned_bytes": max(planned(needed, phase) for phase in needed.phases if phase != SCORING),
        "scoring_s": taken.scoring,
        "scoring_peak_bytes": taken.scoring_peak,
        "scoring_planned_bytes": planned(needed, SCORING),
        "used_bytes": taken.used,
        "needed_bytes": needed.peak,
    }


def planned(needed: Plan, phase: str) -> int:
    """The plan of a phase without the reserve: what the allocator hands out."""
    parts = needed.phases[phase]
    return sum(parts.values()) - parts["reserve"]


def step_flops(shape: Shape, run: MeanTeacher) -> int:
    """FLOPs of one step: the student on both batches, the teacher on one of them."""
    tokens, trainable = run.batch_size * run.max_length, shape.elements(trainable=True)
    head, attention = shape.vocabulary * shape.hidden, shape.layers * run.max_length * shape.heads * shape.head_size
    student = 6 * trainable + 4 * head + 6 * attention
    teacher = 2 * trainable + 2 * head + 2 * attention
    return tokens * (2 * student + teacher)


def peak_flops(device: torch.device) -> float | None:
    """The device's bf16 peak; None where the table does not know it."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return next((peak for part, peak in PEAKS.items() if part in name), None)


@dataclass(kw_only=True)
class Taken:
    """What a real run took: seconds of each step and of scoring, and bytes on a GPU (None on a CPU).

    Peaks are what tensors held at most; `used` is what is gone from the GPU, CUDA's context and holes counted.
    """

    steps: list[float] = field(default_factory=list)
    scoring: float = 0.0
    training_peak: int | None = None
    scoring_peak: int | None = None
    used: int | None = None


def timed_run(shape_config: LlamaConfig, run: MeanTeacher, device: torch.device, scoring: Scoring) -> Taken:
    """Run all steps, and score the student behind the last one."""
    model, sequences, taken = make_model(shape_config, device), random_sequences(shape_config, run), Taken()
    most_bytes(device)
    records = unlearn(model, sequences, sequences, run, pad=0, world=World(device=device))
    for seconds, record in stopwatch(records, device):
        if isinstance(record, Step):
            taken.steps.append(seconds)
        elif isinstance(record, Candidate) and record.role == "student":
            taken.training_peak = most_bytes(device)
            taken.scoring = timed(partial(score, record.subject, scoring, run, device), device)
            taken.scoring_peak = most_bytes(device)
            taken.used = used_bytes(device)
    return taken


def score(model: Any, scoring: Scoring, run: MeanTeacher, device: torch.device) -> None:
    """What scoring does at its longest: continue every prompt, and take the log-probabilities of its text."""
    generator, size = torch.Generator().manual_seed(1), (scoring.items, scoring.prompt)
    prompts = torch.randint(1, model.config.vocab_size, size, generator=generator).tolist()
    model.generation_config.eos_token_id = None  # all the new tokens of all rows
    greedy(model, prompts, max_new_tokens=scoring.new, batch_size=run.score_batch)
    token_logprobs(model, prompts, batch_size=run.score_batch)


def most_bytes(device: torch.device) -> int | None:
    """The most bytes that a GPU held since this was last asked."""
    if device.type != "cuda":
        return None
    found = torch.cuda.max_memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    return found


def used_bytes(device: torch.device) -> int | None:
    """Bytes of a GPU that are not free, of this process where it has the GPU to itself."""
    if device.type != "cuda":
        return None
    free, total = torch.cuda.mem_get_info(device)
    return total - free


def stopwatch(records: Iterator[Any], device: torch.device) -> Iterator[tuple[float, Any]]:
    """Each record with the seconds that it took to come."""
    start = time.perf_counter()
    for record in records:
        wait(device)
        yield time.perf_counter() - start, record
        start = time.perf_counter()


def timed_floor(shape_config: LlamaConfig, run: MeanTeacher, device: torch.device, warmup: int) -> list[float]:
    """Seconds of the passes alone, as often as there are steps to compare with."""
    student = make_model(shape_config, device)
    freeze(student)
    if run.checkpointing:
        student.activation_checkpointing_enable(activation_checkpointing_kwargs={"use_reentrant": False})
    teacher = make_teacher(student)
    student.train()
    sequences, times = random_sequences(shape_config, run), []
    for _ in range(run.steps):
        times.append(timed(lambda: floor_step(student, teacher, sequences, run, device), device))
        student.zero_grad()
    return times[warmup:]


def floor_step(student: Any, teacher: Any, sequences: list[list[int]], run: MeanTeacher, device: torch.device) -> None:
    """The passes of one step: student on two batches, teacher on one, with gradients of ones for logits."""
    for guided in (False, True):
        for start in range(0, run.batch_size, run.micro_batch_size):
            rows = sequences[start : min(start + run.micro_batch_size, run.batch_size)]
            ids, mask = (tensor.to(device) for tensor in collate(rows, pad=0))
            with torch.autocast(device.type, torch.bfloat16, enabled=run.precision == "bf16"):
                if guided:
                    with torch.no_grad():
                        teacher(input_ids=ids, attention_mask=mask, use_cache=False)
                logits = student(input_ids=ids, attention_mask=mask, use_cache=False).logits
            logits.backward(torch.ones_like(logits))


def timed(work: Callable[[], None], device: torch.device) -> float:
    """Seconds of some work, the device's included."""
    wait(device)
    start = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - start


def wait(device: torch.device) -> None:
    """Wait until the device has done what it was asked."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def make_model(shape_config: LlamaConfig, device: torch.device) -> Any:
    """A model with random weights, the same each time on the same device."""
    torch.manual_seed(0)
    with device:
        return LlamaForCausalLM(shape_config)


def random_sequences(shape_config: LlamaConfig, run: MeanTeacher) -> list[list[int]]:
    """As many random sequences of full length as a batch has."""
    generator = torch.Generator().manual_seed(0)
    size = (run.batch_size, run.max_length)
    return torch.randint(1, shape_config.vocab_size, size, generator=generator).tolist()


def draw(outcome: dict[str, Any]) -> Table:
    """The figures as a table."""
    share = outcome["share_of_peak"]
    rows = {
        "device": outcome["device"],
        "parameters": f"{outcome['parameters'] / 1e9:.3f}B",
        "step": f"{outcome['step_s'] * 1e3:.0f} ms",
        "floor": f"{outcome['floor_s'] * 1e3:.0f} ms",
        "step over floor": f"{outcome['over_floor']:.2f}",
        "tokens a second": f"{outcome['tokens_per_s']:.0f}",
        "share of bf16 peak": "not known" if share is None else f"{share:.1%}",
        "peak memory": beside(outcome["peak_bytes"], outcome["planned_bytes"]),
        "scoring": f"{outcome['scoring_s']:.1f} s",
        "its peak memory": beside(outcome["scoring_peak_bytes"], outcome["scoring_planned_bytes"]),
        "used in all": beside(outcome["used_bytes"], outcome["needed_bytes"]),
    }
    table = Table(show_header=False, box=None)
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def beside(held: int | None, planned: int) -> str:
    """Bytes that were measured, beside those that were planned."""
    measured = "not measured" if held is None else f"{held / GIB:.2f} GiB"
    return f"{measured}, planned {planned / GIB:.2f} GiB"


if __name__ == "__main__":
    main()
