"""The house holds: who may import whom, what no file may do, and that the map of files is up to date."""

import ast
import re
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path

import pytest
from file_map import file_map

ROOT = Path(__file__).parents[2]
ENGINE, CLI = ROOT / "platform" / "lethe", ROOT / "platform" / "lethe_cli"
PACKAGES = {  # import name -> folder
    "lethe": ENGINE,
    "lethe_cli": CLI,
    "trainables": ROOT / "trainables",
    "search_spaces": ROOT / "search_spaces",
    "dashboard": ROOT / "dashboard",
}
ROOMS = ("lethe", "trainables", "search_spaces")  # none of them imports another
FORBIDDEN = {  # room -> what it must not import, and the one file that may
    "lethe": ({"trainables", "search_spaces", "dashboard", "lethe_cli", "streamlit"}, ()),
    "trainables": ({"lethe", "search_spaces", "dashboard", "lethe_cli", "optuna", "streamlit"}, ()),
    "trainables but its Ray adapters": ({"ray"}, ("trainables/workers/group.py",)),
    "search_spaces": (
        {"lethe", "trainables", "dashboard", "lethe_cli", "ray", "torch", "optuna", "streamlit"},
        (),
    ),
    "dashboard": ({"trainables", "search_spaces", "lethe_cli", "ray", "torch"}, ()),
}


def files_of(*folders: str) -> list[Path]:
    found = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    return [file for file in found if "__pycache__" not in file.parts]


SOURCES = files_of("platform", "trainables", "search_spaces", "dashboard", "measurements")
each_source = pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(ROOT)))


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), str(file))


def module_name(file: Path) -> str:
    """The name a file is imported by: `lethe.store`, `trainables.losses`, or a script's own."""
    base = next((folder.parent for folder in PACKAGES.values() if folder in file.parents), file.parent)
    parts = file.relative_to(base).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


@cache
def imports_of(file: Path) -> frozenset[str]:
    """Every module that a file imports: also in a function, under TYPE_CHECKING, or by a string.

    `from a import b` gives both `a` and `a.b`; a relative import is written out.
    """
    found: set[str] = set()
    package = module_name(file).split(".")[: None if file.name == "__init__.py" else -1]
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            found.update([origin, *(f"{origin}.{alias.name}" for alias in node.names)])
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            found.update(str(a.value) for a in node.args[:1] if isinstance(a, ast.Constant))
    return frozenset(found)


def roots_of(file: Path) -> set[str]:
    """Top-level names that a file imports: `ray` for `from ray.train import report`."""
    return {name.split(".")[0] for name in imports_of(file)}


@pytest.mark.parametrize(("room", "rule"), FORBIDDEN.items(), ids=FORBIDDEN)
def test_a_room_imports_nothing_from_the_rooms_it_does_not_know(room, rule):
    forbidden, allowed = rule
    files = files_of(str(PACKAGES[room.split()[0]].relative_to(ROOT)))
    offences = {str(f.relative_to(ROOT)): sorted(roots_of(f) & forbidden) for f in files}
    assert {name: found for name, found in offences.items() if found and name not in allowed} == {}


def test_the_dashboard_reads_studies_fronts_and_results_of_others_and_nothing_else_of_the_engine():
    own = {name for file in files_of("dashboard") for name in imports_of(file) if name.startswith("lethe")}
    assert {name for name in own if not re.match(r"lethe(\.(store|fronts|analysis|imports)(\..*)?)?$", name)} == set()


def test_who_looks_at_a_study_needs_no_ray():
    modules = {module_name(file): file for file in files_of("platform/lethe")}
    todo = [
        name for name in modules if name.startswith(("lethe.store", "lethe.fronts", "lethe.analysis", "lethe.imports"))
    ]
    reached = set()
    while todo:
        name = todo.pop()
        if name in modules and name not in reached:
            reached.add(name)
            todo += imports_of(modules[name])
    assert len(reached) > 15
    assert {name for name in reached if "ray" in roots_of(modules[name])} == set()


def test_ray_is_started_and_given_its_environment_in_one_file():
    starters = {
        str(file.relative_to(ROOT))
        for file in SOURCES
        for node in ast.walk(tree_of(file))
        if (isinstance(node, ast.Call) and ast.unparse(node.func) == "ray.init")
        or (isinstance(node, ast.keyword) and node.arg == "runtime_env")
        or (isinstance(node, ast.ImportFrom) and node.module == "ray" and "init" in {a.name for a in node.names})
    }
    assert starters == {"platform/lethe/cluster/starting.py"}


def own_edges() -> dict[str, set[str]]:
    """Which module of ours imports which other one."""
    modules = {module_name(file): file for file in SOURCES}
    return {name: (set(imports_of(file)) & set(modules)) - {name} for name, file in modules.items()}


def cycle_in(edges: dict[str, set[str]]) -> list[str]:
    """What is left after taking away, again and again, what imports nothing that is left."""
    left = {name: set(targets) for name, targets in edges.items()}
    while leaves := {name for name, targets in left.items() if not targets & left.keys()}:
        left = {name: targets for name, targets in left.items() if name not in leaves}
    return sorted(left)


def test_imports_run_in_no_circle_not_even_hidden_in_a_function_or_under_type_checking():
    edges = own_edges()
    assert edges["trainables.methods.mean_teacher"] >= {"trainables.losses.logits", "trainables.settings"}
    assert cycle_in(edges) == []


def room_of(module: str) -> str:
    """The room of a module: its folder; a file that stands beside rooms, and a script, is one by itself."""
    package, name = module.split(".")[0], module.split(".")[1:]
    is_room = name and package in PACKAGES and (PACKAGES[package] / name[0]).is_dir()
    return f"{package}.{name[0]}" if is_room else module


def test_rooms_import_each_other_in_no_circle_either():
    edges: dict[str, set[str]] = {}
    for module, targets in own_edges().items():
        edges.setdefault(room_of(module), set()).update(map(room_of, targets))
    edges = {room: targets - {room} for room, targets in edges.items()}
    assert edges["lethe.search"] >= {"lethe.store", "lethe.fronts"}
    assert cycle_in(edges) == []


def test_a_circle_would_be_found():
    assert cycle_in({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}, "e": set()}) == ["a", "b", "c", "d"]


def test_platform_is_no_package():
    assert (ROOT / "platform").is_dir()
    assert not (ROOT / "platform" / "__init__.py").exists()


@pytest.mark.parametrize("path", [".", "platform"])
def test_import_platform_finds_the_standard_library_s_from_the_root_and_from_a_script(path):
    code = "import platform; print(platform.__file__); platform.python_version()"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT / path)!r}); {code}"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    assert Path(found) == Path(sysconfig.get_path("stdlib")) / "platform.py"


def test_nothing_in_platform_has_the_name_of_a_standard_library_module():
    entries = {entry.stem for entry in (ROOT / "platform").iterdir()}
    assert entries & set(sys.stdlib_module_names) == set()


def test_nothing_else_in_the_root_has_such_a_name():
    beside = {entry.stem for entry in ROOT.iterdir() if entry.name != "platform" and not entry.name.startswith(".")}
    assert beside & set(sys.stdlib_module_names) == set()


def public_definitions(body: list[ast.stmt], prefix: str = ""):
    """Public functions and classes of a module, and public methods of its public classes."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{node.name}.")


@each_source
def test_every_module_and_every_public_function_class_and_method_says_what_it_is(file):
    tree = tree_of(file)
    silent = [name for name, node in public_definitions(tree.body) if not ast.get_docstring(node)]
    assert silent == []
    assert ast.get_docstring(tree) or not tree.body


def broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or bool(re.search(r"\b(Base)?Exception\b", ast.unparse(handler.type)))


@each_source
def test_no_file_swallows_every_exception(file):
    handlers = [node for node in ast.walk(tree_of(file)) if isinstance(node, ast.ExceptHandler)]
    reraises = [any(isinstance(n, ast.Raise) for n in ast.walk(handler)) for handler in handlers]
    assert all(kept or not broad(h) for h, kept in zip(handlers, reraises, strict=True))


@each_source
def test_no_function_s_body_is_longer_than_50_lines(file):
    functions = [n for n in ast.walk(tree_of(file)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert {n.name for n in functions if n.end_lineno - n.body[0].lineno >= 50} == set()


def test_the_map_of_files_is_that_of_the_docstrings():
    assert (ROOT / "docs" / "files.md").read_text("utf-8") == file_map(), "python tests/helpers/file_map.py writes it"


def test_the_readme_names_every_room():
    readme = (ROOT / "README.md").read_text("utf-8")
    rooms = {str(file.parent.relative_to(ROOT)) for file in SOURCES}
    assert {room for room in rooms if f"`{room}/`" not in readme} == set()


def test_no_two_files_of_tests_share_a_name():
    names = [file.name for file in (ROOT / "tests").rglob("test_*.py")]  # pytest takes them for one module
    assert sorted(names) == sorted(set(names))
