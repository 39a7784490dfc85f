"""What a trial's parameters say: of one method, its settings; of several, which method, and the settings of that one.

A study over several methods has a parameter `method`, and calls a setting by its method, as in `npo_gdr.lr`; such a
parameter is one of those trials alone that have this method.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

METHOD = "method"


def full_name(method: str, setting: str) -> str:
    """What a study over several methods calls a setting."""
    return f"{method}.{setting}"


def owner(name: str) -> str:
    """The method whose trials alone have a parameter; "" where all have it."""
    return name.rpartition(".")[0]


def belongs(name: str, parameters: Mapping[str, Any]) -> bool:
    """Whether a trial whose method is among `parameters`, if there are several, has the parameter of this name."""
    return owner(name) in ("", parameters.get(METHOD))


def present(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters without those that a trial does not have, for which a table has empty cells: of other methods, too."""
    return {name: value for name, value in parameters.items() if belongs(name, parameters) and not pd.isna(value)}


def own(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The settings among a trial's parameters, called as its method calls them."""
    return {name.rpartition(".")[2]: value for name, value in present(parameters).items() if name != METHOD}


def method_of(about: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:
    """By which method a trial unlearns; None where its study, an old one, does not say."""
    found = parameters.get(METHOD, about.get(METHOD))
    return None if found is None else str(found)


def settings_of(about: Mapping[str, Any], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What a study sets of a trial's method, apart from the trial's parameters."""
    stored = about.get("settings", {})
    return stored.get(parameters[METHOD], {}) if METHOD in parameters else stored
