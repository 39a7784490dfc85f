"""A name stands for a study, or for an arena and its studies; one that stands for nothing is told with the nearest."""

import pytest
from tiny_arena import Entered, make_arena
from tiny_study import tiny_ledger

from lethe.store.names import MOST_NAMED, find, find_study, listed, with_arenas
from lethe.store.storage import open_storage


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    entered = [Entered(entrant=name, seed=0, trials=[]) for name in ("npo", "rmu")]
    return make_arena(tmp_path_factory.mktemp("names"), entered, name="all")


def test_an_arena_is_its_studies_and_a_study_is_itself(url):
    arena = find(url, "all")
    assert arena.is_arena
    assert len(arena.studies) == 2
    one = find(url, arena.studies[0])
    assert (one.studies, one.is_arena) == (arena.studies[:1], False)
    assert find_study(url, arena.studies[1]) == arena.studies[1]


def test_where_one_study_is_needed_an_arena_is_refused_with_its_studies(url):
    with pytest.raises(
        ValueError, match=f"^'all' is an arena: name one of its studies .{find(url, 'all').studies[0]},"
    ):
        find_study(url, "all")


def test_a_name_of_both_a_study_and_an_arena_is_told(tmp_path):
    url = make_arena(tmp_path, [Entered(entrant="npo", seed=0, trials=[])], name="all")
    tiny_ledger(open_storage(url), "all")
    with pytest.raises(ValueError, match="^'all' is both a study and an arena: name the arena's studies .all: npo 0.$"):
        find(url, "all")
    assert find(url, "all: npo 0").studies == ("all: npo 0",)
    assert find_study(url, "all") == "all"


def test_what_is_of_an_arena_comes_with_all_of_it_and_what_is_of_none_alone(tmp_path):
    entered = [Entered(entrant=name, seed=0, trials=[]) for name in ("npo", "rmu")]
    url = make_arena(tmp_path, entered, name="all")
    make_arena(tmp_path, entered, name="other")
    tiny_ledger(open_storage(url), "mine")
    assert with_arenas(url, ["all: rmu 0"]) == ["all: rmu 0", "all: npo 0"]
    assert with_arenas(url, ["mine"]) == ["mine"]


def test_what_is_not_there_is_told_with_the_nearest(url):
    near = find(url, "all").studies[0]
    with pytest.raises(ValueError, match=f"has no study '{near[:-1]}_': the nearest is '{near}' .there: all, {near}"):
        find_study(url, f"{near[:-1]}_")
    with pytest.raises(ValueError, match="has no study 'xyz' .there: all"):
        find(url, "xyz")


def test_of_many_names_the_first_are_listed():
    assert listed([str(i) for i in range(MOST_NAMED + 3)]).endswith("19 and 3 more")
    assert listed([]) == "none"
