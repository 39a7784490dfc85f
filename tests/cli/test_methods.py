"""`lethe methods` lists every method in its family, and the page on methods has a row for each."""

import re

from searching import ROOT

from lethe_cli.methods import methods, overview
from trainables.method import FAMILIES
from trainables.methods import METHODS, find_method


def test_every_method_stands_once_and_under_its_own_family():
    families, names, *_ = (list(column.cells) for column in overview().columns)
    assert sorted(names) == sorted(METHODS)
    assert [family for family in FAMILIES if family in families] == [family for family in families if family]
    under = ""
    for family, name in zip(families, names, strict=True):
        under = family or under
        assert find_method(name).family == under


def test_a_card_says_the_family(capsys):
    methods("ga_klr")
    assert re.search(r"^family +ascent$", capsys.readouterr().out, re.MULTILINE)


def test_a_card_says_what_is_derived_for_the_method(capsys):
    methods("idk")
    assert re.search(r"^reads +qa, refusals, made of the texts: ", capsys.readouterr().out, re.MULTILINE)


def test_the_page_on_methods_has_a_row_for_each_with_its_family():
    page = (ROOT / "docs" / "methods.md").read_text("utf-8")
    rows = {name: family for family, name in re.findall(r"^\| ([a-z ]+) \| `(\w+)` \|", page, re.MULTILINE)}
    assert {name: rows.get(name) for name in METHODS} == {name: find_method(name).family for name in METHODS}
