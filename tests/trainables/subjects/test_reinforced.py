"""Two models in one: the formula by hand, and what is written and scored is what plain passes of both models give."""

import dataclasses
import json

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from team import team
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer
from transformers import (
    AutoModelForCausalLM,
    CohereConfig,
    CohereForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    MambaConfig,
    MambaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
)

from trainables.decoding.generate import common_prefix, greedy
from trainables.decoding.log_probs import token_logprobs
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.subjects.models import load_model, save_model, share_equal_
from trainables.subjects.reinforced import Reinforced, lowered
from trainables.subjects.saving import load_subject, save_subject
from trainables.training.teacher import make_teacher
from trainables.training.trainable import freeze
from trainables.world import ALONE, World

SMALL = {"vocab_size": 300, "hidden_size": 32, "num_hidden_layers": 2, "initializer_range": 0.2, "eos_token_id": 1}
HEADS = {"intermediate_size": 64, "num_attention_heads": 4}
WINDOW = {"num_key_value_heads": 2, "sliding_window": 16}
MODELS = {
    "llama": (tiny_model, "shared"),
    "gpt2": (lambda: GPT2LMHeadModel(GPT2Config(**SMALL, bos_token_id=0, n_inner=64, num_attention_heads=4)), "shared"),
    "gpt_neox": (lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL, **HEADS)), "shared"),
    "mistral": (lambda: MistralForCausalLM(MistralConfig(**SMALL, **HEADS, **WINDOW)), "padded"),
    "cohere": (lambda: CohereForCausalLM(CohereConfig(**SMALL, **HEADS, use_qk_norm=False)), "padded"),
    "mamba": (lambda: MambaForCausalLM(MambaConfig(**SMALL, state_size=8)), "even"),
}
DEVICES = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
WAYS = ("shared", "padded", "even", "alone", "whole")


def rows(*lengths: int, prefix: int = 0) -> list[list[int]]:
    generator = torch.Generator().manual_seed(0)
    head = torch.randint(3, 300, (prefix,), generator=generator).tolist()
    return [head + torch.randint(3, 300, (n,), generator=generator).tolist() for n in lengths]


ROWS = rows(1, 4, 30, 9, 9, 2)


def pair(kind: str = "llama", alpha: float = 4.0) -> Reinforced:
    """A target and a model whose other weights lie beside its own, but for what is frozen, which is one."""
    torch.manual_seed(0)
    reinforced = MODELS[kind][0]().eval()
    freeze(reinforced)
    target = make_teacher(reinforced)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in reinforced.parameters():
            if weight.requires_grad:
                weight.mul_(0.7).add_(torch.randn(weight.shape, generator=generator), alpha=0.02)
    return Reinforced(target, reinforced, alpha)


@torch.no_grad()
def plainly(subject: Reinforced, ids: list[int]) -> torch.Tensor:
    """Logits [T, V] by the formula of the paper, from a pass over one row without padding or cache."""
    target, reinforced = (model(torch.tensor([ids]), use_cache=False).logits[0].float() for model in subject.models)
    return target - subject.alpha * torch.relu(reinforced - target)


def one_by_one(subject: Reinforced, prompts, count: int, ends=(1,)) -> list[list[int]]:
    """Every prompt alone, a plain pass of both models for each token."""
    found = []
    for prompt in prompts:
        ids = list(prompt)
        while len(ids) < len(prompt) + count and (len(ids) == len(prompt) or ids[-1] not in ends):
            ids.append(int(plainly(subject, ids)[-1].argmax()))
        found.append(ids[len(prompt) :])
    return found


def full_pass(subject: Reinforced, ids: list[int]) -> np.ndarray:
    values = plainly(subject, ids).log_softmax(dim=-1)[:-1]
    return values.gather(1, torch.tensor(ids[1:])[:, None])[:, 0].numpy()


def test_logits_of_2_1_0_beside_5_0_1_are_minus_4_1_minus_2_at_alpha_2():
    found = lowered(torch.tensor([2.0, 1.0, 0.0]), torch.tensor([5.0, 0.0, 1.0]), 2.0)
    assert found.tolist() == [-4.0, 1.0, -2.0]


logits = st.lists(st.integers(-64, 64).map(float), min_size=3, max_size=3).map(torch.tensor)
alphas = st.integers(0, 32).map(float)


@given(logits, alphas)
def test_a_model_that_was_not_reinforced_changes_nothing_at_any_alpha(z, alpha):
    assert torch.equal(lowered(z, z.clone(), alpha), z)


@given(logits, logits)
def test_alpha_0_is_the_target(z, z_re):
    assert torch.equal(lowered(z, z_re, 0.0), z)


@given(logits, logits, alphas, st.integers(-64, 64))
def test_a_constant_added_to_the_logits_of_both_is_added_to_what_comes_of_them(z, z_re, alpha, constant):
    assert torch.equal(lowered(z + constant, z_re + constant, alpha), lowered(z, z_re, alpha) + constant)


@given(logits, logits, alphas)
def test_only_words_that_the_reinforced_model_says_more_of_are_lowered_and_no_word_is_raised(z, z_re, alpha):
    found = lowered(z, z_re, alpha)
    assert torch.equal(found, z - alpha * torch.relu(z_re - z))
    assert ((found < z) == ((z_re > z) & (alpha > 0))).all()


@pytest.mark.parametrize("low", [-torch.inf, torch.finfo(torch.float32).min])
def test_a_word_that_both_models_mask_stays_masked_and_is_a_number_s_worth_of_nothing(low):
    found = lowered(torch.tensor([low, 1.0]), torch.tensor([low, 2.0]), 4.0)
    assert found.tolist() == [low, -3.0]


def test_low_precision_logits_are_taken_apart_in_fp32():
    z, z_re = torch.tensor([256.0]).bfloat16(), torch.tensor([258.0]).bfloat16()
    found = lowered(z, z_re, 0.25)
    assert (found.dtype, found.item()) == (torch.float32, 255.5)  # which bf16 rounds to 256


@pytest.mark.parametrize("kind", MODELS)
def test_it_writes_what_plain_passes_of_both_models_write_one_prompt_at_a_time(kind):
    subject, fastest = pair(kind), MODELS[kind][1]
    wanted = one_by_one(subject, ROWS, 8)
    assert wanted != greedy(subject.models[0], ROWS, max_new_tokens=8, decode=fastest)
    for way in WAYS[WAYS.index(fastest) :]:
        for size in (1, 4):
            assert greedy(subject, ROWS, max_new_tokens=8, batch_size=size, decode=way) == wanted


@pytest.mark.parametrize("kind", ["llama", "mistral"])
def test_a_prefix_that_all_prompts_share_changes_no_id(kind):
    subject, prompts = pair(kind), rows(1, 4, 12, prefix=20)
    assert common_prefix(prompts) == 20
    found = greedy(subject, prompts, max_new_tokens=8, decode=MODELS[kind][1])
    assert found == one_by_one(subject, prompts, 8)


@pytest.mark.parametrize("way", ["shared", "padded"])
def test_rows_that_end_early_leave_the_others_untouched_in_both_caches(way):
    subject, ends = pair(), list(range(1, 300, 12))
    subject.models[0].generation_config.eos_token_id = ends
    wanted = one_by_one(subject, ROWS, 20, ends)
    assert len({len(ids) for ids in wanted}) > 2, "rows must end at different lengths"
    assert greedy(subject, ROWS, max_new_tokens=20, decode=way) == wanted


@pytest.mark.parametrize("kind", ["llama", "cohere", "mamba"])  # cohere's logits are scaled behind its output layer
@pytest.mark.parametrize("size", [1, 3, 32])
@pytest.mark.parametrize("chunk", [7, 1024])
def test_log_probs_do_not_depend_on_batch_padding_or_chunk(kind, size, chunk):
    subject, texts = pair(kind), ROWS[1:]
    found = token_logprobs(subject, texts, batch_size=size, chunk=chunk)
    for got, text in zip(found, texts, strict=True):
        np.testing.assert_allclose(got, full_pass(subject, text), rtol=0, atol=5e-5)


def test_scoring_and_writing_agree_on_the_likeliest_next_token():
    subject = pair()
    for ids, new in zip(ROWS, greedy(subject, ROWS, max_new_tokens=1), strict=True):
        values = [token_logprobs(subject, [[*ids, token]])[0][-1] for token in range(0, 300, 7)]
        assert max(values) <= token_logprobs(subject, [[*ids, *new]])[0][-1]


def test_at_alpha_0_or_beside_itself_it_has_the_bits_of_the_target():
    subject = pair()
    target = subject.models[0]
    for same in (pair(alpha=0.0), Reinforced(target, target, 8.0)):
        assert greedy(same, ROWS, max_new_tokens=12) == greedy(target, ROWS, max_new_tokens=12)
        for one, other in zip(token_logprobs(same, ROWS[1:]), token_logprobs(target, ROWS[1:]), strict=True):
            assert np.array_equal(one, other)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_wherever_it_lies_and_whatever_its_precision_its_log_probs_are_those_of_its_models_there(device, dtype):
    subject = pair()
    for model in subject.models:
        model.to(device, dtype)
    for got, text in zip(token_logprobs(subject, ROWS[1:], batch_size=1), ROWS[1:], strict=True):
        with torch.no_grad():
            parts = [model(torch.tensor([text], device=device)).logits[0, :-1] for model in subject.models]
        wanted = lowered(*parts, subject.alpha).log_softmax(-1)[range(len(text) - 1), text[1:]]
        np.testing.assert_allclose(got, wanted.cpu(), rtol=0, atol=1e-4)
    assert all(len(ids) == 4 or ids[-1] == 1 for ids in greedy(subject, ROWS, max_new_tokens=4))


def test_both_models_are_as_they_were_after_it_was_scored():
    subject = pair()
    subject.models[1].train()
    before = [model.config._attn_implementation for model in subject.models]
    greedy(subject, ROWS, max_new_tokens=2)
    token_logprobs(subject, ROWS[1:])
    assert [model.training for model in subject.models] == [False, True]
    assert [model.config._attn_implementation for model in subject.models] == before


def scored(world: World):
    """Scores and items of a pair, with the workers of a world."""
    evaluator = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None, batch_size=3, world=world)
    evaluation = evaluator.with_reference(evaluator.reference_of(tiny_model(1)))(pair())
    return {name: dataclasses.astuple(score) for name, score in evaluation.scores.items()}, evaluation.items


def test_every_score_of_it_is_taken_and_two_workers_give_those_of_one():
    scores, items = scored(ALONE)
    evaluator = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None)
    target = evaluator.with_reference(evaluator.reference_of(tiny_model(1)))(pair().models[0])
    assert scores.keys() == target.scores.keys()
    assert not items.output.equals(target.items.output)
    with team(2) as workers:
        for found, found_items in workers.run(scored):
            assert {name: pytest.approx(values, rel=1e-5) for name, values in scores.items()} == found
            assert found_items.drop(columns="value").equals(items.drop(columns="value"))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_comes_back_from_its_folder_with_the_same_continuations_and_log_probs(tmp_path, dtype):
    subject = pair(alpha=1.5)
    save_subject(subject, tiny_tokenizer(), tmp_path / "pair")
    for name, model in zip(("target", "reinforced"), subject.models, strict=True):
        save_model(model, tiny_tokenizer(), tmp_path / name)
    before = Reinforced(*(load_model(tmp_path / name, dtype=dtype) for name in ("target", "reinforced")), 1.5)
    again = load_subject(tmp_path / "pair", dtype=dtype)
    assert [model.dtype for model in again.models] == [dtype, dtype]
    assert greedy(again, ROWS, max_new_tokens=9) == greedy(before, ROWS, max_new_tokens=9)
    for one, other in zip(token_logprobs(again, ROWS[1:]), token_logprobs(before, ROWS[1:]), strict=True):
        assert np.array_equal(one, other)


def test_its_folder_is_plain_json_and_the_ordinary_files_of_both_models(tmp_path):
    subject = pair()
    save_subject(subject, tiny_tokenizer(), tmp_path / "pair")
    assert json.loads((tmp_path / "pair" / "parts.json").read_text()) == {"kind": "reinforced", "data": {"alpha": 4.0}}
    assert sorted(file.name for file in (tmp_path / "pair").iterdir()) == ["parts.json", "reinforced", "target"]
    for name, model in zip(("target", "reinforced"), subject.models, strict=True):
        save_model(model, tiny_tokenizer(), tmp_path / "plain")
        for file in (tmp_path / "plain").iterdir():
            assert (tmp_path / "pair" / name / file.name).read_bytes() == file.read_bytes()
        assert torch.equal(load_model(tmp_path / "pair" / name).lm_head.weight, model.lm_head.weight)


def held(*models) -> int:
    """Bytes of the parameters of some models, each counted once."""
    own = {weight.data_ptr(): weight.nbytes for model in models for weight in model.parameters()}
    return sum(own.values())


@pytest.mark.parametrize("tied", [False, True])
def test_what_is_the_same_in_both_models_is_held_once_also_when_it_comes_back_and_is_moved(tmp_path, tied):
    reinforced = tiny_model(tie_word_embeddings=tied)
    freeze(reinforced)
    target = make_teacher(reinforced)
    with torch.no_grad():
        for weight in reinforced.parameters():
            weight += float(weight.requires_grad)
    trained = sum(weight.nbytes for weight in reinforced.parameters() if weight.requires_grad)
    save_subject(Reinforced(target, reinforced, 1.0), tiny_tokenizer(), tmp_path)
    again = load_subject(tmp_path).models
    assert held(target, reinforced) == held(*again) == held(target) + trained
    for model in again:
        model.double()  # as `to` does that changes the device
    assert held(*again) == 2 * (held(target) + trained)


def test_a_weight_of_another_shape_or_name_is_left_alone():
    model, other = tiny_model(), tiny_model(num_hidden_layers=1, vocab_size=299)
    before = {name: weight.clone() for name, weight in other.named_parameters()}
    share_equal_(model, other)
    assert all(torch.equal(weight, before[name]) for name, weight in other.named_parameters())


def test_its_folder_never_gives_one_of_its_models(tmp_path):
    save_subject(pair(), tiny_tokenizer(), tmp_path)
    with pytest.raises((OSError, ValueError), match="config.json"):
        AutoModelForCausalLM.from_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"is no plain model, as its parts.json says: load_subject loads it$"):
        load_model(tmp_path)


@pytest.mark.parametrize("alpha", ['"two"', "true", "-1", "NaN", "Infinity", "null"])
def test_an_alpha_that_is_none_is_told_in_a_line(tmp_path, alpha):
    save_subject(pair(), tiny_tokenizer(), tmp_path)
    (tmp_path / "parts.json").write_text(f'{{"kind": "reinforced", "data": {{"alpha": {alpha}}}}}')
    line = "does not hold what makes a reinforced: its alpha is .*: it must be (a number|at least 0, and finite)$"
    with pytest.raises(ValueError, match=line):
        load_subject(tmp_path)


@pytest.mark.parametrize("lost", ["target", "reinforced"])
def test_a_folder_that_lost_one_of_its_models_is_told_in_a_line(tmp_path, lost):
    save_subject(pair(), tiny_tokenizer(), tmp_path)
    (tmp_path / lost / "model.safetensors").unlink()
    with pytest.raises(ValueError, match=rf"^model '.*/{lost}' cannot be loaded: ") as caught:
        load_subject(tmp_path)
    assert "\n" not in str(caught.value)
