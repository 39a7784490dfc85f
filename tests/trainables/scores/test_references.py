"""The reference rows are measured once, and again when anything changes that they depend on."""

import json
import math
import os
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import article, tiny_benchmark, tiny_model, tiny_tokenizer
from transformers import (
    BertConfig,
    BertLMHeadModel,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    MambaConfig,
    RwkvConfig,
)

from trainables import content as contents
from trainables.benchmarks.layout import Benchmark
from trainables.content import content
from trainables.decoding.capabilities import draw_rows
from trainables.decoding.passes import FAST
from trainables.failures import OutOfMemory
from trainables.keys import SCORES, hash_of, program_hash
from trainables.scores import all_scores, references, split
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.references import fingerprint, measure_references, read_items, table_of
from trainables.subjects.positions import check_lengths, end_of_positions
from trainables.task import Places

MUSE = PROTOCOLS["muse"]
SEEDS = {"target": 0, "retrained": 5}  # models by the name of their folder: no file is read


class Loader:
    """Makes the model of a name, and counts."""

    def __init__(self):
        self.loaded = []

    def __call__(self, place):
        self.loaded.append(Path(place).name)
        return tiny_model(SEEDS[self.loaded[-1]])


def measure(cache, *, retrained="retrained", benchmark=None, protocol=MUSE, load=None):
    folders = {name: cache / "models" / name for name in SEEDS}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"name": folder.name}))
    target = str(folders["target"])
    places = Places(data="", target=target, retrained=retrained and str(folders[retrained]), tokenizer=target)
    return measure_references(
        benchmark or tiny_benchmark(), tiny_tokenizer, protocol, places, cache, batch_size=32, load=load or Loader()
    )


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    cache = tmp_path_factory.mktemp("cache")
    return cache, measure(cache)


def test_a_second_call_loads_no_model_and_reads_the_same(measured):
    cache, first = measured
    loader = Loader()
    again = measure(cache, load=loader)
    assert loader.loaded == []
    assert (again.target, again.retrained, again.items) == (first.target, first.retrained, first.items)
    for name, splits in first.reference.items():
        for kind, values in splits.items():
            np.testing.assert_array_equal(again.reference[name][kind], values)


def test_the_rows_are_what_an_evaluator_gives(measured):
    _, references = measured
    scores = Evaluator(tiny_benchmark(), tiny_tokenizer(), MUSE, references.reference)(tiny_model(0)).scores
    assert references.target == {name: [s.value, s.low, s.high] for name, s in scores.items()}


def test_the_retrained_model_s_privleak_is_exactly_zero(measured):
    _, references = measured
    leaks = {name: row for name, row in references.retrained.items() if name == "privleak" or name.startswith("mia_")}
    assert "privleak" in leaks
    assert set(map(tuple, leaks.values())) == {(0.0, 0.0, 0.0)}
    assert references.target["privleak"][0] != 0


def test_where_items_are_split_both_halves_of_both_models_are_kept_and_a_reader_sees_those_that_report(
    measured, tmp_path, monkeypatch
):
    monkeypatch.setattr(split, "MOST_WIDE", math.inf)
    halves = replace(MUSE, split=True)
    found, whole = measure(tmp_path, protocol=halves), measured[1]
    scored = Evaluator(tiny_benchmark(), tiny_tokenizer(), halves, whole.reference)(tiny_model(0))
    assert (found.target, found.reported["target"]) == (table_of(scored.scores), table_of(scored.reported))
    assert found.rows["target"]["knowmem_f"] == found.reported["target"]["knowmem_f"]
    assert found.rows["retrained"]["privleak"] == [0.0, 0.0, 0.0]
    assert found.rows["target"] != found.target != whole.target
    assert whole.rows == {"target": whole.target, "retrained": whole.retrained}
    assert measure(tmp_path, protocol=halves).rows == found.rows


def test_without_a_retrained_model_there_is_no_row_and_no_privleak(tmp_path):
    loader = Loader()
    references = measure(tmp_path, retrained=None, load=loader)
    assert loader.loaded == ["target"]
    assert (references.retrained, references.reference) == (None, None)
    own = {name: score.of(tiny_benchmark()) for name, score in all_scores().items() if not score.relative}
    assert set(references.target) == {name for name, score in own.items() if score.can_read(tiny_benchmark())}


def test_a_benchmark_without_privleak_texts_has_two_rows_and_hands_nothing_on(tmp_path):
    splits = {key: rows for key, rows in tiny_benchmark().splits.items() if key[0] in ("raw", "utility")}
    references = measure(tmp_path, benchmark=Benchmark(name="part", splits=splits))
    assert references.reference is None
    assert set(references.target) == set(references.retrained) == {"utility"}


def test_the_items_of_both_models_can_be_read(measured):
    _, references = measured
    assert set(references.items) == {"target", "retrained"}
    for name, file in references.items.items():
        items = read_items(file)
        assert list(items.columns) == ["score", "item", "prompt", "output", "truth", "value"]
        row = getattr(references, name)
        assert items[items.score == "utility"].value.mean() == pytest.approx(row["utility"][0])


def test_a_measurement_that_died_in_the_middle_is_made_again(tmp_path):
    def die(name):
        raise OSError("out of memory")

    with pytest.raises(OSError, match="out of memory"):
        measure(tmp_path, load=die)
    loader = Loader()
    assert measure(tmp_path, load=loader).target
    assert loader.loaded == ["retrained", "target"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def key(target, retrained=None, tokenizer=None, *, benchmark=None, protocol=MUSE):
    places = Places(data="", target=str(target), retrained=retrained, tokenizer=tokenizer or str(target))
    return fingerprint(content(benchmark or tiny_benchmark(), places), protocol)


def test_the_key_is_the_same_as_long_as_nothing_changes(folder):
    assert key(folder) == key(folder)
    reordered = Benchmark(name="other name", splits=dict(reversed(tiny_benchmark().splits.items())))
    assert key(folder, benchmark=reordered) == key(folder)


def test_a_copy_of_a_model_has_the_model_s_key(folder, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy")
    shutil.copytree(folder, copy / "model")
    os.utime(copy / "model" / "config.json", (1, 1))
    assert key(copy / "model") == key(folder)


def test_what_was_measured_carries_its_key_and_is_kept_by_it_and_by_the_program(measured, monkeypatch):
    cache, found = measured
    assert found.fingerprint == fingerprint(found.content, MUSE)
    assert (cache / hash_of([found.fingerprint, program_hash(SCORES)]) / "references.json").exists()
    monkeypatch.setattr(references, "program_hash", lambda *_: "newer")
    loader = Loader()
    again = measure(cache, load=loader)
    assert loader.loaded == ["retrained", "target"]
    assert again.fingerprint == found.fingerprint


def test_the_key_changes_with_a_file_of_the_model_however_deep_but_not_with_hidden_ones(folder):
    before = key(folder)
    for hidden in (".git/index", ".cache/huggingface/download/x.lock"):
        (folder / hidden).parent.mkdir(parents=True)
        (folder / hidden).write_text("1")
    (folder / "gone").symlink_to(folder / "nowhere")
    assert key(folder) == before
    (folder / "model.safetensors").write_bytes(b"WEIGHTS")  # as many bytes
    same_size = key(folder)
    (folder / "part" / "deep").mkdir(parents=True)
    (folder / "part" / "deep" / "model-2.safetensors").write_bytes(b"more")
    assert len({before, same_size, key(folder)}) == 3


@pytest.fixture
def large(folder, monkeypatch):
    """A folder whose weights, a header of 40 bytes and 1,000 more, count as large: 4 blocks of 10 bytes are read."""
    for name, value in (("SMALL", 100), ("BLOCKS", 4), ("BLOCK", 10)):
        monkeypatch.setattr(contents, name, value)
    (folder / "model.safetensors").write_bytes((40).to_bytes(8, "little") + bytes(40 + 1000))
    return folder


def with_byte(folder, place):
    """The key of a folder with another byte in one place of its weights."""
    file = folder / "model.safetensors"
    before = file.read_bytes()
    file.write_bytes(before[:place] + b"x" + before[place + 1 :])
    try:
        return key(folder)
    finally:
        file.write_bytes(before)


def test_a_copy_of_a_large_model_has_the_model_s_key_whenever_it_was_made(large, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy") / "model"
    shutil.copytree(large, copy)
    os.utime(copy / "model.safetensors", (1, 1))
    assert key(copy) == key(large)


def test_a_large_file_is_known_by_its_size_its_header_and_blocks_from_its_beginning_to_its_end(large):
    before = key(large)
    seen = {place for place in range(1048) if with_byte(large, place) != before}
    blocks = [range(start, start + 10) for start in (0, 346, 692, 1038)]
    assert seen == {*range(48), *(place for block in blocks for place in block)}
    with (large / "model.safetensors").open("ab") as file:
        file.write(bytes(1))
    assert key(large) != before


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """A cache of downloads in which `owner/name` may be put at a commit."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))

    def put(name, commit):
        refs = tmp_path / "hub" / f"models--owner--{name}" / "refs"
        refs.mkdir(parents=True, exist_ok=True)
        (refs / "main").write_text(commit)

    return put


def test_the_key_changes_with_the_commit_of_a_hub_model_and_of_a_tokenizer_of_its_own(hub_cache, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", None)  # what was downloaded asks nobody
    keys = set()
    for model, tokenizer in (("a", "a"), ("b", "a"), ("a", "b")):
        hub_cache("model", model)
        hub_cache("tokenizer", tokenizer)
        keys.add(key("owner/model", tokenizer="owner/tokenizer"))
    assert len(keys) == 3


def test_a_hub_model_that_was_not_downloaded_is_known_by_the_hub_s_newest_commit(hub_cache, monkeypatch):
    before = key("owner/name")
    hub_cache("name", "newest")  # what conftest's hub says
    assert key("owner/name") == before
    hub_cache("name", "older")
    assert key("owner/name") != before


def test_the_key_changes_with_a_row_of_the_benchmark(folder):
    splits = dict(tiny_benchmark().splits)
    splits["verbmem", "forget"] = [*splits["verbmem", "forget"][:-1], {"prompt": "Another", "gt": " one."}]
    assert key(folder, benchmark=Benchmark(name="tiny", splits=splits)) != key(folder)
    fewer = {k: rows for k, rows in splits.items() if k[0] != "utility"}
    assert key(folder, benchmark=Benchmark(name="tiny", splits=fewer)) != key(folder)


def test_the_key_changes_with_the_protocol_and_with_the_models(folder):
    keys = {
        key(folder),
        key(folder, protocol=PROTOCOLS["open-unlearning"]),
        key(folder, protocol=replace(MUSE, verbmem_tokens=64)),
        key(folder, protocol=replace(MUSE, split=True)),
        key(folder, retrained="owner/name"),
        key(folder, retrained=str(folder)),
        key("owner/name"),
    }
    assert len(keys) == 7


def test_a_model_whose_log_probs_are_no_numbers_has_no_reference_scores_and_leaves_none(tmp_path):
    def load(place):
        name = Path(place).name
        model = tiny_model(SEEDS[name])
        if name == "target":
            drawn = {0, *(i for row in draw_rows(model, 0) for i in row)}  # a probe would notice one of these
            broken = next(i for i in tiny_tokenizer()(article(0)).input_ids if i not in drawn)
            model.model.embed_tokens.weight.data[broken] = float("nan")
        return model

    with pytest.raises(ValueError, match="model '.*/target' has .* nan, not a finite number"):
        measure(tmp_path, load=load)
    assert not list(tmp_path.rglob("references.json"))


def test_a_model_with_fewer_embeddings_than_the_tokenizer_has_ids_is_refused_before_it_is_scored(tmp_path):
    with pytest.raises(ValueError, match="model '.*/retrained' has embeddings of 299 ids, .* up to 299"):
        measure(tmp_path, load=lambda name: tiny_model(vocab_size=299))


class Bidirectional:
    """Makes models whose later tokens change the logits of earlier ones."""

    def __call__(self, name):
        config = BertConfig(
            vocab_size=300, hidden_size=32, num_hidden_layers=1, num_attention_heads=4, intermediate_size=64
        )
        return BertLMHeadModel(config).eval()


def test_a_model_that_is_not_causal_is_refused_by_name_before_anything_is_scored(tmp_path):
    with pytest.raises(
        ValueError, match=r"^model '.*/retrained': a model of type bert \(BertLMHeadModel\) is not causal"
    ):
        measure(tmp_path, load=Bidirectional())
    assert not list(tmp_path.rglob("*.parquet"))


def test_prompts_and_new_tokens_beyond_a_model_s_positions_are_refused_before_anything_is_scored(tmp_path):
    def few_positions(name):
        shape = {"vocab_size": 300, "n_positions": 128, "n_embd": 16, "n_layer": 1, "n_head": 2}
        return GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=1)).eval()

    line = r"^model '.*/retrained': verbmem/forget needs 1\d\d tokens, and gpt2 has 128 positions: take shorter texts"
    with pytest.raises(ValueError, match=line):
        measure(tmp_path, load=few_positions)
    assert not list(tmp_path.rglob("*.parquet"))


def test_beyond_positions_by_rotation_there_is_a_note_and_the_ways_are_kept(tmp_path):
    references = measure(tmp_path, retrained=None, load=lambda name: tiny_model(0, max_position_embeddings=128))
    shared, note = references.notes
    assert shared.startswith("4 of 4 texts of privleak/retain stand in raw/forget too")
    assert "target': verbmem/forget needs " in note
    assert note.endswith("tokens, and llama has 128 positions; it goes on beyond them, where it was never trained")
    assert (references.passes, references.positions) == (FAST, None)


def test_notes_name_the_place_in_which_a_copy_lies_now(tmp_path):
    def told(folder):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "config.json").write_text('{"dtype": "bfloat16"}')
        places = Places(data="", target=str(tmp_path / folder), retrained=None, tokenizer=str(tmp_path / folder))
        load = {"a": lambda place: tiny_model(0)}.get(folder)  # of b nothing is loaded
        ask = partial(measure_references, tiny_benchmark(), tiny_tokenizer, MUSE, places, tmp_path / "cache")
        return ask(batch_size=32, load=load).notes[-1]

    line = "its weights are stored in bfloat16: they are loaded, and candidates are saved, in float32, twice the size"
    assert [told(name) for name in "ab"] == [f"model '{tmp_path / name}': {line}" for name in "ab"]


@pytest.mark.parametrize(("batch", "advice"), [(128, "; less is needed with --set score_batch=32"), (1, "")])
def test_where_memory_does_not_hold_the_reference_models_it_is_said_what_needs_less(tmp_path, batch, advice):
    def full(place):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    places = Places(data="", target="owner/name", retrained=None, tokenizer="owner/name")
    with pytest.raises(
        OutOfMemory, match=f"while scoring the reference models, where 2.00 GiB more were .* for{advice}$"
    ):
        measure_references(tiny_benchmark(), tiny_tokenizer, MUSE, places, tmp_path, batch_size=batch, load=full)


def test_the_batch_is_no_part_of_the_scores_key(measured):
    cache, found = measured
    made = Path(found.items["target"]).parent
    places = Places(
        **{name: str(cache / "models" / name) for name in SEEDS}, data="", tokenizer=str(cache / "models" / "target")
    )
    again = measure_references(tiny_benchmark(), tiny_tokenizer, MUSE, places, cache, batch_size=3, load=None)
    assert Path(again.items["target"]).parent == made


def test_the_positions_at_which_a_target_ends_are_kept_for_who_trains_it(tmp_path):
    def enough(name):
        shape = {"vocab_size": 300, "n_positions": 512, "n_embd": 16, "n_layer": 1, "n_head": 2}
        return GPT2LMHeadModel(GPT2Config(**shape, bos_token_id=0, eos_token_id=1)).eval()

    references = measure(tmp_path, retrained=None, load=enough)
    assert references.positions == 512
    assert not any("positions" in note for note in references.notes)


def test_models_that_keep_no_table_of_positions_go_on_beyond_them():
    rotating = LlamaConfig(max_position_embeddings=128)
    without = (rotating, RwkvConfig(context_length=128), MambaConfig())
    assert [end_of_positions(config) for config in (*without, GPT2Config(n_positions=128))] == [None, None, None, 128]
    assert check_lengths({"a": 3, "b": 129}, MambaConfig()) == check_lengths({"a": 128}, rotating) == []
