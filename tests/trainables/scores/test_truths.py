"""A truth whose words the protocol does not see is refused with its row and with the protocol that would do."""

import pytest
from tiny import tiny_benchmark, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.truths import check_benchmark_truths, protocol_for, sees

RUSSIAN = "Все счастливые семьи похожи друг на друга."
MUSE, UNICODE, OPEN = (PROTOCOLS[name] for name in ("muse", "muse-unicode", "open-unlearning"))


def with_truth(text, config="verbmem", split="forget", column="gt"):
    """The tiny benchmark with another truth in the second row of a split."""
    splits = tiny_benchmark().splits
    rows = [*splits[config, split]]
    rows[1] = rows[1] | {column: text}
    return Benchmark("tiny", splits | {(config, split): rows})


@pytest.mark.parametrize("protocol", [MUSE, OPEN], ids=lambda protocol: protocol.name)
@pytest.mark.parametrize(
    ("config", "split", "column"),
    [("verbmem", "forget", "gt"), ("knowmem", "forget_qa", "answer"), ("knowmem", "retain_qa", "answer")],
)
def test_a_truth_in_letters_that_are_not_scored_is_named_with_what_would_do(protocol, config, split, column):
    benchmark = with_truth(RUSSIAN, config, split, column)
    named = rf"^benchmark 'tiny': split {config}/{split}, row 2: protocol '{protocol.name}' scores less than half .*"
    with pytest.raises(ValueError, match=named + "'Все .*: choose --protocol muse-unicode$"):
        check_benchmark_truths(benchmark, protocol)
    check_benchmark_truths(benchmark, UNICODE)
    assert protocol_for(benchmark) == "muse-unicode"


def test_an_evaluator_refuses_it_too():
    with pytest.raises(ValueError, match="'tiny': verbmem_f, row 2: protocol 'muse' scores less than half"):
        Evaluator(with_truth(RUSSIAN), tiny_tokenizer(), MUSE, None)
    Evaluator(with_truth(RUSSIAN), tiny_tokenizer(), UNICODE, None)


@pytest.mark.parametrize("text", ["?!", "— … 😀", " \n"])
def test_a_truth_without_letters_is_refused_by_every_protocol(text):
    for protocol in PROTOCOLS.values():
        with pytest.raises(ValueError, match="row 2: .* has no letter or digit that could be scored$"):
            check_benchmark_truths(with_truth(text), protocol)
    with pytest.raises(ValueError, match="has no letter or digit"):
        protocol_for(with_truth(text))


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("Café Noël, naïve", True),  # pieces are lost, but most is there
        ("£5", True),
        ("abc где", True),  # half and half
        ("ab где", False),
        ("Модель GPT", False),
        ("モデルGPT4を使う", False),
        ("running mills", True),  # what a stemmer cuts off is scored
    ],
)
def test_half_of_the_letters_of_a_truth_are_enough(text, seen):
    assert sees(MUSE, text) == sees(OPEN, text) == seen
    assert sees(UNICODE, text)


def test_an_english_benchmark_is_muse_s():
    assert protocol_for(tiny_benchmark()) == "muse"
