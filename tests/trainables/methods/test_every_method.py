"""What every method keeps to, whichever it is: a suite over METHODS, on a model of two layers."""

import copy
import re
from dataclasses import replace
from functools import cache

import pytest
import torch
from given import GIVEN
from tiny import VOCABULARY, tiny_model

from trainables.decoding.log_probs import token_logprobs
from trainables.failures import Unfit
from trainables.method import FAMILIES, STEP, Candidate, Evaluated, Step
from trainables.methods import METHODS, find_method, needs_of, unlearn
from trainables.runs import resume
from trainables.runs.run_folder import RunFolder
from trainables.settings import Descent
from trainables.subjects.subject import models_of
from trainables.training.trainable import choose
from trainables.world import ALONE

SMALL = {"steps": 4, "eval_every": 2, "batch_size": 4, "seed": 3, "lr": 1e-3}
LORA, WAGLE = "+lora", "+wagle"  # behind the name of a method: with adapters, with a mask
OWN = {
    "mean_teacher": {"lr": 0.05},
    f"mean_teacher{LORA}": {"lr": 0.3, "lora_rank": 2},
    f"npo_gdr{LORA}": {"lr": 1e-2, "lora_rank": 2},
    f"npo_gdr{WAGLE}": {"mask": "wagle", "mask_density": 0.5},
    "first_epoch": {"lr": 0.05},
    "klue": {"klue_density": 0.5, "look_every": 100},
    "icu": {"forgotten_below": 0.0},
    "pdu": {"lam0": 1.0, "lam_warmup": 1},
    "rmu": {"layer": 1},
    "rmu_adaptive": {"layer": 1},
    "task_vector": {"halvings": 2},
    "whp_logits": {"halvings": 2},
    "attention_shifting": {"lr": 3e-2},
    "whp": {"overfit_steps": 8, "overfit_lr": 1e-2, "lr": 1e-2},
    "uld": {"halvings": 2, "blocks": 1, "lr": 1e-2},
    "guard_prompt": {"names": 3},
}
REWEIGHTED = ("wga", "satimp")  # the value of a loss whose weights take no gradient is not what is lowered
CASES = [*METHODS, f"mean_teacher{LORA}", f"npo_gdr{LORA}", f"npo_gdr{WAGLE}"]


def method_of(name: str):
    return find_method(name.split("+")[0])


TRAINING = [name for name in CASES if issubclass(method_of(name).settings, Descent)]
TOGETHER = [
    (name, sampling)
    for name in TRAINING
    for sampling in ("one_to_one", "modular")
    if sampling in method_of(name).settings.allowed()["sampling"].choices
]
OPTIMIZED = [
    (name, optimizer)
    for name in TRAINING
    for optimizer in ("sgd", "adamw")
    if optimizer in method_of(name).settings.allowed()["optimizer"].choices
]
UNPLACED = ("uld", "bld", "attention_shifting")  # do not say of which texts all is that they read
WHOLE = ("first_epoch",)  # every step is over all there is: nothing is drawn
each_method = pytest.mark.parametrize("name", CASES)
each_training = pytest.mark.parametrize("name", TRAINING)


def sequences(seed: int, count: int) -> list[list[int]]:
    """Token sequences of ragged lengths."""
    g = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, 12, (count,), generator=g).tolist()
    return [[0, *torch.randint(3, VOCABULARY, (n,), generator=g).tolist()] for n in lengths]


FORGET, RETAIN = sequences(1, 6), sequences(2, 5)


def settings_of(name: str, **changes):
    cls = method_of(name).settings
    small = {setting: value for setting, value in SMALL.items() if setting in cls.types()}
    return cls(**(small | OWN.get(name, {}) | changes))


def run(name: str, *, pad: int = 2, start=None, settings=None, **going_on) -> list:
    """All records; each candidate as its role, its candidate and a copy of its weights."""
    found: list = []
    settings = settings or settings_of(name)
    for record in unlearn(start or tiny_model(), FORGET, RETAIN, settings, pad=pad, **GIVEN, **going_on):
        if isinstance(record, Candidate):
            record = (record.role, record.at, copied(record.subject))
        found.append(record)
    return found


def copied(subject) -> dict:
    """The weights of a subject's models, each by its model's number and its own name."""
    models = enumerate(models_of(subject))
    return {(i, key): weight.clone() for i, model in models for key, weight in model.state_dict().items()}


@cache
def straight(name: str) -> tuple:
    return tuple(run(name))


def steps_of(records) -> list[dict]:
    return [record.row() for record in records if isinstance(record, Step)]


def weights_of(records) -> list[dict]:
    return [record[2] for record in records if isinstance(record, tuple)]


def same(one: list[dict], other: list[dict]) -> bool:
    pairs = zip(one, other, strict=True)
    return all(a.keys() == b.keys() and all(torch.equal(a[key], b[key]) for key in a) for a, b in pairs)


@each_method
def test_its_card_is_complete_and_its_settings_bear_its_name(name):
    method = method_of(name)
    assert method.name == name.split("+")[0]
    assert method.family in FAMILIES
    assert method.meaning
    assert method.source
    assert method.roles
    assert all(re.fullmatch(r"\w+", role) and role != "random" for role in method.roles)


@each_method
def test_candidates_of_all_roles_come_at_every_evaluation_and_then_its_end(name):
    settings, roles, records = settings_of(name), method_of(name).roles, straight(name)
    told = [r[:2] if isinstance(r, tuple) else "end" for r in records if not isinstance(r, Step)]
    scored = [at for role, at in (t for t in told if t != "end") if role == roles[0]]
    assert len(scored) == settings.evaluations
    assert scored == sorted(set(scored))
    together = [told for at in scored for told in (*((role, at) for role in roles), "end")]
    assert told[-len(together) :] == together
    assert set(told[: -len(together)]) <= {"end"}  # where a run rests before anything is scored
    assert [row["step"] for row in steps_of(records)] == ([1, 2, 3, 4] if name in TRAINING else [])
    assert all(row["cost"] > 0 for row in steps_of(records))


@each_training
def test_on_the_axis_of_steps_a_candidate_stands_where_it_has_been_trained_to(name):
    done, settings = 0, settings_of(name)
    for record in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2, **GIVEN):
        done = record.step if isinstance(record, Step) else done
        if isinstance(record, Candidate):
            assert record.at == done if record.axis == STEP else done == settings.steps


@each_training
def test_a_run_can_go_on_from_everywhere_that_it_rests_but_its_end(name):
    ends = [record.state for record in straight(name) if isinstance(record, Evaluated)]
    assert [state is None for state in ends] == [False] * (len(ends) - 1) + [True]


@each_method
def test_the_same_seed_gives_the_same_bits_and_another_one_others_where_anything_is_drawn(name):
    torch.manual_seed(99)
    again = run(name)
    assert steps_of(again) == steps_of(straight(name))
    assert same(weights_of(again), weights_of(straight(name)))
    other = steps_of(run(name, settings=settings_of(name, seed=4)))
    assert (other != steps_of(straight(name))) == (name in TRAINING and name not in WHOLE)


@each_method
def test_the_id_that_pads_changes_no_bit(name):
    assert same(weights_of(run(name, pad=VOCABULARY - 1)), weights_of(straight(name)))


@each_training
@pytest.mark.parametrize("size", [1, 2])
def test_micro_batches_give_the_same_steps(name, size):
    parts = run(name, settings=settings_of(name, micro_batch_size=size))
    for one, other in zip(steps_of(parts), steps_of(straight(name)), strict=True):
        assert one == pytest.approx(other, rel=1e-4, abs=1e-6)


@each_training
def test_exactly_what_it_says_that_it_trains_is_moved_also_under_weight_decay(name):
    decaying = {"weight_decay": 0.1, "optimizer": "adamw"} if (name, "adamw") in OPTIMIZED else {}
    settings = settings_of(name, lr=1e-3, **decaying)
    start, chosen = tiny_model(), tiny_model()
    choose(chosen, needs_of(settings).trainable)
    of_adapters = re.compile(r"\.lora_[AB]\.default")  # behind the name of the layer whose matrix they move
    trainable = {of_adapters.sub("", key) for key, weight in chosen.named_parameters() if weight.requires_grad}
    found, before = weights_of(run(name, settings=settings))[-len(method_of(name).roles)], start.state_dict()
    assert {key for (_, key), weight in found.items() if not torch.equal(weight, before[key])} == trainable
    assert trainable < dict(start.named_parameters()).keys()


@pytest.mark.parametrize(("name", "optimizer"), OPTIMIZED)
def test_a_run_that_goes_on_from_anywhere_has_the_bits_of_one_that_did_not_stop(name, optimizer, tmp_path):
    settings = settings_of(name, optimizer=optimizer)
    whole, rests = interrupted_everywhere(settings, tmp_path)
    assert rests
    for folder, scored in rests:
        again = gone_on(settings, folder, scored)
        done = resume.find(folder, "key").step
        assert steps_of(again) == steps_of(whole)[done:]
        assert same(weights_of(again), weights_of(whole)[scored * len(method_of(name).roles) :])


def interrupted_everywhere(settings, home) -> tuple[list, list]:
    """All records of a run, and of every place where it rests the folder that has its state, and what was scored."""
    records, rests, scored, fresh = [], [], 0, False
    for record in unlearn(tiny_model(), FORGET, RETAIN, settings, pad=2, **GIVEN):
        if isinstance(record, Candidate):
            record = (record.role, record.at, copied(record.subject))
            fresh = True
        elif isinstance(record, Evaluated):
            scored, fresh = scored + fresh, False
            if record.state:
                folder = RunFolder(home / f"{len(rests)}")
                resume.save(folder, "key", record.state, [{}] * scored, ALONE)
                rests.append((folder, scored))
        records.append(record)
    return records, rests


def gone_on(settings, folder, scored) -> list:
    """The records of a run that goes on from its state in a folder."""
    saved = resume.find(folder, "key")

    def restore(state) -> None:
        resume.load(folder, saved, state, ALONE)

    return run(settings.method, settings=settings, done=saved.step, evaluated=scored, restore=restore)


@pytest.mark.parametrize(("name", "sampling"), TOGETHER)
def test_what_is_drawn_together_is_drawn_for_every_method(name, sampling):
    if name in UNPLACED and sampling == "modular":
        with pytest.raises(Unfit, match=f"sampling is modular: {name} does not say of which texts its sequences are"):
            run(name, settings=settings_of(name, sampling=sampling))
        return
    here = steps_of(run(name, settings=settings_of(name, sampling=sampling, steps=2)))
    assert [row["step"] for row in here] == [1, 2]
    assert here != steps_of(straight(name))[:2]


@each_training
def test_bf16_takes_nearly_the_same_first_step(name):
    low = steps_of(run(name, settings=settings_of(name, precision="bf16", steps=1)))[0]
    high = steps_of(run(name, settings=settings_of(name, steps=1)))[0]
    assert low == pytest.approx(high, rel=0.05, abs=1e-3)
    assert low != high


@each_training
def test_ten_steps_lower_the_forget_loss_and_leave_what_was_learned_less_likely(name):
    settings = replace(settings_of(name, steps=10, batch_size=len(FORGET), sampling="cyclic"), eval_every=10)
    losses, known = [], []
    for record in unlearn(memorised(), FORGET, RETAIN, settings, pad=2, **GIVEN):
        if isinstance(record, Step):
            losses.append(record.values["forget_loss"])
        elif isinstance(record, Candidate) and record.role == method_of(name).roles[0]:
            known.append(likelihood(record.subject))
    if name not in REWEIGHTED:
        assert losses[-1] < losses[0]
    assert known[-1] < likelihood(memorised())


def likelihood(subject) -> float:
    """Log-likelihood of the forget sequences."""
    return sum(values.sum() for values in token_logprobs(subject, FORGET))


def memorised():
    """A tiny model that knows both sets nearly by heart."""
    return copy.deepcopy(_memorised())


@cache
def _memorised():
    model = tiny_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(15):
        for ids in map(torch.tensor, FORGET + RETAIN):
            torch.nn.functional.cross_entropy(model(ids[None]).logits[0, :-1], ids[1:]).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model
