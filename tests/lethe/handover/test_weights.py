"""Weights are found and brought from a folder or a URL, with all that lies below."""

import pytest

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
