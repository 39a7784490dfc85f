"""A program is what its files compute: words for a reader are no part of it, and all else is."""

import ast
import sys
import textwrap
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainables import methods, program
from trainables.keys import run_key
from trainables.program import computed, program_of

SMALL = '''
"""{words}"""

from dataclasses import dataclass

from trainables.method import Method, Needs
from trainables.settings import Descent, setting


@dataclass(frozen=True, kw_only=True)
class Small(Descent):
    """{words}"""

    method = "small"
    RATIO = {ratio}

    share: {kind} = setting({default}, "{words}", {allowed})
    {newer}

    def half(self) -> float:
        """{words}"""
        return self.share / {half}  # {words}


def unlearn(settings):
    # {words}
    {line}
    return settings.share * {number}


SMALL = Method(settings=Small, unlearn=unlearn, needs=lambda settings: Needs(trainable="all"), roles={roles}, family="ascent", meaning="{words}", source="{words}")
'''
PLAIN = {
    **{"words": "words", "ratio": 2.0, "kind": "float", "default": 0.5, "allowed": "", "newer": "", "half": 2},
    **{"line": "pass", "number": 3.0, "roles": "('student',)"},
}


@pytest.fixture
def small(tmp_path, monkeypatch):
    """The key of a run of the one method of a package, which is written and loaded with what is changed in it."""
    monkeypatch.setattr(program, "CODE", tmp_path / "trainables")
    monkeypatch.setitem(methods.METHODS, "small", "trainables.methods.small:SMALL")
    (tmp_path / "trainables" / "methods").mkdir(parents=True)

    def key(chosen=None, **changes) -> str:
        source = SMALL.format(**(PLAIN | changes))
        (tmp_path / "trainables" / "methods" / "small.py").write_text(source)
        module = ModuleType("trainables.methods.small")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(source, "small.py", "exec"), vars(module))
        program_of.cache_clear()
        return run_key(module.Small(**(chosen or {})), "data")

    yield key
    program_of.cache_clear()


@pytest.mark.parametrize(
    "changes",
    [
        {"words": "other words"},
        {"line": "pass\n\n    # a comment\n"},
        {"line": "pass ;"},
        {"number": "(3.000)"},
        {"allowed": "positive=True"},
        {"newer": 'newer: float = setting(1.0, "what came to be later")'},
        {"newer": 'newer: str = setting("a", "what came to be later", choices=("a", "b"))'},
    ],
)
def test_words_lines_checks_and_a_new_setting_with_a_default_change_no_key(small, changes):
    assert small(**changes) == small()


@pytest.mark.parametrize(
    "changes",
    [
        {"default": 0.25},
        {"number": 3.5},
        {"ratio": 2.5},
        {"half": 4},
        {"line": "settings = settings"},
        {"roles": "('teacher',)"},
        {"newer": "LATER = 1"},
        {"newer": 'newer: float = setting(1.0, "later")', "line": "settings.newer"},
        {"newer": 'newer: float = setting(1.0, "later")', "line": 'getattr(settings, "newer")'},
    ],
)
def test_another_default_number_constant_method_or_line_changes_the_key(small, changes):
    assert small(**changes) != small()


def test_a_default_that_changed_is_told_from_it_by_the_value_that_a_run_has(small):
    assert small({"share": 0.5}, default=0.25) == small()
    assert small({"share": 0.25}) == small(default=0.25)


def test_a_new_setting_that_is_not_at_its_default_changes_the_key_though_nothing_names_it(small):
    newer = 'newer: float = setting(1.0, "later")'
    assert len({small(), small({"newer": 2.0}, newer=newer), small({"newer": 3.0}, newer=newer)}) == 3


def test_equal_settings_have_the_same_key_however_their_numbers_are_written(small):
    assert small({"share": 1}) == small({"share": 1.0}) == small(default=1)


LINES = ["x = 1", "y = x + 2", "def f(a, b=3):\n    return a * b", "z = [f(i) for i in range(4)]"]
plain = st.text(st.characters(codec="ascii", exclude_characters="\"'\\\n\r\f", exclude_categories=["Cc"]), max_size=9)


@given(words=st.lists(plain, min_size=5, max_size=5), gaps=st.lists(st.integers(0, 3), min_size=4, max_size=4))
def test_comments_docstrings_and_empty_lines_are_no_part_wherever_they_stand(words, gaps):
    inner = LINES[2].replace("\n", f'\n    """{words[0]}"""\n    # {words[1]}\n')
    lines = [LINES[0], f"{LINES[1]}  # {words[2]}", inner, LINES[3]]
    spread = "".join(f"# {words[3]}\n{line}" + "\n" * (1 + gap) for line, gap in zip(lines, gaps, strict=True))
    assert ast.dump(computed(f'"""{words[4]}"""\n{spread}')) == ast.dump(computed("\n".join(LINES)))


@given(value=st.one_of(st.integers(), st.floats(allow_nan=False), plain, st.booleans()), other=st.integers())
def test_any_other_constant_is_another_program(value, other):
    one, two = (ast.dump(computed(f"def f(x):\n    return x + {constant!r}")) for constant in (value, other))
    assert (one == two) == (repr(value) == repr(other))


def test_only_what_is_imported_is_reached_and_in_whichever_function(tmp_path, monkeypatch):
    folder = tmp_path / "trainables"
    folder.mkdir()
    monkeypatch.setattr(program, "CODE", folder)
    for name, source in {
        "first": "def f():\n    from trainables.second import x\n    return x.own",
        "second": "import trainables.third",
        "third": "THIRD = 3",
        "other": "OTHER = 4",
    }.items():
        (folder / f"{name}.py").write_text(textwrap.dedent(source))
    fresh = program_of.__wrapped__
    before = fresh("trainables.first")
    assert before.names == {"own"}
    (folder / "other.py").write_text("OTHER = 5")
    assert fresh("trainables.first") == before
    (folder / "third.py").write_text("THIRD = 4")
    assert fresh("trainables.first").code != before.code
