"""A real search, Ctrl-C of which is pressed while Ray starts, and three times while trials run: nothing is lost.

Ctrl-C pressed once, while a trial runs, is in test_search_end_to_end.py.
"""

import time
from types import SimpleNamespace

import pytest
from faults import Place
from optuna.trial import TrialState
from searching import assert_calm, interrupt, left_over, start_search, trials_of, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TRIALS = 4
RAY = ("gcs_server", "raylet")  # the first processes of a node


@pytest.fixture(scope="module")
def pressed(place, tiny):
    """A search that is interrupted as Ray starts, then with one finished trial, three times; and goes on to its end."""
    there = Place(place / "a", tiny)
    there.folder.mkdir()
    flags = [*tiny.flags(steps=24, every=6), "--stop", "none", "--concurrent", "1", "--trials", str(TRIALS), "--resume"]
    flags += ["--storage-path", str(there.results), "--storage", there.storage()]
    stops = []

    def run(ready, times):
        with start_search(flags, there.folder, tiny.environment()) as search:
            wait_until(lambda: ready(search), search)
            processes = search.descendants()
            for _ in range(times):
                interrupt(search)
                time.sleep(0.2)
            code = search.wait()
            left = left_over(processes, search.mark)
            stops.append(SimpleNamespace(code=code, printed=search.printed(), left=left, count=len(processes)))

    def finished():
        return [t for t in trials_of(there.storage(), "data") if t.state == TrialState.COMPLETE]

    run(lambda search: any(child.name() in RAY for child in search.descendants()), 1)
    made = trials_of(there.storage(), "data")
    run(lambda _: len(finished()) > 0, 3)
    before = finished()
    with start_search(flags, there.folder, tiny.environment()) as search:
        code = search.wait()
        return SimpleNamespace(
            stops=stops, made=made, before=before, after=finished(), code=code, said=search.printed()
        )


def test_every_stop_is_one_line_exit_code_130_and_no_process_left(pressed):
    for stop in pressed.stops:
        assert (stop.code, stop.left) == (130, []), stop.printed
        assert stop.printed.count("interrupted") == 1, stop.printed
        assert "the same command with --resume goes on" in stop.printed
        assert_calm(stop.printed)


def test_a_search_that_was_stopped_as_ray_started_has_begun_no_trial(pressed):
    assert pressed.stops[0].count > 0
    assert pressed.made == []


def test_what_had_finished_stays_as_it_was_and_the_rest_is_made(pressed):
    assert pressed.code == 0, pressed.said
    kept = {trial.number: trial for trial in pressed.after}
    assert 1 <= len(pressed.before) < TRIALS
    assert len(pressed.after) == TRIALS
    for trial in pressed.before:
        assert kept[trial.number] == trial
