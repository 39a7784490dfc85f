"""The mixing path: candidates between the target and what was trained, without training."""

import copy

import pytest
import torch
from test_adapters import FORGET, RETAIN, logits
from tiny import tiny_model

from trainables.method import Candidate, Evaluated, Step
from trainables.methods import unlearn
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.npo import NPOGDR
from trainables.methods.rmu import RMU
from trainables.methods.task_vector import TaskVector
from trainables.runs import resume
from trainables.runs.run_folder import RunFolder
from trainables.training.mixing import MIX
from trainables.training.sweep import go_along_
from trainables.world import ALONE

SMALL = {"steps": 3, "eval_every": 2, "batch_size": 2}
KINDS = [
    NPOGDR(lr=1e-2, mixes=3, **SMALL),
    NPOGDR(lr=1e-2, mixes=3, lora_rank=2, **SMALL),
    MeanTeacher(mixes=1, **SMALL),
    MeanTeacher(mixes=1, lora_rank=2, lr=0.5, **SMALL),
    RMU(layer=1, mixes=2, **SMALL),
]
each_kind = pytest.mark.parametrize("settings", KINDS, ids=lambda s: f"{s.method}-{s.lora_rank}")


def run(settings, **going_on) -> list:
    """All records; of a candidate its place and its weights."""
    found = []
    for record in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2, **going_on):
        if isinstance(record, Candidate):
            found.append((record.axis, record.at, record.role, copy.deepcopy(record.subject.state_dict())))
        else:
            found.append(record)
    return found


def candidates(records) -> dict:
    return {record[:3]: record[3] for record in records if isinstance(record, tuple)}


def test_a_quarter_of_the_way_from_2_to_3_is_2_25():
    weight = torch.tensor([9.0])
    go_along_([weight], [torch.tensor([2.0])], [torch.tensor([3.0])], 0.25)
    assert weight.item() == 2.25


@each_kind
def test_every_role_has_candidates_at_equal_distances_which_are_1_minus_a_target_plus_a_unlearned(settings):
    found, target = candidates(run(settings)), tiny_model().state_dict()
    roles = {role for _, _, role in found}
    shares = [k / (settings.mixes + 1) for k in range(1, settings.mixes + 1)]
    assert {key for key in found if key[0] == MIX} == {(MIX, share, role) for share in shares for role in roles}
    for (axis, share, role), weights in found.items():
        if axis == MIX:
            last = found["step", settings.steps, role]
            assert any(not torch.equal(last[name], target[name]) for name in target)
            for name, weight in weights.items():
                by_hand = (1 - share) * target[name].double() + share * last[name].double()
                torch.testing.assert_close(weight.double(), by_hand, rtol=1e-6, atol=1e-7)


@each_kind
def test_a_run_is_scored_as_often_as_its_settings_say_and_mixing_takes_no_step(settings):
    records, plain = run(settings), run(settings.__class__(**(settings.chosen() | {"mixes": 0})))
    assert sum(isinstance(record, Evaluated) for record in records) == settings.evaluations == 2 + settings.mixes
    assert [r for r in records if isinstance(r, Step)] == [r for r in plain if isinstance(r, Step)]
    mixed = candidates(records)
    for place, weights in candidates(plain).items():
        assert all(torch.equal(weight, mixed[place][name]) for name, weight in weights.items())


@each_kind
def test_a_run_that_goes_on_from_anywhere_gives_the_rest_of_the_path_to_the_bit(settings, tmp_path):
    whole, scored, rests = candidates(run(settings)), 0, []
    for record in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2):
        if isinstance(record, Evaluated):
            scored += 1
            if record.state:
                rests.append((RunFolder(tmp_path / f"{scored}"), scored))
                resume.save(rests[-1][0], "key", record.state, [{}] * scored, ALONE)
    assert len(rests) == settings.evaluations - 1
    roles = len({role for _, _, role in whole})
    for folder, done in rests:
        saved = resume.find(folder, "key")
        again = candidates(run(settings, **going_on(folder, saved, done)))
        assert list(again) == list(whole)[done * roles :]
        assert all(torch.equal(weight, whole[place][name]) for place in again for name, weight in again[place].items())


def going_on(folder, saved, scored) -> dict:
    def restore(state) -> None:
        resume.load(folder, saved, state, ALONE)

    return {"done": saved.step, "evaluated": scored, "restore": restore}


def test_the_student_is_what_its_last_step_made_of_it_once_the_path_was_walked():
    model = tiny_model()
    for record in unlearn(model, FORGET, RETAIN, KINDS[0], pad=2):
        if isinstance(record, Candidate) and record.at == 3:
            last = logits(record.subject)
    assert torch.equal(logits(model), last)


def test_a_sweep_whose_strengths_are_mixtures_already_takes_none():
    with pytest.raises(ValueError, match="mixes is 2: it must be 0"):
        TaskVector(mixes=2)
