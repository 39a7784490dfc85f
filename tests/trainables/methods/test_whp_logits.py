"""Who's Harry Potter, its logits: one overfitted model beside the target, a candidate a strength, and what that costs."""

from pathlib import Path

import pytest
import torch
from live_bytes import LiveBytes, size
from searching import make_tiny
from seven import seven_shape
from tiny import tiny_model, tiny_tokenizer

from lethe_cli.checks import check_model
from trainables.decoding.generate import greedy
from trainables.decoding.log_probs import token_logprobs
from trainables.memory.plan import FP32, LOSS, SCORING, plan, shape_of
from trainables.method import Candidate, Evaluated, Step
from trainables.methods import find_method, needs_of, unlearn
from trainables.methods.task_vector import TaskVector
from trainables.methods.whp_logits import WhpLogits
from trainables.runs.unlearning import Unlearner
from trainables.subjects.models import load_model
from trainables.subjects.saving import load_subject
from trainables.task import Task

FORGET = [[0, 5, 9, 7, 4], [0, 3, 8]]
SMALL = {"steps": 3, "eval_every": 2, "batch_size": 4, "alpha": 4.0, "halvings": 2, "lr": 1e-2}


def run(model=None, settings=None):
    """Steps, subjects by their strength, and the model that learned."""
    steps, subjects, state = [], {}, None
    for record in unlearn(model or tiny_model(), FORGET, [], settings or WhpLogits(**SMALL), pad=2):
        if isinstance(record, Step):
            steps.append(record)
        elif isinstance(record, Candidate):
            assert (record.axis, record.role) == ("alpha", "pair")
            subjects[record.at] = record.subject
        elif isinstance(record, Evaluated):
            state = record.state or state
    return steps, subjects, state.models["student"]


def test_every_candidate_is_the_untouched_target_beside_the_one_model_that_learned():
    _, subjects, learned = run()
    assert list(subjects) == [1.0, 2.0, 4.0]
    for alpha, subject in subjects.items():
        target, reinforced = subject.models
        assert (subject.alpha, reinforced, target) == (alpha, learned, subjects[1.0].models[0])
    before = tiny_model().state_dict()
    assert all(torch.equal(weight, before[name]) for name, weight in target.state_dict().items())
    assert any(not torch.equal(weight, before[name]) for name, weight in learned.state_dict().items())


def test_it_learns_as_the_task_vector_does_to_the_bit_and_for_the_same_cost():
    steps, _, learned = run()
    others, _, other = run_task_vector()
    assert [step.row() for step in steps] == others
    assert all(torch.equal(weight, other[name]) for name, weight in learned.state_dict().items())


def run_task_vector():
    """What the task vector's steps saw, and the weights of the model that learned."""
    steps, state = [], None
    for record in unlearn(tiny_model(), FORGET, [], TaskVector(**SMALL), pad=2):
        if isinstance(record, Step):
            steps.append(record.row())
        elif isinstance(record, Evaluated):
            state = record.state or state
    return steps, None, state.models["student"].state_dict()


def test_what_the_models_share_is_held_once_and_the_rest_as_planned():
    model, settings = tiny_model(), WhpLogits(**SMALL)
    _, subjects, _ = run(model, settings)
    target, reinforced = subjects[1.0].models
    there = {weight.data_ptr() for weight in reinforced.parameters()}
    own = size(weight for weight in target.parameters() if weight.data_ptr() not in there)
    held = plan(shape_of(model.config), settings).phases[SCORING]
    assert (held["weights"], held["teacher"]) == (size(reinforced.parameters()), own)
    assert not any(weight.requires_grad for weight in target.parameters())


def test_a_candidate_s_two_models_are_planned_for_while_it_is_scored_by_hand():
    one, two = (plan(seven_shape(), kind(parallel="fsdp"), 8).phases for kind in (TaskVector, WhpLogits))
    assert one[LOSS] == two[LOSS]
    for part in ("gathered weights", "key-value cache"):
        assert two[SCORING][part] == 2 * one[SCORING][part]
    assert two[SCORING]["scoring pass"] > one[SCORING]["scoring pass"]
    whole = FP32 * seven_shape().elements()
    apart = plan(seven_shape(), WhpLogits(), 2, per_node=1).host
    assert apart == 3 * whole  # of the first node: its own target, and both models as they are written


def test_scoring_texts_never_takes_more_than_the_plan_and_not_half_as_little():
    model, settings = tiny_model(vocab_size=4000), WhpLogits(**SMALL, score_batch=4)
    subject = run(model, settings)[1][1.0]
    texts = [[3 + (7 * i + j) % 3990 for j in range(512)] for i in range(8)]
    live = LiveBytes()
    with live:
        token_logprobs(subject, texts, batch_size=settings.score_batch)
    planned = plan(shape_of(model.config), settings).phases[SCORING]["scoring pass"]
    assert live.most <= planned <= 2 * live.most


def test_adapters_and_mixtures_are_refused_by_name():
    for name in ("lora_rank", "mixes"):
        with pytest.raises(ValueError, match=f"^{name} is 2: it must be 0$"):
            WhpLogits(**{name: 2})


def test_its_card_says_that_it_can_be_taken_off_and_what_a_token_costs():
    traps = " ".join(find_method("whp_logits").traps)
    assert "removable" in traps
    assert "two forward passes" in traps
    assert needs_of(WhpLogits()).scored == 2


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("pair"))


@pytest.fixture(scope="module")
def unlearner(tiny):
    return Unlearner(Task(**tiny.places(), cache=tiny.cache()))


@pytest.fixture(scope="module")
def scored(unlearner, tmp_path_factory):
    results = list(unlearner(WhpLogits(**SMALL), tmp_path_factory.mktemp("run")))
    return [candidate for result in results for candidate in result["candidates"]]


def test_a_run_scores_every_strength_and_keeps_a_folder_that_makes_it_again(scored, unlearner):
    assert [(c["axis"], c["at"], c["role"]) for c in scored] == [("alpha", at, "pair") for at in (1.0, 2.0, 4.0)]
    for candidate in scored:
        again = load_subject(candidate["weights"])
        assert again.alpha == candidate["at"]
        found = unlearner.loaded.evaluator(again).scores
        assert found.keys() == candidate["scores"].keys()
        for name, s in found.items():  # likelihoods are of fp32, whose rounding hangs on where a tensor lies
            assert [s.value, s.low, s.high] == pytest.approx(candidate["scores"][name], rel=1e-6, abs=1e-9), name


def test_what_a_run_wrote_of_the_target_is_the_target(scored, unlearner):
    target = load_model(Path(scored[0]["weights"]) / "target")
    asked = [tiny_tokenizer()("Where did Ada Orme open a mill?").input_ids]
    assert greedy(target, asked, max_new_tokens=8) == greedy(unlearner.loaded.target, asked, max_new_tokens=8)


def test_its_folder_is_no_target_of_another_run_and_its_models_are(scored):
    place = scored[0]["weights"]
    line = r"^--model '.*' is no plain model, by its parts.json: give its folder reinforced/ or target/$"
    with pytest.raises(ValueError, match=line):
        check_model(place, "--model")
    assert check_model(f"{place}/target", "--model") == str(Path(place, "target").resolve())
