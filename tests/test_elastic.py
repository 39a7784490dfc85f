"""A group of 1 to 2 workers on two real nodes goes on with one when a node is lost, and with two when one comes back."""

import json
import os
import sys
from pathlib import Path

import pytest
from clusters import start_head, start_node
from searching import marked, start_search, trials_of, under_way, wait_until

from lethe import store
from trainables.resume import PROGRESS

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def workers(nodes) -> int:
    """How many Ray Train workers live on these nodes."""
    return sum(p.name().startswith("ray::RayTrainWorker") for node in nodes for p in marked(node.mark))


def steps_done(results: Path) -> int:
    """Up to which step the first trial's state is saved; 0 where none is."""
    folder = under_way(results, least=0)
    assert folder is None or folder.name == "trial-00000"
    return json.loads((folder / PROGRESS).read_text())["step"] if folder else 0


def test_a_group_shrinks_with_a_lost_node_and_grows_with_one_that_comes_back(place, tiny):
    joining = {"HOME": str(place), "RAY_AUTH_MODE": "disabled"}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = tiny.environment(PATH=path, **joining)
    results = place / "results"
    flags = [*tiny.flags(steps=100_000, every=20), "--trials", "1", "--workers", "1:2", "--storage-path", str(results)]
    with (
        start_head(place, environment, cpus=0) as head,
        start_node(head, cpus=1) as stays,
        start_node(head, cpus=1) as lost,
        start_search(flags, place, tiny.environment(RAY_ADDRESS=head.gcs, **joining)) as search,
    ):
        nodes, done = [stays, lost], []

        def until(count: int) -> None:
            """Wait until a group of this many workers has brought the trial further than it was."""
            wait_until(lambda: workers(nodes) == count, search)
            before = steps_done(results)
            wait_until(lambda: steps_done(results) > before and workers(nodes) == count, search)
            done.append(steps_done(results))

        until(2)
        lost.kill()
        until(1)
        with start_node(head, cpus=1) as back:
            nodes.append(back)
            until(2)
            search.process.terminate()  # SIGTERM, what `ray job stop` sends
            assert search.wait(60) == 130, search.printed()
    assert done == sorted(done)
    assert search.printed().count("interrupted") == 1, search.printed()
    (trial,) = trials_of(f"sqlite:///{results}/studies.db", "data")
    assert store.is_interrupted(trial)
    assert "failed" not in search.printed()
