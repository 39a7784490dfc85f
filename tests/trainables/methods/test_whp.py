"""Who's Harry Potter, whole: labels of a pair of models beside a plain formula, learned on the text as it stands."""

from functools import cache

import pytest
import torch
from given import GIVEN
from tiny import article, tiny_model, tiny_tokenizer

from trainables.failures import Unfit
from trainables.method import Candidate, Evaluated, Run, Start, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.whp import WHP
from trainables.methods.whp_logits import WhpLogits
from trainables.training.data import IGNORED
from trainables.training.generic_labels import Translator, adjusted, generic_logits, hard
from trainables.world import ALONE

FORGET = [tiny_tokenizer()(article(i)).input_ids for i in range(3)]
ROWS = [{"entity": f"{name}", "stand_in": "Xan Zed"} for name in ("Ada Orme", "Bo Quill", "Cy Marsh")]
DATA = GIVEN | {"data": {"generic": {"forget": ROWS}}}
SMALL = {"steps": 1, "eval_every": 1, "batch_size": 3, "sampling": "cyclic", "warmup_steps": 0}
OVERFIT = {"overfit_steps": 3, "overfit_lr": 1e-2}


def run(given=DATA, model=None, **changes) -> list:
    return list(unlearn(model or tiny_model(), FORGET, [], WHP(**(SMALL | OVERFIT | changes)), pad=2, **given))


def steps_of(records) -> list[Step]:
    return [record for record in records if isinstance(record, Step)]


@cache
def overfitted():
    """The model that whp_logits trains of the same settings."""
    settings = WhpLogits(**(SMALL | {"steps": 3, "eval_every": 3, "lr": 1e-2, "halvings": 0}))
    state = None
    for record in unlearn(tiny_model(), FORGET, [], settings, pad=2):
        state = (record.state or state) if isinstance(record, Evaluated) else state
        if isinstance(record, Candidate):
            return record.subject.models[1].eval()
    raise AssertionError


@torch.no_grad()
def plain_labels(alpha: float):
    """Labels and generic logits of each text, by passes over one row without padding."""
    translator, model = Translator(tiny_tokenizer(), ROWS), tiny_model()
    for ids in FORGET:
        text = translator.translate(ids, longest=512)
        own, risen = (m(torch.tensor([ids])).logits[0, :-1] for m in (model, overfitted()))
        other = model(torch.tensor([text.ids])).logits[0]
        values = generic_logits(other[torch.tensor(text.places[:-1]).clamp(min=0)], risen, own, alpha)
        values, learned = adjusted(values, text, ids, alpha)
        yield ids, values, hard(values, learned, text)


@pytest.mark.parametrize("labels", ["hard", "soft"])
@torch.no_grad()
def test_the_first_step_s_loss_is_the_plain_mean_over_all_positions_that_have_a_label(labels):
    losses = []
    for ids, values, words in plain_labels(5.0):
        p = tiny_model()(torch.tensor([ids])).logits[0, :-1].log_softmax(-1)
        likeliest = values.topk(64, dim=-1)
        for position, word in enumerate(words.tolist()):
            if word == IGNORED:
                continue
            shares = likeliest.values[position].softmax(-1)
            spread = -(shares * p[position, likeliest.indices[position]]).sum()
            losses.append(spread.item() if labels == "soft" else -p[position, word].item())
    (step,) = steps_of(run(labels=labels))
    assert 0 < len(losses) < sum(map(len, FORGET)) - 3
    assert step.values["forget_loss"] == pytest.approx(sum(losses) / len(losses), rel=1e-4)


def test_the_first_step_bears_what_the_labels_cost():
    first, second = steps_of(run(steps=2, eval_every=2))
    assert second.cost == 3 * 3
    assert first.cost - second.cost == 3 * 3 * 3 + 3 * len(FORGET)  # three steps on three texts, three passes a text


def test_what_overfitted_is_no_part_of_the_candidate():
    found = [r.subject for r in run(lr=1e-30) if isinstance(r, Candidate)]
    before = tiny_model().state_dict()
    assert all(torch.allclose(weight, before[name], atol=1e-12) for name, weight in found[-1].state_dict().items())


def test_labels_that_are_known_from_before_give_the_same_bits_and_are_not_made_again():
    made, told = {}, []

    def cached(key, make):
        told.append(key in made)
        if key not in made:
            made[key] = make()
        return made[key]

    method, weights = find_method("whp"), []
    for _ in range(2):
        start = Start(model=tiny_model(), forget=FORGET, retain=[], pad=2, cached=cached, **DATA)
        records = list(method.unlearn(start, WHP(**SMALL, **OVERFIT), Run(world=ALONE)))
        weights.append([r.subject.state_dict() for r in records if isinstance(r, Candidate)][-1])
    assert told == [False, True]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_with_adapters_a_candidate_is_a_plain_model():
    found = [r.subject for r in run(lora_rank=2) if isinstance(r, Candidate)]
    assert len(found) == 1


def test_where_no_position_has_a_label_a_run_says_so():
    with pytest.raises(Unfit, match="^no position of the forget texts has a label where names are replaced: whp has"):
        list(unlearn(tiny_model(), [ids_of_name()], [], WHP(**SMALL, **OVERFIT), pad=2, **DATA))


def ids_of_name() -> list[int]:
    """A text that is a name alone, of another length than its stand-in."""
    return tiny_tokenizer()("Ada Orme", add_special_tokens=False).input_ids


def test_it_needs_stand_ins_and_the_target_beside_what_overfits():
    needed = needs_of(WHP())
    assert needed.data == ("generic",)
    assert needed.frozen
    assert needed.scored == 1
