"""A manifest: size and sha256 of every file of a folder, so that who gets the folder can tell whether it is whole."""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

MANIFEST = "manifest.json"  # which lists every file but itself


def write_manifest(folder: Path) -> str:
    """Write a folder's manifest into it; returns the manifest's own sha256, by which it can be told on another way."""
    listed = {str(file.relative_to(folder).as_posix()): _entry(file) for file in _files(folder)}
    (folder / MANIFEST).write_text(json.dumps({"files": listed}, indent=2) + "\n", "utf-8")
    return sha256(folder / MANIFEST)


def differences(folder: Path) -> list[str]:
    """A line for each file that is missing, changed or added; ValueError where there is no manifest to be read.

    Names are written as Python does, for a stranger's may hold signs that move a terminal's cursor.
    """
    listed, found = _read(folder), {str(file.relative_to(folder).as_posix()): file for file in _files(folder)}
    lines = [f"missing: {name!r}" for name in listed if name not in found]
    lines += [line for name, file in found.items() if name in listed and (line := _change(name, file, listed[name]))]
    return lines + [f"added: {name!r}" for name in found if name not in listed]


def sha256(file: Path) -> str:
    """The sha256 of all of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _change(name: str, file: Path, entry: dict[str, Any]) -> str:
    """How a file differs from its entry; "" where it does not. Of another size it is not read, nor what is no file."""
    if not file.is_file():
        return f"changed: {name!r} is no file"
    size = file.stat().st_size
    if size != entry["size"]:
        return f"changed: {name!r} has {size} bytes, not {entry['size']}"
    return "" if sha256(file) == entry["sha256"] else f"changed: {name!r} holds other bytes"


def _entry(file: Path) -> dict[str, Any]:
    return {"size": file.stat().st_size, "sha256": sha256(file)}


def _read(folder: Path) -> dict[str, dict[str, Any]]:
    file = folder / MANIFEST
    try:
        listed = json.loads(file.read_text("utf-8"))["files"]
        return {str(name): {"size": int(e["size"]), "sha256": str(e["sha256"])} for name, e in listed.items()}
    except FileNotFoundError:
        raise ValueError(f"{str(folder)!r} holds no {MANIFEST}: `lethe export` writes one") from None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ValueError(f"{str(file)!r} is no manifest that can be read") from None


def _files(folder: Path) -> list[Path]:
    """Every file below a folder, hidden ones too, but its manifest; a link is one, to whatever it leads."""
    found = [
        Path(place) / name for place, folders, files in os.walk(folder, followlinks=False) for name in files + folders
    ]
    return sorted(file for file in found if file != folder / MANIFEST and (file.is_symlink() or not file.is_dir()))
