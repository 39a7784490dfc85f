"""An arena's table fits a terminal of 100 columns, says what is not known by a dash, and is plain data for machines."""

import json
from io import StringIO

import pytest
from rich.console import Console
from tiny_arena import make_arena, many

from lethe.analysis.arena import read_arena
from lethe_cli.arena_table import draw, legend, plain


@pytest.fixture(scope="module")
def arena(tmp_path_factory):
    return read_arena(make_arena(tmp_path_factory.mktemp("arena"), many()), "tiny")


def lines_of(arena, width=100):
    console = Console(file=StringIO(), width=width)
    console.print(draw(arena))
    return console.file.getvalue().splitlines()


def test_every_entrant_has_a_row_the_best_first_below_the_two_models(arena):
    rows = [line.split()[0] for line in lines_of(arena)[3:]]
    assert rows[:3] == ["target", "retrained", "method_17"]
    assert rows[2:] == arena.entrants["entrant"].tolist()


def test_a_row_says_volume_place_scores_trials_and_cost_and_nothing_is_cut_off(arena):
    lines = lines_of(arena)
    assert max(map(len, lines)) <= 100
    assert "…" not in "".join(lines)
    best = next(line for line in lines if line.startswith("method_17")).split()
    assert best[1:4] == ["0.442", "±0.05", "2/4"]
    assert best[4:6] == ["7.4", "±2"]
    assert best[-3:] == ["18", "0.9", "0%"]


def test_where_there_is_no_room_names_are_folded_and_no_number_is_cut(arena):
    whole = lines_of(arena)
    folded = lines_of(arena, width=max(map(len, whole)) - 3)
    assert "…" not in "".join(folded)
    rows = [line.split()[1:] for line in folded[3:] if len(line.split()) > 1]
    assert rows == [line.split()[1:] for line in whole[3:]]


def test_who_failed_always_or_lost_all_utility_has_dashes_for_what_is_not_known(arena):
    rows = {line.split()[0]: line.split()[1:] for line in lines_of(arena)}
    assert rows["method_19"] == ["–", "–", "–", "–", "–", "–", "18", "(18)", "0.9", "–"]
    assert rows["method_18"] == ["0.000", "+0.05", "–", "–", "–", "–", "–", "18", "0.9", "100%"]
    assert "did not keep utility at 40.0 or above" in legend(arena)


def test_plain_data_has_all_of_it_and_null_for_what_is_not_known(arena):
    told = json.loads(json.dumps(plain(arena), allow_nan=False))
    assert [row["entrant"] for row in told["entrants"]] == arena.entrants["entrant"].tolist()
    assert told["entrants"][-1]["hypervolume"] is None
    assert (told["budget"], told["compared_at"], told["seeds"]) == (300.0, 300.0, [0, 1, 2])
    assert len(told["comparisons"]) == len(arena.comparisons)
    assert told["words"] == arena.words
