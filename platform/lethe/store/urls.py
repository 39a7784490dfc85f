"""The URLs of stores: where studies are kept if nothing else is said, what a URL names, its password hidden.

No optuna: a command's help does without.
"""

import re
from pathlib import Path
from urllib.parse import quote, unquote

RESULTS = "~/lethe-results"  # where studies are kept, if nothing else is said
VARIABLE = "LETHE_STORAGE"  # a URL may hold a password: by the environment it is on no command line
SQLITE = "sqlite:///"
POSTGRESQL = re.compile(r"postgres(ql)?(\+psycopg)?://")  # as people write it


def default_storage(folder: str = RESULTS) -> str:
    """The storage URL of a results folder: its file `studies.db`."""
    return sqlite_url(Path(folder).expanduser().resolve() / "studies.db")


def sqlite_file(url: str) -> Path | None:
    """The file of an SQLite store; None for a server's URL, ValueError for one with options or without a file."""
    if not re.match(r"sqlite\W", url):
        return None
    place = url.removeprefix(SQLITE)
    if place in ("sqlite://", "", ":memory:"):
        raise unopened(url, "it names no file, and would be lost with this process")
    if place == url:
        raise unopened(url, f"a file is named by {SQLITE} and nothing else")
    if "?" in place:
        raise ValueError(
            f"storage {url!r} has options behind its question mark, which Lethe sets itself: leave them out, and write "
            "%3F for the question mark of a path"
        )
    return Path(unquote(place)).absolute()


def sqlite_url(file: Path) -> str:
    """The URL of a file, the inverse of `sqlite_file`: what means something to SQLAlchemy or to Optuna is quoted."""
    return SQLITE + re.sub("[%?{}]", lambda sign: quote(sign[0]), str(file))


def server_url(url: str) -> str:
    """A PostgreSQL URL as people write it, with the driver that Lethe brings; any other URL as it is."""
    given = POSTGRESQL.match(url)
    return f"postgresql+psycopg://{url[given.end() :]}" if given else url


def hide_password(url: str) -> str:
    """Return a storage URL without its password, be it before the host or an option behind it.

    All between the first colon and the last @ is taken for the password, for one that was not escaped.
    """
    if url.startswith(SQLITE):
        return url
    url = re.sub(r"(://[^:/]*):.*@", r"\1:***@", url, flags=re.DOTALL)
    return re.sub(r"(password=)[^&]*", r"\1***", url, flags=re.IGNORECASE)


def unopened(url: str, reason: str) -> ValueError:
    """The one line for a store that cannot be opened."""
    return ValueError(
        f"storage {hide_password(url)!r} cannot be opened ({reason}): give sqlite:///FILE or a PostgreSQL URL"
    )
