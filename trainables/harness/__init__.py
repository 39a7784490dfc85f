"""General utility by lm-evaluation-harness (EleutherAI), of any subject: an extra, `lethe-tune[harness]`."""

from importlib.util import find_spec

MISSING = "lm-evaluation-harness is not installed: pip install 'lethe-tune[harness]'"


def check_installed() -> None:
    """ValueError in one line where the extra is not installed; nothing of it is loaded."""
    if find_spec("lm_eval") is None:
        raise ValueError(MISSING)
