"""A tokenizer gives the ids of its own tokenizer.json, here and where a candidate is loaded by others."""

import json
from pathlib import Path

import pytest
from tiny import tiny_model, tiny_tokenizer
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from trainables.scores.rouge import decode
from trainables.subjects.models import save_model
from trainables.subjects.tokenizers import (
    PROBES,
    check_vocabulary,
    load_tokenizer,
    padding_id,
    save_tokenizer,
    shared_tokenizer,
    tokenizer_notes,
)

REPLACED = [
    "qwen2",
    "qwen3",
    "qwen3_5",
    "qwen3_5_moe",
    "qwen3_5_moe_text",
    "gpt2",
    "gpt_neox",
    "cohere",
    "gemma",
    "phi",
    "mpt",
]
KEPT = ["llama", "mistral", "olmo2"]
FORCED = {"qwen2", "qwen3_5", "qwen3_5_moe", "qwen3_5_moe_text"}  # whatever class the folder names


def folder_of(place, model_type="llama", tokenizer=None, **settings):
    """A model's folder but for its weights; `settings` of tokenizer_config.json."""
    (tokenizer or tiny_tokenizer()).save_pretrained(place)
    own = json.loads((place / "tokenizer_config.json").read_text()) | settings
    (place / "tokenizer_config.json").write_text(json.dumps({k: v for k, v in own.items() if v is not None}))
    (place / "config.json").write_text(json.dumps({"model_type": model_type, "eos_token_id": 1, "bos_token_id": 0}))
    return place


def file_ids(place, texts=PROBES):
    raw = Tokenizer.from_file(str(place / "tokenizer.json"))
    return [raw.encode(text).ids for text in texts]


def auto_is_right(place):
    """Whether AutoTokenizer gives the ids and knows the tokens of the file."""
    try:
        auto = AutoTokenizer.from_pretrained(place)
        return [auto(text).input_ids for text in PROBES] == file_ids(place) and len(auto) == 300
    except Exception:  # noqa: BLE001  (a class that does not know what to make of the vocabulary)
        return False


@pytest.mark.parametrize("model_type", [*REPLACED, *KEPT])
def test_the_ids_are_those_of_the_file_whatever_class_the_model_s_type_has(tmp_path, model_type):
    """The list of types is what transformers 5.23 does: one that leaves it is good news, and is taken out here."""
    place = folder_of(tmp_path, model_type, tokenizer_class=None)
    loaded = load_tokenizer(place)
    assert [loaded(text).input_ids for text in PROBES] == file_ids(place)
    assert loaded.get_vocab() == tiny_tokenizer().get_vocab()
    assert auto_is_right(place) == (model_type in KEPT) == (tokenizer_notes(loaded) == [])


@pytest.mark.parametrize("model_type", [*REPLACED, *KEPT])
def test_a_saved_tokenizer_is_the_same_where_others_load_it(tmp_path, model_type):
    place = folder_of(tmp_path / "own", model_type, tokenizer_class=None, chat_template="{{ messages }}")
    loaded = load_tokenizer(place)
    save_tokenizer(loaded, tmp_path / "saved")
    (tmp_path / "saved" / "config.json").write_text((place / "config.json").read_text())
    again = load_tokenizer(tmp_path / "saved")
    assert file_ids(tmp_path / "saved") == file_ids(place) == [again(text).input_ids for text in PROBES]
    assert again.chat_template == "{{ messages }}"
    assert (again.bos_token, again.eos_token, again.pad_token) == ("<s>", "</s>", "<pad>")
    if model_type not in FORCED:
        assert auto_is_right(tmp_path / "saved")


def test_truncation_and_padding_that_a_file_asks_for_touch_no_text(tmp_path):
    backend = Tokenizer.from_str(tiny_tokenizer().backend_tokenizer.to_str())
    backend.enable_truncation(4)
    backend.enable_padding(length=50)
    place = folder_of(tmp_path, tokenizer=PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>"))
    assert load_tokenizer(place)(PROBES[0]).input_ids == tiny_tokenizer()(PROBES[0]).input_ids


def test_a_word_that_tokenizer_config_adds_to_the_vocabulary_is_refused(tmp_path):
    place = folder_of(tmp_path, added_tokens_decoder={"300": {"content": "mills", "special": False}})
    with pytest.raises(ValueError, match="does not give the ids of its tokenizer.json for 'In 2024"):
        load_tokenizer(place)


def test_a_bos_of_which_the_folder_s_files_say_two_things_is_as_in_tokenizer_json_and_told(tmp_path):
    contradicted = load_tokenizer(folder_of(tmp_path / "no", add_bos_token=False))
    agreed = load_tokenizer(folder_of(tmp_path / "yes", add_bos_token=True))
    assert contradicted("A mill").input_ids == agreed("A mill").input_ids == tiny_tokenizer()("A mill").input_ids
    assert "says add_bos_token=False, unlike its tokenizer.json" in tokenizer_notes(contradicted)[0]
    assert tokenizer_notes(agreed) == []


@pytest.mark.parametrize(
    ("single", "message"),
    [("<s> $A </s>", "puts '</s>' behind every text"), ("<s> <s> $A", "puts '<s><s>' before every text")],
)
def test_special_tokens_behind_a_text_or_twice_before_it_are_refused(tmp_path, single, message):
    backend = Tokenizer.from_str(tiny_tokenizer().backend_tokenizer.to_str())
    ids = [("<s>", 0), ("</s>", 1)]
    backend.post_processor = processors.TemplateProcessing(single=single, pair="$A $B", special_tokens=ids)
    place = folder_of(tmp_path, tokenizer=PreTrainedTokenizerFast(tokenizer_object=backend, eos_token="</s>"))
    with pytest.raises(ValueError, match=message):
        load_tokenizer(place)


def test_an_end_token_that_only_config_json_names_is_found_as_gpt_2_s_is(tmp_path):
    bare = PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer().backend_tokenizer)
    assert load_tokenizer(folder_of(tmp_path, tokenizer=bare)).eos_token == "</s>"


@pytest.mark.parametrize(
    ("tokens", "expected"), [({"pad_token": "<pad>", "eos_token": "</s>"}, 2), ({"eos_token": "</s>"}, 1), ({}, 0)]
)
def test_batches_are_filled_with_some_id_of_the_vocabulary(tokens, expected):
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=tiny_tokenizer().backend_tokenizer, **tokens)
    assert padding_id(tokenizer) == expected


def test_a_token_beyond_the_embedding_is_refused_by_name(tmp_path):
    loaded = load_tokenizer(folder_of(tmp_path, pad_token="[PAD]"))
    check_vocabulary(tiny_model(vocab_size=301), loaded, "m")
    with pytest.raises(ValueError, match=r"model 'm' has embeddings of 300 ids, .* up to 300 \('\[PAD\]'\)"):
        check_vocabulary(tiny_model(), loaded, "m")


def test_a_chat_template_is_told_as_not_applied(tmp_path):
    loaded = load_tokenizer(folder_of(tmp_path, chat_template="{{ messages }}"))
    assert tokenizer_notes(loaded) == ["its chat template is not applied: texts and prompts are read as they are"]


def test_a_model_that_cannot_write_its_end_token_is_refused():
    check_vocabulary(tiny_model(eos_token_id=[1, 50256]), tiny_tokenizer(), "m")
    with pytest.raises(ValueError, match="ends its texts with id 50256, of the 300"):
        check_vocabulary(tiny_model(eos_token_id=50256), tiny_tokenizer(), "m")


def other_tokenizer():
    """The tiny one with other merges: the same ids of bytes, others of words."""
    content = json.loads(tiny_tokenizer().backend_tokenizer.to_str())
    content["model"]["merges"] = content["model"]["merges"][:-20]
    return PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(content)), eos_token="</s>")


def test_a_retrained_model_has_to_read_the_target_s_ids(tmp_path):
    target = folder_of(tmp_path / "target")
    tokenizer = load_tokenizer(target)
    same, other = (
        folder_of(tmp_path / "same", pad_token="[PAD]"),
        folder_of(tmp_path / "other", tokenizer=other_tokenizer()),
    )
    assert shared_tokenizer(tokenizer, str(target), str(same)) is tokenizer
    assert shared_tokenizer(tokenizer, str(target), None) is tokenizer
    with pytest.raises(ValueError, match=r"other' and the target '.*target' have different tokenizers"):
        shared_tokenizer(tokenizer, str(target), str(other))


def test_a_retrained_model_without_a_tokenizer_has_a_vocabulary_of_the_target_s_size(tmp_path):
    for name, size in (("target", 300), ("same", 300), ("other", 304)):
        save_model(tiny_model(vocab_size=size), tiny_tokenizer(), tmp_path / name)
    for name in ("same", "other"):
        (tmp_path / name / "tokenizer.json").unlink()
    tokenizer, target = load_tokenizer(tmp_path / "target"), str(tmp_path / "target")
    assert shared_tokenizer(tokenizer, target, str(tmp_path / "same")) is tokenizer
    with pytest.raises(ValueError, match="different tokenizers"):
        shared_tokenizer(tokenizer, target, str(tmp_path / "other"))


def test_the_size_of_a_vocabulary_is_that_of_the_text_s_part_and_has_to_be_known(tmp_path):
    for name, size in (("target", 300), ("same", 300), ("other", 304)):
        (tmp_path / name).mkdir()
        settings = {"model_type": "gemma3", "text_config": {"model_type": "gemma3_text", "vocab_size": size}}
        (tmp_path / name / "config.json").write_text(json.dumps(settings))
    target, same, other, none = (str(tmp_path / name) for name in ("target", "same", "other", "none"))
    assert shared_tokenizer(None, target, same) is None
    with pytest.raises(ValueError, match="different tokenizers"):
        shared_tokenizer(None, target, other)
    Path(none).mkdir()
    for pair in ((none, none), (target, none), (none, target)):
        with pytest.raises(ValueError, match="whether the retrained model .* reads the ids of the target .* not known"):
            shared_tokenizer(None, *pair)


def test_a_folder_without_tokenizer_json_is_read_by_its_class(tmp_path):
    symbols = ["<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet()), "mi"]
    vocabulary = {symbol: i for i, symbol in enumerate(symbols)}
    (tmp_path / "vocab.json").write_text(json.dumps(vocabulary))
    (tmp_path / "merges.txt").write_text("#version: 0.2\nm i\n")
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "gpt2"}))
    raw = Tokenizer(models.BPE(vocabulary, [("m", "i")]))  # what the three files say
    raw.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    assert load_tokenizer(tmp_path)("a mill").input_ids == raw.encode("a mill").ids


@pytest.mark.parametrize("content", ['{"version": "1.0"}', '{"model": {"type": "none"}}', "[]"])
def test_a_tokenizer_json_that_holds_something_else_is_told_in_one_line(tmp_path, content):
    place = folder_of(tmp_path)
    (place / "tokenizer.json").write_text(content)
    with pytest.raises(ValueError, match="the tokenizer of .* cannot be loaded: ") as caught:
        load_tokenizer(place)
    assert "\n" not in str(caught.value)


def test_a_hub_id_is_read_as_a_folder_is_from_what_was_downloaded(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    commit = "0123" * 10
    for name in ("target", "retrained"):
        repository = tmp_path / f"models--owner--{name}"
        folder_of(repository / "snapshots" / commit, "qwen2", tokenizer_class=None)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text(commit)
    tokenizer = load_tokenizer("owner/target")
    assert tokenizer(PROBES[0]).input_ids == tiny_tokenizer()(PROBES[0]).input_ids
    assert len(tokenizer) == 300
    (repository / "snapshots" / commit / "tokenizer.json").unlink()
    assert shared_tokenizer(tokenizer, "owner/target", "owner/retrained") is tokenizer


@pytest.mark.parametrize("tidied", [True, False])
def test_whether_a_folder_asks_for_tidied_spaces_changes_no_score(tmp_path, tidied):
    loaded = load_tokenizer(folder_of(tmp_path, clean_up_tokenization_spaces=tidied))
    ids = loaded("It is late , he said .", add_special_tokens=False).input_ids
    assert decode(loaded, ids) == "It is late, he said."


def test_a_chat_template_changes_no_ids(tmp_path):
    place = folder_of(tmp_path, chat_template="<s><s>{{ messages }}</s>")
    assert load_tokenizer(place)("A mill").input_ids == tiny_tokenizer()("A mill").input_ids
