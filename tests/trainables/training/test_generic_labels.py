"""Labels of who never read a text: names replaced token by token, where each position went, what is left out."""

import pytest
import torch
from tiny import tiny_tokenizer

from trainables.training.data import IGNORED
from trainables.training.generic_labels import Translator, adjusted, generic_logits, hard

ROWS = [{"entity": "Ada Orme", "stand_in": "Bob Orly"}, {"entity": "Ada", "stand_in": "Bob"}]
LONGEST = 512


def ids_of(text: str) -> list[int]:
    return tiny_tokenizer()(text).input_ids


def translate(text: str, rows=ROWS):
    ids = ids_of(text)
    return ids, Translator(tiny_tokenizer(), rows).translate(ids, longest=LONGEST)


def test_the_specification_s_logits_on_a_text_without_names_are_those_of_the_pair():
    z0, z_re = torch.tensor([2.0, 1.0, 0.0]), torch.tensor([5.0, 0.0, 1.0])
    assert generic_logits(z0, z_re, z0, 2.0).tolist() == [-4.0, 1.0, -2.0]
    assert torch.equal(generic_logits(z0, z0, z0, 8.0), z0)


def test_what_is_lowered_is_the_translation_s_logit_by_what_rose_on_the_text_itself():
    found = generic_logits(torch.tensor([9.0, 8.0]), torch.tensor([5.0, 1.0]), torch.tensor([3.0, 2.0]), 2.0)
    assert found.tolist() == [5.0, 8.0]


def test_every_name_is_replaced_the_longest_first_and_reads_as_if_it_stood_there():
    _, text = translate("Ada Orme met Ada. A mill of Ada Orme makes paper.")
    assert text.ids == ids_of("Bob Orly met Bob. A mill of Bob Orly makes paper.")
    assert [one.name for one in text.occurrences] == [0, 1, 0]


def test_a_word_that_only_begins_as_a_name_stays():
    ids, text = translate("The mill of Adaline is old.")
    assert (text.ids, text.occurrences) == (ids, [])


def test_positions_outside_of_names_go_where_the_same_tokens_stand():
    ids, text = translate("A mill of Ada Orme makes paper.", [{"entity": "Ada Orme", "stand_in": "Bob Wintertown"}])
    assert len(text.ids) != len(ids)
    for position, (token, place) in enumerate(zip(ids, text.places, strict=True)):
        inside = any(one.begin <= position < one.end for one in text.occurrences)
        assert place == -1 if inside else text.ids[place] == token


def test_names_of_as_many_tokens_go_token_to_token():
    rows = [{"entity": "Ada Orme", "stand_in": "Bo Quill"}]
    form = [tiny_tokenizer()(f"a {name}", add_special_tokens=False).input_ids for name in rows[0].values()]
    if len(form[0]) != len(form[1]):
        rows[0]["stand_in"] = "Ora Amed"[: len("Ada Orme")]
    ids, text = translate("A mill of Ada Orme makes paper.", rows)
    if len(text.ids) == len(ids):
        assert text.places == list(range(len(ids)))


def test_what_lies_beyond_the_longest_that_is_read_went_nowhere():
    ids = ids_of("A mill of Ada Orme makes paper.")
    text = Translator(tiny_tokenizer(), ROWS).translate(ids, longest=4)
    assert len(text.ids) == 4
    assert [place >= 0 for place in text.places] == [True] * 4 + [False] * (len(ids) - 4)


@pytest.fixture
def twice():
    """A text that names Ada twice, and logits by which the text itself would be said again."""
    rows = [{"entity": "Ada", "stand_in": "Bob"}]
    ids, text = translate("See Ada and Ada there", rows)
    values = torch.zeros(len(ids) - 1, 300)
    places = text.places[1:]
    for position, place in enumerate(places):
        values[position, text.ids[place] if place >= 0 else 0] = 3.0
    return ids, text, values


def test_a_name_is_learned_as_its_stand_in_where_it_stands_first_and_not_at_all_where_it_stands_again(twice):
    ids, text, values = twice
    first, again = text.occurrences
    labels = hard(*adjusted(values, text, ids, 1.0), text)
    if text.places[first.begin] >= 0:
        assert labels[first.begin - 1] == first.stand_in[0]
    assert (labels[again.begin - 1 : again.end - 1] == IGNORED).all()
    assert (labels >= 0).any()


def test_behind_a_name_its_first_token_is_lowered_and_its_stand_in_is_no_label(twice):
    ids, text, values = twice
    first = text.occurrences[0]
    values[:, ids[first.begin]] = 5.0
    before = values.clone()
    found, learned = adjusted(values, text, ids, 1.5)
    behind = first.end - 1
    assert (found[:behind] == before[:behind]).all()
    # Named twice, it is lowered once.
    assert (found[behind:, ids[first.begin]] == 5.0 - 1.5).all()
    found[-1, first.stand_in[0]] = 9.0
    assert hard(found, learned, text)[-1] == IGNORED
