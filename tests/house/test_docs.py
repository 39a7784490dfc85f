"""README.md and docs/: their links lead somewhere, their Python runs as it is written, their commands can be given.

What needs a cluster is run by test_jobs.py.
"""

import importlib.util
import re
import shlex
from dataclasses import fields
from functools import cache
from pathlib import Path

import optuna
import pytest
import tiny_ablation
import typer
from searching import ROOT
from snippets import PAGES, on_tiny, snippet
from tiny_study import run_trial, tiny_ledger

from lethe.store.storage import open_storage
from lethe_cli import main
from lethe_cli.flags import METHOD
from search_spaces.methods import designs_of, spaces_of
from trainables.methods import METHODS, find_method
from trainables.scores.protocol import PROTOCOLS

RESULTS = sorted((ROOT / "measurements" / "results").glob("*.md"))
each_page = pytest.mark.parametrize("page", [*PAGES, *RESULTS], ids=lambda page: str(page.relative_to(ROOT)))
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


@cache
def anchors(page: Path) -> frozenset[str]:
    """The anchors of a page's headings, as GitHub makes them: lower case, without punctuation, hyphens for spaces."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return frozenset(re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles)


def links(page: Path) -> list[str]:
    """The targets of a page's links and pictures that lead to another place of this repository."""
    found = re.findall(r"\]\(([^)\s]+)\)", CODE.sub("", page.read_text("utf-8")))
    return [link for link in found if not re.match(r"https?:", link)]


@each_page
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page):
    for link in links(page):
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        assert not anchor or anchor in anchors(target), link


def test_the_readme_leads_to_every_page():
    named = {(ROOT / link.split("#")[0]).resolve() for link in links(ROOT / "README.md")}
    assert set(PAGES) - named == {ROOT / "README.md"}


def test_some_page_leads_to_every_page_of_figures():
    named = {(page.parent / link.split("#")[0]).resolve() for page in PAGES for link in links(page)}
    assert set(RESULTS) - named == set()


def test_what_the_code_says_to_read_is_there():
    files = [file for room in ("platform", "trainables", "dashboard") for file in (ROOT / room).rglob("*.py")]
    named = {page for file in files for page in re.findall(r"docs/[\w-]+\.md", file.read_text("utf-8"))}
    assert "docs/cluster.md" in named
    assert {page for page in named if not (ROOT / page).is_file()} == set()


def test_the_figures_of_the_choice_are_those_of_the_picture():
    page = (ROOT / "docs" / "reading-a-front.md").read_text("utf-8")
    text = re.search(r"^!\[.*?^#", page, re.DOTALL | re.MULTILINE)[0]
    figures = set(re.findall(r"\d+\.\d", text))
    picture = (ROOT / "measurements" / "results" / "front.svg").read_text("utf-8")
    drawn = " ".join(re.findall(r"<text[^>]*>(.*?)</text>", picture))
    assert len(figures) > 5
    assert figures - set(re.findall(r"\d+\.\d\b", drawn)) == set()


SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
SCRIPTS = {f"platform/{name}_mt.py": name for name in ("tune", "train", "ablate")}


def commands(page: Path) -> list[list[str]]:
    """The commands of Lethe in a page's text, each as its words behind `lethe`; a script is the command it stands for."""
    text = page.read_text("utf-8").replace("\\\n", " ")
    blocks = re.findall(r"^```\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += [" ".join(span.split()) for span in SPAN.findall(text)]
    words = [
        shlex.split(line, comments=True) for line in lines if re.search(r"\blethe [a-z]|platform/\w+_mt\.py", line)
    ]
    return [found for line in words if (found := behind_lethe(line))]


def behind_lethe(words: list[str]) -> list[str]:
    """What stands behind the program; nothing where the line gives none to it."""
    for at, word in enumerate(words[:-1]):
        if word in SCRIPTS:
            return [SCRIPTS[word], *words[at + 1 :]]
        if word.split("/")[-1] == "lethe":
            return words[at + 1 :]
    return []


@pytest.fixture
def lethe(monkeypatch):
    """The command `lethe`, with all that stands below it."""
    seen: list[typer.Typer] = []
    monkeypatch.setattr(main, "run", lambda app, arguments: seen.append(app))
    main.main()
    return typer.main.get_command(seen[0])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_flag_that_is_shown_exists(page, lethe):
    for words in commands(page):
        command = lethe
        while words and hasattr(command, "commands"):
            assert words[0] in command.commands, words
            command, words = command.commands[words[0]], words[1:]
        known = {flag for parameter in command.params for flag in parameter.opts} | {"--help"}
        assert {word.split("=")[0] for word in words if word.startswith("--")} <= known, words


def shown() -> list[list[str]]:
    """All commands, and all flags that stand without theirs."""
    return [*(words for page in PAGES for words in commands(page)), *flags_alone()]


def test_every_setting_that_is_shown_is_one_of_its_method_s():
    named = set()
    for words in shown():
        settings = {word.split("=")[0] for word in after(words, ("--set", "--range", "--choose"))} - {"..."}
        methods = [name for listed in after(words, ("--method",)) for name in listed.split(",")] or [METHOD]
        own = {method: {field.name for field in fields(find_method(method).settings)} for method in methods}
        there = {name for names in own.values() for name in names}
        assert settings - there - {f"{method}.{name}" for method, names in own.items() for name in names} == set()
        named |= settings
    assert named >= {"lr", "checkpointing", "unrelated_texts"}


CHOICES = {"--method": METHODS, "--space": spaces_of(METHOD), "--design": designs_of(METHOD), "--protocol": PROTOCOLS}


@pytest.mark.parametrize("flag", CHOICES)
def test_every_choice_that_is_shown_is_there(flag):
    values = {value for words in shown() for listed in after(words, (flag,)) for value in listed.split(",")}
    assert values
    assert values - set(CHOICES[flag]) == set()


def after(words: list[str], flags: tuple[str, ...]) -> list[str]:
    """The values of flags that take several, up to the next flag."""
    values, wanted = [], False
    for word in words:
        wanted = word in flags if word.startswith("--") else wanted
        values += [word] if wanted and not word.startswith("--") else []
    return values


def flags(command) -> set[str]:
    """The flags of a command and of all below it."""
    below = [flags(inner) for inner in getattr(command, "commands", {}).values()]
    own = {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}
    return own.union(*below)


def flags_alone() -> list[list[str]]:
    """The flags that are named in a text without their command, with their values."""
    spans = [span for page in PAGES for span in SPAN.findall(page.read_text("utf-8"))]
    return [span.split() for span in spans if span.startswith("--")]


def test_every_flag_that_stands_alone_in_a_text_exists(lethe):
    named = {word.split("=")[0] for words in flags_alone() for word in words if word.startswith("--")}
    assert "--resume" in named
    assert named - flags(lethe) == set()


def test_commands_are_found_in_blocks_and_in_text():
    found = [words for page in PAGES for words in commands(page)]
    assert {words[0] for words in found} >= {"tune", "train", "ablate", "report", "plan", "benchmark", "dashboard"}
    assert ["dashboard"] in found
    assert any("checkpointing=true" in words for words in found)  # a command of three lines


def test_every_file_and_module_of_contributing_s_table_is_there():
    table = re.findall(r"^\| `python (.+?)`", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.MULTILINE)
    words = [word for row in table for word in row.split()]
    modules = {word for word in words if word.startswith("measurements.")}
    assert {module for module in modules if importlib.util.find_spec(module) is None} == set()
    assert {word for word in words if word.endswith(".py") and not (ROOT / word).is_file()} == set()
    commands = (file for file in (ROOT / "measurements").glob("*.py") if "__main__" in file.read_text("utf-8"))
    own = {f"measurements.{file.stem}" for file in commands}
    assert modules == own


def test_the_study_snippet_prints_the_front_of_a_study(tmp_path, capsys):
    url = f"sqlite:///{tmp_path}/studies.db"
    ledger = tiny_ledger(open_storage(url), "muse-mini")
    for verbmem in (30.0, 20.0):
        run_trial(ledger, verbmem_f=verbmem)
    text, changed = re.subn(r'"sqlite:////[^"]+"', repr(url), snippet("Reader("))
    assert changed == 1
    exec(compile(text, "docs", "exec"), {})
    printed = capsys.readouterr().out
    assert "verbmem_f" in printed
    assert "20.0" in printed
    assert "30.0" not in printed


def test_the_ablation_snippet_prints_arms_and_clear_effects(tmp_path, capsys):
    url, name = tiny_ablation.finished(tmp_path)
    text = re.sub(r'"sqlite:////[^"]+", "muse-mini-loco"', f"{url!r}, {name!r}", snippet("read_ablation"))
    exec(compile(text, "docs", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert printed[:2] == ["baseline {}", "damping=off {'damping': 0.0}"]
    assert any("loss=ll" in line and "verbmem_f" in line for line in printed[2:])


@pytest.mark.slow
def test_the_unlearner_snippet_prints_scores_of_student_and_teacher_at_every_evaluation(
    tiny, tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    exec(compile(on_tiny(snippet("MeanTeacher(lr=0.1"), tiny), "docs", "exec"), {})
    lines = [line.split(maxsplit=3) for line in capsys.readouterr().out.splitlines()]
    assert [line[:3] for line in lines] == [
        ["step", step, role] for step in ("20", "40", "60") for role in ("student", "teacher")
    ]
    assert (tmp_path / "runs" / "one").is_dir()


def test_optuna_is_enough_to_open_a_study(tmp_path):
    url = f"sqlite:///{tmp_path}/studies.db"
    run_trial(tiny_ledger(open_storage(url), "muse-mini"))
    assert len(optuna.load_study(study_name="muse-mini", storage=url).best_trials) == 1
