"""Saving and loading subjects. A plain model is its ordinary files; any other subject is a folder of

    parts.json      its kind, and the plain data that make it again
    model/          the ordinary files of its model and tokenizer; of several models, a folder each, named by its kind

and no configuration above these: `from_pretrained` of the folder fails, and never gives the bare model in its place.
"""

import json
import shutil
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from trainables.subjects.model_files import PARTS
from trainables.subjects.models import load_model, save_model, share_equal_, written_whole
from trainables.subjects.subject import Subject, models_of
from trainables.subjects.tokenizers import load_tokenizer

KINDS = {  # loaded by name: no run hangs on all of them
    "logit_difference": "trainables.subjects.difference:LogitDifference",
    "prompt_guard": "trainables.subjects.prompt_guard:PromptGuard",
    "reinforced": "trainables.subjects.reinforced:Reinforced",
}


Weights = Sequence[dict[str, Any] | None]  # of each model; None: its own


def save_subject(subject: Any, tokenizer: Any, folder: Path, weights: Weights | None = None) -> None:
    """Write a subject to `folder`, whole or not at all; OSError where that cannot be.

    `weights` are taken in the place of sharded models'.
    """
    weights = weights or [None] * len(models_of(subject))
    if not isinstance(subject, Subject):
        save_model(subject, tokenizer, folder, weights[0])
        return
    with written_whole(folder) as draft:
        for name, model, own in zip(subject.folders, subject.models, weights, strict=True):
            save_model(model, tokenizer, draft / name, own)
        told = {"kind": subject.kind, "data": subject.data()}
        (draft / PARTS).write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")


def load_subject(reference: str | Path, *, dtype: torch.dtype = torch.float32) -> Any:
    """Load what `save_subject` wrote, or any model that `load_model` does; ValueError, in one line, where it cannot."""
    file = Path(reference) / PARTS
    if not file.is_file():
        return load_model(reference, dtype=dtype)
    kind, data = _read(file)
    places = [file.parent / name for name in kind.folders]
    models, tokenizer = [load_model(place, dtype=dtype) for place in places], load_tokenizer(places[0])
    for model in models[1:]:
        share_equal_(models[0], model)
    try:
        return kind.made_of(models, tokenizer, data)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{str(file)!r} does not hold what makes a {kind.kind}: {error}") from None


def merge_exact(folder: Path) -> None:
    """Make a plain model's folder of a subject's, in place, where that is the subject to the bit; else leave it."""
    file = folder / PARTS
    if not file.is_file():
        return
    kind, data = _read(file)
    if (own := kind.plain(data)) is None:
        return
    file.unlink()
    for name in kind.folders:
        if name != own:
            shutil.rmtree(folder / name)
    for inner in list((folder / own).iterdir()):
        inner.rename(folder / inner.name)
    (folder / own).rmdir()


def tokenizer_of(reference: str | Path, subject: Any) -> Any:
    """The tokenizer of what `load_subject` loaded: beside a plain model's files, or beside those of the first model."""
    return load_tokenizer(Path(reference) / subject.folders[0] if isinstance(subject, Subject) else reference)


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
