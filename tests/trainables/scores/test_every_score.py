"""Every score keeps the contract: whatever the batch and the workers, no trace in the model, a value in its interval."""

import subprocess
import sys
from dataclasses import asdict, fields
from functools import cache

import numpy as np
import pandas as pd
import pytest
from tiny import asked_benchmark, tiny_model, tiny_tokenizer

from lethe.fronts import objectives
from lethe.store import cards as engine
from search_spaces.objectives import OBJECTIVES
from trainables.scores import all_scores, reductions, score
from trainables.scores.evaluate import Evaluation, Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.world import World

ITEMS = 4
each_score = pytest.mark.parametrize("name", all_scores())


class Halves(World):
    """Two workers in one process: what is shared out is done part by part, and put together again."""

    def share_out(self, function, items):
        parts = [function(list(items[rank::2])) for rank in range(2)]
        return [parts[i % 2][i // 2] for i in range(len(items))]


@cache
def evaluator() -> Evaluator:
    """All scores of the tiny benchmark, read against another model."""
    ready = Evaluator(asked_benchmark(ITEMS), tiny_tokenizer(), PROTOCOLS["muse"], None)
    return ready.with_reference(ready.reference_of(tiny_model(5)))


def evaluated(batch_size: int = 32, world: World | None = None) -> Evaluation:
    other = evaluator().with_batch_size(batch_size)
    other.world = world or other.world
    return other(tiny_model())


@pytest.fixture(scope="module")
def plain() -> Evaluation:
    return evaluated()


@pytest.fixture(scope="module")
def others() -> list[Evaluation]:
    """One item at a time, and two workers."""
    return [evaluated(1), evaluated(world=Halves())]


@each_score
def test_neither_the_batch_size_nor_the_number_of_workers_changes_a_score(plain, others, name):
    want = plain.scores[name]
    for found in (other.scores[name] for other in others):
        assert (found.value, found.low, found.high) == pytest.approx((want.value, want.low, want.high), abs=1e-4)
        assert found.n == want.n


@each_score
def test_its_value_lies_in_its_interval(plain, name):
    reading = plain.scores[name]
    assert np.isfinite([reading.value, reading.low, reading.high]).all()
    assert reading.low <= reading.value <= reading.high


@each_score
def test_its_items_are_in_the_table_and_give_its_value_if_it_is_shown(plain, name):
    card = all_scores()[name].card
    items = plain.items[plain.items.score == (card.items_of or name)]
    assert list(items.columns) == ["score", "item", "prompt", "output", "truth", "value"]
    assert len(items) == (plain.scores[name].n if card.searched else 0)
    if card.searched:
        assert items.item.tolist() == list(range(len(items)))
        assert value_of(items, card) == pytest.approx(plain.scores[name].value)


def value_of(items: pd.DataFrame, card: score.Card) -> float:
    """A score from its table of items, as an ablation reads it: pair by pair where it is a ratio."""
    if card.reduction == reductions.MEAN:
        return items.value.mean()
    if card.reduction == reductions.DIFFERENCE:
        return (items.value.to_numpy() - evaluator().reference[card.name][reductions.WHOLE]).mean()
    if card.reduction == reductions.KS_D:
        (base,) = evaluator().reference[card.name].values()
        return max(abs((items.value <= x).mean() - (base <= x).mean()) for x in [*items.value, *base]) * 100
    if card.reduction == reductions.LARGEST:
        return max(items.value[items.truth == kind].mean() for kind in card.samples)
    if card.reduction == reductions.HARMONIC:
        means = [items.value[items.truth == kind].mean() for kind in card.samples]
        return len(means) / sum(1 / mean for mean in means) if min(means) > 0 else 0
    first, second = (items.value[items.truth == kind].to_numpy() for kind in card.samples)
    base = evaluator().reference[card.name]
    share, reference = (
        np.mean([(a > b) + (a == b) / 2 for a in x for b in y]) for x, y in ((first, second), base.values())
    )
    return (share / reference - 1) * 100


@each_score
def test_its_card_is_complete_and_the_engine_reads_all_of_it(name):
    card = all_scores()[name].card
    assert card.name == name
    assert card.meaning
    assert card.goal in objectives.GOALS
    assert (card.good is None) or card.goal == "zero"
    assert asdict(engine.cards_from([asdict(card)])[name]) == asdict(card)


@each_score
def test_without_a_split_that_it_needs_it_is_absent_and_its_neighbours_are_not(name):
    for split in all_scores()[name].needs:
        benchmark = asked_benchmark(ITEMS)
        del benchmark.splits[split]
        assert not all_scores()[name].can_read(benchmark)
        assert any(other.can_read(benchmark) for other in all_scores().values())


@each_score
def test_it_says_of_each_split_that_it_reads_how_long_it_is(name):
    own = all_scores()[name]
    task = own.prepare(asked_benchmark(ITEMS), tiny_tokenizer(), PROTOCOLS["muse"])
    assert set(task.longest) <= {"/".join(split) for split in own.needs}
    assert min(task.longest.values()) > 0


def test_scoring_leaves_the_model_as_it_was():
    model = tiny_model().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    settings = model.generation_config.to_dict()
    evaluator()(model)
    assert model.training
    assert model.generation_config.to_dict() == settings
    assert all(value.equal(before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in model.parameters())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.modules())


def test_the_engine_knows_the_same_cards_and_the_same_kinds_of_reduction():
    assert [f.name for f in fields(engine.Card)] == [f.name for f in fields(score.Card)]
    assert (engine.MEAN, engine.RATIO) == (reductions.MEAN, reductions.RATIO)
    assert engine.DIFFERENCE == reductions.DIFFERENCE
    assert score.GOALS == objectives.GOALS


def test_old_studies_have_the_cards_of_the_scores_that_there_were():
    now = {name: asdict(own.card) for name, own in all_scores().items()}
    then = {name: asdict(card) for name, card in engine.CARDS_OF_OLD_STUDIES.items()}
    assert then.items() <= now.items()
    assert len(then) == 14  # a score that came later is none of theirs


def test_the_default_objectives_go_where_their_cards_say():
    assert {name: all_scores()[name].card.goal for name in OBJECTIVES} == OBJECTIVES


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"goal": "up"}, "score 'x' has goal 'up': choose minimize, maximize, zero"),
        (
            {"reduction": "median"},
            "score 'x' has reduction 'median': choose 'mean of items', 'harmonic mean of means', 'largest of means', ",
        ),
        ({"items_of": "y"}, "score 'x': a mean of differences, and nothing else, is of the items of another score"),
        ({"reduction": "mean of differences"}, "score 'x': a mean of differences, and nothing else"),
        ({"reduction": "ratio of AUCs"}, "score 'x': a ratio of AUCs compares 2 samples"),
        ({"samples": ("a", "b")}, "score 'x': a ratio of AUCs compares 2 samples, and a mean has none"),
    ],
)
def test_a_card_that_cannot_be_is_refused(wrong, line):
    with pytest.raises(ValueError, match=line):
        score.Card(**{"name": "x", "goal": "zero", "meaning": "does x"} | wrong)


def test_a_list_of_all_scores_loads_no_torch():
    code = "import sys; from trainables.scores import all_scores; all_scores(); print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
