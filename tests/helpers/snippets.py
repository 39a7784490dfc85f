"""The Python of README.md and docs/, to be run by tests."""

import re

from searching import ROOT, Tiny

PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
SNIPPETS = [
    text for page in PAGES for text in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), flags=re.DOTALL)
]


def snippet(word: str) -> str:
    """The one snippet that holds a word."""
    (found,) = [text for text in SNIPPETS if word in text]
    return found


def on_tiny(text: str, tiny: Tiny) -> str:
    """A snippet as it stands but for the task: muse-mini would be trained where the cache does not have it."""
    named = ", ".join(f"{name}={place!r}" for name, place in tiny.places().items())
    text, changed = re.subn(r'Task\(benchmark="muse-mini"\)', f"Task({named})", text)
    assert changed == 1
    return text
