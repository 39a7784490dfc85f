"""A study's folder is its own, and nothing is removed that does not lie below it."""

from pathlib import Path

import pytest
from pyarrow import fs

from lethe.store.facts import new_id
from lethe.store.study_folder import StudyFolder, folder_name, is_there, study_folder


@pytest.fixture
def own(tmp_path):
    """A study's folder with weights in it, and others' beside it."""
    for place in ("own/trial-1/step-1", "own-2/step-1", "other/step-1"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "model.safetensors").write_text("")
    return StudyFolder(str(tmp_path / "own"))


def left(tmp_path):
    return sorted(str(file.parent.relative_to(tmp_path)) for file in tmp_path.rglob("model.safetensors"))


def test_what_lies_below_is_removed_by_its_path_and_by_its_url_and_once_more_does_no_harm(tmp_path):
    for place in (str(tmp_path / "a"), f"file://{tmp_path}/b"):
        filesystem, path = fs.FileSystem.from_uri(f"{place}/step-1")
        filesystem.create_dir(path)
        (Path(path) / "model.safetensors").write_text("")
        StudyFolder(place).remove(f"{place}/step-1")
        StudyFolder(place).remove(f"{place}/step-1")
    assert left(tmp_path) == []
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


@pytest.mark.parametrize(
    "place",
    ["own", "own/.", "own/trial-1/..", "own/../other/step-1", "own-2/step-1", "other", ".", "..", "own/link/step-1"],
)
def test_the_folder_itself_what_lies_beside_it_and_what_a_link_leads_to_are_left_alone(own, tmp_path, place):
    (tmp_path / "own" / "link").symlink_to(tmp_path / "other")
    for named in (f"{tmp_path}/{place}", f"file://{tmp_path}/{place}"):
        own.remove(named)
    assert left(tmp_path) == ["other/step-1", "own-2/step-1", "own/trial-1/step-1"]


@pytest.mark.parametrize("place", ["", "\0", "://", "nonsense://x", "relative"])
def test_what_is_no_place_is_left_alone(own, tmp_path, monkeypatch, place):
    monkeypatch.chdir(tmp_path / "own-2")
    own.remove(place)
    assert len(left(tmp_path)) == 3


def test_a_results_folder_that_is_a_link_is_followed(own, tmp_path):
    (tmp_path / "short").symlink_to(tmp_path / "own")
    StudyFolder(str(tmp_path / "short")).remove(str(tmp_path / "own" / "trial-1"))
    assert left(tmp_path) == ["other/step-1", "own-2/step-1"]


def test_a_link_to_a_folder_of_its_own_is_left_alone_with_what_it_leads_to(own, tmp_path):
    (tmp_path / "own" / "again").symlink_to(tmp_path / "own" / "trial-1")
    for named in (f"{tmp_path}/own/again", f"file://{tmp_path}/own/again", f"{tmp_path}/own/trial-1/../again"):
        own.remove(named)
    assert len(left(tmp_path)) == 3


def test_what_stands_at_a_place_is_known_by_path_and_by_url(own, tmp_path):
    (tmp_path / "nowhere").symlink_to(tmp_path / "gone")
    there = {
        name: (is_there(f"{tmp_path}/{name}"), is_there(f"file://{tmp_path}/{name}"))
        for name in ("own", "nowhere", "gone")
    }
    assert there == {"own": (True, True), "nowhere": (True, True), "gone": (False, False)}
    assert not is_there("nonsense://x")


def test_two_studies_of_one_name_have_two_folders():
    assert len({folder_name("muse-mini", new_id()) for _ in range(100)}) == 100


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("muse-mini", "muse-mini-0a1b2c3d"),
        ("a tuned 1: loss=ll", "a-tuned-1-loss-ll-0a1b2c3d"),
        ("../../etc", "etc-0a1b2c3d"),
        ("..", "study-0a1b2c3d"),
        ("café", "café-0a1b2c3d"),
    ],
)
def test_a_folder_s_name_is_one_part_of_a_path(name, folder):
    assert folder_name(name, "0a1b2c3d") == folder


def test_under_a_url_the_name_is_quoted():
    assert study_folder("s3://b/r", "é", "0a1b2c3d").place == "s3://b/r/%C3%A9-0a1b2c3d"
    assert study_folder("/r", "é", "0a1b2c3d").place == "/r/é-0a1b2c3d"


@pytest.mark.parametrize("told", ["x/../../../home/me/work", "..", "0a1b2c3", "0a1b2c3d\n", "0A1B2C3D", 12345678])
def test_what_is_no_id_is_part_of_no_folder_s_name(told):
    with pytest.raises(ValueError, match="is no study's id"):
        folder_name("tiny", told)


def test_a_study_of_an_older_version_has_a_folder_without_an_id_and_a_new_one_has_one():
    assert folder_name("tiny", "") == "tiny"
    assert folder_name("tiny", new_id()).startswith("tiny-")


def test_all_folders_below_are_listed_by_path_and_by_url(own, tmp_path):
    (tmp_path / "own" / "a b").mkdir()
    (tmp_path / "own" / "loop").symlink_to(tmp_path)
    found = [place for place in own.folders() if not place.endswith("/loop")]
    assert sorted(found) == [f"{tmp_path}/own/{name}" for name in ("a b", "trial-1", "trial-1/step-1")]
    by_url = StudyFolder(f"file://{tmp_path}/own").folders(f"file://{tmp_path}/own/trial-1")
    assert by_url == [f"file://{tmp_path}/own/trial-1/step-1"]
    assert StudyFolder(f"file://{tmp_path}/own").holds(f"file://{tmp_path}/own/a%20b")
    assert StudyFolder(f"{tmp_path}/nothing").folders() == []


def test_a_long_name_in_any_script_is_a_folder_s_name(tmp_path):
    (tmp_path / folder_name("名" * 100, new_id())).mkdir()
    (tmp_path / folder_name("x" * 300, new_id())).mkdir()
