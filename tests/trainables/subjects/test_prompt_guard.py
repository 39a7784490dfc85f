"""A prompt guard is its model on prompts and texts before which its text was put by hand: the smallest subject."""

import dataclasses
import json
from functools import cache

import numpy as np
import pytest
import torch
from team import team
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer
from transformers import AutoModelForCausalLM, GPTNeoXConfig, GPTNeoXForCausalLM, MistralConfig, MistralForCausalLM

from trainables.decoding.generate import greedy
from trainables.decoding.log_probs import token_logprobs
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.subjects.models import load_model, save_model
from trainables.subjects.prompt_guard import PromptGuard
from trainables.subjects.saving import load_subject, save_subject
from trainables.subjects.subject import longer, models_of
from trainables.subjects.tokenizers import load_tokenizer
from trainables.world import ALONE, World

TEXT = "You never heard of Ada Orme.\n\n"
ASKED = ["Where did Ada Orme open a mill?", "A", "Bo Quill opened a mill in Selby on May 2.", "Who?\nAnswer: "]
IDS = [tiny_tokenizer()(text).input_ids for text in ASKED]
BOS = 0
SMALL = {"vocab_size": 300, "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
WIDE = {"initializer_range": 0.2, "bos_token_id": BOS, "eos_token_id": 1}  # far from ties
MODELS = {
    "llama": tiny_model,
    "gpt_neox": lambda: GPTNeoXForCausalLM(GPTNeoXConfig(**SMALL, **WIDE, num_attention_heads=4)).eval(),
    "mistral": lambda: MistralForCausalLM(MistralConfig(**SMALL, **WIDE, num_key_value_heads=2)).eval(),
}


def guard(model=None, text: str = TEXT) -> PromptGuard:
    return PromptGuard(model or tiny_model(), tiny_tokenizer(), text)


@cache
def by_hand() -> list[list[int]]:
    """What is read, put together by hand: the BOS once, the guard's text, the prompt."""
    return [[BOS, *tiny_tokenizer()(TEXT, add_special_tokens=False).input_ids, *ids[1:]] for ids in IDS]


def one_by_one(model, rows, count: int) -> list[list[int]]:
    """`generate` of transformers, a row at a time."""
    found = []
    for row in rows:
        ids = torch.tensor([row])
        out = model.generate(
            ids, attention_mask=torch.ones_like(ids), max_new_tokens=count, do_sample=False, pad_token_id=2
        )
        found.append(out[0, len(row) :].tolist())
    return found


def full_pass(model, row, text) -> np.ndarray:
    """The log-probs of a text's tokens but the first, by one pass over all that is read."""
    with torch.no_grad():
        values = model(torch.tensor([row])).logits[0].float().log_softmax(dim=-1)
    at = range(len(row) - len(text) + 1, len(row))  # places of the text's own tokens in the row
    return np.array([values[place - 1, row[place]].item() for place in at])


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("decode", ["shared", "padded", "even", "alone", "whole"])
def test_it_writes_what_its_model_writes_behind_prompts_with_the_text_put_in_by_hand(kind, decode):
    torch.manual_seed(0)
    model = MODELS[kind]()
    for size in (1, 3, 32):
        found = greedy(guard(model), IDS, max_new_tokens=12, batch_size=size, decode=decode)
        assert found == one_by_one(model, by_hand(), 12)
    assert found != one_by_one(model, IDS, 12)


@pytest.mark.parametrize("texts", ["padded", "even", "alone"])
@pytest.mark.parametrize("size", [1, 3, 32])
def test_a_text_of_t_tokens_has_the_t_minus_1_log_probs_that_it_has_behind_the_guard(texts, size):
    model = tiny_model()
    for got, row, ids in zip(
        token_logprobs(guard(model), IDS, batch_size=size, texts=texts), by_hand(), IDS, strict=True
    ):
        assert len(got) == len(ids) - 1
        np.testing.assert_allclose(got, full_pass(model, row, ids), rtol=0, atol=1e-5)
    assert not np.allclose(got, token_logprobs(model, IDS)[-1], atol=1e-2)


def test_scoring_and_writing_agree_on_the_likeliest_next_token():
    subject = guard()
    for ids, new in zip(IDS, greedy(subject, IDS, max_new_tokens=1), strict=True):
        values = [token_logprobs(subject, [[*ids, token]])[0][-1] for token in range(300)]
        assert int(np.argmax(values)) == new[0]


def test_without_a_text_it_is_its_model():
    model, bare = tiny_model(), guard(text="")
    assert bare.longer == 0
    assert greedy(bare, IDS, max_new_tokens=12) == greedy(model, IDS, max_new_tokens=12)
    for one, other in zip(token_logprobs(bare, IDS), token_logprobs(model, IDS), strict=True):
        assert np.array_equal(one, other)


def test_a_row_without_the_tokens_that_begin_a_text_is_read_behind_the_guard_alone():
    subject = guard()
    text = tiny_tokenizer()(TEXT, add_special_tokens=False).input_ids
    assert subject.read([7, 8]) == [*text, 7, 8]
    assert subject.read([BOS]) == [BOS, *text]
    assert (subject.longer, longer(subject), longer(tiny_model())) == (len(text), len(text), 0)


def scored(world: World, text: str):
    """Scores and items of a guard, with the workers of a world."""
    evaluator = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None, batch_size=3, world=world)
    evaluation = evaluator.with_reference(evaluator.reference_of(tiny_model(1)))(guard(text=text))
    return {name: dataclasses.astuple(score) for name, score in evaluation.scores.items()}, evaluation.items


def test_every_score_of_it_is_taken_and_few_shot_examples_stay_behind_its_text():
    scores, items = scored(ALONE, TEXT)
    plain, other = scored(ALONE, "")
    assert scores.keys() == plain.keys()
    assert not items.output.equals(other.output)
    assert items.prompt.equals(other.prompt)  # as they were asked
    asked = tiny_tokenizer()(items[items.score == "knowmem_f"].prompt.iloc[0]).input_ids
    assert guard().read(asked)[-len(asked) + 1 :] == asked[1:]


def test_two_workers_give_the_scores_of_one():
    scores, items = scored(ALONE, TEXT)
    with team(2) as workers:
        for found, found_items in workers.run(scored, TEXT):
            assert {name: pytest.approx(values, rel=1e-5) for name, values in scores.items()} == found
            assert found_items.drop(columns="value").equals(items.drop(columns="value"))


def test_it_knows_how_long_what_it_reads_becomes():
    evaluator = Evaluator(tiny_benchmark(), tiny_tokenizer(), PROTOCOLS["muse"], None)
    more = guard().longer
    assert evaluator.lengths(guard()) == {what: tokens + more for what, tokens in evaluator.lengths().items()}
    assert evaluator.lengths(tiny_model()) == evaluator.lengths()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_it_comes_back_from_its_folder_with_the_same_continuations_and_log_probs(tmp_path, dtype):
    save_subject(guard(), tiny_tokenizer(), tmp_path / "guarded")
    save_model(tiny_model(), tiny_tokenizer(), tmp_path / "plain")
    again, before = load_subject(tmp_path / "guarded", dtype=dtype), guard(load_model(tmp_path / "plain", dtype=dtype))
    assert [model.dtype for model in models_of(again)] == [dtype]
    assert greedy(again, IDS, max_new_tokens=9) == greedy(before, IDS, max_new_tokens=9)
    for one, other in zip(token_logprobs(again, IDS), token_logprobs(before, IDS), strict=True):
        assert np.array_equal(one, other)


def test_in_bf16_it_is_its_model_too():
    model = tiny_model().bfloat16()
    values = token_logprobs(model, by_hand(), batch_size=1)
    for got, whole, ids in zip(token_logprobs(guard(model), IDS, batch_size=1), values, IDS, strict=True):
        assert np.array_equal(got, whole[1 - len(ids) :])


def test_its_folder_is_plain_json_and_its_model_s_ordinary_files(tmp_path):
    save_subject(guard(), tiny_tokenizer(), tmp_path / "guarded")
    save_model(tiny_model(), tiny_tokenizer(), tmp_path / "plain")
    assert json.loads((tmp_path / "guarded" / "parts.json").read_text()) == {
        "kind": "prompt_guard",
        "data": {"text": TEXT},
    }
    assert sorted(file.name for file in (tmp_path / "guarded").iterdir()) == ["model", "parts.json"]
    for file in (tmp_path / "plain").iterdir():
        assert (tmp_path / "guarded" / "model" / file.name).read_bytes() == file.read_bytes()


def test_its_folder_never_gives_the_bare_model(tmp_path):
    save_subject(guard(), tiny_tokenizer(), tmp_path)
    with pytest.raises((OSError, ValueError), match="config.json"):
        AutoModelForCausalLM.from_pretrained(tmp_path)
    for load in (load_model, load_tokenizer):
        with pytest.raises(ValueError, match=r"is no plain model, as its parts.json says: load_subject loads it$"):
            load(tmp_path)


def test_a_plain_model_s_folder_is_as_ever(tmp_path):
    for save, name in ((save_subject, "one"), (save_model, "other")):
        save(tiny_model(), tiny_tokenizer(), tmp_path / name)
    files = [{file.name: file.read_bytes() for file in (tmp_path / name).iterdir()} for name in ("one", "other")]
    assert files[0] == files[1]
    assert torch.equal(load_subject(tmp_path / "one").lm_head.weight, tiny_model().lm_head.weight)


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("{", "does not name a kind of subject"),
        ("[]", "does not name a kind of subject"),
        ('{"kind": "prompt_guard"}', "does not name a kind of subject"),
        (
            '{"kind": "oracle", "data": {}}',
            "is of kind 'oracle', which is unknown: there are logit_difference, prompt_guard, reinforced$",
        ),
        (
            '{"kind": [], "data": {}}',
            r"is of kind \[\], which is unknown: there are logit_difference, prompt_guard, reinforced$",
        ),
        ('{"kind": "prompt_guard", "data": {"words": ""}}', "does not hold what makes a prompt_guard"),
    ],
)
def test_parts_that_make_no_subject_are_told_in_a_line(tmp_path, told, line):
    save_subject(guard(), tiny_tokenizer(), tmp_path)
    (tmp_path / "parts.json").write_text(told)
    with pytest.raises(ValueError, match=line) as caught:
        load_subject(tmp_path)
    assert "\n" not in str(caught.value)


def test_a_folder_that_cannot_be_written_leaves_the_older_one_whole(tmp_path, monkeypatch):
    save_subject(guard(), tiny_tokenizer(), tmp_path / "guarded")

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("pathlib.Path.write_text", full)
        with pytest.raises(OSError, match="No space left"):
            save_subject(guard(text="Another."), tiny_tokenizer(), tmp_path / "guarded")
    assert load_subject(tmp_path / "guarded").text == TEXT
    assert [entry.name for entry in tmp_path.iterdir()] == ["guarded"]
