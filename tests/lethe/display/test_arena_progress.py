"""The live display of an arena: one line for each entrant over its seeds; in a log, one for each trial that ends."""

from dataclasses import replace
from io import StringIO

import pytest
from clock import Clock
from rich.console import Console
from tiny_study import candidate, tables_in_memory, tiny_ledger

from lethe.display import arena_progress
from lethe.display.arena_progress import ArenaProgress, EntryState, LiveEntry

TABLES = tables_in_memory()


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(arena_progress, "time", made)
    return made


class Study:
    """A study whose budget is 100 and whose trials cost 25 each."""

    def __init__(self, name):
        self.ledger = tiny_ledger(TABLES, name, sampler="random")

    def look(self):
        now = self.ledger.trials.tally()
        spent = 0.25 * len(now.ended)
        return EntryState(done=len(now.ended), failed=now.failed, spent=spent, far=spent, front=self.ledger.front())


def arena(request, *, terminal):
    """An arena of two entrants with two seeds each."""
    console = Console(file=StringIO(), width=110, force_terminal=terminal)
    studies = [Study(f"{request.node.name}: {entrant} {seed}") for entrant in ("ga", "npo") for seed in (0, 1)]
    entries = [
        LiveEntry(study.ledger.study.study_name.split()[-2], seed, study.ledger.facts, study.look)
        for study, seed in zip(studies, (0, 1, 0, 1), strict=True)
    ]
    return ArenaProgress(console=console, entries=entries, slots=2, began=0.0), studies


def run(display, studies, which, failure=None, **values):
    """Run a trial of one entry from its start to its end."""
    watch, ledger = display.watch(display.entries[which]), studies[which].ledger
    number, params = ledger.ask()
    watch.started(number, params)
    ledger.record(number, candidate(**values))
    watch.scored(number, candidate(**values))
    watch.finished(number, ledger.tell(number, failure))


def written(display):
    return display.console.file.getvalue().splitlines()


def test_a_log_gets_a_line_for_the_start_and_one_for_each_trial_that_ends(clock, request):
    display, studies = arena(request, terminal=False)
    with display:
        clock.now = 10.0
        run(display, studies, 2, verbmem_f=10.0)
        run(display, studies, 1, "out of memory [/red]")
        display.watch(display.entries[0]).restarted(0, "killed")
    first, second, third, fourth = written(display)
    assert first == "running: 4 searches side by side, 2 trials at a time"
    scores = "step 10, student: verbmem_f 10.0 privleak 0.0 knowmem_r 50.0"
    assert second == f"npo, seed 0, trial 0  best: {scores}  volume 0.450  6% of the arena done, about 2 min left"
    assert third == (
        "ga, seed 1, trial 0  failed: out of memory [/red]  volume 0.000  12% of the arena done, about 70 s left"
    )
    assert fourth == "ga, seed 0, trial 0  goes on from its last candidate in new processes: killed"


def test_a_terminal_shows_of_each_entrant_what_it_spent_its_trials_and_the_best_of_its_seeds(clock, request):
    display, studies = arena(request, terminal=True)
    with display:
        run(display, studies, 0, verbmem_f=40.0)
        run(display, studies, 1, verbmem_f=20.0)
        run(display, studies, 1, "no memory")
        display.watch(display.entries[3]).started(7, {})
    assert "entrant" in display.console.file.getvalue()
    shown = Console(file=StringIO(), width=110)
    shown.print(display._draw())
    head, *lines = shown.file.getvalue().splitlines()
    assert head.startswith("19% of the arena done, 1 trial running, ")
    rows = {line.split()[0]: line.split()[1:] for line in lines if line.startswith(("ga", "npo"))}
    assert rows["ga"][:4] == ["38%", "3", "1", "0.400"]
    assert " ".join(rows["ga"][4:]) == "step 10, student: verbmem_f 20.0 privleak 0.0 knowmem_r 50.0"
    assert rows["npo"] == ["0%", "0", "+1"]


def test_where_there_is_no_room_only_the_best_so_far_is_cut(clock, request):
    display, studies = arena(request, terminal=True)
    display.entries[0] = replace(display.entries[0], entrant="attention_smoothing")
    run(display, studies, 0, verbmem_f=40.0)
    shown = Console(file=StringIO(), width=60)
    shown.print(display.table())
    row = next(line for line in shown.file.getvalue().splitlines() if line.startswith("attention"))
    assert row.split()[:4] == ["attention_smoothing", "25%", "1", "0.300"]
    assert row.endswith("…")


def test_what_an_earlier_run_spent_tells_nothing_of_the_time_that_is_left(clock, request):
    display, studies = arena(request, terminal=False)
    run(display, studies, 0)
    again = ArenaProgress(console=display.console, entries=display.entries, slots=1, began=0.0)
    assert again.left() == "time left: unknown yet"


def test_a_first_trial_that_is_hardly_anything_of_the_arena_tells_nothing_of_the_time_that_is_left(clock, request):
    display, _ = arena(request, terminal=False)
    display._far_before = display.far - 0.005
    assert display.left() == "time left: unknown yet"
    display._far_before = display.far - 0.02
    assert display.left().startswith("about ")
