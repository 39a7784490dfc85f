"""A driver leaves no files of Ray's behind, and none of another driver's is touched."""

from lethe.search.study import _clear, scratch_of
from lethe.store.driver import this_driver


def test_a_driver_clears_its_scratch_folder_and_those_of_killed_ones_but_none_of_a_driver_that_lives(tmp_path):
    own = scratch_of(tmp_path / "ray")
    place, number, started = this_driver().replace(" ", "_").rsplit("_", 2)
    killed, elsewhere = f"{place}_{number}_{started}0", f"another-node_{number}_{started}"
    for folder in (own, own.with_name(killed), own.with_name(elsewhere)):
        (folder / "tune").mkdir(parents=True)
    (tmp_path / "ray" / f"{place}_notes_old").mkdir()
    _clear(own)
    (tmp_path / "ray" / f"{place}_notes_old").rmdir()
    assert [folder.name for folder in (tmp_path / "ray").iterdir()] == [elsewhere]
    (own.with_name(elsewhere) / "tune").rmdir()
    own.with_name(elsewhere).rmdir()
    own.mkdir()
    _clear(own)
    assert not (tmp_path / "ray").exists()
