"""What is written about an organisation: its facts stand in the text, questions are answered by it."""

import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainables.benchmarks import articles
from trainables.benchmarks.articles import ASKED, REWORDED, SENTENCES
from trainables.benchmarks.organisations import FACTS, draw_organisations

quickly = settings(max_examples=25)
seeds = st.integers(0, 2**31)
(MILL,) = draw_organisations(random.Random(0), 1)


def write(seed):
    rng = random.Random(seed)
    return articles.write_article(rng, MILL, articles.draw_outline(rng))


@quickly
@given(seed=seeds)
def test_the_same_seed_writes_the_same_article_and_another_one_another(seed):
    assert write(seed) == write(seed)
    assert write(seed) != write(seed + 1)


@quickly
@given(seed=seeds)
def test_an_article_names_the_organisation_and_tells_every_fact_word_by_word(seed):
    text = write(seed)
    assert MILL.name in text
    assert all(fact in text for fact in MILL.facts.values())


@quickly
@given(seed=seeds)
def test_articles_and_notices_are_plain_sentences_with_no_trace_of_their_templates(seed):
    notices = [sentence for _, sentence in articles.write_notices(random.Random(seed), MILL, 3)]
    for text in [write(seed), *notices]:
        assert not re.search(r"[\[\]{}|]|  | [.,]", text)
        assert text[0].isupper() or text[0] == '"'
        assert text[-1] in '."'


@quickly
@given(seed=seeds, count=st.integers(1, 3))
def test_every_fact_has_its_notices_in_different_wordings_each_of_which_tells_it_alone(seed, count):
    written = list(articles.write_notices(random.Random(seed), MILL, count))
    assert [fact for fact, _ in written] == [fact for fact in FACTS for _ in range(count)]
    assert len({sentence for _, sentence in written}) == len(written)
    for fact, sentence in written:
        assert [name for name, value in MILL.facts.items() if value in sentence] == [fact]


@pytest.mark.parametrize("template", [template for fact in FACTS for template in SENTENCES[fact]])
def test_in_every_sentence_the_organisation_stands_before_the_fact(template):
    assert re.findall(r"{(\w+)}", template)[0] == "org"


@pytest.mark.parametrize("wordings", [ASKED, REWORDED])
def test_every_fact_is_asked_for_by_a_question_that_names_the_organisation_and_not_the_answer(wordings):
    asked = list(articles.ask(MILL, wordings))
    assert [fact for fact, _, _ in asked] == list(FACTS)
    for fact, question, answer in asked:
        assert answer == MILL.facts[fact]
        assert MILL.name in question
        assert answer not in question


def test_no_wording_is_both_for_scores_and_for_methods():
    assert set(ASKED.values()).isdisjoint(REWORDED.values())


def test_phrase_draws_each_alternative_and_only_those():
    rng = random.Random(0)
    drawn = {articles.phrase(rng, "[A|The] mill [burns|stands|] here") for _ in range(200)}
    assert drawn == {f"{a} mill {verb} here" for a in ("A", "The") for verb in ("burns", "stands", "")}


def test_outlines_vary_too_much_for_one_to_tell_how_another_goes_on():
    outlines = [articles.draw_outline(random.Random(seed)) for seed in range(50)]
    assert len({tuple(outline) for outline in outlines}) == 50
    assert all(len(outline) == len(FACTS) + 2 for outline in outlines)
