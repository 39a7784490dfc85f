"""Whatever the encoding, whoever has stopped to read and however full a disk: output ends no command."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lethe_cli.output import PLAIN, keep_output

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")])}
SAY = "from lethe_cli.output import keep_output; keep_output(); "


def say(code, **options):
    """What a process prints that has made its output last."""
    command = [sys.executable, "-c", SAY + code]
    environment = ENVIRONMENT | options.pop("env", {})
    return subprocess.run(command, env=environment, capture_output=True, check=False, **options)


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("ascii", b"1.0 +-2 x >= - -3 \\u044f"),
        ("latin-1", b"1.0 \xb12 \xd7 >= - -3 \\u044f"),
        ("utf-8", "1.0 ±2 × ≥ – −3 я".encode()),
    ],
)
def test_a_sign_that_an_encoding_lacks_is_written_plainly(encoding, printed):
    done = say("print('1.0 ±2 × ≥ – −3 я')", env={"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"})
    assert (done.returncode, done.stdout.strip(), done.stderr) == (0, printed, b"")


def test_a_table_is_drawn_in_any_encoding():
    code = (
        "from lethe.display.console import open_console; from rich.table import Table; "
        "t = Table('a ±', 'b'); t.add_row('–', '≥ 3'); open_console().print(t)"
    )
    done = say(code, env={"PYTHONIOENCODING": "ascii"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert b">= 3" in done.stdout


@given(st.text(st.characters(codec=None), max_size=20))
def test_every_text_can_be_written_in_every_encoding(text):
    keep_output()  # registers how
    for encoding in ("ascii", "latin-1", "utf-8", "cp437"):
        written = text.encode(encoding, "lethe.plain")
        if not any(sign in PLAIN for sign in text) and text.isascii():
            assert written == text.encode("ascii")


def test_a_stream_of_somebody_else_s_is_left_alone(monkeypatch):
    theirs = io.StringIO()
    monkeypatch.setattr(sys, "stdout", theirs)
    keep_output()
    assert sys.stdout is theirs


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_has_gone_ends_nothing(buffered):
    """The end of a pipe is closed before anything is written: all comes to its end, silently."""
    reader, writer = os.pipe()
    os.close(reader)
    code = "import sys; [print('x' * 9999) for _ in range(99)]; sys.stdout.flush(); print('came here', file=sys.stderr)"
    command = [sys.executable, "-c", SAY + code]
    environment = ENVIRONMENT | {"PYTHONUNBUFFERED": buffered}
    done = subprocess.run(command, env=environment, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"came here\n")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux's full disk")
def test_output_that_was_lost_to_a_full_disk_is_one_line():
    command = [sys.executable, "-c", "from lethe_cli.main import main; main()", "--help"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, env=ENVIRONMENT, stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (2, b"error: 'standard output': No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(closed):
    program = f"exec '{sys.executable}' -c 'from lethe_cli.main import main; main()' --help {closed}"
    done = subprocess.run(["bash", "-c", program], env=ENVIRONMENT, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


STOPPED = """
import time
from lethe_cli.main import run_command
def command(resume: bool = False) -> None:
    try:
        print("running", flush=True)
        time.sleep(60)
    finally:
        time.sleep({ending})
run_command(command)
"""


@pytest.mark.parametrize("ending", [0, 60])
def test_ctrl_c_however_often_is_one_line_and_130(ending):
    command = [sys.executable, "-c", STOPPED.format(ending=ending)]
    with subprocess.Popen(
        command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        for _ in range(3):
            process.send_signal(signal.SIGINT)
            time.sleep(0.2)
        assert process.wait(50) == 130
        assert process.stderr.read() == "interrupted; the same command with --resume goes on\n"
