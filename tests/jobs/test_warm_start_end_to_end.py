"""Searches that start from what is known: an older one of a narrower space is told, an imported table queued first."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from searching import make_tiny, short_folder, start_search, trials_of

from lethe.store.snapshot import Reader
from lethe.store.trials import QUEUED_FROM, TOLD_FROM
from lethe_cli.imports import import_results

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
TABLE = "verb,keep,lr,delta,alpha\n50,40,0.02,0.1,0.5\n60,30,0.02,0.2,0.5\n40,30,99,0.1,0.5\n"


@pytest.fixture(scope="module")
def searched() -> Iterator[SimpleNamespace]:
    """A search of two trials; one of a wider space that starts from it, given twice; one that starts from a table."""
    with short_folder() as folder:
        tiny = make_tiny(folder)
        results = folder / "results"
        url = f"sqlite:///{results}/studies.db"
        asked = [
            *tiny.flags(),
            *("--stop", "none"),
            "--storage-path",
            str(results),
            "--concurrent",
            "1",
            "--resume",
            "--constrain",
            "utility:0",
        ]

        def search(*more: str) -> str:
            with start_search([*asked, *more], folder, tiny.environment()) as running:
                assert running.wait() == 0, running.printed()
                return running.printed()

        search("--name", "old", "--trials", "2", "--range", "lr=0.01:0.1")
        wider = ["--name", "new", "--trials", "1", "--range", "lr=0.001:0.5", "--start-from", "old"]
        printed = [search(*wider), search(*wider)]
        (folder / "table.csv").write_text(TABLE)
        columns = ["score:verbmem_f=verb", "score:knowmem_r=keep", "lr=lr", "delta=delta", "alpha=alpha"]
        elsewhere = f"sqlite:///{folder}/theirs.db"
        import_results([str(folder / "table.csv")], "theirs", columns=columns, storage=elsewhere)
        printed.append(search("--name", "queued", "--trials", "1", "--start-from", f"{elsewhere}#theirs"))
        yield SimpleNamespace(url=url, printed=printed, **{n: trials_of(url, n) for n in ("old", "new", "queued")})


def test_a_widened_search_knows_every_trial_and_runs_its_own_besides(searched):
    assert "started from 'old': 2 trials told\n" in searched.printed[0]
    assert [trial.user_attrs.get(TOLD_FROM) for trial in searched.new] == ["old/0", "old/1", None]
    assert [trial.params for trial in searched.new[:2]] == [trial.params for trial in searched.old]
    assert [trial.values for trial in searched.new[:2]] == [trial.values for trial in searched.old]
    assert Reader(searched.url, "new").read().planned == 3


def test_the_same_command_takes_nothing_twice(searched):
    assert "started from 'old': 0 trials told; 2 taken before\n" in searched.printed[1]
    assert len(searched.new) == 3


def test_the_best_of_a_table_is_run_first(searched):
    line = "started from 'theirs': 0 trials told; 1 of the best queued first (its benchmark is not known); left out: "
    assert f"{line}1 lr outside the space\n" in searched.printed[2]
    (trial,) = searched.queued
    assert trial.params == {"lr": 0.02, "delta": 0.1, "alpha": 0.5}
    assert trial.user_attrs[QUEUED_FROM] == "theirs/0"
    assert trial.values
