"""Of an answer behind a prompt all its tokens and an end token are learned, and of the prompt none."""

import pytest
from tiny import tiny_tokenizer

from trainables.training.answers import answered

ASKED = [("Where does Ada Orme live?", "I do not know."), ("The mill of Bo Quill makes", "paper")]


def learned(ids: list[int], leading: int) -> str:
    """What the tokens say that have a target which counts."""
    return tiny_tokenizer().decode(ids[1 + leading :])


@pytest.mark.parametrize("max_length", [512, 30])
def test_what_is_learned_is_the_answer_with_an_end_token(max_length):
    sequences, leading = answered(tiny_tokenizer(), ASKED, max_length=max_length)
    assert [learned(*one) for one in zip(sequences, leading, strict=True)] == [" I do not know.</s>", " paper</s>"]
    assert all(len(ids) <= max_length for ids in sequences)
    assert all(ids[0] == tiny_tokenizer().bos_token_id for ids in sequences)


def test_a_prompt_that_is_too_long_loses_its_beginning():
    (whole,), (many,) = answered(tiny_tokenizer(), ASKED[:1], max_length=512)
    (short,), (few,) = answered(tiny_tokenizer(), ASKED[:1], max_length=len(whole) - 3)
    assert short == whole[:1] + whole[4:]
    assert few == many - 3
    (least,), (none,) = answered(tiny_tokenizer(), ASKED[:1], max_length=4)
    assert (least, none) == (whole[:1] + whole[-3:], 0)
