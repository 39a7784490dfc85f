"""A model hub on loopback that serves a folder: what huggingface_hub, datasets and transformers ask of the real one.

    with serve(folder) as address: ...      # folder/datasets/owner/name/train.jsonl, folder/models/owner/name/config.json

It is asked by HF_ENDPOINT, which the libraries read as they are loaded: in a process of its own.
"""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
KINDS = ("datasets", "models")


class Handler(BaseHTTPRequestHandler):
    """Answers for the repositories under `root`: each has one commit. What is not there is 404, as on the real hub."""

    root: Path
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Tell of a repository, list a folder of it, or give a file."""
        parts = self._parts()
        if parts[0] == "api" and parts[1] in KINDS:
            self._tell(self.root / parts[1] / parts[2] / parts[3], parts[4:])
        elif "resolve" in parts:
            kind, at = ("datasets", 1) if parts[0] == "datasets" else ("models", 0)
            self._give(self.root.joinpath(kind, *parts[at : at + 2]), parts[at + 4 :])
        else:
            self._answer(404)

    do_HEAD = do_GET

    def do_POST(self) -> None:
        """Tell of some paths of a repository."""
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = self._parts()
        place = self.root / parts[1] / parts[2] / parts[3]
        if parts[4:5] != ["paths-info"] or not place.is_dir():
            self._answer(404)
            return
        wanted = json.loads(sent)["paths"]
        self._answer(200, [entry(place, place / path) for path in wanted if (place / path).exists()])

    def _parts(self) -> list[str]:
        return [unquote(part) for part in urlsplit(self.path).path.strip("/").split("/")]

    def _tell(self, place: Path, rest: list[str]) -> None:
        if not place.is_dir():
            self._answer(404, {"error": "Repository not found"}, {"X-Error-Code": "RepoNotFound"})
            return
        if rest[:1] == ["tree"]:
            folder, deep = place.joinpath(*rest[2:]), "recursive=true" in self.path.lower()
            if not folder.is_dir():
                self._answer(404, {"error": "not found"}, {"X-Error-Code": "EntryNotFound"})
                return
            self._answer(200, [entry(place, path) for path in sorted(folder.rglob("*") if deep else folder.iterdir())])
            return
        names = [str(path.relative_to(place)) for path in sorted(place.rglob("*")) if path.is_file()]
        told = {"id": "/".join(place.parts[-2:]), "sha": COMMIT, "private": False, "gated": False, "disabled": False}
        self._answer(200, told | {"siblings": [{"rfilename": name} for name in names], "tags": [], "downloads": 0})

    def _give(self, place: Path, rest: list[str]) -> None:
        file = place.joinpath(*rest)
        if not file.is_file():
            code = "EntryNotFound" if place.is_dir() else "RepoNotFound"
            self._answer(404, {"error": code}, {"X-Error-Code": code, "X-Repo-Commit": COMMIT})
            return
        content = file.read_bytes()
        self._answer(200, content, {"ETag": f'"{digest(content)}"', "X-Repo-Commit": COMMIT})

    def _answer(self, status: int, content: Any = b"", headers: dict[str, str] | None = None) -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/octet-stream" if body is content else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing: a test's output is its own."""


def entry(place: Path, path: Path) -> dict[str, Any]:
    """What the hub tells of a file or a folder of a repository."""
    name = str(path.relative_to(place))
    if path.is_dir():
        return {"type": "directory", "path": name, "oid": COMMIT, "size": 0}
    content = path.read_bytes()
    return {"type": "file", "path": name, "oid": digest(content), "size": len(content)}


def digest(content: bytes) -> str:
    """A file's hash, as git has it: of so many characters."""
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder for as long as this lasts; the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Own", (Handler,), {"root": folder}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
