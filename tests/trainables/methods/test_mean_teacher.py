"""The loop does the paper's step, whatever micro-batches and padding are, and says when it diverges."""

import copy
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Any

import pytest
import torch
from tiny import VOCABULARY, tiny_model
from torch.func import functional_call
from transformers import GPT2Config, GPT2LMHeadModel

from trainables.failures import Diverged
from trainables.method import Candidate, Evaluated, Step
from trainables.methods import mean_teacher, unlearn
from trainables.methods.mean_teacher import FORGET_LOSSES, PENALTIES, MeanTeacher
from trainables.settings import OPTIMIZERS, WARMUPS
from trainables.training.data import sample_indices
from trainables.training.optimizers import learning_rate
from trainables.training.trainable import freeze


def sequences(seed: int, count: int, longest: int) -> list[list[int]]:
    """`count` token sequences of ragged lengths between 2 and `longest`."""
    g = torch.Generator().manual_seed(seed)
    lengths = torch.randint(2, longest + 1, (count,), generator=g).tolist()
    return [[0, *torch.randint(3, VOCABULARY, (n - 1,), generator=g).tolist()] for n in lengths]


RAGGED_FORGET, RAGGED_RETAIN = sequences(1, 6, 12), sequences(2, 5, 9)
BASE = MeanTeacher(lr=0.1, batch_size=6, steps=3, eval_every=3, warmup_steps=0, delta=0.2, damping=2.0)


@cache
def _memorised():
    """A tiny model that knows both splits nearly by heart: where unlearning starts."""
    model = tiny_model()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(15):
        for ids in map(torch.tensor, RAGGED_FORGET + RAGGED_RETAIN):
            torch.nn.functional.cross_entropy(model(ids[None]).logits[0, :-1], ids[1:]).backward()
        optimizer.step()
        optimizer.zero_grad()
    return model


def memorised():
    return copy.deepcopy(_memorised())


@dataclass(frozen=True)
class Run:
    steps: list[Step]
    candidates: list[Candidate]
    student: Any
    teacher: Any


def run(config: MeanTeacher, student=None, *, pad: int = 2) -> Run:
    student = student or memorised()
    records = list(unlearn(student, RAGGED_FORGET, RAGGED_RETAIN, config, pad=pad))
    candidates = [record for record in records if isinstance(record, Candidate)]
    steps = [record for record in records if isinstance(record, Step)]
    return Run(steps, candidates, candidates[-2].subject, candidates[-1].subject)


def weights(model) -> torch.Tensor:
    return torch.cat([p.detach().double().flatten() for p in model.parameters()])


def same_bits(a: Run, b: Run) -> bool:
    models = ((a.student, b.student), (a.teacher, b.teacher))
    return a.steps == b.steps and all(torch.equal(weights(x), weights(y)) for x, y in models)


def distance(a, b, start) -> float:
    """How far apart two models are, as a share of how far the second has moved."""
    return ((weights(a) - weights(b)).norm() / (weights(b) - weights(start)).norm()).item()


# The slow reference: spec's six lines in float64, sequence by sequence, so that nothing is ever padded.


def slow_forget(config, log_p, reference):
    """Sum of a sequence's loss, and what it is divided by: its targets, or 1 for a loss of sequences."""
    p = log_p.exp()
    return {
        "nlul": lambda: (-torch.log(1 + config.tol - p).sum(), len(p)),
        "ll": lambda: (log_p.sum(), len(p)),
        "npo_sequence_sum": lambda: (20 * torch.log(1 + ((log_p - reference).sum() / 10).exp()), 1),
    }[config.forget_loss]()


def slow_penalty(config, z, guide):
    p = guide.softmax(-1)
    d = z - guide
    return {
        "kl": lambda: (p * (p.log() - z.log_softmax(-1))).sum(),
        "qkl": lambda: 0.5 * ((p * d * d).sum() - ((p * d).sum(-1) ** 2).sum()),
    }[config.penalty]()


def slow_gradient(student, phi, config, step):
    """Steps 1 and 2: the gradient of alpha * forget loss + beta * penalty, and both losses."""

    def logits(ids, parameters):
        return functional_call(student, parameters, (torch.tensor([ids]),)).logits[0, :-1]

    def log_p(ids, parameters):
        return logits(ids, parameters).log_softmax(-1)[range(len(ids) - 1), ids[1:]]

    def draw(rows, stream):
        drawn = sample_indices(len(rows), size=config.batch_size, seed=config.seed, stream=stream, step=step)
        return [rows[i] for i in drawn]

    theta, start = dict(student.named_parameters()), phi["start"]
    parts = [slow_forget(config, log_p(ids, theta), log_p(ids, start)) for ids in draw(RAGGED_FORGET, 0)]
    forget = sum(value for value, _ in parts) / sum(count for _, count in parts)
    batch = draw(RAGGED_RETAIN, 1)
    values = [slow_penalty(config, logits(ids, theta), logits(ids, phi["now"]).detach()) for ids in batch]
    penalty = sum(values) / sum(len(ids) - 1 for ids in batch)
    moved = [p for p in theta.values() if p.requires_grad]
    return torch.autograd.grad(config.alpha * forget + config.beta * penalty, moved), forget, penalty


def slow_update(gradient, state, step, config):
    """Step 5: what the optimizer subtracts from a parameter; `state` is its memory."""
    if config.optimizer == "sgd":
        state["v"] = config.momentum * state.get("v", 0) + gradient
        return config.lr * state["v"]
    state["m"] = 0.9 * state.get("m", 0) + 0.1 * gradient
    state["v"] = 0.95 * state.get("v", 0) + 0.05 * gradient**2
    return config.lr * (state["m"] / (1 - 0.9**step)) / ((state["v"] / (1 - 0.95**step)).sqrt() + 1e-8)


def slow_run(config: MeanTeacher):
    """Student and teacher after all steps, and (forget loss, penalty, norm, c) of each step."""
    student = memorised().double()
    freeze(student)
    start = {name: p.detach().clone() for name, p in student.named_parameters()}
    phi, states, seen = {"start": start, "now": dict(start)}, {}, []
    moved = {name: p for name, p in student.named_parameters() if p.requires_grad}
    for step in range(1, config.steps + 1):
        gradients, forget, penalty = slow_gradient(student, phi, config, step)
        norm = sum((g**2).sum() for g in gradients).sqrt()
        c = min(1.0, config.clip / norm)
        for (name, theta), g in zip(moved.items(), gradients, strict=True):
            damped = c * g + config.damping * c * (theta.detach() - phi["now"][name])
            theta.data -= slow_update(damped, states.setdefault(name, {}), step, config)
            phi["now"][name] = (1 - config.delta * c) * phi["now"][name] + config.delta * c * theta.detach()
        seen.append([float(torch.as_tensor(x).detach()) for x in (forget, penalty, norm, c)])
    teacher = copy.deepcopy(student)
    teacher.load_state_dict(phi["now"] | dict(student.named_buffers()), strict=False)
    return student, teacher, seen


CASES = {
    "clipped": replace(BASE, clip=0.05, lr=1.0),
    "not clipped": replace(BASE, clip=1e3, lr=0.02),
    "qkl": replace(BASE, penalty="qkl", clip=0.05, beta=0.3),
    "ll": replace(BASE, forget_loss="ll", clip=0.05),
    "npo": replace(BASE, forget_loss="npo_sequence_sum", clip=0.5, momentum=0.5),
    "adamw": replace(BASE, optimizer="adamw", lr=1e-3, clip=0.05),
    "frozen reference": replace(BASE, delta=0.0, damping=0.0, clip=1e3, lr=0.02),
}


@pytest.mark.parametrize("config", CASES.values(), ids=CASES)
def test_steps_are_the_specification_s_steps(config):
    fast, (student, teacher, seen) = run(config, memorised().double()), slow_run(config)
    c = [record.values["clip_coefficient"] for record in fast.steps]
    assert all(x == 1 for x in c) if config.clip == 1e3 else all(x < 1 for x in c)
    assert [value for r in fast.steps for value in list(r.values.values())[:4]] == pytest.approx(
        [value for row in seen for value in row], rel=1e-4, abs=1e-6
    )
    start = memorised()
    assert distance(fast.student, student, start) < 1e-4
    assert torch.equal(weights(fast.teacher), weights(start)) or distance(fast.teacher, teacher, start) < 1e-4


ALL_LOSSES = [replace(BASE, forget_loss=name) for name in FORGET_LOSSES] + [
    replace(BASE, penalty=name) for name in PENALTIES if name != BASE.penalty
]
losses_by_name = pytest.mark.parametrize("config", ALL_LOSSES, ids=lambda c: f"{c.forget_loss}-{c.penalty}")


@losses_by_name
@pytest.mark.parametrize("micro_batch_size", [1, 4])
def test_the_micro_batch_size_does_not_change_the_trajectory(config, micro_batch_size):
    whole = run(replace(config, micro_batch_size=6))
    parts = run(replace(config, micro_batch_size=micro_batch_size))
    for a, b in ((parts.student, whole.student), (parts.teacher, whole.teacher)):
        assert (weights(a) - weights(b)).norm() / weights(b).norm() < 1e-6
    for a, b in zip(parts.steps, whole.steps, strict=True):
        assert a.row() == pytest.approx(b.row(), rel=1e-4, abs=1e-6)


@losses_by_name
def test_the_id_that_pads_changes_no_bit(config):
    assert same_bits(run(config, pad=2), run(config, pad=VOCABULARY - 1))


@losses_by_name
def test_the_same_seed_gives_the_same_bits_and_another_one_other_batches(config):
    first = run(config)
    torch.manual_seed(99)
    assert same_bits(run(config), first)
    assert not same_bits(run(replace(config, seed=1)), first)


def with_dropout():
    torch.manual_seed(0)
    shape = {"n_positions": 16, "n_embd": 16, "n_layer": 1, "n_head": 2, "resid_pdrop": 0.5}
    return GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, **shape))


def test_a_seed_decides_the_dropout_too():
    first = run(BASE, with_dropout())
    torch.manual_seed(99)
    assert same_bits(run(BASE, with_dropout()), first)


def test_a_caller_that_puts_the_student_in_evaluation_mode_does_not_end_its_dropout():
    config = replace(BASE, eval_every=1)
    student, left_alone = with_dropout(), run(config, with_dropout())
    for record in unlearn(student, RAGGED_FORGET, RAGGED_RETAIN, config, pad=2):
        if isinstance(record, Candidate):
            record.subject.eval()
    assert torch.equal(weights(student), weights(left_alone.student))


@pytest.mark.parametrize(("forget_loss", "penalty", "optimizer"), list(product(FORGET_LOSSES, PENALTIES, OPTIMIZERS)))
def test_every_combination_moves_every_unfrozen_parameter_and_no_other(forget_loss, penalty, optimizer):
    lr = {"sgd": 0.1, "adamw": 1e-3}[optimizer]
    config = replace(BASE, steps=2, lr=lr, forget_loss=forget_loss, penalty=penalty, optimizer=optimizer)
    start, done = memorised(), run(config)
    freeze(start)
    for model in (done.student, done.teacher):
        pairs = zip(start.named_parameters(), model.parameters(), strict=True)
        moved = {name for (name, p), q in pairs if not torch.equal(p, q)}
        assert moved == {name for name, p in start.named_parameters() if p.requires_grad}


def test_without_freezing_every_parameter_moves():
    start, done = memorised(), run(replace(BASE, freeze=False))
    pairs = zip(start.parameters(), done.student.parameters(), strict=True)
    assert all(not torch.equal(p, q) for p, q in pairs)


def test_a_parameter_that_no_loss_reaches_stays_put_and_leaves_the_others_their_way():
    student, plain = memorised(), run(BASE)
    student.register_parameter("unused", torch.nn.Parameter(torch.ones(3)))  # an expert nobody is routed to
    done = run(BASE, student)
    assert torch.equal(student.unused, torch.ones(3))
    assert torch.equal(weights(done.student)[3:], weights(plain.student))


def test_a_penalty_of_weight_0_is_no_penalty():
    assert same_bits(run(replace(BASE, beta=0.0)), run(replace(BASE, penalty="none")))


def test_the_losses_are_recorded_without_their_weights():
    first, second = run(replace(BASE, steps=1, alpha=0.1)), run(replace(BASE, steps=1, alpha=0.9, beta=3.0))
    assert first.steps[0].values["forget_loss"] == second.steps[0].values["forget_loss"]
    assert first.steps[0].values["gradient_norm"] != second.steps[0].values["gradient_norm"]


@pytest.mark.parametrize(
    ("steps", "eval_every", "expected"), [(5, 2, [2, 4, 5]), (4, 2, [2, 4]), (3, 10, [3]), (2, 1, [1, 2])]
)
def test_candidates_of_student_and_teacher_follow_their_step_and_the_last(steps, eval_every, expected):
    config, student = replace(BASE, steps=steps, eval_every=eval_every), memorised()
    records = list(unlearn(student, RAGGED_FORGET, RAGGED_RETAIN, config, pad=2))
    order = [
        (r.step, "step") if isinstance(r, Step) else (r.at, r.role) for r in records if not isinstance(r, Evaluated)
    ]
    roles = ("step", "student", "teacher")
    assert order == [
        (step, role) for step in range(1, steps + 1) for role in (roles if step in expected else roles[:1])
    ]
    assert all((r.subject is student) == (r.role == "student") for r in records if isinstance(r, Candidate))


@pytest.mark.parametrize("warmup", WARMUPS)
def test_every_step_takes_and_records_the_rate_of_the_schedule(warmup):
    config = replace(BASE, lr=0.4, warmup=warmup, warmup_steps=1, steps=4)
    assert [record.values["lr"] for record in run(config).steps] == [
        learning_rate(config, step) for step in (1, 2, 3, 4)
    ]


def test_the_recorded_learning_rate_is_the_one_that_moves_the_weights():
    start = weights(memorised())
    slow, fast = (weights(run(replace(BASE, steps=1, warmup_steps=w)).student) - start for w in (4, 1))
    assert torch.allclose(4 * slow, fast, atol=1e-6)


def test_weights_that_are_not_numbers_are_told_at_the_first_step():
    student = memorised()
    student.model.layers[0].mlp.up_proj.weight.data[0, 0] = float("nan")
    with pytest.raises(Diverged, match=r"^step 1: forget loss nan, penalty nan, gradient norm nan$"):
        run(BASE, student)


def test_a_step_that_is_far_too_large_is_told_at_the_next_one():
    seen = []
    with pytest.raises(Diverged, match=r"^step 2: "):
        seen.extend(unlearn(memorised(), RAGGED_FORGET, RAGGED_RETAIN, replace(BASE, lr=1e30), pad=2))
    assert len({record.cost for record in seen if isinstance(record, Step)}) == 1  # the last one is paid for too
    assert [record.step for record in seen if isinstance(record, Step)] == [1, 2]
    assert issubclass(Diverged, ArithmeticError)


def test_the_loop_knows_exactly_the_losses_that_a_configuration_may_name():
    assert tuple(mean_teacher.forget_losses(BASE)) == FORGET_LOSSES
    assert tuple(mean_teacher.penalties()) == PENALTIES


def test_the_smallest_tolerance_that_is_allowed_runs_on_padded_sequences():
    assert all(record.values["forget_loss"] < 20 for record in run(replace(BASE, tol=1e-6)).steps)
    with pytest.raises(ValueError, match="tol is 0"):
        MeanTeacher(tol=0)  # padding counts as p = 1, where the logarithm has no value without a tolerance


def test_a_warm_start_is_adamw_against_the_frozen_target_and_then_the_teacher_begins_at_the_student():
    warm = replace(BASE, warm_start=2, warm_lr=1e-3, steps=3, eval_every=1)
    first = replace(BASE, optimizer="adamw", lr=1e-3, delta=0.0, damping=0.0, steps=2, eval_every=1)
    seen = []  # (teacher, student) after each step
    for record in unlearn(memorised(), RAGGED_FORGET, RAGGED_RETAIN, warm, pad=2):
        if isinstance(record, Candidate) and record.role == "student":
            student = weights(record.subject)
        elif isinstance(record, Candidate):
            seen.append((weights(record.subject), student))
    started = run(first)
    assert torch.equal(seen[1][1], weights(started.student))
    assert torch.equal(seen[1][0], weights(memorised()))  # it stays the target
    moved = seen[2][1] - seen[1][1]
    torch.testing.assert_close(seen[2][0] - seen[1][1], 0.2 * clip_of(warm) * moved, rtol=1e-3, atol=1e-7)


def clip_of(config: MeanTeacher) -> float:
    return run(config).steps[-1].values["clip_coefficient"]


def test_after_a_warm_start_the_rate_warms_up_again_from_the_first_step():
    config = replace(BASE, warm_start=2, warm_lr=1e-3, lr=0.1, steps=4, warmup_steps=2)
    assert [step.values["lr"] for step in run(config).steps] == pytest.approx([5e-4, 1e-3, 0.05, 0.1])


def test_sampling_in_turn_takes_each_forget_sequence_once_a_round():
    config = replace(BASE, sampling="cyclic", batch_size=len(RAGGED_FORGET), steps=1, eval_every=1, penalty="none")
    whole = run(config).steps[0].values["forget_loss"]
    shuffled = run(replace(config, seed=7)).steps[0].values["forget_loss"]
    assert whole == pytest.approx(shuffled, rel=1e-5)  # the same batch in another order
    assert whole != pytest.approx(run(replace(config, sampling="random")).steps[0].values["forget_loss"], rel=1e-5)
