"""What a program computes: its files with all that they import of this package, without what only a reader sees.

Comments, docstrings, the layout of lines and the words of cards are no part of it. Neither are the settings that a
class declares: a run's key has their values, of those that the program names. No torch.
"""

import ast
import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

CODE = Path(__file__).parent
LISTS = frozenset({"trainables", "trainables.methods", "trainables.derivations"})  # of names, which change no result
SETTING = "setting"  # the call that declares one (settings.py)
CARDS = {
    "Method": {"family", "meaning", "source", "unverified", "traps"},
    "Card": {"meaning", "item"},
}  # and their words


@dataclass(frozen=True)
class Program:
    """Modules with all that they import: a hash of what they compute, and the names by which they may read settings."""

    code: str
    names: frozenset[str]


@cache
def program_of(*modules: str) -> Program:
    """The program of modules, and all that they import of this package. A package stands for all of its files."""
    files = _by_module()
    reached: dict[str, ast.Module] = {}
    todo = [name for module in modules for name in files if name == module or name.startswith(f"{module}.")]
    while todo:
        name = todo.pop()
        if name in files and name not in reached.keys() | LISTS:
            reached[name] = computed(files[name].read_text("utf-8"))
            todo += _imports(reached[name])
    code = hashlib.sha256("".join(f"{name}: {ast.dump(reached[name])}\n" for name in sorted(reached)).encode())
    return Program(code.hexdigest()[:16], frozenset(name for tree in reached.values() for name in _names(tree)))


def computed(source: str) -> ast.Module:
    """The syntax of a file as it computes."""
    return _Reader().visit(ast.parse(source))


class _Reader(ast.NodeTransformer):
    """Takes away what only a reader sees."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """No docstring, nor any other constant that stands by itself."""
        return None if isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """No declaration of a setting."""
        declares = isinstance(node.value, ast.Call) and _called(node.value) == SETTING
        return None if declares else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """No words of a card."""
        words = CARDS.get(_called(node), set())
        node.keywords = [keyword for keyword in node.keywords if keyword.arg not in words]
        return self.generic_visit(node)


def _called(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _names(tree: ast.Module) -> Iterable[str]:
    """Attributes and texts: `settings.lr`, and `"lr"` for getattr."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _by_module() -> dict[str, Path]:
    """Every file of this package by the name that it is imported by."""
    names = {file: file.relative_to(CODE.parent).with_suffix("").parts for file in CODE.rglob("*.py")}
    return {".".join(part for part in parts if part != "__init__"): file for file, parts in names.items()}


def _imports(tree: ast.Module) -> Iterable[str]:
    """What a file imports, also in a function; `from a import b` gives `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
