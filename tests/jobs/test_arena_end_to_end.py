"""A whole arena of three methods whose driver is killed half way: it goes on, repeats nothing, and ends with a table."""

import json
import sqlite3
from collections.abc import Iterator
from types import SimpleNamespace

import optuna
import pytest
from faults import strike
from optuna.trial import TrialState
from searching import assert_calm, start_search

from lethe.store.facts import ARENA, load_facts
from lethe.store.storage import open_storage
from lethe.store.trials import COST, RERUN_OF, candidates, is_interrupted

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]
ENTRANTS = ("mean_teacher", "npo_gdr", "guard_prompt")
TRIALS, SEEDS, STEPS, BATCH = 2, 2, 12, 2
BUDGET = TRIALS * 7 * STEPS * BATCH
MOST = 4 * TRIALS  # what a prompt guard, which costs nothing, may have
ASKED = [
    *("--methods", ",".join(ENTRANTS), "--trials", str(TRIALS), "--seeds", str(SEEDS), "--range", "names=1:2"),
    *("--cpus-per-worker", "0.5", "--concurrent", "1", "--stop", "none", "--resume", "--json"),
]


def studies_of(storage: str) -> dict[str, optuna.Study]:
    opened = open_storage(storage)
    names = optuna.get_all_study_names(opened)
    return {name: optuna.load_study(study_name=name, storage=opened) for name in names}


def ended(study: optuna.Study) -> dict[int, tuple[dict, list]]:
    """What is stored of each trial that ended by itself."""
    own = [trial for trial in study.trials if trial.state.is_finished() and not is_interrupted(trial)]
    return {trial.number: (trial.params, list(candidates(trial))) for trial in own}


@pytest.fixture(scope="module")
def fought(place, tiny) -> Iterator[SimpleNamespace]:
    """An arena whose driver is killed by -9 in the second trial of an entry, and the same command again."""
    results, storage = place / "results", f"sqlite:///{place}/studies.db"
    arguments = [*tiny.flags(steps=STEPS, every=3), *ASKED, "--storage-path", str(results), "--storage", storage]
    with start_search(arguments, place, tiny.environment(), "arena.py") as first:
        struck = strike(results, first, first.process.kill)
        first.process.wait()
    with sqlite3.connect(f"{place}/studies.db"):
        before = {name: ended(study) for name, study in studies_of(storage).items()}
    with start_search(arguments, place, tiny.environment(), "arena.py") as second:
        code = second.wait()
        yield SimpleNamespace(
            code=code,
            output=second.output.read_text("utf-8"),
            errors=second.errors.read_text("utf-8"),
            struck=struck,
            before=before,
            studies=studies_of(storage),
        )


def test_it_goes_on_to_its_end_and_what_was_scored_stays_as_it_was(fought):
    assert fought.code == 0, fought.errors
    assert_calm(fought.errors)
    assert len(fought.before) == len(ENTRANTS) * SEEDS
    assert sum(map(len, fought.before.values())) >= len(ENTRANTS) * SEEDS
    for name, known in fought.before.items():
        now = ended(fought.studies[name])
        assert {number: now[number] for number in known} == known


def test_nothing_is_repeated_but_the_trial_that_was_hit_and_that_goes_on_from_its_state(fought):
    trials = [trial for study in fought.studies.values() for trial in study.trials]
    interrupted = [trial for trial in trials if is_interrupted(trial)]
    reruns = [trial for trial in trials if RERUN_OF in trial.user_attrs]
    assert [trial.params for trial in reruns] == [trial.params for trial in interrupted]
    assert len(reruns) == 1
    assert fought.struck.written
    assert all(file.stat().st_mtime < fought.struck.at for file in fought.struck.written)
    for study in fought.studies.values():
        own = [str(trial.params) for trial in study.trials if not is_interrupted(trial)]
        assert "names" in own[0] or len(set(own)) == len(own)  # a guard has two numbers of names to choose from


def test_every_entry_spends_the_same_budget_and_begins_nothing_beyond_it(fought):
    for study in fought.studies.values():
        own = [trial for trial in study.trials if not is_interrupted(trial)]
        costs = [trial.user_attrs[COST] for trial in own]
        assert {trial.state for trial in own} == {TrialState.COMPLETE}
        assert sum(costs[:-1]) < BUDGET
        assert sum(costs) >= BUDGET or len(own) == MOST


def test_entries_share_all_but_their_entrant_and_their_seed(fought):
    facts = [load_facts(study) for study in fought.studies.values()]
    told = [one.about[ARENA] for one in facts]
    assert [(one["entrant"], one["seed"]) for one in told] == [(e, seed) for seed in (0, 1) for e in ENTRANTS]
    assert {one["budget"] for one in told} == {BUDGET}
    assert len({str(one.objectives) + str(one.constraints) + one.about["content"] for one in facts}) == 1


def test_it_ends_with_a_table_of_all_and_with_words(fought):
    told = json.loads(fought.output)
    assert (told["arena"], told["interrupted"], told["failure"]) == ("data-arena", False, None)
    assert {row["entrant"]: row["n"] for row in told["entrants"]} == dict.fromkeys(ENTRANTS, SEEDS)
    assert len(told["comparisons"]) == 3
    assert told["words"]
    for entrant in ENTRANTS:
        assert entrant in fought.errors
    assert "report data-arena" in fought.errors
