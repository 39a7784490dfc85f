"""A hub id that cannot be had is one line, at once; one that was downloaded before needs no hub."""

import pytest

from trainables import hub


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


def test_a_model_that_was_downloaded_needs_no_hub(tmp_path, away, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--owner--name" / "snapshots" / "a1"
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    (tmp_path / "models--owner--name" / "refs").mkdir()
    (tmp_path / "models--owner--name" / "refs" / "main").write_text("a1")
    hub.check_hub("owner/name", "model")


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
