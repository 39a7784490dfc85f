"""A model folder whose files are stand-ins, broken or unreadable is told in one line, before torch is loaded."""

import importlib.util
import re

import pytest
from tiny_folders import EMPTY_WEIGHTS, model_folder

from lethe_cli import checks
from trainables.subjects import model_files
from trainables.subjects.model_files import check_model_files

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 12345\n"
FILES = ["model.safetensors", "config.json", "tokenizer.json"]


def refused(folder):
    with pytest.raises(ValueError, match=re.escape(str(folder))) as caught:
        checks.check_model(str(folder), "--model")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_folder_of_sound_files_passes(tmp_path):
    check_model_files(model_folder(tmp_path / "model"))


@pytest.mark.parametrize("name", FILES)
def test_a_pointer_of_git_lfs_is_called_by_its_name(tmp_path, name):
    folder = model_folder(tmp_path / "model")
    (folder / name).write_text(POINTER)
    assert (
        refused(folder) == f"'{folder / name}' is a pointer of Git LFS, not the file itself: fetch it with git lfs pull"
    )


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("content", [b"", b'{"model_type": "lla', b"\x80\x00 no such thing", b"\xff" * 40])
def test_a_file_that_is_broken_is_named(tmp_path, name, content):
    folder = model_folder(tmp_path / "model")
    (folder / name).write_bytes(content)
    assert refused(folder).startswith(f"'{folder / name}' is broken or cut short: ")


def test_weights_that_end_before_their_header_says_are_cut_short(tmp_path):
    folder = model_folder(tmp_path / "model")
    header = b'{"w": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}'
    whole = len(header).to_bytes(8, "little") + header + bytes(16)
    (folder / "model.safetensors").write_bytes(whole)
    check_model_files(folder)
    (folder / "model.safetensors").write_bytes(whole[:-1])
    assert "cut short" in refused(folder)
    assert len(EMPTY_WEIGHTS) == 10


@pytest.mark.parametrize(
    ("content", "package"),
    [(b"\n\x0e\n\x05<unk>\x15\x00\x00\x00\x00\x18\x02", "sentencepiece"), (b"IQ== 0\nIg== 1\n", "tiktoken")],
)
def test_a_tokenizer_model_alone_names_the_package_that_reads_it(tmp_path, monkeypatch, content, package):
    folder = model_folder(tmp_path / "model", without="tokenizer.json")
    (folder / "tokenizer.model").write_bytes(content)
    monkeypatch.setattr(model_files, "find_spec", lambda name: None)
    assert f"which the package {package} reads: pip install {package}" in refused(folder)
    monkeypatch.setattr(model_files, "find_spec", importlib.util.find_spec)
    (folder / "tokenizer.json").write_text("{}")
    check_model_files(folder)
