"""A study of a store by its name, read without writing to it; and what is printed of it."""

import json
from typing import Any

from dashboard.reports.decision import finite
from lethe.store.names import find_study
from lethe.store.snapshot import Reader, Snapshot


def read_study(name: str, url: str) -> Snapshot:
    """A study as it is now, also while it runs; ValueError in one line where it is not there or cannot be read."""
    return Reader(url, find_study(url, name)).read()


def say(text: str) -> None:
    """Print a line as it is, however long."""
    print(text)


def print_json(data: Any) -> None:
    """Print plain data as JSON; what is no finite number is null."""
    print(json.dumps(finite(data), indent=2))
