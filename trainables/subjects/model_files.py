"""What a model folder's files tell before anything is loaded: whether they are the files, whole, and can be read.

Every check raises ValueError with one line that names the file. No torch.
"""

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from safetensors import SafetensorError, safe_open

POINTER = b"version https://git-lfs"  # how the stand-in begins that git leaves where Git LFS did not fetch the file
POINTS = "is a pointer of Git LFS, not the file itself: fetch it with git lfs pull"
TOKENIZER_FILES = ("tokenizer.json", "tokenizer.model", "vocab.json")  # of which a tokenizer has at least one
PARTS = "parts.json"  # in the folder of a subject that is no plain model (saving.py)
READ_AS_JSON = ("config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json")


def check_model_files(folder: Path) -> None:
    """Check that weights, configuration and tokenizer are no pointers of Git LFS, are whole and can be read."""
    if (folder / PARTS).exists():
        raise ValueError(f"{str(folder)!r} is no plain model, as its {PARTS} says: load_subject loads it")
    for file in sorted([*folder.glob("*.safetensors"), *folder.glob("*.json"), *folder.glob("*.model")]):
        check_no_pointer(file)
    for file in sorted(folder.glob("*.safetensors")):
        _check_readable(file, _read_header)
    for name in READ_AS_JSON:
        if (folder / name).exists():
            _check_readable(folder / name, lambda file: json.loads(file.read_bytes()))
    _check_package(folder)


def check_no_pointer(file: Path) -> None:
    """Check that a file is not what git leaves in the place of a large one."""
    with file.open("rb") as opened:
        if opened.read(len(POINTER)) == POINTER:
            raise ValueError(f"{str(file)!r} {POINTS}")


def _check_readable(file: Path, read: Callable[[Path], object]) -> None:
    try:
        read(file)
    except (SafetensorError, ValueError) as error:
        raise ValueError(f"{str(file)!r} is broken or cut short: {error}") from None


def _read_header(file: Path) -> None:
    """Only the header of the weights, whose sizes have to add up to the file's."""
    with safe_open(file, framework="numpy"):
        pass


def _check_package(folder: Path) -> None:
    """A tokenizer that stands in tokenizer.model alone is read by a package that Lethe does without otherwise."""
    file = folder / "tokenizer.model"
    if (folder / "tokenizer.json").exists() or not file.exists():
        return
    # tiktoken's is lines of text, a word in base64 and its rank; sentencepiece's is a binary message.
    with file.open("rb") as opened:
        begin = opened.read(256)
    package = "tiktoken" if begin.isascii() and b" 0\n" in begin else "sentencepiece"
    if find_spec(package) is None:
        raise ValueError(
            f"{str(folder)!r} has its tokenizer in tokenizer.model only, which the package {package} reads: pip "
            f"install {package}, or put the tokenizer.json beside it"
        )
