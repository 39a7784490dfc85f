"""Whether a hub id can be had at all, and at which commit: from the hub or from what was downloaded before.

A model that was downloaded is used as it is, without asking the hub for a newer one: `hf download owner/name` gets it.
So every file of a model comes from one commit, and what is kept of its scores is known to be of that commit.
"""

from pathlib import Path
from typing import Literal

PATIENCE_S = 2.0


def check_hub(reference: str, kind: Literal["dataset", "model"]) -> None:
    """ValueError, in one line, for a hub id that neither the hub nor the cache of earlier downloads has.

    Without this question a mistyped id costs 23 s where there is no network: the libraries ask again and again.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    api = HfApi()
    try:
        if (_dataset_is_cached if kind == "dataset" else _model_is_cached)(reference):
            return
        (api.dataset_info if kind == "dataset" else api.model_info)(reference, timeout=PATIENCE_S)
    except HFValidationError:
        raise ValueError(f"no {kind} {reference!r}: neither a folder nor a hub id owner/name") from None
    except HfHubHTTPError as error:
        status = error.response.status_code
        reason = "it is not there, or is private" if status in (401, 404) else f"the hub answers {status}"
        raise ValueError(f"no {kind} {reference!r} on the hub: {reason}") from None
    except (HTTPError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"no {kind} {reference!r}: no such folder here, never downloaded, and the hub does not answer ({reason})"
        ) from None


def revision(model: str | Path) -> str:
    """What to load a model by: the commit of a hub id that was downloaded, or else the newest."""
    return _downloaded(model) or "main"


def commit(model: str) -> str | None:
    """The commit that `revision` stands for; None for a hub id that was not downloaded while the hub is silent."""
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, HTTPError

    try:
        return _downloaded(model) or HfApi().model_info(model, timeout=PATIENCE_S).sha
    except (HfHubHTTPError, HFValidationError, HTTPError, OSError):
        return None


def _downloaded(model: str | Path) -> str | None:
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name

    if Path(model).is_dir():
        return None
    name = repo_folder_name(repo_id=str(model), repo_type="model")
    newest = Path(constants.HF_HUB_CACHE) / name / "refs" / "main"
    return newest.read_text().strip() if newest.is_file() else None


def _dataset_is_cached(reference: str) -> bool:
    from datasets import config
    from datasets.naming import camelcase_to_snakecase

    owner, _, name = reference.partition("/")
    return any((Path(config.HF_DATASETS_CACHE) / f"{owner}___{camelcase_to_snakecase(name)}").glob("*/*/*"))


def _model_is_cached(reference: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(reference, "config.json"), str)
