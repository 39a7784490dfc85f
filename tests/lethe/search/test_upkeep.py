"""Of all the weights that trials write, those stay on disk that are or may come to be on the front; states go in the end."""

import itertools
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_study import SPACE, candidate, tables_in_memory, tiny_ledger

from lethe.search.ledger import TAKEN_OVER, Ledger, requeue_interrupted
from lethe.search.upkeep import Upkeep
from lethe.store.study_folder import StudyFolder
from lethe.store.trials import RERUN_OF

TABLES, NUMBERS = tables_in_memory(), itertools.count()  # of all searches of this file


class Silent:
    """An observer that remembers only what ended, and how."""

    def __init__(self):
        self.ended = []

    def started(self, number, params): ...

    def scored(self, number, candidate): ...

    def restarted(self, number, reason): ...

    def finished(self, number, failure):
        self.ended.append((number, failure))


class Search:
    """Trials that write weights and a state for every candidate, watched by an Upkeep."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.ledger = tiny_ledger(TABLES, f"tiny {next(NUMBERS)}", sampler="random")
        self.watched = Silent()
        self.keep = self.upkeep()
        self.running = {}  # number -> weights written so far, with their scores

    def upkeep(self):
        return Upkeep(self.ledger, self.watched, StudyFolder(str(self.folder)), self.trial)

    def trial(self, number):
        return str(self.folder / f"trial-{number}")

    def state(self, number):
        return f"{self.trial(number)}/state"

    def start(self):
        number, params = self.ledger.ask()
        self.running[number] = []
        self.keep.started(number, params)
        return number

    def score(self, number, **values):
        step = len(self.running[number]) + 1
        weights = self.folder / f"trial-{number}" / f"step-{step}"
        self.write(weights)
        (weights.parent / f"step-{step}.parquet").write_text("items")
        Path(self.state(number)).mkdir(exist_ok=True)
        made = candidate(step, weights=str(weights), **values)
        self.ledger.record(number, made)
        self.keep.scored(number, made)
        self.running[number].append(made)

    def write(self, weights):
        """Weights, in a folder of their own."""
        weights.mkdir(parents=True)
        (weights / "model.safetensors").write_text("weights")

    def end(self, number, failure=None):
        self.running.pop(number)
        self.keep.finished(number, self.ledger.tell(number, failure))

    def on_disk(self):
        return {str(file.parent) for file in self.folder.rglob("model.safetensors")}

    def states(self):
        return {folder.parent.name for folder in self.folder.rglob("state")}

    def expected(self):
        """The front's weights, and of each running trial those that would be on the front if it ended now."""
        front = [row for _, row in self.ledger.front().iterrows()]
        kept = {row["weights"] for row in front}
        ended = [self.losses({score: [row[score]] for score in SCORES}) for row in front]
        for candidates in self.running.values():
            own = [
                (candidate["weights"], self.losses(candidate["scores"]))
                for candidate in candidates
                if feasible(candidate)
            ]
            rivals = ended + [losses for _, losses in own]
            kept |= {weights for weights, losses in own if not any(dominates(other, losses) for other in rivals)}
        return kept

    def losses(self, scores):
        return [objective.loss(scores[objective.score][0]) for objective in self.ledger.facts.objectives]


SCORES = ("verbmem_f", "privleak", "knowmem_r", "utility")


def feasible(candidate):
    return candidate["scores"]["utility"][0] >= 40  # NaN is not


def dominates(a, b):
    return all(x <= y for x, y in zip(a, b, strict=True)) and a != b


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
def test_what_is_on_disk_is_the_front_s_weights_and_those_that_may_come_onto_it(events, tmp_path_factory):
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
        assert search.states() == {f"trial-{number}" for number, candidates in search.running.items() if candidates}
    assert len(list(search.folder.rglob("*.parquet"))) == items  # outputs stay, all of them


def test_a_better_trial_takes_the_weights_of_a_worse_one_away(tmp_path):
    search = Search(tmp_path)
    for verbmem in (60, 30):
        number = search.start()
        search.score(number, verbmem_f=verbmem)
        search.end(number)
    assert search.on_disk() == {f"{tmp_path}/trial-1/step-1"}


def test_a_trial_that_ends_takes_the_weights_that_it_beats_of_a_running_one_away(tmp_path):
    search = Search(tmp_path)
    for privleak in (0.0, 1.0):
        search.score(search.start(), verbmem_f=0.0, privleak=privleak)
    search.end(0)
    assert search.on_disk() == {f"{tmp_path}/trial-0/step-1"}


def test_the_folders_of_a_candidate_s_several_models_stay_and_go_with_it(tmp_path):
    search = Search(tmp_path)
    for verbmem in (60, 30):
        number = search.start()
        search.score(number, verbmem_f=verbmem)
        for part in ("target", "reinforced"):
            search.write(tmp_path / f"trial-{number}" / "step-1" / part)
        search.end(number)
    search.keep.sweep()
    last = f"{tmp_path}/trial-1/step-1"
    assert search.on_disk() == {last, f"{last}/target", f"{last}/reinforced"}
    assert [folder.name for folder in (tmp_path / "trial-0").iterdir()] == ["step-1.parquet"]


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
    search.ledger = Ledger.resume(TABLES, search.ledger.study.study_name, SPACE)
    search.keep = search.upkeep()
    number = search.start()
    search.score(number, verbmem_f=30)
    search.end(number)
    assert search.on_disk() == {f"{tmp_path}/trial-1/step-1"}


def test_a_candidate_without_weights_and_weights_that_are_gone_do_no_harm(tmp_path):
    search = Search(tmp_path)
    first = search.start()
    search.score(first, verbmem_f=60)
    search.end(first)
    (tmp_path / "trial-0" / "step-1").rename(tmp_path / "elsewhere")
    second = search.start()
    search.ledger.record(second, candidate(verbmem_f=10))
    search.keep.scored(second, candidate(verbmem_f=10))
    search.end(second)
    assert search.on_disk() == {str(tmp_path / "elsewhere")}


def test_weights_of_another_study_that_a_row_names_are_left_alone(tmp_path):
    theirs, search = tmp_path / "theirs" / "step-1", Search(tmp_path / "ours")
    theirs.mkdir(parents=True)
    taken = candidate(weights=str(theirs), verbmem_f=60.0)
    assert search.ledger.take_over({"lr": 0.1, "delta": 0.5}, [taken], {}) is None
    search.keep = search.upkeep()
    for named in (str(theirs), str(search.folder / ".." / "theirs" / "step-1"), "/", "", "s3:///", "\0"):
        number = search.start()
        search.keep.scored(number, candidate(weights=named, utility=0.0))
        search.score(number, verbmem_f=30.0)
        search.end(number)
    assert theirs.exists()
    assert str(theirs) not in set(search.ledger.front()["weights"])


def test_a_trial_that_another_driver_took_over_keeps_its_weights_and_its_state(tmp_path):
    search = Search(tmp_path)
    number = search.start()
    search.score(number, verbmem_f=0)
    search.keep.finished(number, TAKEN_OVER)
    assert search.on_disk() == {f"{tmp_path}/trial-0/step-1"}
    assert search.states() == {"trial-0"}


def test_the_state_of_a_trial_that_repeats_another_lies_under_the_first_one_s_number(tmp_path):
    search = Search(tmp_path)
    first = search.start()
    search.score(first, verbmem_f=60)
    search.ledger.interrupt()
    requeue_interrupted([search.ledger])
    again = search.start()
    assert search.ledger.study.trials[again].user_attrs[RERUN_OF] == first
    search.ledger.record(again, candidate(verbmem_f=60))
    assert search.states() == {"trial-0"}
    search.end(again)
    assert search.states() == set()


def test_a_state_that_a_worker_wrote_after_its_trial_s_end_is_swept_away(tmp_path):
    search = Search(tmp_path)
    number = search.start()
    search.score(number, verbmem_f=60)
    search.end(number)
    Path(search.state(number)).mkdir()
    running = search.start()
    search.score(running, verbmem_f=60)
    search.keep.sweep()
    assert search.states() == {"trial-1"}


def test_weights_that_a_trial_wrote_and_never_told_of_go_with_its_end_and_its_tables_stay(tmp_path):
    search = Search(tmp_path)
    number = search.start()
    search.score(number, verbmem_f=60)
    orphan = tmp_path / "trial-0" / "step-2"  # the disk was full as the teacher's were written
    orphan.mkdir()
    (orphan / "model.safetensors").write_text("")
    search.end(number, "OSError: no space left")
    assert [path.name for path in (tmp_path / "trial-0").iterdir()] == ["step-1.parquet"]


@pytest.mark.parametrize("begun_by_url", [False, True])
def test_what_a_driver_that_died_left_of_ended_trials_goes_and_running_ones_of_others_stay(tmp_path, begun_by_url):
    search = Search(tmp_path)
    for verbmem in (60, 30, 90):
        number = search.start()
        search.score(number, verbmem_f=verbmem)
        if verbmem < 90:
            search.ledger.tell(number)  # and here it died, before it cleared anything
    place = f"file://{tmp_path}" if begun_by_url else str(tmp_path)
    Upkeep(search.ledger, Silent(), StudyFolder(place), lambda number: f"{place}/trial-{number}")
    assert search.on_disk() == {f"{tmp_path}/trial-1/step-1", f"{tmp_path}/trial-2/step-1"}
    assert search.states() == {"trial-2"}
