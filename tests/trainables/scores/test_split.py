"""Items are split by what they are and by nothing else, and intervals over those that no choice saw hold their truth."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer

from trainables.scores import split
from trainables.scores.evaluate import Evaluator
from trainables.scores.intervals import mean_interval
from trainables.scores.protocol import PROTOCOLS, protocol_of
from trainables.scores.reductions import auc
from trainables.scores.split import by_name, by_text, reporting, width
from trainables.task import Task

SPLIT = protocol_of(Task(benchmark="any", split=True))


@pytest.fixture
def no_least(monkeypatch):
    """However few items there are, they are split."""
    monkeypatch.setattr(split, "MOST_WIDE", math.inf)


def named(n: int) -> list[str]:
    return [f"item {i}" for i in range(n)]


def halved(groups, kinds=None) -> dict[str, bool]:
    found = reporting(groups, kinds or [""] * len(groups))
    return dict(zip(groups, found.tolist(), strict=True))


@given(st.permutations(named(80)))
def test_the_order_of_items_changes_no_item_s_half(groups):
    assert halved(groups) == halved(named(80))


@given(st.lists(st.integers(2, 6), min_size=60, max_size=80))
def test_groups_stay_together_and_halves_differ_by_no_more_than_a_group(sizes):
    groups = [f"group {i}" for i, size in enumerate(sizes) for _ in range(size)]
    mask = reporting(groups, [""] * len(groups))
    assert len({*zip(groups, mask.tolist(), strict=True)}) == len(sizes)
    assert abs(int(mask.sum()) - int((~mask).sum())) <= max(sizes)


def test_each_sample_is_halved_by_itself_and_the_same_text_in_both_need_not_go_together():
    groups, kinds = named(42) + named(84), ["forget"] * 42 + ["holdout"] * 84
    mask = reporting(groups, kinds)
    assert [int(part.sum()) for part in np.split(mask, [42])] == [21, 42]


def test_the_halves_are_those_that_every_study_had_before():
    """Another split would be another benchmark: what is stored could not be compared."""
    assert [i for i, reports in enumerate(halved(named(70)).values()) if reports][:8] == FIRST_TO_REPORT


FIRST_TO_REPORT = [0, 1, 4, 8, 10, 11, 12, 15]


@pytest.mark.parametrize(
    ("sizes", "by_hand"),
    [([100], 19.6), ([35], 33.13), ([21, 42], 30.48), ([24, 24], 33.0)],  # 196 / sqrt(n); 392 sqrt((m+n+1) / 12mn)
)
def test_how_wide_an_interval_is_at_worst(sizes, by_hand):
    assert width(sizes) == pytest.approx(by_hand, abs=0.02)


@pytest.mark.parametrize(("enough", "samples"), [(70, 1), (48, 2)])
def test_too_few_items_are_not_split(enough, samples):
    def found(n):
        kinds = [f"kind {i}" for i in range(samples) for _ in range(n)]
        return reporting(named(n) * samples, kinds)

    assert found(enough) is not None
    assert found(enough - 2) is None
    assert reporting([], []) is None
    assert reporting(["one"] * 200, [""] * 200) is None  # all of them belong together


def test_prompts_of_one_text_belong_together():
    prompts = ["The mill stands in", "A bell", "The mill stands in Orton. It", "The milk", "The mill stands in Orton"]
    first, bell, second, milk, third = by_text(prompts)
    assert first == second == third
    assert len({first, bell, milk}) == 3


def test_questions_that_name_the_same_belong_together():
    shots = "Question: Who leads the Keld Mill?\nAnswer: Bo\n\n"
    asked = ["Who runs the Vexil Mill?", "In which town is the Vexil Mill?", "Who runs the Orton Bakery?", "When?"]
    one, same, other, none = by_name([f"{shots}Question: {question}\nAnswer: " for question in asked])
    assert one == same == "Vexil Mill"
    assert len({one, other, none}) == 3


def test_the_scores_are_of_one_half_and_the_reported_ones_of_the_other(no_least):
    ready = Evaluator(tiny_benchmark(), tiny_tokenizer(), SPLIT, None)
    reference = ready.reference_of(tiny_model(5))
    found = ready.with_reference(reference)(tiny_model())
    assert set(found.reported) == set(found.scores) >= {"verbmem_f", "knowmem_f", "knowmem_r", "utility", "privleak"}
    items = found.items.query("score == 'verbmem_f'")
    reports = items.reports.to_numpy(bool)
    assert found.scores["verbmem_f"].value == pytest.approx(items.value[~reports].mean())
    assert found.reported["verbmem_f"].value == pytest.approx(items.value[reports].mean())
    assert found.scores["verbmem_f"].n == found.reported["verbmem_f"].n == 2
    assert leak(found.items, reference, reports=True) == pytest.approx(found.reported["privleak"].value)
    assert leak(found.items, reference, reports=False) == pytest.approx(found.scores["privleak"].value)


def leak(items, reference, *, reports: bool) -> float:
    """PrivLeak over one half of each sample, of the model and of the retrained one alike."""
    own = items.query("score == 'privleak'")
    masks = {kind: (own[own.truth == kind].reports == reports).to_numpy(bool) for kind in ("forget", "holdout")}
    model = auc(*(own.value[own.truth == kind].to_numpy()[mask] for kind, mask in masks.items()))
    retrained = auc(*(reference["privleak"][kind][mask] for kind, mask in masks.items()))
    return (model / retrained - 1) * 100


def test_a_score_of_too_few_items_is_of_all_of_them_for_both():
    split_by, plain = (Evaluator(tiny_benchmark(), tiny_tokenizer(), p, None) for p in (SPLIT, PROTOCOLS["muse"]))
    found = split_by(tiny_model())
    assert found.reported == {}
    assert found.scores == plain(tiny_model()).scores


@cache
def held(times: int = 1500, points: int = 72, n: int = 100) -> tuple[float, float]:
    """How often intervals hold the truth of the best of some points: over all items, and over those that no choice saw.

    Items are right or wrong; some are hard for all points. True shares are 50 with a standard deviation of 4.
    """
    rng = np.random.default_rng(0)
    reports = reporting(named(n), [""] * n)
    all_items, unseen = [], []
    for _ in range(times):
        truths = 50 + 4 * rng.standard_normal(points)
        ease = math.sqrt(0.4) * rng.standard_normal(n) + math.sqrt(0.6) * rng.standard_normal((points, n))
        items = 100.0 * (ease < norm.ppf(truths / 100)[:, None])
        best = items.mean(axis=1).argmin()
        all_items.append(holds(items[best], truths[best]))
        best = items[:, ~reports].mean(axis=1).argmin()
        unseen.append(holds(items[best, reports], truths[best]))
    return float(np.mean(all_items)), float(np.mean(unseen))


def holds(items: np.ndarray, truth: float) -> bool:
    low, high = mean_interval(items)
    return low <= truth <= high


def test_the_interval_of_the_best_of_72_over_the_items_that_chose_it_holds_in_three_of_four():
    assert held()[0] == pytest.approx(0.74, abs=0.03)


def test_over_items_that_no_choice_saw_it_holds_as_often_as_it_says():
    assert 0.93 <= held()[1] <= 0.97
