"""Of all the weights that trials write, those of the front stay on disk, and those of trials that still run."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_study import SPACE, checkpoint, tiny_ledger

from lethe.driver import this_driver
from lethe.ledger import Ledger
from lethe.study import KeepFront, Plan, _clear


class Silent:
    """An observer that remembers only what ended, and how."""

    def __init__(self):
        self.ended = []

    def started(self, number, params): ...

    def scored(self, number, checkpoint): ...

    def restarted(self, number, reason): ...

    def finished(self, number, failure):
        self.ended.append((number, failure))


class Search:
    """Trials that write weights for every checkpoint, watched by KeepFront."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.ledger = tiny_ledger(sampler="random")
        self.watched = Silent()
        self.keep = KeepFront(self.ledger, self.watched)
        self.running = {}  # number -> weights written so far

    def start(self):
        number, params = self.ledger.ask()
        self.running[number] = []
        self.keep.started(number, params)
        return number

    def score(self, number, **values):
        step = len(self.running[number]) + 1
        weights = self.folder / f"trial-{number}" / f"step-{step}"
        weights.mkdir(parents=True)
        (weights / "model.safetensors").write_text("weights")
        (weights.parent / f"step-{step}.parquet").write_text("items")
        point = checkpoint(step, weights=str(weights), **values)
        self.ledger.record(number, point)
        self.keep.scored(number, point)
        self.running[number].append(str(weights))

    def end(self, number, failure=None):
        self.running.pop(number)
        self.keep.finished(number, self.ledger.tell(number, failure))

    def on_disk(self):
        return {str(file.parent) for file in self.folder.rglob("model.safetensors")}

    def expected(self):
        return self.ledger.front_weights() | {w for written in self.running.values() for w in written}


values = st.fixed_dictionaries(
    {
        "verbmem_f": st.integers(0, 4).map(float),
        "privleak": st.integers(-3, 3).map(float),
        "utility": st.sampled_from([30.0, 50.0, 50.0, float("nan")]),
    }
)
events = st.lists(
    st.one_of(
        st.just(("start",)),
        st.tuples(st.just("score"), st.integers(0, 3), values),
        st.tuples(st.just("score"), st.integers(0, 3), values),
        st.tuples(st.just("end"), st.integers(0, 3), st.sampled_from([None, None, "out of memory"])),
    ),
    max_size=25,
)


@settings(max_examples=40)
@given(events=events)
def test_what_is_on_disk_is_the_front_s_weights_and_those_of_running_trials(events, tmp_path_factory):
    search = Search(tmp_path_factory.mktemp("search"))
    items = 0
    for what, *arguments in events:
        running = sorted(search.running)
        if what == "start":
            search.start()
        elif running and what == "score":
            search.score(running[arguments[0] % len(running)], **arguments[1])
            items += 1
        elif running:
            search.end(running[arguments[0] % len(running)], arguments[1])
        assert search.on_disk() == search.expected()
    assert len(list(search.folder.rglob("*.parquet"))) == items  # outputs stay, all of them


def test_a_better_trial_takes_the_weights_of_a_worse_one_away(tmp_path):
    search = Search(tmp_path)
    for verbmem in (60, 30):
        number = search.start()
        search.score(number, verbmem_f=verbmem)
        search.end(number)
    assert search.on_disk() == {f"{tmp_path}/trial-1/step-1"}


def test_the_weights_of_a_failed_trial_go(tmp_path):
    search = Search(tmp_path)
    number = search.start()
    search.score(number, verbmem_f=0)
    search.end(number, "out of memory")
    assert search.on_disk() == set()
    assert search.watched.ended == [(0, "out of memory")]


def test_after_a_resume_the_front_s_weights_are_watched_on(tmp_path):
    search = Search(tmp_path)
    number = search.start()
    search.score(number, verbmem_f=60)
    search.end(number)
    search.ledger = Ledger.resume(search.ledger._storage, "tiny", SPACE)
    search.keep = KeepFront(search.ledger, Silent())
    number = search.start()
    search.score(number, verbmem_f=30)
    search.end(number)
    assert search.on_disk() == {f"{tmp_path}/trial-1/step-1"}


def test_a_checkpoint_without_weights_and_weights_that_are_gone_do_no_harm(tmp_path):
    search = Search(tmp_path)
    first = search.start()
    search.score(first, verbmem_f=60)
    search.end(first)
    (tmp_path / "trial-0" / "step-1").rename(tmp_path / "elsewhere")
    second = search.start()
    search.ledger.record(second, checkpoint(verbmem_f=10))
    search.keep.scored(second, checkpoint(verbmem_f=10))
    search.end(second)
    assert search.on_disk() == {str(tmp_path / "elsewhere")}


def test_a_driver_clears_its_scratch_folder_and_those_of_killed_ones_but_none_of_a_driver_that_lives(tmp_path):
    own = Plan(trials=1, slots=1, home=tmp_path / "ray").scratch
    place, number, started = this_driver().replace(" ", "_").rsplit("_", 2)
    killed, elsewhere = f"{place}_{number}_{started}0", f"another-node_{number}_{started}"
    for folder in (own, own.with_name(killed), own.with_name(elsewhere)):
        (folder / "tune").mkdir(parents=True)
    _clear(own)
    assert [folder.name for folder in (tmp_path / "ray").iterdir()] == [elsewhere]
    (own.with_name(elsewhere) / "tune").rmdir()
    own.with_name(elsewhere).rmdir()
    own.mkdir()
    _clear(own)
    assert not (tmp_path / "ray").exists()
