"""Each loss is its formula, in value and in gradient, however it is chunked, padded or saturated."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import one_hot
from torch.testing import assert_close

from trainables.losses import logits as losses
from trainables.losses.distributions import ceu, undial
from trainables.losses.flattening import flattening

B, T, V = 3, 7, 11
quickly = settings(max_examples=25)
seeds = st.integers(0, 2**31)


def random_logits(seed: int, *shape: int, scale: float = 3.0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return scale * torch.randn(*(shape or (B, T, V)), generator=generator)


def random_log_p(seed: int) -> Tensor:
    """Log-probabilities between about -9 and 0, [B, T]."""
    return -random_logits(seed, B, T).abs()


def ragged_mask() -> Tensor:
    return torch.tensor([[1.0] * length + [0.0] * (T - length) for length in (7, 4, 1)])


def gradient(function, at: Tensor, weights: Tensor | None = None) -> Tensor:
    """Gradient of the (weighted) sum of what `function` returns."""
    at = at.detach().clone().requires_grad_()
    value = function(at)
    (value if weights is None else value * weights).sum().backward()
    return at.grad


# Slow references: plain formulas on whole tensors, in float64.


def slow_token_log_probs(logits, targets):
    p = logits.exp() / logits.exp().sum(-1, keepdim=True)
    return p.gather(-1, targets.clamp(min=0)[..., None])[..., 0].log() * (targets >= 0)


def slow_kl(student, teacher):
    p, q = torch.softmax(teacher, -1), torch.softmax(student, -1)
    return (p * (p / q).log()).sum(-1)


def slow_mismatch(logits):
    return slow_kl(logits, torch.zeros_like(logits))


def fisher(teacher: Tensor) -> Tensor:
    """`diag(p) - p p^T` of each position: [B, T, V, V]."""
    p = torch.softmax(teacher, -1)
    return torch.diag_embed(p) - p[..., :, None] * p[..., None, :]


def slow_qkl(student, teacher):
    d = student - teacher
    return 0.5 * torch.einsum("btv,btvw,btw->bt", d, fisher(teacher), d)


def slow_undial(student, teacher):
    lowered = teacher - 2.0 * one_hot(teacher.argmax(-1), V)
    return -(torch.softmax(lowered, -1) * torch.log_softmax(student, -1)).sum(-1)


def slow_ceu(student, targets):
    p, others = torch.softmax(student, -1), 1 - one_hot(targets, V)
    q = (p * others / (p * others).sum(-1, keepdim=True)).detach()
    return -(q * p.log()).sum(-1)


def slow_flattening(logits):
    return torch.stack([(row.max() - row.sum() / V) ** 2 for row in logits.reshape(-1, V)]).reshape(logits.shape[:-1])


SLOW = {
    "kl": (losses.kl, slow_kl),
    "qkl": (losses.qkl, slow_qkl),
    "mismatch": (lambda s, t, **chunk: losses.mismatch(s, **chunk), lambda s, t: slow_mismatch(s)),
    "token_log_probs": (
        lambda s, t, **chunk: losses.token_log_probs(s, t.argmax(-1), **chunk),
        lambda s, t: slow_token_log_probs(s, t.argmax(-1)),
    ),
    "undial": (lambda s, t, **chunk: undial(s, t, t.argmax(-1), strength=2.0, **chunk), slow_undial),
    "ceu": (lambda s, t, **chunk: ceu(s, t.argmax(-1), **chunk), lambda s, t: slow_ceu(s, t.argmax(-1))),
    "flattening": (lambda s, t, **chunk: flattening(s, **chunk), lambda s, t: slow_flattening(s)),
}
on_logits = pytest.mark.parametrize(("fast", "slow"), SLOW.values(), ids=SLOW)


@on_logits
@quickly
@given(seed=seeds)
def test_a_loss_on_logits_is_its_formula_in_value_and_gradient(fast, slow, seed):
    student, teacher, weights = (
        random_logits(seed),
        random_logits(seed + 1),
        random_logits(seed + 2, B, T),
    )
    assert_close(fast(student, teacher).double(), slow(student.double(), teacher.double()), atol=1e-5, rtol=1e-5)
    quick = gradient(lambda s: fast(s, teacher), student, weights)
    exact = gradient(lambda s: slow(s, teacher.double()), student.double(), weights.double())
    assert_close(quick.double(), exact, atol=1e-5, rtol=1e-5)


@on_logits
@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 100])
def test_chunk_size_changes_no_bit_of_a_value_or_a_gradient(fast, slow, chunk):
    student, teacher = random_logits(0), random_logits(1)
    assert torch.equal(fast(student, teacher, chunk=chunk), fast(student, teacher, chunk=T))
    assert torch.equal(
        gradient(lambda s: fast(s, teacher, chunk=chunk), student),
        gradient(lambda s: fast(s, teacher, chunk=T), student),
    )


@on_logits
@quickly
@given(seed=seeds, shift=st.floats(-20, 20))
def test_a_constant_added_to_a_position_s_logits_changes_no_loss(fast, slow, seed, shift):
    student, teacher = random_logits(seed), random_logits(seed + 1)
    shifts = shift * random_logits(seed + 2, B, T, 1)
    assert_close(fast(student + shifts, teacher), fast(student, teacher), atol=3e-4, rtol=1e-4)


@on_logits
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_extreme_logits_give_finite_values_and_gradients(fast, slow, dtype):
    student, teacher = (1e4 * random_logits(seed).sign().to(dtype) for seed in (0, 1))
    student[0, 0], teacher[0, 0] = 0, 3e4
    value = fast(student, teacher)
    grad = gradient(lambda s: fast(s, teacher), student)
    assert value.dtype == torch.float32
    assert grad.dtype == dtype
    assert value.isfinite().all()
    assert grad.isfinite().all()


def test_token_log_probs_by_hand_and_zero_without_gradient_at_padding():
    logits = torch.tensor([[[0.0, math.log(3)], [5.0, 1.0]]])  # probabilities 1/4, 3/4
    targets = torch.tensor([[1, -100]])
    assert_close(losses.token_log_probs(logits, targets), torch.tensor([[math.log(0.75), 0.0]]))
    grad = gradient(lambda z: losses.token_log_probs(z, targets), logits)
    assert_close(grad, torch.tensor([[[-0.25, 0.25], [0.0, 0.0]]]))


def test_token_log_probs_of_bf16_logits_are_computed_in_fp32():
    logits = random_logits(0).bfloat16()
    targets = torch.zeros(B, T, dtype=torch.long)
    exact = torch.log_softmax(logits.double(), -1)[..., 0]
    assert_close(losses.token_log_probs(logits, targets).double(), exact, atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(("p", "value", "weight"), [(0.0, -0.0198026, 0.0), (0.5, 0.6539265, 0.5 / 0.52)])
def test_nlul_by_hand(p, value, weight):
    log_p = torch.tensor([[math.log(p) if p else -math.inf]])
    assert_close(losses.nlul(log_p), torch.tensor([[value]]), atol=1e-6, rtol=0)
    assert_close(gradient(losses.nlul, log_p), torch.tensor([[weight]]))


@quickly
@given(seed=seeds, tol=st.floats(1e-3, 1))
def test_nlul_weighs_the_gradient_of_log_p_by_p_over_one_plus_tol_minus_p(seed, tol):
    log_p = random_log_p(seed)
    p = log_p.double().exp()
    assert_close(losses.nlul(log_p, tol=tol).double(), -torch.log(1 + tol - p), atol=1e-5, rtol=1e-4)
    grad = gradient(lambda x: losses.nlul(x, tol=tol), log_p)
    assert_close(grad.double(), p / (1 + tol - p), atol=1e-5, rtol=1e-4)


def test_nlul_at_the_memorised_point_keeps_a_gradient_of_one_over_tol():
    memorised = torch.zeros(1, 1)
    assert_close(losses.nlul(memorised), torch.tensor([[-math.log(0.02)]]))
    assert_close(gradient(losses.nlul, memorised), torch.tensor([[50.0]]))


def test_nlul_near_the_memorised_point_is_not_lost_to_rounding():
    log_p = torch.tensor([[-1e-6]])  # 1 - p is 1e-6, of which fp32 keeps one digit after exp
    assert_close(losses.nlul(log_p, tol=1e-6), torch.tensor([[-math.log(2e-6)]]), atol=1e-4, rtol=0)
    assert_close(gradient(lambda x: losses.nlul(x, tol=1e-6), log_p), torch.tensor([[5e5]]), atol=10, rtol=0)


def test_near_p_1_nlul_moves_the_logits_where_ll_and_npo_have_stopped():
    logits, targets, ones = (
        torch.tensor([[[12.0, 0.0]]]),
        torch.tensor([[0]]),
        torch.ones(1, 1),
    )  # 1-p = 6e-6
    log_p = losses.token_log_probs(logits, targets)

    def pull(loss):
        return gradient(lambda z: loss(losses.token_log_probs(z, targets)), logits).abs().max().item()

    assert pull(losses.nlul) / pull(losses.ll) == pytest.approx(1 / 0.02, rel=1e-3)
    assert pull(lambda x: losses.npo_sequence_sum(x, log_p, ones)) == pytest.approx(pull(losses.ll), rel=1e-3)


def test_nlul_gives_tokens_below_the_threshold_no_value_and_no_gradient():
    log_p = torch.tensor([[0.1, 0.29, 0.31, 0.9]]).log()
    kept = torch.tensor([[0.0, 0.0, 1.0, 1.0]])
    assert_close(losses.nlul(log_p, threshold=0.3), losses.nlul(log_p) * kept)
    assert_close(gradient(lambda x: losses.nlul(x, threshold=0.3), log_p), gradient(losses.nlul, log_p) * kept)


def test_ll_and_gdr_are_opposite_and_weigh_every_token_by_one():
    log_p = random_log_p(0)
    assert torch.equal(losses.ll(log_p), log_p)
    assert torch.equal(losses.gdr(log_p), -log_p)
    assert torch.equal(gradient(losses.ll, log_p), torch.ones(B, T))
    assert torch.equal(gradient(losses.gdr, log_p), -torch.ones(B, T))


def npo(which):
    return getattr(losses, f"npo_sequence_{which}")


@pytest.mark.parametrize(("which", "length"), [("sum", 1), ("mean", T)])
@quickly
@given(seed=seeds, beta=st.floats(0.05, 2))
def test_npo_is_its_formula_and_weighs_log_p_by_twice_the_sigmoid_of_the_ratio(which, length, seed, beta):
    log_p, reference, mask = random_log_p(seed), random_log_p(seed + 1), torch.ones(B, T)
    ratio = (log_p - reference).double().sum(-1) / length
    exact = 2 / beta * torch.log(1 + ratio.exp() ** beta)
    assert_close(npo(which)(log_p, reference, mask, beta=beta).double(), exact, atol=1e-4, rtol=1e-4)
    grad = gradient(lambda x: npo(which)(x, reference, mask, beta=beta), log_p)
    weight = 2 * torch.sigmoid(beta * ratio) / length
    assert_close(grad.double(), weight[:, None].expand(B, T), atol=1e-5, rtol=1e-4)


def test_npo_of_the_sum_and_of_the_mean_are_told_apart_by_hand():
    log_p, reference, mask = torch.tensor([[-1.0, -2.0]]), torch.tensor([[-3.0, -4.0]]), torch.ones(1, 2)
    by_sum = losses.npo_sequence_sum(log_p, reference, mask, beta=0.5)
    by_mean = losses.npo_sequence_mean(log_p, reference, mask, beta=0.5)
    assert_close(by_sum, torch.tensor([4 * math.log(1 + math.e**2)]))  # ratio 4
    assert_close(by_mean, torch.tensor([4 * math.log(1 + math.e)]))  # ratio 2


def test_npo_of_the_mean_leaves_padding_out_where_the_public_code_counts_it_by_hand():
    log_p, reference = torch.tensor([[-2.0, -2.0, 0.0, 0.0]]), torch.tensor([[-1.0, -1.0, 0.0, 0.0]])
    mask = torch.tensor([[1.0, 1.0, 0.0, 0.0]])  # two targets of ratio -1, padded to four
    value = losses.npo_sequence_mean(log_p, reference, mask, beta=0.1)
    assert_close(value, torch.tensor([20 * math.log(1 + math.exp(-0.1))]))  # ratio -1, as without padding: 12.89
    counted = losses.npo_sequence_mean(log_p, reference, torch.ones(1, 4), beta=0.1)
    assert_close(counted, torch.tensor([20 * math.log(1 + math.exp(-0.05))]))  # the public code's -0.5: 13.37


def test_npo_starts_at_2_log_2_over_beta_and_vanishes_as_the_text_is_forgotten():
    log_p, mask = random_log_p(0), torch.ones(B, T)
    start = losses.npo_sequence_sum(log_p, log_p, mask, beta=0.1)
    assert_close(start, torch.full((B,), 20 * math.log(2)))
    forgotten = losses.npo_sequence_sum(log_p - 1e4, log_p, mask)
    assert torch.equal(forgotten, torch.zeros(B))
    assert_close(gradient(lambda x: losses.npo_sequence_sum(x, log_p, mask), log_p - 1e4), torch.zeros(B, T))


@quickly
@given(seed=seeds, beta=st.floats(0.1, 5), gamma=st.floats(0, 2))
def test_simnpo_is_its_formula_in_value_and_gradient(seed, beta, gamma):
    log_p, mask = random_log_p(seed), torch.ones(B, T)

    def slow(x):
        return -(2 / beta) * torch.log(1 / (1 + torch.exp(beta / T * x.sum(-1) + gamma)))

    value = losses.simnpo(log_p, mask, beta=beta, gamma=gamma)
    assert_close(value.double(), slow(log_p.double()), atol=1e-5, rtol=1e-4)
    quick = gradient(lambda x: losses.simnpo(x, mask, beta=beta, gamma=gamma), log_p)
    assert_close(quick.double(), gradient(slow, log_p.double()), atol=1e-6, rtol=1e-4)


PER_SEQUENCE = {
    "npo_sequence_sum": lambda x, mask: losses.npo_sequence_sum(x, torch.full_like(x, -2.0), mask),
    "npo_sequence_mean": lambda x, mask: losses.npo_sequence_mean(x, torch.full_like(x, -2.0), mask),
    "simnpo": losses.simnpo,
}
per_sequence = pytest.mark.parametrize("loss", PER_SEQUENCE.values(), ids=PER_SEQUENCE)


@per_sequence
def test_what_stands_under_the_mask_changes_no_value_and_gets_no_gradient(loss):
    log_p, mask = random_log_p(0), ragged_mask()
    other = torch.where(mask == 1, log_p, -77.0)
    assert torch.equal(loss(log_p, mask), loss(other, mask))
    assert torch.equal(gradient(lambda x: loss(x, mask), log_p) * (1 - mask), torch.zeros(B, T))


@per_sequence
def test_a_masked_sequence_counts_as_the_sequence_cut_to_its_length(loss):
    log_p, mask = random_log_p(0), ragged_mask()
    for row, length in enumerate((7, 4, 1)):
        alone = loss(log_p[row : row + 1, :length], torch.ones(1, length))
        assert_close(loss(log_p, mask)[row : row + 1], alone)


@per_sequence
def test_a_sequence_without_targets_is_finite(loss):
    assert loss(torch.zeros(1, 3), torch.zeros(1, 3)).isfinite().all()


@quickly
@given(seed=seeds)
def test_kl_is_zero_to_itself_and_positive_to_anything_else(seed):
    student, teacher = random_logits(seed), random_logits(seed + 1)
    assert_close(losses.kl(teacher, teacher), torch.zeros(B, T))
    assert (losses.kl(student, teacher) > 0).all()
    assert (losses.qkl(student, teacher) > 0).all()
    assert (losses.mismatch(student) > 0).all()


def test_kl_by_hand_is_from_the_teacher_to_the_student():
    teacher, student = torch.tensor([[[0.0, 0.0]]]), torch.tensor([[[0.0, math.log(3)]]])
    expected = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert_close(losses.kl(student, teacher), torch.tensor([[expected]]))
    assert_close(losses.mismatch(student), torch.tensor([[expected]]))


def test_qkl_by_hand_is_half_the_variance_of_the_logit_difference():
    teacher, student = torch.tensor([[[0.0, math.log(3)]]]), torch.tensor([[[0.0, math.log(3) + 2]]])
    assert_close(losses.qkl(student, teacher), torch.tensor([[0.5 * 0.25 * 0.75 * 2**2]]))


@quickly
@given(seed=seeds)
def test_the_gradient_of_qkl_is_the_fisher_matrix_times_the_logit_difference(seed):
    student, teacher = random_logits(seed), random_logits(seed + 1)
    d = (student - teacher).double()
    expected = torch.einsum("btvw,btw->btv", fisher(teacher.double()), d)
    grad = gradient(lambda s: losses.qkl(s, teacher), student)
    assert_close(grad.double(), expected, atol=1e-5, rtol=1e-4)


def test_kl_and_qkl_agree_to_second_order():
    teacher, direction = random_logits(0, scale=1), random_logits(1, scale=1)
    exact = [slow_kl((teacher + h * direction).double(), teacher.double()) for h in (0.1, 0.05)]
    quadratic = [losses.qkl(teacher + h * direction, teacher).double() for h in (0.1, 0.05)]
    error = [(a - b).abs().max().item() for a, b in zip(exact, quadratic, strict=True)]
    assert error[1] < error[0] / 6  # a third-order remainder shrinks eightfold when h is halved


@on_logits
def test_a_position_s_loss_depends_on_no_other_position(fast, slow):
    student, teacher = random_logits(0), random_logits(1)
    alone = fast(student[1:2, 2:3], teacher[1:2, 2:3])
    assert_close(fast(student, teacher)[1:2, 2:3], alone)


def saved_elements(function, logits: Tensor) -> int:
    """How many fp32 elements a forward pass keeps for the backward pass, besides the logits' own memory."""
    saved: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if tensor.dtype == torch.float32 and storage.data_ptr() != logits.untyped_storage().data_ptr():
            saved[storage.data_ptr()] = storage.nbytes() // 4
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        function(logits)
    return sum(saved.values())


@on_logits
def test_what_is_kept_of_small_logits_gives_the_bits_that_are_computed_again_for_others(fast, slow, monkeypatch):
    student, teacher = random_logits(0), random_logits(1)
    kept = gradient(lambda s: fast(s, teacher, chunk=2), student)
    monkeypatch.setattr(losses, "SMALL", student.numel() - 1)
    assert torch.equal(gradient(lambda s: fast(s, teacher, chunk=2), student), kept)


@on_logits
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_no_second_fp32_copy_of_the_logits_is_kept_for_backward(fast, slow, dtype, monkeypatch):
    monkeypatch.setattr(losses, "SMALL", 0)
    student = random_logits(0, 2, 64, 32).to(dtype).requires_grad_()
    teacher = random_logits(1, 2, 64, 32).bfloat16()
    assert saved_elements(lambda s: fast(s, teacher, chunk=8), student) == 0
    naive = saved_elements(lambda s: torch.log_softmax(s.float(), -1), student)
    assert naive >= student.numel()  # what the recorder sees of a loss that does keep one
