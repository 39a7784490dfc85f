"""Whether a hub id can be had at all, and at which commit: from the hub or from what was downloaded before.

A model that was downloaded is used as it is, without asking the hub for a newer one: `hf download owner/name` gets it.
So every file of a model comes from one commit, and what is kept of its scores is known to be of that commit. Where all
of a model is here, or no hub answers, nothing is asked: the libraries look for a dozen files that a model may not have,
and without a network they try each of them again and again, for minutes.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from trainables.failures import reason_of

PATIENCE_S = 2.0
OPTIONAL = ("generation_config.json", "tokenizer.json", "tokenizer_config.json")  # files that change scores


def check_hub(reference: str, kind: Literal["dataset", "model"]) -> None:
    """ValueError, in one line, for a hub id that neither the hub nor the cache of earlier downloads has.

    Without this question a mistyped id costs 23 s where there is no network: the libraries ask again and again.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    api = HfApi()
    try:
        if (downloaded_configs if kind == "dataset" else _model_is_cached)(reference):
            return
        (api.dataset_info if kind == "dataset" else api.model_info)(reference, timeout=PATIENCE_S)
    except HFValidationError:
        raise ValueError(f"no {kind} {reference!r}: neither a folder nor a hub id owner/name") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        reason = "it is not there, or is private" if status in (401, 404) else f"the hub answers {status}"
        raise ValueError(f"no {kind} {reference!r} on the hub: {reason}") from None
    except (HTTPError, OSError) as error:
        raise ValueError(
            f"no {kind} {reference!r}: no such folder here, never downloaded, and the hub does not answer "
            f"({reason_of(error)})"
        ) from None


def revision(model: str | Path) -> str:
    """What to load a model by: the commit of a hub id that was downloaded, or else the newest."""
    return _downloaded(model) or "main"


def source(model: str | Path) -> dict[str, Any]:
    """The options of transformers by which a model is loaded: its `revision`, and whether of `local_files_only`."""
    local = Path(model).is_dir() or _is_whole(str(model)) or is_silent(str(model), "model")
    return {"revision": revision(model), "local_files_only": local}


@cache
def is_silent(reference: str, kind: Literal["dataset", "model"]) -> bool:
    """Whether no hub answers when it is asked for an id: once, and for as long as huggingface_hub waits for a file."""
    from huggingface_hub import HfApi, constants
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    api = HfApi()
    try:
        (api.dataset_info if kind == "dataset" else api.model_info)(reference, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except (HfHubHTTPError, HFValidationError):
        return False
    except (HTTPError, OSError):
        return True
    return False


def commit(model: str) -> str | None:
    """The commit that `revision` stands for; None for a hub id that was not downloaded while the hub is silent."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    try:
        return _downloaded(model) or HfApi().model_info(model, timeout=PATIENCE_S).sha
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError):
        return None


def downloaded_configs(dataset: str) -> list[str]:
    """The names of the configs of a dataset that were downloaded before."""
    from datasets import config
    from datasets.naming import camelcase_to_snakecase

    owner, _, name = dataset.partition("/")
    kept = Path(config.HF_DATASETS_CACHE) / f"{owner}___{camelcase_to_snakecase(name)}"
    return sorted({place.parts[-3] for place in kept.glob("*/*/*") if place.is_dir()})


def read_dataset(reference: str, config: str, split: str | None = None) -> Any:
    """A config of a data set of the hub, or a split of it, without the bars that `datasets` draws for every file."""
    from datasets import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars, load_dataset

    drawn = not are_progress_bars_disabled()
    disable_progress_bars()
    try:
        return load_dataset(reference, config, split=split)
    finally:
        if drawn:
            enable_progress_bars()


def _downloaded(model: str | Path) -> str | None:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if Path(model).is_dir():
        return None
    name = repo_folder_name(repo_id=str(model), repo_type="model")
    newest = Path(constants.HF_HUB_CACHE) / name / "refs" / "main"
    return newest.read_text().strip() if newest.is_file() else None


def _is_whole(model: str) -> bool:
    """Whether what was downloaded has configuration and weights, and all that the hub has of what else counts."""
    from huggingface_hub import try_to_load_from_cache

    if _downloaded(model) is None:
        return False

    def has(name: str) -> bool:
        return isinstance(try_to_load_from_cache(model, name), str)

    index = try_to_load_from_cache(model, "model.safetensors.index.json")
    shards = json.loads(Path(index).read_text("utf-8"))["weight_map"] if isinstance(index, str) else {}
    # What was asked for and is not on the hub is noted in the cache. The file .gitattributes is in every repository,
    # and only who downloads all of it has it.
    settled = all(try_to_load_from_cache(model, name) is not None for name in OPTIONAL)
    settled = settled or (has(".gitattributes") and has("tokenizer.json"))
    return settled and all(map(has, {"config.json", *(shards.values() or ["model.safetensors"])}))


def _model_is_cached(reference: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(reference, "config.json"), str)
