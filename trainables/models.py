"""Loading, checking, freezing and saving causal language models, from a folder or a hub id.

Weights are read and written as safetensors only, and code that comes with a model is never run.
"""

import tempfile
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoTokenizer

from trainables.failures import whole_weights

NORM_WORDS = ("norm", "ln_")


def load_model(reference: str | Path, *, dtype: torch.dtype = torch.float32) -> Any:
    """Load a causal language model in evaluation mode from a folder or a hub id (safetensors only)."""
    return AutoModelForCausalLM.from_pretrained(
        str(reference), dtype=dtype, use_safetensors=True, trust_remote_code=False
    ).eval()


def load_tokenizer(reference: str | Path) -> Any:
    """Load the tokenizer that stands beside a model; a tokenizer without a padding token pads with its end token."""
    tokenizer = AutoTokenizer.from_pretrained(str(reference), trust_remote_code=False)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def save_model(model: Any, tokenizer: Any, folder: Path, weights: dict[str, Any] | None = None) -> None:
    """Write a model and its tokenizer to `folder`, whole or not at all; OSError where that cannot be.

    `weights` are taken in the place of a sharded model's.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as room:
        draft, old = Path(room) / "draft", Path(room) / "old"
        with whole_weights():
            model.save_pretrained(draft, state_dict=weights)
        tokenizer.save_pretrained(draft)
        if folder.exists():
            folder.rename(old)
        try:
            draft.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


def freeze(model: Any) -> None:
    """Freeze the token and position embeddings, the head and every norm, and leave attention and MLP trainable.

    Source: arXiv 2504.13388, section on experiments.
    """
    for module in (model.get_input_embeddings(), model.get_output_embeddings()):
        if module is not None:
            module.requires_grad_(False)
    for name, module in model.named_modules():
        if isinstance(module, nn.Embedding) or any(word in name.rsplit(".", 1)[-1].lower() for word in NORM_WORDS):
            module.requires_grad_(False)


def trainable_parameters(model: Any) -> list[nn.Parameter]:
    """Return the parameters that unlearning moves, in the model's order."""
    return [parameter for parameter in model.parameters() if parameter.requires_grad]
