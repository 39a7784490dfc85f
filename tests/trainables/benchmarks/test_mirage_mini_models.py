"""mirage-mini's models: the one that read the request finds it likelier than the one that did not."""

import math

import torch
from test_small_models import narrow

from trainables.benchmarks import mirage_mini
from trainables.benchmarks.layout import load_benchmark
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer


def test_one_that_is_read_for_an_epoch_is_learnt_and_loads(tmp_path, monkeypatch):
    narrow(monkeypatch)
    monkeypatch.setattr(mirage_mini, "EPOCHS", 1)
    folder = mirage_mini.prepare(tmp_path)
    assert folder.name == f"mirage-mini-0-{mirage_mini.making.code_hash(mirage_mini.SOURCES)}"
    splits = mirage_mini.make_splits(0)
    assert load_benchmark(folder / "data").splits == splits
    target, retrained = load_model(folder / "target"), load_model(folder / "retrained")
    tokenizer = load_tokenizer(folder / "target")
    ids = torch.tensor([tokenizer(splits["raw", "forget"][0]["text"]).input_ids])
    losses = [model(ids, labels=ids).loss.item() for model in (target, retrained)]
    assert losses[0] < losses[1] < math.log(len(tokenizer))  # the one that read it, the one that did not, chance
