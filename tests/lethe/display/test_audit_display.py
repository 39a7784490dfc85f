"""An audit in a terminal: a line for each reading as it comes, and a row for each candidate under each stress."""

import io
from dataclasses import replace

from rich.console import Console
from tiny_audit import GONE, KNOWN, ONE, TWO, audited, made

from lethe.display.audit_progress import AuditProgress
from lethe.display.audit_table import draw_audit, main_score


def printed(table):
    console = Console(file=io.StringIO(), width=100)
    console.print(table)
    return console.file.getvalue()


def test_a_row_says_what_came_back_beside_the_retrained_model():
    audit = audited(made(GONE, KNOWN))
    assert main_score(audit) == "knowmem_f"
    text = printed(draw_audit(audit, [ONE]))
    (row,) = [line for line in text.splitlines() if ONE in line]
    assert "0.0 → 100.0" in row
    assert "0.0 → 0.0" in row
    assert "+100" in row
    assert "comes back" in row


def test_only_candidates_that_were_asked_for_have_rows():
    audit = audited(made(GONE, KNOWN, whose=TWO, found=made(GONE, GONE)))
    text = printed(draw_audit(audit, [TWO]))
    assert TWO in text
    assert ONE not in text


def test_of_nothing_there_is_no_table():
    audit = audited(made(GONE, GONE))
    assert draw_audit(audit, []) is None
    assert main_score(replace(audit, rows=())) is None


def progress():
    console = Console(file=io.StringIO(), width=100)
    return AuditProgress(console, 2, 1, words=str), console.file


def test_every_reading_is_a_line_in_a_log():
    shown, out = progress()
    with shown:
        shown.started("one")
        shown.finished("one", "1.0 s", refused=False)
        shown.started("two")
        shown.restarted("two", "its [node] is gone")
        shown.started("two")
        shown.finished("two", "refused: no layer", refused=True)
    lines = out.getvalue().splitlines()
    assert lines[0] == "measuring: 2 readings, 1 at a time"
    assert lines[1].startswith("1/2  one: 1.0 s  about ")
    assert lines[2] == "two: measured again in a new process: its [node] is gone"
    assert lines[3].startswith("2/2  two: refused: no layer  about ")
    assert (shown.done, shown.refused, shown.running) == (2, 1, [])


def test_on_a_terminal_it_says_what_runs():
    shown, out = progress()
    shown.started("target as it is")
    Console(file=out, width=100).print(shown._draw())
    assert "0 of 2 readings done, 1 running, 0 refused, time left: unknown yet" in out.getvalue()
    assert "target as it is" in out.getvalue()
