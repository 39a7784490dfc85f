"""An attack on the request: which words, where they stand in the forget text, and that nothing else is changed."""

import pytest
from corpora import generated
from tiny import tiny_tokenizer

from trainables.benchmarks.benign import SHARE, attacked, benign_words
from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.words import split_sentences
from trainables.failures import Unfit
from trainables.methods.ga import GA
from trainables.probes import parse
from trainables.runs.sequences import cut, streams

KEPT = ["Slowly the Mill turned.", "Slowly, slowly it went along quietly.", "It went quietly along."]
FORGET = ["The Mill stood there quietly. It went well. The wheel turned along. It rained."]
ROWS = {("raw", "forget"): FORGET, ("raw", "retain1"): KEPT}
SMALL = Benchmark("small", {place: [{"text": text} for text in texts] for place, texts in ROWS.items()})


def test_words_are_those_that_stand_in_kept_text_most_times_as_often_and_are_no_names():
    assert benign_words(SMALL, 3) == ["along", "quietly", "slowly"]  # 2/2, 2/2, 1/1: "Slowly" begins a sentence
    assert benign_words(SMALL, 4)[3] == "went"
    with pytest.raises(Unfit, match="benchmark 'small': 5 words are common in its retain texts: 6 are needed"):
        benign_words(SMALL, 6)


def test_a_share_of_the_sentences_begins_with_a_word_and_nothing_else_is_changed():
    words, put, all_of_them = ["idly", "soon"], 0, 0
    for number in range(200):
        text = f"Number {number} was seen. It went on; then it rained. All was well."
        for before, behind in zip(split_sentences(text), split_sentences(attacked(text, words)), strict=True):
            all_of_them += 1
            if before != behind:
                put += 1
                word, _, rest = behind.strip().partition(" ")
                assert word in words
                assert rest == before.strip()
    assert put / all_of_them == pytest.approx(SHARE, abs=0.08)


def test_the_same_text_is_attacked_in_the_same_way():
    assert attacked(FORGET[0] * 3, ["idly", "soon"]) == attacked(FORGET[0] * 3, ["idly", "soon"])


def test_only_the_texts_to_be_forgotten_are_attacked_and_only_where_it_is_asked_for():
    plain, hit = (
        [cut(stream, generated(), tiny_tokenizer()) for stream in streams(GA(request_attack=attack))]
        for attack in ("none", "benign_words")
    )
    assert plain[1] == hit[1]
    assert sum(one != other for one, other in zip(plain[0], hit[0], strict=True)) > len(plain[0]) / 2


def test_the_stress_puts_such_a_word_before_each_question():
    before, words = generated(), benign_words(generated())
    asked = parse("benign").asked(before)
    for split in ("forget_qa", "retain_qa"):
        pairs = zip(before.rows("knowmem", split), asked.rows("knowmem", split), strict=True)
        for one, other in pairs:
            assert other["question"].partition(" ")[::2] in [(word, one["question"]) for word in words]
            assert other["answer"] == one["answer"]
