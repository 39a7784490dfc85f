"""What is drawn together: pairs stay pairs, no batch crosses its entities, and a draw depends on its numbers alone."""

import itertools
from collections import Counter

import pytest
from given import GIVEN
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import tiny_model

from trainables.failures import Unfit
from trainables.method import Start, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.ga import GAGDR
from trainables.training.data import cyclic_indices, sample_indices
from trainables.training.descend import Term, sampling_of
from trainables.training.sampling import (
    FORGET,
    RETAIN,
    Module,
    Sampling,
    in_modules,
    modular_indices,
    paired_indices,
)

MODULES = [Module([0, 3], [1, 2]), Module([1], [0, 4]), Module([2, 4, 5], [3])]
ROWS = [
    {"entity": "Ada", "rows": [0, 2], "direct": [5, 1, 0], "indirect": [1, 3, 4], "general": [5, 2, 3]},
    {"entity": "", "rows": [1], "direct": [0, 1, 2], "indirect": [], "general": [4, 0, 1]},
]


def sampling(settings, **cut_from) -> Sampling:
    """Of six forget sequences and five retain sequences."""
    start = Start(model=None, forget=[], retain=[], pad=2, data=GIVEN["data"], cut_from=cut_from)
    return sampling_of([term(FORGET, 6), term(RETAIN, 5)], settings, start)


def term(stream: int, count: int, **changes) -> Term:
    return Term(name="", sequences=[[0, 1]] * count, stream=stream, weight=1.0, loss=None, **changes)


@pytest.mark.parametrize("stream", [FORGET, RETAIN])
def test_at_random_and_in_turn_each_stream_is_drawn_by_itself(stream):
    for name, draw in (("random", sample_indices), ("cyclic", cyclic_indices)):
        drawn = sampling(GAGDR(sampling=name, batch_size=4, seed=3)).draws(stream, 6, step=5)
        assert drawn == draw(6, size=4, seed=3, stream=stream, step=5)


@given(forget=st.integers(1, 9), retain=st.integers(1, 9), size=st.integers(1, 5), seed=st.integers(0, 99))
def test_one_to_one_a_forget_sequence_has_the_same_retain_sequence_in_every_epoch(forget, retain, size, seed):
    pairs = set()
    for step in range(1, 12):
        forgotten = cyclic_indices(forget, size=size, seed=seed, stream=FORGET, step=step)
        pairs |= set(zip(forgotten, paired_indices(forget, retain, size=size, seed=seed, step=step), strict=True))
    assert len(pairs) == len({row for row, _ in pairs})
    taken = Counter(kept for _, kept in pairs)
    assert len(taken) <= min(forget, retain)
    assert max(taken.values()) <= -(-forget // retain)  # as even as can be


def test_another_seed_pairs_otherwise():
    assert len({tuple(paired_indices(8, 8, size=8, seed=seed, step=1)) for seed in range(5)}) == 5


@settings(max_examples=30)
@given(size=st.integers(1, 8), seed=st.integers(0, 99))
def test_by_modules_every_forget_sequence_comes_once_an_epoch_beside_what_is_kept_of_its_own(size, seed):
    drawn = [pair for step in range(1, 20) for pair in modular_indices(MODULES, size=size, seed=seed, step=step)]
    own = {row: set(module.retain) for module in MODULES for row in module.forget}
    assert all(kept in own[row] for row, kept in drawn)
    epochs = [[row for row, _ in drawn[first : first + 6]] for first in range(0, len(drawn) - 5, 6)]
    assert all(sorted(epoch) == list(range(6)) for epoch in epochs)
    of = {row: number for number, module in enumerate(MODULES) for row in module.forget}
    for epoch in epochs:  # a module is gone through before the next begins
        assert len([number for number, _ in itertools.groupby(of[row] for row in epoch)]) == len(MODULES)


def test_by_modules_epochs_and_seeds_have_orders_of_their_own_and_a_draw_is_the_same_whenever_it_is_drawn():
    orders = {tuple(modular_indices(MODULES, size=6, seed=seed, step=step)) for seed in range(4) for step in (1, 2)}
    assert len(orders) == 8
    assert modular_indices(MODULES, size=4, seed=3, step=7) == modular_indices(MODULES, size=4, seed=3, step=7)


def test_modules_by_hand_take_so_many_of_each_kind_none_twice_and_what_has_none_keeps_all():
    forget, retain = [0, 0, 1, 2, 7], [5, 5, 4, 3, 1, 0]  # of which text each sequence was cut
    found = in_modules(ROWS, forget, retain, neighbours=1, general=1)
    # Ada: direct 5, indirect 1, general 2 (5 is taken), which no sequence was cut from.
    assert found == [
        Module([0, 1, 3], [0, 1, 4]),
        Module([2], [2, 5]),  # direct 0, general 4
        Module([4], range(6)),  # of a text that no module has
    ]
    (lone,) = in_modules(ROWS[:1], [0], [9], neighbours=1, general=0)
    assert lone == Module([0], range(1))  # nothing of its own is there


def test_a_method_whose_sequences_are_its_own_has_to_say_of_which_texts_they_are():
    settings = GAGDR(sampling="modular")
    with pytest.raises(Unfit, match="sampling is modular: ga_gdr does not say of which texts its sequences are"):
        sampling(settings, forget=[0, 1], retain=[0] * 5)
    assert sampling(settings).draws(FORGET, 6, step=1)


def test_what_a_method_reads_in_the_place_of_texts_says_itself_of_which_it_is():
    read, settings = term(FORGET, 4, together=2, texts=[2, 0]), GAGDR(sampling="modular", batch_size=2)
    start = Start(model=None, forget=[], retain=[], pad=2, data=GIVEN["data"], cut_from={"forget": [0] * 6})
    assert sorted(sampling_of([read, term(RETAIN, 5)], settings, start).draws(FORGET, 2, step=1)) == [0, 1]


def test_a_stream_beside_the_two_is_drawn_in_turn_where_these_are_drawn_together():
    for name in ("one_to_one", "modular"):
        drawn = sampling(GAGDR(sampling=name, batch_size=4, seed=3)).draws(3, 6, step=5)
        assert drawn == cyclic_indices(6, size=4, seed=3, stream=3, step=5)


def test_modules_are_of_retain_text_and_are_derived_where_they_are_drawn_by():
    with pytest.raises(
        ValueError, match="sampling is modular and regularisation unrelated: modules are of retain text"
    ):
        GAGDR(sampling="modular", regularisation="unrelated")
    assert needs_of(GAGDR()).data == ()
    assert needs_of(GAGDR(sampling="modular")).data == ("modules",)
    assert needs_of(find_method("idk").settings(sampling="modular")).data == ("qa", "refusals", "modules")


@pytest.mark.parametrize("name", ["one_to_one", "modular"])
def test_a_first_step_reads_what_is_drawn_together(name):
    forget, retain = [[0, 5 + i, 9 - i] for i in range(6)], [[0, 20 + i, 3, i] for i in range(5)]
    chosen = {"sampling": name, "steps": 1, "eval_every": 1, "batch_size": 1, "warmup_steps": 0, "seed": 2}
    (step,) = (
        r
        for r in unlearn(tiny_model(), forget, retain, GAGDR(**chosen), pad=2, data=GIVEN["data"])
        if isinstance(r, Step)
    )
    draws = sampling(GAGDR(**chosen))
    (row,), (kept,) = draws.draws(FORGET, 6, step=1), draws.draws(RETAIN, 5, step=1)
    alone = {"sampling": "cyclic", "steps": 1, "eval_every": 1, "batch_size": 1, "warmup_steps": 0}
    (other,) = (
        r for r in unlearn(tiny_model(), [forget[row]], [retain[kept]], GAGDR(**alone), pad=2) if isinstance(r, Step)
    )
    assert step.row() == pytest.approx(other.row(), rel=1e-6)
