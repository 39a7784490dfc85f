"""A manifest tells each file that is missing, changed or added, one line each, and nothing of a folder that is whole."""

import hashlib
import json

import pytest

from lethe.handover.manifest import MANIFEST, differences, sha256, write_manifest


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model").mkdir()
    for name, text in (("README.md", "card"), ("model/weights.safetensors", "1234"), (".hidden", "x"), ("empty", "")):
        (tmp_path / name).write_text(text)
    write_manifest(tmp_path)
    return tmp_path


def test_every_file_is_listed_with_its_size_and_hash_but_the_manifest_itself(folder):
    files = json.loads((folder / MANIFEST).read_text())["files"]
    assert files["model/weights.safetensors"] == {"size": 4, "sha256": hashlib.sha256(b"1234").hexdigest()}
    assert set(files) == {"README.md", "model/weights.safetensors", ".hidden", "empty"}
    assert differences(folder) == []


def test_the_manifest_s_own_hash_is_handed_back(folder):
    assert write_manifest(folder) == sha256(folder / MANIFEST)


def test_each_fault_is_one_line(folder):
    (folder / "empty").unlink()
    (folder / "README.md").write_text("cars")
    (folder / "model" / "weights.safetensors").write_text("12345")
    (folder / "model" / "more\x1b[2J").write_text("")
    assert differences(folder) == [
        "missing: 'empty'",
        "changed: 'README.md' holds other bytes",
        "changed: 'model/weights.safetensors' has 5 bytes, not 4",
        r"added: 'model/more\x1b[2J'",
    ]


def test_a_link_to_a_folder_and_one_that_leads_nowhere_are_files_that_were_added(folder, tmp_path_factory):
    (tmp_path_factory.mktemp("apart") / "code.py").write_text("")
    (folder / "more").symlink_to(tmp_path_factory.getbasetemp())
    (folder / "model" / "gone").symlink_to("nothing")
    assert differences(folder) == ["added: 'model/gone'", "added: 'more'"]


@pytest.mark.parametrize("leads", ["nothing", "model", "."])
def test_what_takes_the_place_of_a_file_and_is_none_is_told(folder, leads):
    (folder / "README.md").unlink()
    (folder / "README.md").symlink_to(leads)
    assert differences(folder) == ["changed: 'README.md' is no file"]


@pytest.mark.parametrize("text", ["", "[]", '{"files": [1]}', '{"files": {"a": {"size": "x", "sha256": ""}}}', "\x00"])
def test_a_manifest_that_is_none_is_told_so(folder, text):
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ValueError, match="is no manifest that can be read"):
        differences(folder)


def test_a_folder_without_one_is_told_so(tmp_path):
    with pytest.raises(ValueError, match="holds no manifest.json: `lethe export` writes one"):
        differences(tmp_path)
