"""A hub id that cannot be had is one line, at once; one that was downloaded before needs no hub."""

import pandas as pd
import pytest
import torch
from datasets.packaged_modules.parquet.parquet import Parquet
from huggingface_hub.errors import HTTPError, RemoteEntryNotFoundError
from huggingface_hub.utils import get_session
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer
from transformers import AutoTokenizer

from trainables import hub
from trainables.benchmarks.layout import load_benchmark
from trainables.memory.plan import read_shape, shape_of
from trainables.subjects import tokenizers
from trainables.subjects.models import load_model

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def away(monkeypatch):
    """Where no hub answers: the address is this machine's port 1."""
    monkeypatch.undo()  # of conftest's hub that has everything
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:1")


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_an_id_that_neither_the_hub_nor_the_cache_has_is_one_line(kind, away):
    with pytest.raises(
        ValueError, match=rf"^no {kind} 'owner/name': no such folder here, never downloaded, and the hub"
    ):
        hub.check_hub("owner/name", kind)


@pytest.mark.parametrize("kind", ["dataset", "model"])
def test_what_can_be_no_id_is_told_as_such(kind, away):
    with pytest.raises(ValueError, match=f"^no {kind} '/no/such/folder': neither a folder nor a hub id owner/name$"):
        hub.check_hub("/no/such/folder", kind)


def test_a_dataset_that_was_downloaded_needs_no_hub(tmp_path, away, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path))
    (tmp_path / "owner___my_name" / "raw" / "0.0.0" / "hash").mkdir(parents=True)
    hub.check_hub("owner/MyName", "dataset")


def test_a_dataset_that_was_downloaded_is_read_where_no_hub_answers(tmp_path, away, monkeypatch):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", str(tmp_path / "cache"))
    splits = dict(tiny_benchmark().splits)
    splits["raw", "retain1"] = splits["raw", "forget"]
    for config in {config for config, _ in splits}:
        files = {}
        for split in (s for c, s in splits if c == config):
            files[split] = str(tmp_path / f"{config}-{split}.parquet")
            pd.DataFrame(splits[config, split]).to_parquet(files[split])
        place = tmp_path / "cache" / "owner___my_name" / config / "0.0.0" / "a1"
        Parquet(dataset_name="MyName", config_name=config, data_files=files).download_and_prepare(str(place))
    assert load_benchmark("owner/MyName").splits == splits


@pytest.fixture
def name(tmp_path, monkeypatch):
    """A hub id that was downloaded at the commit a1."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--owner--name" / "snapshots" / "a1"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (tmp_path / "models--owner--name" / "refs").mkdir()
    (tmp_path / "models--owner--name" / "refs" / "main").write_text("a1")
    return "owner/name"


def test_a_model_that_was_downloaded_needs_no_hub(away, name):
    hub.check_hub(name, "model")
    assert hub.revision(name) == hub.commit(name) == "a1"


def test_what_was_never_downloaded_is_loaded_at_the_newest_commit_which_a_silent_hub_does_not_tell(away, tmp_path):
    assert (hub.revision("owner/none"), hub.commit("owner/none")) == ("main", None)
    assert hub.revision(tmp_path) == "main"  # a folder has no commit


@pytest.mark.parametrize(
    ("load", "reader"),
    [
        (load_model, "transformers.PreTrainedConfig.get_config_dict"),
        (load_model, "transformers.AutoModelForCausalLM.from_pretrained"),
        (lambda name: tokenizers.own_file(name, "tokenizer.json"), "trainables.subjects.tokenizers.hf_hub_download"),
        (lambda name: tokenizers._load(AutoTokenizer, name), "transformers.AutoTokenizer.from_pretrained"),
        (read_shape, "transformers.AutoConfig.from_pretrained"),
    ],
)
def test_all_that_is_loaded_of_a_model_is_of_the_commit_that_was_downloaded(load, reader, name, monkeypatch):
    asked = {}

    def stop(place, *_, **options):
        asked.update(options, place=place)
        raise ValueError("stop")

    monkeypatch.setattr("transformers.PreTrainedConfig.get_config_dict", lambda *_, **__: ({}, {}))
    monkeypatch.setattr(reader, stop)
    with pytest.raises(ValueError, match="stop"):
        load(name)
    assert (asked["place"], asked["revision"]) == (name, "a1")


@pytest.fixture
def asked(monkeypatch):
    """What is asked for of the id owner/..., and never answered."""
    monkeypatch.undo()  # of conftest's hub that has everything
    found = []

    def refuse(self, request, **_):
        found.extend([request.url.path] if "/owner/" in request.url.path else [])
        raise HTTPError("no network")

    monkeypatch.setattr(type(get_session()), "send", refuse)
    return found


@pytest.fixture
def snapshot(asked, tmp_path, monkeypatch):
    """The folder of a model of two shards, as `hf download owner/name` leaves it."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--owner--name"
    folder = repository / "snapshots" / COMMIT
    tiny_model().save_pretrained(folder, max_shard_size="60KB")
    tiny_tokenizer().save_pretrained(folder)
    (folder / ".gitattributes").touch()
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    assert len(list(folder.glob("*.safetensors"))) > 1
    return folder


def load_all(name):
    """All that Lethe reads of a model, the files that it may not have too."""
    tokenizer = tokenizers.load_tokenizer(name)
    tokenizers.tokenizer_notes(tokenizer)
    tokenizers.shared_tokenizer(tokenizer, name, name)
    assert tokenizer("A mill").input_ids == tiny_tokenizer()("A mill").input_ids
    assert tokenizers.own_file(name, "tokenizer.model") is None
    assert read_shape(name) == shape_of(tiny_model().config)
    assert torch.equal(load_model(name).lm_head.weight, tiny_model().lm_head.weight)


def test_a_model_of_which_all_was_downloaded_is_loaded_without_a_question(snapshot, asked):
    load_all("owner/name")
    assert asked == []


def test_so_is_one_of_which_the_libraries_noted_what_it_has_not(snapshot, asked):
    for name in (".gitattributes", "generation_config.json"):
        (snapshot / name).unlink()
    absent = snapshot.parents[1] / ".no_exist" / COMMIT
    absent.mkdir(parents=True)
    (absent / "generation_config.json").touch()
    load_all("owner/name")
    assert asked == []


def test_where_files_may_be_missing_a_silent_hub_is_asked_once(snapshot, asked):
    (snapshot / ".gitattributes").unlink()
    (snapshot / "generation_config.json").unlink()
    load_all("owner/name")
    assert asked == ["/api/models/owner/name"]


@pytest.mark.parametrize("missing", ["config.json", "tokenizer.json", "model-00002-of-*"])
def test_what_is_missing_is_downloaded_where_a_hub_answers(missing, snapshot, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: None)
    assert hub.source("owner/name") == {"revision": COMMIT, "local_files_only": True}
    next(snapshot.glob(missing)).unlink()
    assert hub.source("owner/name") == {"revision": COMMIT, "local_files_only": False}
    assert hub.source("owner/new") == {"revision": "main", "local_files_only": False}


def test_a_hub_that_falters_at_the_first_question_is_not_one_that_has_no_such_file(snapshot, asked, monkeypatch):
    monkeypatch.setattr("huggingface_hub.HfApi.model_info", lambda *_, **__: None)  # it has answered once
    (snapshot / "tokenizer.json").unlink()
    for load in (tokenizers.load_tokenizer, lambda name: tokenizers.own_file(name, "tokenizer.json")):
        with pytest.raises(ValueError, match="whether 'owner/name' has a tokenizer.json is not known: .+") as caught:
            load("owner/name")
        assert "\n" not in str(caught.value)


def test_a_file_that_the_hub_says_it_has_not_is_none(snapshot, monkeypatch):
    class Answer:
        status_code, headers, request = 404, {}, None

    def refuse(*_, **__):
        raise RemoteEntryNotFoundError("404", response=Answer())

    monkeypatch.setattr(tokenizers, "hf_hub_download", refuse)
    assert tokenizers.own_file("owner/name", "tokenizer.json") is None


def test_of_a_model_that_is_not_here_a_silent_hub_is_asked_once(asked, tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    for load in (load_model, tokenizers.load_tokenizer):
        with pytest.raises(ValueError, match="'owner/none' cannot be loaded: "):
            load("owner/none")
    assert asked == ["/api/models/owner/none"]


@pytest.mark.parametrize(("status", "said"), [(404, "it is not there, or is private"), (503, "the hub answers 503")])
def test_what_a_hub_answers_is_said(status, said, monkeypatch):
    from huggingface_hub.errors import HfHubHTTPError

    class Answer:
        status_code, headers, request = status, {}, None

    def refuse(*_, **__):
        raise HfHubHTTPError("a long story\nin lines", response=Answer())

    monkeypatch.setattr("huggingface_hub.HfApi.model_info", refuse)
    with pytest.raises(ValueError, match=rf"^no model 'owner/name' on the hub: {said}$"):
        hub.check_hub("owner/name", "model")
