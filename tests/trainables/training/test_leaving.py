"""What is forgotten is trained on no more, comes back when it is told again, and where all has left nothing moves."""

import pytest
from tiny import tiny_model

from trainables.method import Candidate, Run, Start, Step
from trainables.methods.ga import GA
from trainables.training.descend import FORGET, RETAIN, Term, descend
from trainables.training.leaving import Leaving
from trainables.world import ALONE

SEQUENCES = [[0, 5, 9], [0, 7, 3], [0, 200, 41]]
SETTINGS = GA(steps=6, eval_every=2, batch_size=3, sampling="cyclic", lr=1e-2, warmup_steps=0)


def term(stream: int = FORGET, loss=lambda b: b.log_p(), **changes) -> Term:
    return Term(name="forget_loss", sequences=SEQUENCES, stream=stream, weight=1.0, loss=loss, **changes)


def test_every_epoch_it_looks_which_are_forgotten_and_a_row_comes_back_that_is_told_again():
    looks = iter([[True, False, False], [False, True, False]])
    hook = Leaving(SETTINGS, 3, 2, lambda: next(looks), 3.0)
    assert (hook.between(1), hook.rows()) == (0.0, [0, 1, 2])
    assert (hook.between(2), hook.rows()) == (0.0, [0, 1, 2])
    assert (hook.between(3), hook.rows()) == (3.0, [1, 2])
    left = hook.weighed(term(references=["a", "b", "c"], leading=[1, 2, 3]))
    assert (left.sequences, left.references, left.leading) == (SEQUENCES[1:], ["b", "c"], [2, 3])
    assert hook.weighed(term(RETAIN)).sequences == SEQUENCES
    assert hook.between(4) == 0.0
    assert (hook.between(5), hook.rows()) == (3.0, [0, 2])
    assert hook.seen(5, {}) == {"rows": 2.0}


def test_an_epoch_is_as_many_steps_as_its_batches_take():
    seen = []
    hook = Leaving(GA(batch_size=2), 5, 0, lambda: seen.append(1) or [False] * 5, 5.0)
    assert [step for step in range(1, 10) if hook.between(step)] == [4, 7]


def test_where_all_have_left_no_term_has_a_loss_and_nobody_looks_again():
    hook = Leaving(SETTINGS, 3, 1, lambda: [True] * 3, 3.0)
    hook.between(2)
    assert hook.weighed(term()).loss is hook.weighed(term(RETAIN)).loss is None
    assert hook.between(3) == 0.0


def test_a_run_whose_rows_have_all_left_moves_nothing_and_costs_nothing():
    model = tiny_model()
    hook = Leaving(SETTINGS, 3, 2, lambda: [True] * 3, 3.0)
    start = Start(model=model, forget=SEQUENCES, retain=[], pad=2)
    steps, weights = [], []
    for record in descend(model, [term()], SETTINGS, Run(world=ALONE), start, hook=hook):
        if isinstance(record, Step):
            steps.append(record.row())
        elif isinstance(record, Candidate):
            weights.append([weight.clone() for weight in model.parameters()])
    assert [step["cost"] for step in steps] == [9, 9, 3, 0, 0, 0]
    assert [step["rows"] for step in steps] == [3, 3, 0, 0, 0, 0]
    assert steps[-1]["forget_loss"] == steps[-1]["gradient_norm"] == 0
    assert all((one == other).all() for one, other in zip(weights[0], weights[-1], strict=True))


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_a_row_that_has_left_has_no_part_in_the_step(gone):
    def first_step(sequences, hook):
        model = tiny_model()
        start = Start(model=model, forget=sequences, retain=[], pad=2)
        records = descend(
            model,
            [Term(name="forget_loss", sequences=sequences, stream=FORGET, weight=1.0, loss=lambda b: b.log_p())],
            GA(steps=1, eval_every=1, batch_size=2, sampling="cyclic", seed=1),
            Run(world=ALONE),
            start,
            hook=hook,
        )
        return next(record.values["forget_loss"] for record in records if isinstance(record, Step))

    hook = Leaving(SETTINGS, 3, 1, lambda: [], 0.0)
    hook.kept[f"row_{gone}"] = 0.0
    rest = [ids for row, ids in enumerate(SEQUENCES) if row != gone]
    assert first_step(SEQUENCES, hook) == first_step(rest, None)
