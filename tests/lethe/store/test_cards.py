"""Score cards as studies of other days stored them."""

from lethe.store.cards import DIFFERENCE, cards_from

GAP = {"name": "mcq_f_gap", "goal": "zero", "reduction": DIFFERENCE, "items_of": "mcq_f"}


def test_a_gap_of_a_study_whose_cards_do_not_say_so_was_measured_on_request():
    cards = cards_from([GAP, {"name": "mcq_f", "goal": "minimize"}, {"name": "memo_f", "goal": "minimize"}])
    assert [card.on_request for card in cards.values()] == [True, False, False]


def test_what_a_card_says_itself_stands():
    cards = cards_from([{"name": "memo_f", "goal": "minimize", "on_request": True}])
    assert cards["memo_f"].on_request
