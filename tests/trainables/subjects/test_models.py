"""Models are loaded from safetensors, saved whole or not at all, and frozen where the paper freezes them."""

import copy
import json
import os
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import VOCABULARY, tiny_model, tiny_tokenizer
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    OpenAIGPTConfig,
)
from transformers.utils import logging

from trainables.subjects.models import (
    check_checkpointing,
    load_model,
    model_notes,
    save_model,
    storage_notes,
)
from trainables.subjects.tokenizers import load_tokenizer
from trainables.training.trainable import freeze, trainable_parameters


def tiny_gpt2():
    return GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_positions=32, n_embd=16, n_layer=2, n_head=2))


def tiny_neox():
    config = GPTNeoXConfig(
        vocab_size=VOCABULARY,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=32,
    )
    return GPTNeoXForCausalLM(config)


MOVED = {  # what the names of attention and MLP parameters contain, and nothing else does
    "llama": (tiny_model, ("self_attn.", "mlp.")),
    "tied llama": (lambda: tiny_model(tie_word_embeddings=True), ("self_attn.", "mlp.")),
    "gpt2": (tiny_gpt2, (".attn.", ".mlp.")),
    "neox": (tiny_neox, (".attention.", ".mlp.")),
}


@pytest.mark.parametrize(("make", "parts"), MOVED.values(), ids=MOVED)
def test_freezing_leaves_exactly_attention_and_mlp_trainable(make, parts):
    model = make()
    freeze(model)
    trainable = {name for name, p in model.named_parameters() if p.requires_grad}
    assert trainable == {name for name, _ in model.named_parameters() if any(part in name for part in parts)}
    assert trainable
    assert len(trainable_parameters(model)) == len(trainable)


def test_gpt2_freezes_its_position_embeddings_and_every_ln():
    model = tiny_gpt2()
    freeze(model)
    frozen = {name.removeprefix("transformer.") for name, p in model.named_parameters() if not p.requires_grad}
    norms = {f"h.{i}.ln_{j}.{kind}" for i in (0, 1) for j in (1, 2) for kind in ("weight", "bias")}
    assert frozen == norms | {"wte.weight", "wpe.weight", "ln_f.weight", "ln_f.bias"}


def test_trainable_parameters_keep_the_model_s_order():
    model = tiny_model()
    freeze(model)
    expected = [p for p in model.parameters() if p.requires_grad]
    assert all(a is b for a, b in zip(trainable_parameters(model), expected, strict=True))


def test_a_model_and_its_tokenizer_come_back_as_they_were_saved(tmp_path):
    model, folder = tiny_model(), tmp_path / "deep" / "model"
    save_model(model.train(), tiny_tokenizer(), folder)
    again = load_model(folder)
    assert not again.training
    assert again.state_dict().keys() == model.state_dict().keys()
    assert all(torch.equal(w, model.state_dict()[name]) for name, w in again.state_dict().items())
    text = "Ada Orme opened a mill."
    assert load_tokenizer(folder)(text).input_ids == tiny_tokenizer()(text).input_ids
    assert not list(folder.glob("*.bin"))


def test_neither_saving_nor_loading_draws_a_bar_and_those_of_others_stay(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr(logging, "_tqdm_active", True)  # as where transformers was loaded before anybody turned it off
    save_model(tiny_model(), tiny_tokenizer(), tmp_path / "model")
    load_model(tmp_path / "model")
    assert capfd.readouterr().err == ""
    list(logging.tqdm(range(2), mininterval=0))
    assert "2/2" in capfd.readouterr().err


def test_a_model_is_loaded_in_the_precision_that_is_asked_for(tmp_path):
    save_model(tiny_model().bfloat16(), tiny_tokenizer(), tmp_path / "model")
    assert load_model(tmp_path / "model").dtype == torch.float32
    assert load_model(tmp_path / "model", dtype=torch.bfloat16).dtype == torch.bfloat16


def test_pickled_weights_are_refused(tmp_path):
    save_model(tiny_model(), tiny_tokenizer(), tmp_path)
    (tmp_path / "model.safetensors").unlink()
    torch.save(tiny_model().state_dict(), tmp_path / "pytorch_model.bin")
    with pytest.raises(ValueError, match="safetensors"):
        load_model(tmp_path)


def test_code_that_comes_with_a_model_is_not_run(tmp_path):
    save_model(tiny_model(), tiny_tokenizer(), tmp_path)
    config = (tmp_path / "config.json").read_text()
    own = '"model_type": "own", "auto_map": {"AutoConfig": "own.C", "AutoModelForCausalLM": "own.M"}'
    (tmp_path / "config.json").write_text(config.replace('"model_type": "llama"', own))
    (tmp_path / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\nC = M = None\n")
    with pytest.raises(ValueError, match="contains custom code"):
        load_model(tmp_path)
    assert not (tmp_path / "ran").exists()


def saved(folder, change=lambda weights: weights, **settings):
    """A tiny model on disk whose weights were changed."""
    save_model(tiny_model(**settings), tiny_tokenizer(), folder)
    weights = change(load_file(folder / "model.safetensors"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def without(word):
    return lambda weights: {name: w for name, w in weights.items() if word not in name}


def with_one(value):
    def change(weights):
        weights["model.layers.1.mlp.up_proj.weight"][3, 5] = value
        return weights

    return change


FAULTS = {
    "prefixed": (
        lambda weights: {f"module.{name}": w for name, w in weights.items()},
        r"21 weights are missing \(lm_head.weight, .*\); 21 have names .* \(module.lm_head.weight, ",
    ),
    "missing": (without("layers.1.mlp"), r"3 weights are missing \(model.layers.1.mlp.down_proj.weight, "),
    "unknown": (lambda weights: weights | {"score.weight": torch.ones(3)}, r"1 have names .* \(score.weight\)$"),
    "misshapen": (
        lambda weights: weights | {"lm_head.weight": torch.ones(290, 32)},
        r"1 have other shapes \(.*lm_head.weight",
    ),
    "nan": (with_one(float("nan")), "its weight model.layers.1.mlp.up_proj.weight holds numbers that are not finite"),
    "infinite": (with_one(float("-inf")), "its weight model.layers.1.mlp.up_proj.weight"),
}


@pytest.mark.parametrize(("change", "message"), FAULTS.values(), ids=FAULTS)
def test_weights_that_are_not_those_of_the_architecture_or_not_finite_are_refused_by_name(tmp_path, change, message):
    with pytest.raises(ValueError, match=message) as caught:
        load_model(saved(tmp_path / "model", change))
    assert str(tmp_path / "model") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_tied_head_and_rotary_buffers_of_older_candidates_are_no_fault(tmp_path):
    inverse = {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.ones(4)}
    folder = saved(tmp_path / "model", lambda weights: weights | inverse, tie_word_embeddings=True)
    assert "lm_head.weight" not in load_file(folder / "model.safetensors")
    model = load_model(folder)
    assert model.lm_head.weight is model.model.embed_tokens.weight
    save_model(model, tiny_tokenizer(), tmp_path / "again")
    assert torch.equal(load_model(tmp_path / "again").lm_head.weight, model.lm_head.weight)


def set_in(folder, file="config.json", **settings):
    path = folder / file
    path.write_text(json.dumps(json.loads(path.read_text()) | settings))
    return folder


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_type": "nonesuch"}, "nonesuch"),
        ({"pad_token_id": VOCABULARY}, "pad_token_id of its config.json is 300, beyond its vocabulary of 300 ids"),
        ({"text_config": {"pad_token_id": 9, "vocab_size": 9}}, "pad_token_id of its config.json is 9, beyond its"),
        ({"quantization_config": {"quant_method": "fp8"}}, r"its weights are quantized \(fp8\)"),
        ({"vocab_size": 301}, r"have other shapes \(.*lm_head.weight"),
    ],
)
def test_a_configuration_with_which_no_model_can_be_had_is_told_in_one_line(tmp_path, settings, message):
    folder = set_in(saved(tmp_path / "model"), **settings)
    with pytest.raises(ValueError, match=message) as caught:
        load_model(folder)
    assert "\n" not in str(caught.value)


def test_a_model_whose_generation_settings_contradict_each_other_can_be_unlearned_and_saved(tmp_path):
    settings = {"do_sample": False, "temperature": 0.6, "top_p": 0.9, "max_length": 20}
    folder = set_in(saved(tmp_path / "model"), "generation_config.json", **settings)
    save_model(copy.deepcopy(load_model(folder)), tiny_tokenizer(), tmp_path / "again")
    kept = json.loads((tmp_path / "again" / "generation_config.json").read_text())
    assert {name: kept[name] for name in settings} == settings
    assert load_model(tmp_path / "again").generation_config.eos_token_id == 1


def full_disk(*args, **kwargs):
    raise OSError("No space left on device")


class HalfWritten:
    """A tokenizer whose saving fails after the model's weights are already written."""

    def save_pretrained(self, folder):
        (Path(folder) / "tokenizer.json").write_text("{")
        full_disk()


def folder_with_an_old_model(tmp_path):
    save_model(tiny_model(seed=1), tiny_tokenizer(), tmp_path / "model")
    return tmp_path / "model"


def assert_the_old_model_stays_alone(folder):
    assert torch.equal(load_model(folder).lm_head.weight, tiny_model(seed=1).lm_head.weight)
    assert list(folder.parent.iterdir()) == [folder]  # no draft beside it


def test_a_save_that_fails_in_the_middle_leaves_the_old_model_and_no_draft(tmp_path):
    folder = folder_with_an_old_model(tmp_path)
    with pytest.raises(OSError, match="No space left"):
        save_model(tiny_model(seed=2), HalfWritten(), folder)
    assert_the_old_model_stays_alone(folder)


def test_a_save_that_fails_at_the_last_move_leaves_the_old_model_and_no_draft(tmp_path, monkeypatch):
    folder, move = folder_with_an_old_model(tmp_path), Path.rename
    failures = iter([full_disk])

    def fail_once_to_put_in_place(self, target):
        return next(failures, move)(self, target) if Path(target) == folder else move(self, target)

    monkeypatch.setattr(Path, "rename", fail_once_to_put_in_place)
    with pytest.raises(OSError, match="No space left"):
        save_model(tiny_model(seed=2), tiny_tokenizer(), folder)
    monkeypatch.undo()
    assert_the_old_model_stays_alone(folder)


def test_a_first_save_that_fails_leaves_nothing(tmp_path):
    with pytest.raises(OSError, match="No space left"):
        save_model(tiny_model(), HalfWritten(), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_new_model_takes_the_place_of_the_old_one_and_none_of_its_files(tmp_path):
    folder = folder_with_an_old_model(tmp_path)
    (folder / "leftover.safetensors").touch()
    save_model(tiny_model(seed=2), tiny_tokenizer(), folder)
    assert torch.equal(load_model(folder).lm_head.weight, tiny_model(seed=2).lm_head.weight)
    assert not (folder / "leftover.safetensors").exists()


def test_a_saved_folder_can_be_read_by_others_where_the_umask_lets_them(tmp_path):
    before = os.umask(0o022)
    try:
        save_model(tiny_model(), tiny_tokenizer(), tmp_path / "model")
    finally:
        os.umask(before)
    assert oct((tmp_path / "model").stat().st_mode & 0o777) == "0o755"


def test_an_architecture_that_cannot_candidate_its_activations_is_known_by_its_configuration_alone(tmp_path):
    OpenAIGPTConfig().save_pretrained(tmp_path)
    with pytest.raises(
        ValueError, match="^checkpointing is true, but OpenAIGPTLMHeadModel, the architecture of '.*can"
    ):
        check_checkpointing(tmp_path)
    GPT2Config().save_pretrained(tmp_path)
    check_checkpointing(tmp_path)


def test_ways_of_writing_that_a_model_asks_for_are_told_as_not_applied():
    model = tiny_model()
    assert model_notes(model) == []
    model.generation_config.update(do_sample=True, temperature=0.6, max_length=4096, repetition_penalty=1.0)
    (note,) = model_notes(model)
    assert note.startswith("its generation_config (do_sample, max_length) is not applied")


@pytest.mark.parametrize(
    "settings", [{"dtype": "bfloat16"}, {"torch_dtype": "float16"}, {"text_config": {"dtype": "bfloat16"}}]
)
def test_weights_that_are_stored_in_16_bits_are_told_to_be_saved_in_32(tmp_path, settings):
    folder = saved(tmp_path / "model")
    assert storage_notes(folder) == []
    kept = json.loads((folder / "config.json").read_text())
    kept = {name: value for name, value in kept.items() if name != "dtype"}
    (folder / "config.json").write_text(json.dumps(kept | settings))
    (note,) = storage_notes(folder)
    assert "loaded, and candidates are saved, in float32, twice the size" in note
