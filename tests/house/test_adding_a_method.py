"""The method of docs/adding-a-method.md, its space and its derivation, as they stand there: listed, searched, trained."""

import sys
from dataclasses import fields
from types import ModuleType

import pytest
from corpora import plain
from given import GIVEN
from snippets import snippet
from tiny import tiny_model

from lethe.search.space import distributions
from lethe_cli.methods import methods as told
from search_spaces import methods as spaces
from trainables.derivations import DERIVATIONS, derive
from trainables.method import Step
from trainables.methods import METHODS, find_method, unlearn
from trainables.training.data import cut_texts

FILES = {
    "trainables.derivations.titles": "def titles",
    "trainables.methods.title_ascent": "class TitleAscent",
    "search_spaces.title_ascent": 'SWITCHES = {**weighted.RETAIN_LOSS, **descent.SWITCHES, "words"',
}


@pytest.fixture(autouse=True)
def _added(monkeypatch):
    for name, word in FILES.items():
        module = ModuleType(name)
        monkeypatch.setitem(sys.modules, name, module)
        text = snippet(word)
        assert text.startswith(f"# {name.replace('.', '/')}.py\n")
        exec(text, vars(module))
    monkeypatch.setitem(DERIVATIONS, "titles", "trainables.derivations.titles:titles")
    monkeypatch.setitem(METHODS, "title_ascent", "trainables.methods.title_ascent:TITLE_ASCENT_METHOD")


def test_the_derivation_gives_a_row_for_each_text():
    assert derive(plain(), "titles")["forget"][1] == {"row": 1, "title": "Long ago Bo Quill opened"}


def test_it_is_listed_with_what_it_reads_and_searches(capsys):
    told("title_ascent")
    card = capsys.readouterr().out
    assert "the first words of each forget text are made less likely" in card
    assert "titles" in card
    assert "0.0001 to 0.01" in card


def test_its_space_and_its_switches_are_of_its_settings():
    kind = find_method("title_ascent").settings
    for space in spaces.spaces_of("title_ascent").values():
        assert set(distributions(space)) <= {field.name for field in fields(kind)}
    for levels in spaces.switches_of("title_ascent")[spaces.SMALL].values():
        for changes in levels.values():
            kind(**changes)
    assert set(spaces.designs_of("title_ascent")) == {"loco", "requests", "attack"}


@pytest.mark.parametrize(("words", "share", "count"), [(5, 1.0, 3), (2, 1.0, 3), (5, 0.3, 1)])
def test_it_trains_on_the_titles_of_the_part_that_is_unlearned(words, share, count, monkeypatch):
    read = []

    def cut(tokenizer, texts, **rest):
        read.append(texts)
        return cut_texts(tokenizer, texts, **rest)

    monkeypatch.setattr("trainables.training.data.cut_texts", cut)
    settings = find_method("title_ascent").settings(words=words, forget_fraction=share, lr=0.01, steps=5)
    given = GIVEN | {"data": {"titles": derive(plain(), "titles")}, "cut_from": {"forget": [0, 1, 2], "retain": [0]}}
    records = list(unlearn(tiny_model(), [[0, 5]] * 3, [[0, 7, 8, 9]], settings, pad=2, **given))
    losses = [record.values["forget_loss"] for record in records if isinstance(record, Step)]
    assert len(losses) == 5
    assert losses[-1] < losses[0]
    assert [len(texts) for texts in read] == [count]
    assert all(len(text.split()) == words for text in read[0])
