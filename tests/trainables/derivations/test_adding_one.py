"""A derivation is added in a file and a line: that of docs/methods.md, as it stands there."""

import sys
from types import ModuleType

from corpora import plain
from snippets import snippet

from trainables.derivations import DERIVATIONS, derive


def test_the_derivation_of_the_page_is_made_as_it_stands(monkeypatch):
    module = ModuleType("titles")
    exec(snippet("def titles"), vars(module))
    monkeypatch.setitem(sys.modules, "titles", module)
    monkeypatch.setitem(DERIVATIONS, "titles", "titles:titles")
    assert derive(plain(), "titles")["forget"][1] == {"row": 1, "title": "Long ago Bo Quill opened"}
