"""The configs of a data set of the hub that is not of MUSE's layout: from the hub, or from a folder of its files."""

from pathlib import Path
from typing import Any

from trainables.benchmarks.files import READERS, UNREADABLE
from trainables.failures import reason_of
from trainables.folders import find_folder
from trainables.hub import check_hub, read_dataset


def read_config(place: str, config: str, *, what: str, split: str = "train", files: tuple[str, ...] = ()) -> Any:
    """The records of a config, a list; None where the place has none of that name.

    In a folder it is a file of the config's name, or one of those in `files`, with an ending of READERS; a .json file
    holds a list or lines. On the hub it is a split of the config. ValueError, in one line, for a place that is not
    there and for what cannot be read; `what` it is, in a reader's words: "TOFU".
    """
    folder = find_folder(place, "benchmark")
    return _from_folder(folder, (config, *files)) if folder else _from_hub(place, config, split, what)


def _from_folder(folder: Path, names: tuple[str, ...]) -> list[Any] | None:
    candidates = (folder / f"{name}{ending}" for name in names for ending in READERS)
    file = next((candidate for candidate in candidates if candidate.is_file()), None)
    if file is None:
        return None
    try:
        content = file.read_bytes()
        lines = file.suffix == ".json" and not content.lstrip().startswith(b"[")  # the hub's .json files may be lines
        return READERS[".jsonl" if lines else file.suffix](content)
    except UNREADABLE as error:
        raise ValueError(f"{str(file)!r} cannot be read: {reason_of(error)}") from None


def _from_hub(reference: str, config: str, split: str, what: str) -> list[Any] | None:
    from datasets import get_dataset_config_names
    from datasets.exceptions import DatasetsError

    check_hub(reference, "dataset")
    try:
        if config not in get_dataset_config_names(reference):
            return None
        return list(read_dataset(reference, config, split))
    except (OSError, ValueError, DatasetsError) as error:
        raise ValueError(f"no {what} {reference!r} that can be read ({reason_of(error)})") from None
