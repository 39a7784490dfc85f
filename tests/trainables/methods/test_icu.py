"""ICU: its loss by hand, who is next to whom, and what is forgotten leaves, for good where nothing is left."""

import math

import pytest
import torch
from given import GIVEN
from tiny import tiny_model, tiny_tokenizer

from trainables.benchmarks.subsequences import f_measure
from trainables.failures import Unfit
from trainables.method import Candidate, Start, Step
from trainables.methods import needs_of, unlearn
from trainables.methods.continuing import overlap, told
from trainables.methods.icu import ICU, neighbours, pair_loss, soft_cross_entropy
from trainables.world import ALONE

FORGET = [[0, 5, 9, 7, 4], [0, 3, 8, 6], [0, 200, 41, 17]]
RETAIN = [[0, 60, 61, 62], [0, 9, 12], [0, 70, 5], [0, 33, 4]]
NEAR = {"forget": [{"row": 0, "neighbours": [2, 0]}, {"row": 1, "neighbours": [1, 2]}, {"row": 2, "neighbours": [0]}]}
CUT = {"forget": [0, 1, 2], "retain": [0, 0, 1, 2]}
SMALL = {"steps": 6, "eval_every": 2, "batch_size": 3, "sampling": "cyclic", "lr": 1e-2, "warmup_steps": 0}


def run(**changes) -> tuple[list[dict], list[dict]]:
    steps, weights = [], []
    given = GIVEN | {"data": {"neighbours": NEAR}, "cut_from": CUT}
    for record in unlearn(tiny_model(), FORGET, RETAIN, ICU(**(SMALL | changes)), pad=2, **given):
        if isinstance(record, Step):
            steps.append(record.row())
        elif isinstance(record, Candidate):
            weights.append({name: value.clone() for name, value in record.subject.state_dict().items()})
    return steps, weights


def test_the_loss_by_hand():
    log_p = torch.tensor([[-1.0]])  # CE of the neighbour is 1
    student = torch.tensor([[[-0.1, math.log(1 - math.exp(-0.1))]]])
    target = torch.tensor([[[200.0, 0.0]]])  # which knows one word: its CE is that of this word, .1
    assert soft_cross_entropy(student, target).item() == pytest.approx(0.1, rel=1e-6)
    pair = pair_loss(log_p, student, target, ICU())
    assert pair.item() == pytest.approx(0.6, rel=1e-6)
    assert 1.0 * -2 + pair.item() == pytest.approx(-1.4, rel=1e-6)  # beside a forget text of CE 2
    assert pair_loss(log_p, student, None, ICU(kl_weight=0.0)).item() == 0.5


def test_the_first_step_is_the_plain_mean_over_forget_texts_and_their_neighbours():
    (first, *_), _ = run(steps=1)

    def mean(rows) -> float:
        values = []
        for ids in rows:
            with torch.no_grad():
                log_p = tiny_model()(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
            values += [
                (log_p[i, token].item(), -(log_p[i].exp() * log_p[i]).sum().item()) for i, token in enumerate(ids[1:])
            ]
        return values

    forget, pairs = mean(FORGET), mean([RETAIN[3], RETAIN[2], RETAIN[0]])
    assert first["forget_loss"] == pytest.approx(sum(p for p, _ in forget) / len(forget), rel=1e-5)
    assert first["pair_loss"] == pytest.approx(sum(-0.5 * p + h for p, h in pairs) / len(pairs), rel=1e-5)
    assert first["cost"] == 3 * (3 + 3 + 1)


def test_a_neighbour_is_the_first_sequence_of_the_nearest_text_that_is_there():
    start = Start(model=None, forget=FORGET, retain=RETAIN, pad=2, data={"neighbours": NEAR}, cut_from=CUT)
    assert neighbours(start) == [3, 2, 0]
    few = Start(
        model=None,
        forget=FORGET,
        retain=RETAIN[:2],
        pad=2,
        data={"neighbours": NEAR},
        cut_from=CUT | {"retain": [0, 0]},
    )
    with pytest.raises(Unfit, match="icu pairs each forget text with a retain text, and text 1 has none"):
        neighbours(few)


def test_all_that_is_forgotten_leaves_and_then_no_step_moves_anything():
    steps, weights = run(forgotten_below=1.0, look_every=2)  # a random model tells nothing whole
    assert [row["rows"] for row in steps] == [3, 3, 0, 0, 0, 0]
    assert [row["cost"] for row in steps] == [21, 21, 3, 0, 0, 0]
    assert all(torch.equal(weights[0][name], value) for name, value in weights[-1].items())


def test_while_nothing_is_forgotten_all_stay():
    steps, _ = run(forgotten_below=0.0, look_every=2)
    assert [row["rows"] for row in steps] == [3] * 6
    assert [row["cost"] for row in steps] == [21, 21, 24, 21, 24, 21]


def test_what_is_told_is_the_overlap_of_what_is_written_with_what_stands_there():
    tokenizer, model = tiny_tokenizer(), tiny_model()
    ids = tokenizer("The mill makes paper, and Ada Orme runs it alone.").input_ids
    with torch.no_grad():
        whole = model.generate(torch.tensor([ids[: len(ids) // 2]]), max_new_tokens=50, do_sample=False)[0]
    start = Start(model=model, forget=[ids], retain=[], pad=2, tokenizer=tokenizer)
    truth, output = (tokenizer.decode(part[len(ids) // 2 :], skip_special_tokens=True) for part in (ids, whole))
    assert told(start, [ids], ICU(), ALONE) == [pytest.approx(overlap(truth, output))]
    own = [*ids[: len(ids) // 2], *whole[len(ids) // 2 :].tolist()][: len(ids)]
    assert told(start, [own], ICU(), ALONE)[0] > 0.5  # what it writes itself


def test_of_an_output_as_many_words_count_as_the_truth_has():
    assert overlap("the red box", "the red box and so on") == 1.0
    assert overlap("the red box", "a box") == f_measure(["the", "red", "box"], ["a", "box"]) == pytest.approx(0.4)
    assert overlap("the red box", "") == 0.0


def test_it_needs_neighbours_and_the_target_only_for_its_divergence():
    assert needs_of(ICU()).data == ("neighbours",)
    assert needs_of(ICU()).frozen
    assert not needs_of(ICU(kl_weight=0.0)).frozen
    with pytest.raises(ValueError, match="sampling 'modular' is unknown: choose one of random, cyclic"):
        ICU(sampling="modular")
