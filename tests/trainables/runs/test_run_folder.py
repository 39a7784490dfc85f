"""A run under a URL is the run in a folder; what it writes lies under the URL, and no draft is left on this disk."""

import shutil
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from test_unlearning import RUN, candidates, task, unlearner  # noqa: F401

from lethe_cli.checks import check_storage_path
from trainables.runs.run_folder import RunFolder
from trainables.runs.unlearning import STEPS


@pytest.fixture
def drafts(tmp_path, monkeypatch):
    """Where drafts go on this disk."""
    folder = tmp_path / "drafts"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_what_is_put_is_there_for_others_until_it_is_dropped(tmp_path, drafts):
    writer, reader = RunFolder(f"file://{tmp_path}/run/"), RunFolder(f"file://{tmp_path}/run")
    (writer.path / "state" / "deep").mkdir(parents=True)
    (writer.path / "state" / "a").write_text("1")
    (writer.path / "state" / "deep" / "b").write_text("2")
    (writer.path / "one.json").write_text("3")
    for name in ("state", "one.json"):
        assert not reader.get(name)
        writer.put(name)
        assert reader.get(name)
    assert [(reader.path / name).read_text() for name in ("state/a", "state/deep/b", "one.json")] == ["1", "2", "3"]
    writer.drop("state")
    writer.drop("one.json")
    writer.drop("never")
    assert not list((tmp_path / "run").iterdir())
    assert not RunFolder(f"file://{tmp_path}/run").get("state")
    writer.close()
    reader.close()


def test_a_folder_on_this_disk_is_written_in_place(tmp_path, drafts):
    folder = RunFolder(tmp_path)
    (tmp_path / "x").write_text("1")
    folder.put("x", keep=False)
    folder.close()
    assert (tmp_path / "x").read_text() == "1"
    assert not list(drafts.iterdir())


@pytest.fixture
def in_a_folder(unlearner, tmp_path):  # noqa: F811
    return list(unlearner(RUN, tmp_path / "plain"))


def test_a_run_under_a_url_gives_and_writes_what_a_run_in_a_folder_does(unlearner, in_a_folder, tmp_path, drafts):  # noqa: F811
    url = f"file://{tmp_path}/store/trial"
    results = list(unlearner(RUN, url))
    for candidate, expected in zip(candidates(results), candidates(in_a_folder), strict=True):
        assert candidate["scores"] == expected["scores"]
        assert candidate["weights"].startswith(url)
        weights = Path(candidate["weights"].removeprefix("file://"), "model.safetensors").read_bytes()
        assert weights == Path(expected["weights"], "model.safetensors").read_bytes()
        pd.testing.assert_frame_equal(pd.read_parquet(candidate["items"]), pd.read_parquet(expected["items"]))
    assert len(pd.read_parquet(f"{url}/{STEPS}")) == RUN.steps
    kept = {path.name for path in (tmp_path / "store" / "trial").iterdir()}
    assert not any("state" in name or "progress" in name for name in kept)
    assert not list(drafts.iterdir())


def test_an_interrupted_run_under_a_url_goes_on_on_another_disk(unlearner, in_a_folder, tmp_path, drafts):  # noqa: F811
    url = f"file://{tmp_path}/store/trial"
    stopped = unlearner(RUN, url)
    next(stopped)
    stopped.close()
    assert not list(drafts.iterdir())
    written = Path(f"{tmp_path}/store/trial/step-00002-teacher/model.safetensors").stat().st_mtime_ns
    again = list(unlearner(RUN, url))
    assert Path(f"{tmp_path}/store/trial/step-00002-teacher/model.safetensors").stat().st_mtime_ns == written
    assert [candidate["scores"] for candidate in candidates(again)] == [
        candidate["scores"] for candidate in candidates(in_a_folder)
    ]


def test_a_store_that_goes_away_ends_the_run_with_the_reason(unlearner, tmp_path, drafts, monkeypatch):  # noqa: F811
    def lost(*args, **kwargs):
        raise OSError("the bucket is gone")

    monkeypatch.setattr("trainables.runs.run_folder.copy_files", lost)
    (result,) = unlearner(RUN, f"file://{tmp_path}/store/trial")
    assert result["failure"] == "OSError: the bucket is gone"
    assert not list(drafts.iterdir())


def test_a_storage_path_is_a_whole_path_or_a_url_that_can_be_written_to(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert check_storage_path("results") == str(tmp_path / "results")
    url = f"file://{tmp_path}/b"
    assert check_storage_path(f"{url}/") == url
    assert (tmp_path / "b").is_dir()
    shutil.rmtree(tmp_path / "b")


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("{file}/results", "cannot be made: '{file}' is not a folder to write in"),
        ("file://{file}/results", "cannot be written to: "),
        ("bogus://bucket/x", "cannot be written to: Unrecognized filesystem type in URI"),
        (
            "s3://key:secret@bucket/x",
            "--storage-path 's3://key:\\*\\*\\*@bucket/x' holds keys or options: give them by",
        ),
        ("s3://bucket/x?endpoint_override=http://a", "holds keys or options: give them by the environment"),
    ],
)
def test_a_storage_path_that_cannot_be_is_told_in_one_line(tmp_path, place, said):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(ValueError, match=said.format(file=file)) as told:
        check_storage_path(place.format(file=file))
    assert "\n" not in str(told.value)
    assert "secret" not in str(told.value)
