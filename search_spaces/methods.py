"""What is searched and what can be switched of a method: its file in this folder, found by the method's name.

Such a file has a SPACE for models of a million parameters and a SPACE_7B, SWITCHES (of each, the first level is the
baseline's) with their MEANINGS in words, and, where it likes, SETTINGS_7B (its own values for models of that size:
published ones, else ours), SWITCHES_7B and DESIGNS of ablations.
"""

from importlib import import_module
from typing import Any

from search_spaces.descent import ADDED, ATTACK_DESIGN, READ, REQUESTS_DESIGN, Switch

SMALL, LARGE = "1m", "7b"  # models of a million parameters, and of billions
TUNED_FACTOR = 5.0  # an arm that tunes its rates searches within this factor of their own values, below and above


def spaces_of(method: str) -> dict[str, dict[str, tuple[Any, ...]]]:
    """A method's spaces, by the size of the models."""
    own = _file_of(method)
    return {SMALL: own.SPACE, LARGE: own.SPACE_7B}


def switches_of(method: str) -> dict[str, dict[str, Switch]]:
    """What can be switched of a method, by the size of the models."""
    own = _file_of(method)
    return {SMALL: own.SWITCHES, LARGE: getattr(own, "SWITCHES_7B", own.SWITCHES)}


def settings_7b_of(method: str) -> dict[str, Any]:
    """A method's own settings for models of billions of parameters, where they are not its defaults."""
    return getattr(_file_of(method), "SETTINGS_7B", {})


def meanings_of(method: str) -> dict[str, str]:
    """Each level that is no baseline's, `switch=level`, in words that stand behind "the same, but"."""
    return _file_of(method).MEANINGS


def designs_of(method: str) -> dict[str, tuple[dict[str, Any], ...]]:
    """The designs of ablations of a method, by name; where it has none of its own, one part of it at a time.

    What is read is no part of a method: another corpus, which few benchmarks have, and shares of the forget set; nor is
    a mask of its weights. How it bears larger and later requests, and one that attacks, are designs of their own, of
    every method that trains.
    """
    switches = switches_of(method)[SMALL]
    every = {name: ("*",) for name in switches if name not in (*READ, *ADDED)}
    own = getattr(_file_of(method), "DESIGNS", {"loco": ({"kind": "one at a time", "switches": every},)})
    return own | ({"requests": REQUESTS_DESIGN, "attack": ATTACK_DESIGN} if "request" in switches else {})


def _file_of(method: str) -> Any:
    return import_module(f"search_spaces.{method}")
