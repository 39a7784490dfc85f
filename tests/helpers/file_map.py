"""The map of files: every file of the house with the first line of its docstring.

python tests/helpers/file_map.py        # writes docs/files.md
"""

import ast
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUSE = ("platform", "trainables", "search_spaces", "dashboard", "measurements")


def file_map() -> str:
    """All of docs/files.md."""
    files = sorted(file for folder in HOUSE for file in (ROOT / folder).rglob("*.py"))
    parts = ["# Files", "Made from the files' docstrings by `python tests/helpers/file_map.py`."]
    for folder, own in groupby(sorted(files, key=lambda file: (str(file.parent), file.name)), lambda file: file.parent):
        told = [(file.name, _first_line(file)) for file in own]
        title = f"## {folder.relative_to(ROOT)}/"
        rooms = [line for name, line in told if name == "__init__.py"]
        rows = [f"| `{name}` | {line} |" for name, line in told if name != "__init__.py"]
        parts += [title, *rooms, *(["\n".join(["| file | what it is |", "|---|---|", *rows])] if rows else [])]
    return "\n\n".join(parts) + "\n"


def _first_line(file: Path) -> str:
    said = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return said.split("\n\n")[0].replace("\n", " ").replace("|", "\\|")


if __name__ == "__main__":
    (ROOT / "docs").mkdir(exist_ok=True)
    (ROOT / "docs" / "files.md").write_text(file_map(), "utf-8")
