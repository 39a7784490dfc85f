"""Standard output and error that outlive what they are written to, so that a search does not end for a sign it prints.

A sign that the encoding lacks is written in ASCII's; what cannot be written, for the reader of a pipe has gone or a
disk is full, is dropped.
"""

import codecs
import errno
import io
import os
import sys
from typing import Any, TextIO

PLAIN = {"±": "+-", "×": "x", "–": "-", "−": "-", "≥": ">=", "≤": "<=", "…": "...", "→": "->"}
NAME = "lethe.plain"


def keep_output() -> None:
    """Put streams that outlive what they are written to in the places of standard output and error.

    A stream that somebody else has put there is left alone; one that was closed leads nowhere.
    """
    codecs.register_error(NAME, _plainly)
    sys.stdout, sys.stderr = _lasting(sys.stdout, 1), _lasting(sys.stderr, 2)


def check_output() -> None:
    """Write out what is left; OSError where some of standard output was lost, not where nobody reads it any more."""
    sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if isinstance(raw, Lasting) and raw.lost:
        raise OSError(raw.lost.errno, raw.lost.strerror, "standard output")


class Lasting(io.FileIO):
    """The end of a stream: what cannot be written counts as written; `lost` is why some of it was dropped."""

    lost: OSError | None = None

    def write(self, data: Any, /) -> int:
        """As a file's."""
        try:
            return super().write(data)
        except OSError as error:
            if error.errno != errno.EPIPE:
                self.lost = error
            return memoryview(data).nbytes


def _lasting(stream: TextIO | None, number: int) -> TextIO:
    if stream is None:
        return open(os.devnull, "w", encoding="utf-8")
    if type(stream) is not io.TextIOWrapper or stream.fileno() != number:
        return stream
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(Lasting(number, "w", closefd=False)),
        encoding=stream.encoding,
        errors=NAME,
        line_buffering=stream.line_buffering or stream.write_through,
    )


def _plainly(error: UnicodeError) -> tuple[str | bytes, int]:
    """ASCII's signs in the place of one that an encoding lacks; the sign's number where there are none."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    sign = error.object[error.start]
    return PLAIN.get(sign) or ascii(sign)[1:-1], error.start + 1
