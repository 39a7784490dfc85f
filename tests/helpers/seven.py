"""A Llama-2-7B-shaped configuration, without weights."""

from functools import cache
from pathlib import Path

from transformers import LlamaConfig

from trainables.memory.plan import Shape, shape_of
from trainables.methods.mean_teacher import MeanTeacher

BIG = MeanTeacher(
    parallel="fsdp", precision="bf16", checkpointing=True, batch_size=40, micro_batch_size=5, max_length=1024
)


def seven_config() -> LlamaConfig:
    """The published shape of Llama-2-7B."""
    return LlamaConfig(
        architectures=["LlamaForCausalLM"],
        hidden_size=4096,
        intermediate_size=11008,
        num_hidden_layers=32,
        num_attention_heads=32,
        vocab_size=32000,
    )


def seven_folder(folder: Path) -> Path:
    """A folder that holds only its config.json."""
    seven_config().save_pretrained(folder)
    return folder


@cache
def seven_shape() -> Shape:
    """What the plan knows of it."""
    return shape_of(seven_config())
