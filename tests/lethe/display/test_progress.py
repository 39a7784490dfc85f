"""The live display: one line a trial in a log, one table on a terminal, and how long it still takes."""

from io import StringIO

import pytest
from clock import Clock
from rich.console import Console
from rich.table import Table
from tiny_study import candidate, tiny_facts

from lethe.display import progress
from lethe.display.console import open_console
from lethe.display.progress import Progress


@pytest.fixture
def clock(monkeypatch):
    made = Clock()
    monkeypatch.setattr(progress, "time", made)
    return made


def front():
    table = Table("candidate", "verbmem_f")
    table.add_row("7 teacher", "12.3 ±4")
    return table, "hypervolume 0.125"


def watch(*, terminal=False, trials=5, done=0):
    console = Console(file=StringIO(), width=100, force_terminal=terminal)
    return Progress(console=console, facts=tiny_facts(), trials=trials, done=done, slots=2, best=front, began=0.0)


def written(display):
    return display.console.file.getvalue().splitlines()


def test_a_log_gets_a_line_where_a_trial_goes_on_in_new_processes(clock):
    with watch() as display:
        display.started(3, {"lr": 0.1})
        display.restarted(3, "Connection closed [pair.cc:537]")
        display.restarted(3, "one word after another " * 50)
    short, long = written(display)[1:]
    assert short == "trial    3  goes on from its last candidate in new processes: Connection closed [pair.cc:537]"
    assert long.endswith("word after [...]")
    assert len(long) < 250


def test_a_log_gets_one_line_for_the_start_and_one_for_each_trial_that_ends_with_its_best_candidate(clock):
    with watch() as display:
        for number in (0, 1):
            display.started(number, {"lr": 0.123456, "steps": 60, "penalty": "kl"})
            display.scored(number, candidate(30, "teacher", verbmem_f=12.34))
            display.scored(number, candidate(60, "teacher", verbmem_f=98.7))
            display.scored(number, candidate(90, "student", verbmem_f=1.0, utility=39.9))
        clock.now = 10.0
        display.finished(1, None)
        display.finished(0, "Diverged: loss is nan")
    first, second, third = written(display)
    assert first == "running: 5 trials, 2 at a time"
    scores = "best: step 30, teacher: verbmem_f 12.3 privleak 0.0 knowmem_r 50.0"
    assert second == f"trial    1  1/5  lr 0.123 steps 60 penalty kl  {scores}  hypervolume 0.125  about 23 s left"
    assert third == (
        "trial    0  2/5  lr 0.123 steps 60 penalty kl  failed: Diverged: loss is nan  "
        "hypervolume 0.125  about 15 s left"
    )


def test_the_best_candidate_of_a_trial_that_is_not_feasible_is_told_as_such(clock):
    with watch() as display:
        display.started(0, {"lr": 0.1})
        display.scored(0, candidate(90, "student", verbmem_f=1.0, utility=39.9))
        display.finished(0, None)
    assert (
        "best: step 90, student: verbmem_f 1.0 privleak 0.0 knowmem_r 50.0, not feasible by utility 39.9  "
        in (written(display)[1])
    )


def test_a_stopped_trial_is_a_line_of_a_log_and_counted_on_a_terminal(clock):
    reason = "step 20: 9 of the 12 trials that came there are ahead of it, and 4 of so many go on"
    log, terminal = watch(), watch(terminal=True)
    for display in (log, terminal):
        with display:
            display.started(3, {"lr": 0.5})
            display.stopped(3, reason)
            display.finished(3, None)
    assert written(log)[1] == f"trial    3  stopped at {reason}"
    text = "\n".join(written(terminal))
    assert ", 1 stopped early, 0 running, 0 failed" in text
    assert reason not in text


def test_a_long_reason_stays_on_one_line(clock):
    with watch() as display:
        display.started(0, {"lr": 0.1})
        display.finished(0, "out of memory " * 30)
    assert len(written(display)) == 2
    assert "…" not in written(display)[1]


def test_a_reason_with_brackets_is_shown_as_it_is(clock):
    reason = "RuntimeError: [/gloo/transport/tcp/pair.cc:537] Connection closed by peer [red]"
    with watch() as display:
        display.started(0, {"lr": 0.1})
        display.finished(0, reason)
    assert reason in written(display)[1]


def test_a_terminal_shows_what_is_done_what_runs_and_the_front_so_far(clock):
    with watch(terminal=True) as display:
        display.started(3, {"lr": 0.5})
        display.started(4, {"lr": 0.25})
        display.scored(4, candidate(20, "student", verbmem_f=33.3))
        display.started(2, {"lr": 0.1})
        display.finished(2, "out of memory")
    text = "\n".join(written(display))
    assert "1 of 5 trials done" in text
    assert "2 running, 1 failed" in text
    assert "trial 3: lr 0.5  no score yet" in text
    assert "trial 4: lr 0.25  step 20, student: verbmem_f 33.3" in text
    assert "so far: hypervolume 0.125" in text
    assert "7 teacher" in text
    assert "12.3 ±4" in text
    assert "…" not in text


def test_before_the_first_trial_ends_the_workers_are_starting_and_the_time_left_is_unknown(clock):
    with watch(terminal=True, done=3) as display:
        display.started(3, {"lr": 0.5})
    text = "\n".join(written(display))
    assert "3 of 5 trials done" in text
    assert "workers are starting" in text
    assert "time left: unknown yet" in text
    assert "so far:" not in text


@pytest.mark.parametrize(
    ("done", "spent", "trials", "words"),
    [
        (0, 10.0, 3, "about 20 s left"),
        (0, 45.0, 2, "about 45 s left"),
        (0, 89.0, 2, "about 89 s left"),
        (0, 90.0, 2, "about 2 min left"),
        (0, 60.0, 11, "about 10 min left"),
        (10, 10.0, 13, "about 20 s left"),  # ten trials of an earlier run cost this one nothing
        (0, 10.0, 1, "about 0 s left"),
    ],
)
def test_the_time_left_is_what_this_run_s_trials_took_times_those_that_are_left_where_none_runs(
    clock, done, spent, trials, words
):
    with watch(trials=trials, done=done) as display:
        display.started(0, {"lr": 0.1})
        clock.now = spent
        display.finished(0, "failed")
    assert written(display)[-1].endswith(words)


def test_of_many_running_trials_the_first_are_shown(clock):
    with watch(terminal=True, trials=40) as display:
        for number in range(20):
            display.started(number, {"lr": 0.5})
    text = "\n".join(written(display))
    assert "20 running" in text
    assert "trial 7:" in text
    assert "trial 8:" not in text


def test_a_score_that_a_trial_lacks_is_left_out(clock):
    with watch() as display:
        display.started(0, {"lr": 0.1})
        display.scored(0, {"axis": "step", "at": 5, "role": "student", "scores": {"verbmem_f": [1.0, 0, 2]}})
        display.finished(0, None)
    assert "step 5, student: verbmem_f 1.0  hypervolume" in written(display)[-1]


def test_the_console_is_wide_enough_for_a_front_and_writes_where_it_should(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "40")
    console = open_console(stderr=True)
    assert console.width == 100
    console.print("x" * 90)
    out, err = capsys.readouterr()
    assert (out, err) == ("", "x" * 90 + "\n")
    monkeypatch.setenv("COLUMNS", "160")
    assert open_console().width == 160


def test_brackets_in_what_is_printed_are_text_in_a_line_and_in_a_cell(capsys):
    table = Table("arm [/a]")
    table.add_row("[/b]")
    console = open_console()
    console.print("failed: [/c]")
    console.print(table)
    shown = capsys.readouterr().out
    assert [text for text in ("arm [/a]", "[/b]", "failed: [/c]") if text not in shown] == []
