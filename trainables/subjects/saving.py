"""Saving and loading subjects. A plain model is its ordinary files; any other subject is a folder of

    parts.json      its kind, and the plain data that make it again
    model/          the ordinary files of its model and tokenizer

and no configuration above these: `from_pretrained` of the folder fails, and never gives the bare model in its place.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from trainables.subjects.model_files import PARTS
from trainables.subjects.models import load_model, save_model, written_whole
from trainables.subjects.subject import Subject
from trainables.subjects.tokenizers import load_tokenizer

MODEL = "model"  # the folder of the model's files
KINDS = {"prompt_guard": "trainables.subjects.prompt_guard:PromptGuard"}  # loaded by name: no run hangs on all of them


def save_subject(subject: Any, tokenizer: Any, folder: Path, weights: dict[str, Any] | None = None) -> None:
    """Write a subject to `folder`, whole or not at all; OSError where that cannot be.

    `weights` are taken in the place of a sharded model's.
    """
    if not isinstance(subject, Subject):
        save_model(subject, tokenizer, folder, weights)
        return
    with written_whole(folder) as draft:
        save_model(subject.model, tokenizer, draft / MODEL, weights)
        told = {"kind": subject.kind, "data": subject.data()}
        (draft / PARTS).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")


def load_subject(reference: str | Path, *, dtype: torch.dtype = torch.float32) -> Any:
    """Load what `save_subject` wrote, or any model that `load_model` does; ValueError, in one line, where it cannot."""
    file = Path(reference) / PARTS
    if not file.is_file():
        return load_model(reference, dtype=dtype)
    kind, data = _read(file)
    parts = (load_model(file.parent / MODEL, dtype=dtype), load_tokenizer(file.parent / MODEL))
    try:
        return kind(*parts, **data)
    except TypeError as error:
        raise ValueError(f"{str(file)!r} does not hold what makes a {kind.kind}: {error}") from None


def _read(file: Path) -> tuple[type[Any], dict[str, Any]]:
    """The class of a subject, and its data."""
    try:
        told = json.loads(file.read_text("utf-8"))
        name, data = told["kind"], dict(told["data"])
    except (ValueError, TypeError, LookupError) as error:
        raise ValueError(f"{str(file)!r} does not name a kind of subject and its data: {error!r}") from None
    if not isinstance(name, str) or name not in KINDS:
        raise ValueError(f"{str(file)!r} is of kind {name!r}, which is unknown: there are {', '.join(KINDS)}")
    module, _, attribute = KINDS[name].partition(":")
    return getattr(import_module(module), attribute), data
