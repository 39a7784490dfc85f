"""A flag stands once, in a dataclass: Typer's parameters are made from it, and what is typed becomes the object."""

from dataclasses import dataclass, fields
from typing import Annotated, ClassVar, get_type_hints

import pytest
import typer

from lethe_cli.command import command, end, parameters
from lethe_cli.flags import AblateFlags, ArenaFlags, Flags, Option, PlanFlags, Texts, TrainFlags, TuneFlags
from lethe_cli.main import new_app, run

COMMANDS = (TuneFlags, ArenaFlags, AblateFlags, TrainFlags, PlanFlags)


@dataclass(frozen=True, kw_only=True)
class Shared(Flags):
    depth: Annotated[int, Option(help="Metres.")] = 3
    towns: Annotated[Texts, Option("--town")] = ()


@dataclass(frozen=True, kw_only=True)
class Own(Shared):
    HELP: ClassVar = {"towns": "Where to dig.", "settings": "How.", "as_json": "As JSON."}
    FIRST: ClassVar = ("spade",)

    wide: Annotated[float, Option(help="Metres too.")] = 1
    spade: Annotated[str | None, Option(help="Which one.")] = None


def typed(*words):
    """The flags that a command line becomes."""
    seen = []

    @command
    def dig(flags: Own) -> None:
        """Dig a hole."""
        seen.append(flags)

    app = new_app()
    app.command()(dig)
    with pytest.raises(SystemExit, match="^0$"):
        run(app, list(words))
    return seen


def test_what_is_not_typed_has_the_default_of_its_field():
    assert typed() == [Own()]


def test_what_is_typed_comes_whole_and_in_its_type():
    words = ["--depth", "4", "--town", "Ur", "Uruk", "--wide", "2", "--spade", "mine", "--set", "lr=1", "--json"]
    assert typed(*words) == [
        Own(depth=4, towns=("Ur", "Uruk"), wide=2.0, spade="mine", settings=("lr=1",), as_json=True)
    ]


def test_the_help_has_the_command_s_own_words_and_order(capsys):
    assert typed("--help") == []
    out = capsys.readouterr().out
    assert "Dig a hole." in out
    assert "Where to dig." in out
    places = [out.index(flag) for flag in ("--spade", "--set", "--depth", "--town", "--wide", "--json")]
    assert places == sorted(places)


@pytest.mark.parametrize("kind", COMMANDS)
def test_every_flag_is_explained_and_no_word_is_of_a_flag_that_is_not_there(kind):
    assert {parameter.name for parameter in parameters(kind) if not parameter.annotation.__metadata__[0].help} == set()
    assert {*kind.HELP, *kind.FIRST} <= {field.name for field in fields(kind)}


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_says_otherwise_only_what_no_shared_class_has_said(kind):
    """A help text in HELP stands in the place of none: it would be written twice."""
    hints = get_type_hints(kind, include_extras=True)
    assert {name for name in kind.HELP if hints[name].__metadata__[0].help} == set()


@pytest.mark.parametrize(
    ("outcome", "code"),
    [({"interrupted": True, "failure": "no memory"}, 130), ({"interrupted": False, "failure": "no memory"}, 1)],
)
def test_a_command_that_was_interrupted_or_failed_ends_with_that_code_once_it_has_printed(outcome, code, capsys):
    with pytest.raises(typer.Exit) as ended:
        end(outcome, as_json=True)
    assert ended.value.exit_code == code
    assert '"failure": "no memory"' in capsys.readouterr().out


def test_a_command_that_ended_well_leaves_no_code():
    assert end({"interrupted": False, "failure": None}, as_json=False) is None
