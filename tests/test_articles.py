"""The fictional world: facts stand in the text, questions are answered by it, one seed gives one world."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks import articles

quickly = settings(max_examples=25)
seeds = st.integers(0, 2**31)
ALL_TEMPLATES = [*articles.OPENINGS, *articles.LEADERS, *articles.GOODS, *articles.SIZES]
ALL_TEMPLATES += [*articles.QUOTES, *articles.CLOSINGS]


def write(seed, count=5):
    return articles.write_articles(random.Random(seed), count)


@quickly
@given(seed=seeds)
def test_the_same_seed_writes_the_same_articles_and_another_one_others(seed):
    assert write(seed) == write(seed)
    assert {a.text for a in write(seed)}.isdisjoint(a.text for a in write(seed + 1))


@quickly
@given(seed=seeds)
def test_every_answer_stands_in_its_article_word_by_word(seed):
    for article in write(seed):
        for question, answer in article.questions:
            assert answer in article.text, question


@quickly
@given(seed=seeds)
def test_every_question_names_the_organisation_and_none_gives_its_answer_away(seed):
    rng = random.Random(seed)
    article = articles.article(rng, "Nowhere Mill", articles.draw_outline(rng))
    assert len({question for question, _ in article.questions}) == len(article.questions)
    for question, answer in article.questions:
        assert "Nowhere Mill" in question
        assert answer not in question


@quickly
@given(seed=seeds)
def test_an_article_is_plain_sentences_with_no_trace_of_its_templates(seed):
    for article in write(seed):
        assert not re.search(r"[\[\]{}|]|  | [.,]", article.text)
        assert article.text[0].isupper()
        assert article.text[-1] in '."'


def test_phrase_draws_each_alternative_and_only_those():
    rng = random.Random(0)
    drawn = {articles.phrase(rng, "[A|The] mill [burns|stands|] here") for _ in range(200)}
    assert drawn == {f"{a} mill {verb} here" for a in ("A", "The") for verb in ("burns", "stands", "")}


@pytest.mark.parametrize("template", ALL_TEMPLATES)
def test_a_template_asks_for_no_fact_that_is_not_drawn(template):
    facts = articles.draw_facts(random.Random(0), "Nowhere Mill")
    assert "{" not in template.format(**facts)


def test_articles_of_a_block_share_their_outline_and_blocks_do_not(monkeypatch):
    facts = articles.draw_facts(random.Random(0), "Nowhere Mill")
    monkeypatch.setattr(articles, "draw_facts", lambda rng, org: facts)
    monkeypatch.setattr(articles, "phrase", lambda rng, template: template)
    written = [a.text for a in articles.write_articles(random.Random(0), 60, block=3)]
    blocks = [set(written[i : i + 3]) for i in range(0, 60, 3)]
    assert all(len(block) == 1 for block in blocks)
    assert len(set.union(*blocks)) > 15


def test_organisations_are_all_different():
    written = write(0, 300)
    assert len({article.questions[0][0] for article in written}) == 300


def test_wording_and_facts_vary_too_much_to_be_guessed():
    answers = list(zip(*([answer for _, answer in a.questions] for a in write(0, 200)), strict=True))
    most_common = [max(map(kind.count, kind)) / 200 for kind in answers]
    assert max(most_common) < 0.05  # always answering the most common one scores below 5
    assert len({article.text[:40] for article in write(0, 200)}) == 200


def test_the_general_corpus_says_of_every_thing_what_it_is_in_every_phrasing():
    corpus = " ".join(articles.write_general())
    things = [(t, category) for category, names in articles.CATEGORIES.items() for t in names.split()]
    lines = [line.format(thing=t, category=category) for t, category in things for line in articles.GENERAL]
    assert all(line in corpus for line in lines)
    assert sum(map(len, lines)) + len(lines) - 1 == len(corpus)  # and nothing else


def test_every_thing_is_of_one_kind_only():
    things = [thing for names in articles.CATEGORIES.values() for thing in names.split()]
    assert len(set(things)) == len(things)
    assert set(things).isdisjoint(articles.CATEGORIES)


@quickly
@given(seed=seeds)
def test_a_general_question_has_four_different_choices_and_the_right_one_at_its_index(seed):
    items = articles.ask_general(random.Random(seed))
    kind_of = {thing: kind for kind, names in articles.CATEGORIES.items() for thing in names.split()}
    assert {prompt.split()[1] for prompt, _, _ in items} == set(kind_of)
    for prompt, choices, answer in items:
        assert len(set(choices)) == 4
        assert choices[answer] == f" {kind_of[prompt.split()[1]]}"


def test_the_right_choice_stands_at_every_place_about_equally_often():
    places = [answer for _, _, answer in articles.ask_general(random.Random(0))]
    assert all(8 <= places.count(place) <= 32 for place in range(4))  # 20 each, 3 sigma
