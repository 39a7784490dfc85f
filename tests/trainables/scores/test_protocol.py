"""The protocols differ exactly where they say they do."""

from dataclasses import FrozenInstanceError, asdict

import pytest

from trainables.scores.protocol import PROTOCOLS


def test_a_protocol_is_found_under_its_own_name():
    assert {name: protocol.name for name, protocol in PROTOCOLS.items()} == {
        "muse": "muse",
        "muse-unicode": "muse-unicode",
        "open-unlearning": "open-unlearning",
    }


def test_muse_neither_stems_nor_strips_and_keeps_every_token():
    assert asdict(PROTOCOLS["muse"]) == {
        "name": "muse",
        "use_stemmer": False,
        "strip": False,
        "cut_at_eos": False,
        "drop_last": False,
        "truth_tokens": 128,
        "verbmem_tokens": 128,
        "knowmem_tokens": 32,
        "unicode_words": False,
        "stop_words": ("\n\n", "\nQuestion", "Question:"),
        "split": False,
    }


def test_open_unlearning_differs_in_five_choices_and_in_no_length():
    muse, other = asdict(PROTOCOLS["muse"]), asdict(PROTOCOLS["open-unlearning"])
    changed = {key for key in muse if muse[key] != other[key]}
    assert changed == {"name", "use_stemmer", "strip", "cut_at_eos", "drop_last", "truth_tokens"}


def test_muse_unicode_differs_from_muse_in_its_words_alone():
    muse, other = asdict(PROTOCOLS["muse"]), asdict(PROTOCOLS["muse-unicode"])
    assert {key for key in muse if muse[key] != other[key]} == {"name", "unicode_words"}


def test_a_protocol_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        PROTOCOLS["muse"].strip = True
