"""Whether a hub id can be had at all, from the hub or from what was downloaded before, asked once and quickly."""

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


def _dataset_is_cached(reference: str) -> bool:
    from datasets import config
    from datasets.naming import camelcase_to_snakecase

    owner, _, name = reference.partition("/")
    return any((Path(config.HF_DATASETS_CACHE) / f"{owner}___{camelcase_to_snakecase(name)}").glob("*/*/*"))


def _model_is_cached(reference: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    return isinstance(try_to_load_from_cache(reference, "config.json"), str)
