"""Loading, checking and saving causal language models, from a folder or a hub id.

Weights are read and written as safetensors only, and code that comes with a model is never run.
"""

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, AutoConfig, AutoModelForCausalLM, PreTrainedConfig

from trainables.failures import is_memory, reason_of, whole_weights
from trainables.hub import revision, source
from trainables.subjects.model_files import check_model_files
from trainables.subjects.tokenizers import quiet, save_tokenizer, settings_of

PLAIN: dict[str, tuple[Any, ...]] = {  # settings of generation -> the values by which it is greedy and of no set length
    "do_sample": (None, False),
    "num_beams": (None, 1),
    "repetition_penalty": (None, 1.0),
    "no_repeat_ngram_size": (None, 0),
    "bad_words_ids": (None, []),
    "suppress_tokens": (None, []),
    "max_length": (None, 20),  # 20 is what transformers takes where nothing is said
    "max_new_tokens": (None,),
    "min_length": (None, 0),
    "min_new_tokens": (None, 0),
}
NAMED = 3  # weights of each kind that a message names


@contextmanager
def _plain() -> Iterator[None]:
    """Load models as they are: with peft installed, transformers looks for an adapter beside each, on the hub too."""
    names = ("transformers.models.auto.auto_factory", "transformers.integrations.peft")
    with ExitStack() as stack:
        for name in names:
            stack.enter_context(patch(f"{name}.is_peft_available", return_value=False))
        yield


def load_model(reference: str | Path, *, dtype: torch.dtype = torch.float32) -> Any:
    """Load a causal language model in evaluation mode from a folder or a hub id (safetensors only).

    ValueError, in one line, where it cannot be loaded, is quantized, or its weights are not exactly those of its
    architecture, all of them finite.
    """
    if Path(reference).is_dir():
        check_model_files(Path(reference))
    try:
        with quiet(), _plain():
            hub = source(reference)
            _check_config(PreTrainedConfig.get_config_dict(str(reference), **hub)[0])
            model, told = AutoModelForCausalLM.from_pretrained(
                str(reference),
                **hub,
                dtype=dtype,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
                ignore_mismatched_sizes=True,  # so that they are told, and refused by name
            )
        _check_names(told)
        check_finite(model)
    except Exception as error:  # what transformers raises of a folder has no common kind
        if is_memory(error):
            raise
        raise ValueError(f"model {str(reference)!r} cannot be loaded: {reason_of(error)}") from error
    return model.eval()


def model_notes(model: Any) -> list[str]:
    """What a user should know of a model's own way of writing, which no score follows: a line, without its name."""
    own = model.generation_config
    asked = [name for name, plain in PLAIN.items() if getattr(own, name, None) not in plain]
    if not asked:
        return []
    return [
        f"its generation_config ({', '.join(asked)}) is not applied: it writes greedily, as long as the protocol says"
    ]


def storage_notes(reference: str | Path) -> list[str]:
    """A note where a model's weights are stored in 16 bits, by its config.json."""
    config = settings_of(reference, "config.json")
    config |= config.get("text_config") or {}
    stored = str(config.get("dtype") or config.get("torch_dtype")).removeprefix("torch.")
    if stored not in ("bfloat16", "float16"):
        return []
    return [
        f"its weights are stored in {stored}: they are loaded, and candidates are saved, in float32, twice the size"
    ]


def _check_config(config: dict[str, Any]) -> None:
    text = config.get("text_config") or {}  # where a model reads more than text
    size = text.get("vocab_size", config.get("vocab_size"))
    for padding in (config.get("pad_token_id"), text.get("pad_token_id")):
        if padding is not None and size is not None and padding >= size:
            raise ValueError(f"pad_token_id of its config.json is {padding}, beyond its vocabulary of {size} ids")
    quantization = config.get("quantization_config")
    if quantization:
        method = quantization.get("quant_method", "no name")
        raise ValueError(
            f"its weights are quantized ({method}); unlearning moves full weights: give the model before that"
        )


def _check_names(told: dict[str, Any]) -> None:
    """`told` is what transformers says of a loading; what it may ignore (tied heads, buffers) it has left out."""
    kinds = {
        "weights are missing": sorted(told["missing_keys"]),
        "have names that its architecture does not know": sorted(told["unexpected_keys"]),
        "have other shapes": sorted(str(entry) for entry in told["mismatched_keys"]),
    }
    faults = [f"{len(names)} {kind} ({_some(names)})" for kind, names in kinds.items() if names]
    if faults or told["error_msgs"]:
        raise ValueError("; ".join([*faults, *map(str, told["error_msgs"])]))


def _some(names: list[str]) -> str:
    return ", ".join(names[:NAMED]) + (", ..." if len(names) > NAMED else "")


def check_finite(model: Any) -> None:
    """ValueError that names the first weight with a number that is not finite."""
    for name, weight in model.named_parameters():
        # The smallest and largest number are NaN where any is; unlike isfinite, it makes no second tensor.
        if weight.numel() and not torch.stack(torch.aminmax(weight.detach())).isfinite().all():
            raise ValueError(f"its weight {name} holds numbers that are not finite")


def share_equal_(model: Any, other: Any) -> None:
    """Every parameter of `other` that has the bits of `model`'s becomes that one: held once, wherever both move."""
    own = dict(model.named_parameters(remove_duplicate=False))
    for name, weight in list(other.named_parameters(remove_duplicate=False)):
        twin = own.get(name)
        if twin is not None and torch.equal(twin, weight):
            place, _, attribute = name.rpartition(".")
            setattr(other.get_submodule(place), attribute, twin)


def save_model(model: Any, tokenizer: Any, folder: Path, weights: dict[str, Any] | None = None) -> None:
    """Write a model and its tokenizer to `folder`, whole or not at all; OSError where that cannot be.

    `weights` are taken in the place of a sharded model's.
    """
    with written_whole(folder) as draft, whole_weights(), quiet():
        model.save_pretrained(draft, state_dict=weights)
        save_tokenizer(tokenizer, draft)


@contextmanager
def written_whole(folder: Path) -> Iterator[Path]:
    """A draft of a folder, to be written in a block; it takes the folder's place where the block comes to its end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as room:
        draft, old = Path(room) / "draft", Path(room) / "old"
        draft.mkdir()
        yield draft
        if folder.exists():
            folder.rename(old)
        try:
            draft.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise


def read_config(reference: str | Path) -> PreTrainedConfig:
    """The configuration of a model in a folder or on the hub, and nothing else of it; ValueError if there is none."""
    try:
        return AutoConfig.from_pretrained(str(reference), revision=revision(reference), trust_remote_code=False)
    except Exception as error:  # what transformers raises of a configuration has no common kind
        reason = reason_of(error)
        raise ValueError(f"model {str(reference)!r} has no configuration that can be read: {reason}") from error


def outline(config: PreTrainedConfig) -> Any:
    """The model of a configuration on the device `meta`: its modules and shapes, without memory for any weight."""
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config, trust_remote_code=False)


def check_checkpointing(reference: str | Path) -> None:
    """ValueError where a model's architecture cannot compute its activations again; only its configuration is read."""
    architecture = MODEL_FOR_CAUSAL_LM_MAPPING.get(type(read_config(reference)), None)
    if architecture is not None and not architecture.supports_gradient_checkpointing:
        raise ValueError(
            f"checkpointing is true, but {architecture.__name__}, the architecture of {str(reference)!r}, cannot: "
            "leave it out"
        )
