"""Weights are found and brought from a folder or a URL, with all that lies below."""

from pathlib import Path

import pytest
from pyarrow.fs import copy_files

from lethe.handover import weights
from lethe.handover.weights import are_there, bring


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_they_are_brought_whole(tmp_path, scheme):
    place, folder = tmp_path / "step 20" / "student", tmp_path / "out"
    (place / "model").mkdir(parents=True)
    (place / "parts.json").write_text("{}")
    (place / "model" / "config.json").write_text("[]")
    folder.mkdir()
    named = f"{scheme}{str(place).replace(' ', '%20')}" if scheme else str(place)
    assert are_there(named)
    bring(named, folder)
    assert (folder / "parts.json").read_text() + (folder / "model" / "config.json").read_text() == "{}[]"


@pytest.mark.parametrize("place", [None, float("nan"), "", "nowhere/at/all", "gone://place"])
def test_what_is_not_kept_is_known(place, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert not are_there(place)


def test_an_empty_folder_holds_none(tmp_path):
    assert not are_there(str(tmp_path))


def test_what_went_while_it_was_copied_is_no_copy(tmp_path, monkeypatch):
    place, folder = tmp_path / "student", tmp_path / "out"
    for one in (place, folder):
        one.mkdir()
    for name in ("a", "b"):
        (place / name).write_text(name)

    def copy(source, *rest):
        (place / "b").unlink()  # a search finds a better candidate
        copy_files(source, *rest)

    monkeypatch.setattr(weights, "copy_files", copy)
    with pytest.raises(ValueError, match="was removed while it was copied"):
        bring(str(place), folder)


@pytest.mark.parametrize("inner", ["key", "model/key", "more"])
def test_a_link_among_them_is_not_copied(tmp_path, inner):
    place, folder = tmp_path / "student", tmp_path / "out"
    for one in (place / "model", folder, tmp_path / "private"):
        one.mkdir(parents=True)
    (place / "config.json").write_text("{}")
    (tmp_path / "private" / "key").write_text("secret")
    (place / inner).symlink_to(tmp_path / "private" / ("" if inner == "more" else "key"))
    with pytest.raises(ValueError, match=f"holds a link, '{Path(inner).name}', and links are not copied"):
        bring(str(place), folder)
    assert list(folder.iterdir()) == []
