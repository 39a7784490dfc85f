"""Which study begins the next trial: the one that has had the least of its limit, whatever its trials cost."""

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.storages import InMemoryStorage
from tiny_study import SPACE, candidate, tiny_ledger

from lethe.search.ledger import Ledger, requeue_interrupted
from lethe.search.limits import BEGUN, FULL, Budget, Count, next_of

BUDGET = Budget(cost=100.0, trial=20.0, most=8, patience=3)
costs_of_trials = st.lists(st.lists(st.integers(0, 60), min_size=1, max_size=4), min_size=2, max_size=4)


@dataclass
class Race:
    """Studies whose trials cost what a list says, over and over; `begun` is which began one, with what parameters."""

    storage: InMemoryStorage
    costs: list
    ledgers: list
    begun: list

    @classmethod
    def of(cls, costs):
        storage = InMemoryStorage()
        ledgers = [tiny_ledger(storage, name=f"{place}", sampler="random") for place in range(len(costs))]
        return cls(storage, costs, ledgers, [])

    def likely(self):
        return [BUDGET.likely(ledger.trials) for ledger in self.ledgers]

    def had(self):
        return [BUDGET.had(ledger.trials) for ledger in self.ledgers]

    def begin(self):
        """Begin the next trial; None where all studies are full."""
        chosen = next_of(self.likely())
        if chosen is None:
            return None
        number, params = self.ledgers[chosen].ask()
        if (chosen, params) not in self.begun:
            self.begun.append((chosen, params))
        return chosen, number

    def spend(self, chosen, number, share=1.0):
        own = self.costs[chosen]
        trials = self.ledgers[chosen].trials
        self.ledgers[chosen].spend(number, share * own[trials.suggestion(number) % len(own)])

    def end(self, chosen, number, failure=None):
        self.spend(chosen, number)
        self.ledgers[chosen].record(number, candidate())
        self.ledgers[chosen].tell(number, failure)

    def die(self):
        """The driver dies and another one takes over."""
        self.ledgers = [Ledger.resume(self.storage, ledger.study.study_name, SPACE) for ledger in self.ledgers]


def run(race):
    while (trial := race.begin()) is not None:
        race.end(*trial)
    return race


@settings(max_examples=15)
@given(costs=costs_of_trials)
def test_whenever_it_is_stopped_all_studies_are_equally_far_up_to_a_trial(costs):
    race = Race.of(costs)
    largest = max(max(own) / BUDGET.cost for own in costs)
    while (trial := race.begin()) is not None:
        race.end(*trial)
        assert max(race.had()) - min(race.had()) <= max(largest, 1 / BUDGET.most) + 1e-9
    assert min(race.had()) >= FULL


@settings(max_examples=15)
@given(costs=costs_of_trials, slots=st.integers(1, 5), which=st.lists(st.integers(0, 4), min_size=1, max_size=9))
def test_no_trial_begins_where_those_that_ended_and_run_spend_the_budget_and_all_is_spent_in_the_end(
    costs, slots, which
):
    race, running, turn = Race.of(costs), [], 0
    while True:
        while len(running) < slots:
            before = race.likely()
            if (trial := race.begin()) is None:
                break
            assert before[trial[0]] == min(before) < FULL
            running.append(trial)
        if not running:
            break
        race.end(*running.pop(which[turn % len(which)] % len(running)))
        turn += 1
    assert min(race.had()) >= FULL
    assert all(ledger.trials.finished() <= BUDGET.most for ledger in race.ledgers)


@settings(max_examples=15)
@given(costs=costs_of_trials, deaths=st.sets(st.integers(0, 15), max_size=6), share=st.sampled_from([0.0, 0.5, 1.0]))
def test_on_one_slot_drivers_that_die_change_neither_the_order_nor_what_is_spent(costs, deaths, share):
    race, begun = Race.of(costs), 0
    while (trial := race.begin()) is not None:
        if begun in deaths:
            race.spend(*trial, share)
            race.die()
        else:
            race.end(*trial)
        begun += 1
    undisturbed = run(Race.of(costs))
    assert race.begun == undisturbed.begun
    assert race.had() == undisturbed.had()


def study_of(ended=(), running=(), failure=None):
    ledger = tiny_ledger(sampler="random")
    numbers = [ledger.ask()[0] for _ in [*ended, *running]]
    for number, cost in zip(numbers, [*ended, *running], strict=True):
        ledger.record(number, candidate())
        ledger.spend(number, cost)
    for number in numbers[: len(ended)]:
        ledger.tell(number, failure)
    return ledger


@pytest.mark.parametrize(
    ("ended", "running", "had", "likely"),
    [
        ((), (), 0.0, 0.0),
        ((30, 10), (), 0.4, 0.4),
        ((30, 10), (0, 5), 0.5, 0.8),  # two that run are taken to come to 20 each
        ((30, 10), (25,), 0.65, 0.65),  # one that is beyond that, to end now
        ((), (0, 0), 0.25, 0.4),  # before one has ended: 20 each, by what was said
        ((0, 0), (), 0.25, 0.25),  # what costs nothing is counted
        ((0,) * 7, (0,), 1.0, 1.0),
        ((90,), (3,), 0.93, 1.8),
    ],
)
def test_a_share_by_hand(ended, running, had, likely):
    trials = study_of(ended, running).trials
    assert (BUDGET.had(trials), BUDGET.likely(trials)) == (pytest.approx(had), pytest.approx(likely))


@pytest.mark.parametrize(("failed", "full"), [(2, False), (3, True)])
def test_a_study_all_of_whose_trials_fail_is_given_up_and_one_of_which_some_fail_is_not(failed, full):
    ledger = study_of((1,) * failed, failure="out of memory")
    assert (BUDGET.had(ledger.trials) >= FULL) is full
    other = study_of((1,))
    for _ in range(failed):
        other.tell(other.ask()[0], "out of memory")
    assert BUDGET.had(other.trials) < FULL


def test_what_was_begun_is_ended_before_all_else_even_where_the_budget_is_spent():
    ledger = study_of((90,), (30,))
    ledger.interrupt()
    assert BUDGET.had(ledger.trials) >= FULL
    requeue_interrupted([ledger])
    assert BUDGET.likely(ledger.trials) == BUDGET.had(ledger.trials) == BEGUN
    number, _ = ledger.ask()
    assert BUDGET.likely(ledger.trials) >= FULL  # it is counted once
    assert ledger.trials.spent() == 120
    ledger.spend(number, 40)
    assert ledger.trials.spent() == 130


def test_the_next_study_is_the_first_of_those_with_the_smallest_share():
    assert next_of([0.5, 0.2, 0.2, 1.0]) == 1
    assert next_of([1.0, 1.5]) is None
    assert next_of([1.0, BEGUN, 0.0]) == 1


def test_a_count_is_of_the_trials_that_ended_or_run_by_any_driver():
    ledger = study_of((1, 1), (1,))
    assert Count(4).had(ledger.trials) == Count(4).likely(ledger.trials) == 0.75
