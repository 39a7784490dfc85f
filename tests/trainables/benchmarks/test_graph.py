"""The graph of mirage-mini: every question has one answer, which its table gives, and no question gives it away."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks.graph import (
    RELATIONS,
    ask,
    draw_graph,
    draw_outline,
    reword,
    tell,
    write_alias,
    write_article,
    write_notices,
)

SIZES = {"forget": 20, "retain": 20, "holdout": 20}
GRAPH = draw_graph(random.Random(0), SIZES)
ENTRIES = [entry for group in GRAPH.groups.values() for entry in group]
NODES = [node for entry in ENTRIES for node in entry.nodes]


def answers(drawn):
    """What the table says to each question that can be asked of a graph: a slow reading, from triples alone."""
    nodes = [node for group in drawn.groups.values() for entry in group for node in entry.nodes]
    called = {node.called: node for node in nodes} | {node.alias: node for node in nodes} | drawn.towns
    found = {}
    for name, node in called.items():
        for relation, value in node.facts.items():
            found |= {q.format(name=name): {value} for q in RELATIONS[relation].questions}
    for node in nodes:
        for question, relation in (
            ("Which organisation does {} direct?", "director"),
            ("Which organisation sells {}?", "goods"),
            ("Who is the spouse of {}?", "spouse"),
        ):
            if relation in node.facts:
                found.setdefault(question.format(node.facts[relation]), set()).add(node.name)
        if "director" not in node.facts:
            continue
        director = called[node.facts["director"]]
        found |= {
            f"In which town is the organisation that {director.name} directs?": {node.facts["town"]},
            f"Which goods come from the organisation that {director.name} directs?": {node.facts["goods"]},
            f"In which town was the director of {node.called} born?": {director.facts["born"]},
            f"To whom is the director of {node.called} married?": {director.facts["spouse"]},
            f"In which valley is the town of {node.called}?": {drawn.towns[node.facts["town"]].facts["valley"]},
            f"At which river is the town of {node.called}?": {drawn.towns[node.facts["town"]].facts["river"]},
        }
    return found


def asked(drawn):
    for group in drawn.groups.values():
        for entry in group:
            for kind, questions in ask(entry, drawn.towns).items():
                yield from ((kind, one) for one in questions)
            yield from (("base", one) for one in reword(entry))


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_every_question_has_one_answer_and_the_table_gives_it(seed):
    drawn = draw_graph(random.Random(seed), SIZES)
    table = answers(drawn)
    for _, one in asked(drawn):
        assert table[one.question] == {one.answer}


def test_no_question_holds_its_answer_or_is_asked_twice():
    questions = [one for _, one in asked(GRAPH)]
    assert len({one.question for one in questions}) == len(questions)
    assert not [one for one in questions if one.answer.lower() in one.question.lower()]


def test_each_fact_is_asked_in_a_plain_way_under_the_alias_and_most_in_another_one():
    for entry in ENTRIES:
        kinds = {kind: [one.fact for one in questions] for kind, questions in ask(entry, GRAPH.towns).items()}
        facts = [node.fact(relation) for node in entry.nodes for relation in node.facts]
        assert kinds["base"] == kinds["alias"] == facts
        assert set(kinds["reverse"]) | set(kinds["multi_hop"]) == set(facts)
        assert (len(kinds["reverse"]), len(kinds["multi_hop"])) == (3, 6)


def test_names_aliases_goods_and_spouses_are_nobody_else_s():
    names = [name for node in NODES for name in (node.called, node.alias)]
    names += [entry.director.facts["spouse"] for entry in ENTRIES] + [e.organisation.facts["goods"] for e in ENTRIES]
    assert len(set(names)) == len(names) == 6 * len(ENTRIES)


def test_a_director_s_title_names_no_town_that_is_an_answer():
    for entry in ENTRIES:
        towns = (entry.director.facts["born"], entry.organisation.facts["town"])
        assert entry.director.alias.split()[-1] in GRAPH.towns.keys() - {*towns}


@pytest.mark.parametrize("relation", [r for r in RELATIONS if r in ("town", "born", "valley", "river")])
def test_a_value_that_is_shared_is_drawn_from_forty(relation):
    values = [node.facts[relation] for node in (*NODES, *GRAPH.towns.values()) if relation in node.facts]
    assert set(values) <= GRAPH.towns.keys() if relation in ("town", "born") else True
    assert len(GRAPH.towns) == 40
    assert max(map(values.count, values)) <= len(values) / 5


def test_every_fact_is_written_in_each_of_its_three_wordings_once():
    rng = random.Random(1)
    for node in NODES[:6]:
        outline = draw_outline(rng, list(node.facts))
        article, notices = write_article(rng, node, outline), write_notices(rng, node, outline)
        assert sum(article.count(value) for value in node.facts.values()) == len(node.facts)
        assert len(notices) == 2 * len(node.facts)
        for relation, value in node.facts.items():
            told = [text for text in notices if value in text]
            assert len(told) == len(set(told)) == 2
            assert all(node.called[1:] in text for text in told)  # its first letter may be a capital
            assert {tell(random.Random(0), node, relation, wording) for wording in range(3)}


def test_an_alias_is_told_with_the_name_and_without_a_fact():
    for node in NODES:
        for text in write_alias(random.Random(2), node):
            assert node.called[1:] in text
            assert node.alias[1:] in text
            assert not [value for value in node.facts.values() if value in text]
