"""What is invented stands in no text of any split, and no name of the generator's can be one of its names."""

import itertools
import json

from corpora import derived, muse_mini_rows

from trainables.benchmarks.organisations import ENDINGS, SYLLABLES


def test_no_name_that_is_invented_can_be_the_generator_s():
    two = {a + b + end for a, b, end in itertools.product(SYLLABLES, SYLLABLES, ["", *ENDINGS])}
    assert two.isdisjoint(map("".join, itertools.product(SYLLABLES, repeat=3)))


def test_nothing_that_is_asked_of_stands_in_any_split():
    everything = json.dumps([row for rows in muse_mini_rows().values() for row in rows])
    asked = derived("unknown", "muse-mini")["new"]
    assert len(asked) == 210  # five on each organisation of retain1
    assert len({row["subject"] for row in asked}) == 42
    for row in asked:
        assert row["subject"] in row["question"]
        assert row["prompt"] == f"Question: {row['question']}\nAnswer:"
        assert row["subject"].split()[0] not in everything


def test_elsewhere_all_words_of_the_name_are_invented():
    row = derived("unknown", "plain")["new"][0]
    assert len(row["subject"].split()) == 2
    assert row["prompt"] == f"Long ago {row['subject']} opened a mill in the town of"


def test_fresh_articles_are_on_organisations_that_no_split_names():
    everything = json.dumps([row for rows in muse_mini_rows().values() for row in rows])
    texts = [row["text"] for row in derived("proxy", "muse-mini")["new"]]
    assert len(set(texts)) == 40
    assert not any(text in everything for text in texts)
