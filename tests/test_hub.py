"""A hub id that cannot be had is one line, at once; one that was downloaded before needs no hub."""

import pytest
from transformers import AutoTokenizer

from trainables import hub, tokenizers
from trainables.memory import read_shape
from trainables.models import load_model


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
        (lambda name: tokenizers.own_file(name, "tokenizer.json"), "trainables.tokenizers.cached_file"),
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
