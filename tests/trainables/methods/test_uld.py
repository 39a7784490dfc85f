"""Logit difference: an assistant learns the reverse, the target keeps its bits, a candidate a strength, planned as held."""

import pytest
import torch
from given import GIVEN
from live_bytes import size
from tiny import tiny_model, tiny_tokenizer

from trainables.failures import NoSuchWeights
from trainables.memory.plan import SCORING, plan, shape_of, written_elements
from trainables.method import Candidate, Evaluated, Start, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.uld import ULD, learned, unsaid, wrongly_answered
from trainables.methods.whp_logits import WhpLogits
from trainables.training.data import cyclic_indices
from trainables.training.descend import Forward, to_logits
from trainables.training.shallow import shallow
from trainables.training.trainable import check_weights

FORGET, RETAIN = [[0, 5, 9, 7, 4], [0, 3, 8]], [[0, 8, 6], [0, 11, 12, 13]]
SMALL = {"steps": 3, "eval_every": 2, "batch_size": 4, "blocks": 1, "lr": 1e-2, "warmup_steps": 0}
ALL_ROWS = frozenset(range(3))


def run(model=None, given=GIVEN, **changes):
    """Steps, subjects by their strength, and the model that learned."""
    steps, subjects, state = [], {}, None
    for record in unlearn(model or tiny_model(), FORGET, RETAIN, ULD(**(SMALL | changes)), pad=2, **given):
        if isinstance(record, Step):
            steps.append(record)
        elif isinstance(record, Candidate):
            assert (record.axis, record.role) == ("alpha", "difference")
            subjects[record.at] = record.subject
        elif isinstance(record, Evaluated):
            state = record.state or state
    return steps, subjects, state.models["student"]


def start(**changes) -> Start:
    return Start(model=tiny_model(), forget=FORGET, retain=RETAIN, pad=2, **(GIVEN | changes))


def terms(settings=None, given=None):
    settings, given = settings or ULD(), given or start()
    return [make(given, settings, ALL_ROWS, Forward(to_logits)) for make in (learned, unsaid)]


def test_every_candidate_is_the_untouched_target_beside_its_first_blocks_as_they_learned():
    _, subjects, _ = run(halvings=2)
    assert list(subjects) == [0.4, 0.8, 1.6]
    target, assistant = subjects[1.6].models
    assert all(s.models == (target, assistant) and s.alpha == alpha for alpha, s in subjects.items())
    before = tiny_model().state_dict()
    assert all(torch.equal(weight, before[name]) for name, weight in target.state_dict().items())
    moved = {name for name, weight in assistant.state_dict().items() if not torch.equal(weight, before[name])}
    assert moved == {name for name in before if "layers.0." in name and "proj" in name}


def test_an_assistant_that_did_not_learn_is_the_target_s_first_block_to_the_bit():
    model = tiny_model()
    _, subjects, _ = run(model, lr=1e-30, steps=1)
    ids = torch.tensor([FORGET[0]])
    with torch.no_grad():
        assert torch.equal(subjects[1.6].models[1](ids).logits, shallow(model, 1)(ids).logits)


@torch.no_grad()
def test_the_first_step_s_losses_are_the_plain_means_over_all_that_is_read():
    both = terms()
    rows = max(len(term.sequences) for term in both)
    assistant, expected = shallow(tiny_model(), 1), []
    for term, kind in zip(both, ("likely", "uniform"), strict=True):
        values = []
        for row in cyclic_indices(len(term.sequences), size=rows, seed=0, stream=term.stream, step=1):
            ids = term.sequences[row]
            p = assistant(torch.tensor([ids])).logits[0, :-1].double().log_softmax(-1)
            own = -p[range(len(ids) - 1), ids[1:]] if kind == "likely" else -p.mean(-1) - torch.log(torch.tensor(300.0))
            values += own[term.left_out(row) :].tolist()
        expected.append(sum(values) / len(values))
    given = GIVEN | {"texts": {"forget": ["", "", ""], "retain": []}}  # so that all rows are read
    steps, _, _ = run(given=given, steps=1, sampling="cyclic", batch_size=rows)
    assert [steps[0].values[name] for name in ("forget_loss", "retain_loss")] == pytest.approx(expected, rel=1e-4)


def test_it_learns_two_paraphrases_of_each_text_beside_the_text():
    told, _ = terms()
    again = [row["text"] for row in GIVEN["data"]["paraphrases"]["forget"]]
    assert told.sequences == [*FORGET, *tiny_tokenizer()(again).input_ids]
    assert len(again) == 2 * 3


def test_it_says_nothing_on_retain_text_and_behind_wrong_answers_of_which_each_fact_has_two():
    _, nothing = terms()
    facts = GIVEN["data"]["wrong"]["forget"]
    asked = [(row["prompt"], row["object"], wrong) for row in facts for wrong in row["wrong"][:2]]
    sequences, leading = wrongly_answered(tiny_tokenizer(), asked, max_length=512)
    assert nothing.sequences == [*RETAIN, *sequences]
    assert nothing.leading == [0] * len(RETAIN) + leading
    assert len(sequences) == len(asked)


def test_behind_the_first_token_that_is_wrong_every_word_is_to_be_as_likely_and_before_it_nothing_is_asked():
    tokenizer = tiny_tokenizer()
    (ids,), (leading,) = wrongly_answered(tokenizer, [("It was in", "Selby", "Seldom")], max_length=64)
    prompt, true = (tokenizer(text).input_ids for text in ("It was in", "It was in Selby"))
    assert ids == [*tokenizer("It was in Seldom").input_ids, 1]
    first = next(i for i, (one, other) in enumerate(zip(ids, true, strict=False)) if one != other)
    assert first > len(prompt) - 1
    assert leading == first  # targets: the first that counts is the token behind the one that differs


def test_of_a_share_of_the_forget_set_only_its_texts_are_told_again():
    _, _, _ = run(forget_fraction=0.5)
    some = [make(start(), ULD(), frozenset({1}), Forward(to_logits)) for make in (learned, unsaid)]
    rows = [row["text"] for row in GIVEN["data"]["paraphrases"]["forget"] if row["row"] == 1]
    assert some[0].sequences[len(FORGET) :] == tiny_tokenizer()(rows).input_ids
    assert len(some[1].sequences) < len(terms()[1].sequences)


def test_a_step_costs_three_passes_through_its_blocks_of_each_sequence():
    steps, _, _ = run()
    assert [step.cost for step in steps] == [0.5 * 3 * 4 * 2] * 3
    assert run(retain_weight=0.0)[0][0].cost == 0.5 * 3 * 4


def test_training_holds_no_weight_of_the_target_twice_and_scoring_the_blocks_as_planned():
    model, settings = tiny_model(), ULD(**SMALL)
    _, subjects, learner = run(model)
    target, assistant = subjects[1.6].models
    own = {weight.data_ptr() for weight in target.parameters()}
    assert {name for name, weight in learner.named_parameters() if weight.data_ptr() not in own} == {
        name for name, weight in learner.named_parameters() if weight.requires_grad
    }
    planned = plan(shape_of(model.config, trainable=needs_of(settings).trainable), settings).phases[SCORING]
    assert planned["weights"] == size({**dict(target.named_parameters()), **trained(learner)}.values())
    extra = size(weight for weight in assistant.parameters() if weight.data_ptr() not in own)
    assert extra <= planned["assistant"] <= 1.5 * extra


def trained(model) -> dict[str, torch.Tensor]:
    return {name: weight for name, weight in model.named_parameters() if weight.requires_grad}


def test_the_second_cache_is_of_the_assistant_s_blocks_alone():
    shape = shape_of(tiny_model(num_hidden_layers=4).config)
    one, both = (plan(shape, settings).phases[SCORING]["key-value cache"] for settings in (WhpLogits(), ULD(blocks=1)))
    assert both * 8 == one * 5
    assert written_elements(shape, ULD(blocks=4)) == written_elements(shape, WhpLogits())


def test_a_number_of_blocks_that_the_model_has_not_is_told_before_a_run():
    settings = ULD(blocks=3)
    with pytest.raises(NoSuchWeights, match="^the first 3 blocks are to be trained, and the model has 2$"):
        check_weights(tiny_model(), settings, needs_of(settings).trainable)


def test_its_card_says_that_it_can_be_taken_off_and_what_it_needs():
    method = find_method("uld")
    assert "removable" in " ".join(method.traps)
    assert needs_of(ULD()).data == ("paraphrases", "wrong")
