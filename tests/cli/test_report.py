"""`lethe report` says in one line what is wrong, and writes nothing then."""

import pytest
from tiny_ablation import finished
from tiny_study import tiny_ledger

from lethe.store.storage import open_storage
from lethe_cli.report import report


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    found, _ = finished(tmp_path_factory.mktemp("ablation"), seeds=2)
    tiny_ledger(open_storage(found), "a-search")
    return found


def test_both_forms_are_written(url, tmp_path, capsys):
    for name in ("out.html", "out.md"):
        report("tiny", str(tmp_path / name), storage=url)
        assert "loss=ll" in (tmp_path / name).read_text("utf-8")
    assert capsys.readouterr().out.count("wrote ") == 2


BAD = {
    r"^'out.pdf' ends in neither .html nor .md$": ("tiny", "out.pdf", "student"),
    r"^'nowhere/out.md' cannot be written: there is no folder": ("tiny", "nowhere/out.md", "student"),
    r"has no study 'tinny': the nearest is 'tiny' \(there: a-search, tiny\)$": ("tinny", "out.md", "student"),
    r"^study 'a-search' is a search and no ablation: `lethe ablate` makes one$": ("a-search", "out.md", "student"),
    r"^role 'pupil' is unknown: choose student, teacher$": ("tiny", "out.md", "pupil"),
}


@pytest.mark.parametrize(("message", "asked"), BAD.items(), ids=BAD)
def test_a_mistake_is_told_in_one_line(url, tmp_path, monkeypatch, message, asked):
    monkeypatch.chdir(tmp_path)
    study, out, role = asked
    with pytest.raises(ValueError, match=message):
        report(study, out, role=role, storage=url)
    assert not (tmp_path / out).exists()


def test_a_store_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match="there is no store"):
        report("tiny", str(tmp_path / "out.md"), storage=f"sqlite:///{tmp_path}/none.db")
