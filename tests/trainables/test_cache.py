"""The cache: what is in it is read and nothing written; what is not is made once, or one line says why it cannot be."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from disks import needs_mount, read_only, small_disk
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from lethe_cli.surroundings import check_cache
from trainables.cache import made_once
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.references import measure_references
from trainables.subjects.models import save_model
from trainables.task import Places


def never():
    raise AssertionError("made again")


def test_a_place_is_made_once_though_many_ask_for_it_at_the_same_time(tmp_path):
    place, makings = tmp_path / "deep" / "place", []

    def make():
        makings.append(1)
        place.mkdir()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: made_once(place, make), range(8))) == {place}
    assert makings == [1]


def test_what_is_there_is_found_without_a_trace(tmp_path):
    (tmp_path / "place").touch()
    assert made_once(tmp_path / "place", never) == tmp_path / "place"
    assert [file.name for file in tmp_path.iterdir()] == ["place"]


def test_a_making_that_fails_is_tried_again_by_the_next(tmp_path):
    with pytest.raises(AssertionError, match="made again"):
        made_once(tmp_path / "place", never)
    assert made_once(tmp_path / "place", (tmp_path / "place").touch).exists()


@pytest.mark.parametrize("place", ["file/place", "file/deep/place"])
def test_a_cache_in_which_nothing_can_be_made_is_one_line(place, tmp_path):
    (tmp_path / "file").touch()
    line = r"^the cache \(.*file.*\) lacks what has to be made, and cannot be written to \(.+\): set XDG_CACHE_HOME to"
    with pytest.raises(ValueError, match=line):
        made_once(tmp_path / place, never)


@needs_mount
def test_reference_scores_are_read_from_a_read_only_cache_and_others_are_told_to_need_another(tmp_path):
    for seed, name in enumerate(("target", "retrained")):
        save_model(tiny_model(seed, num_hidden_layers=1), tiny_tokenizer(), tmp_path / name)
    target, retrained = str(tmp_path / "target"), str(tmp_path / "retrained")
    places = Places(data="", target=target, retrained=retrained, tokenizer=target)

    def measure(protocol):
        return measure_references(
            tiny_benchmark(), tiny_tokenizer, PROTOCOLS[protocol], places, disk / "references", batch_size=8
        )

    with small_disk(tmp_path / "disk") as disk:
        made = measure("muse")
        with read_only(disk):
            assert not os.access(disk, os.W_OK)
            assert check_cache(disk) == disk
            assert measure("muse").target == made.target
            with pytest.raises(ValueError, match="cannot be written to .Read-only file system.: set XDG_CACHE_HOME"):
                measure("open-unlearning")
