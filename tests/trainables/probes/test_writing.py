"""Naturalness: what a model writes, read by the target token by token."""

import pytest
import torch
from tiny import tiny_model
from tiny_subjects import texts

from trainables.probes import parse_probe
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.verbmem import VerbMem


def test_it_is_the_target_s_mean_log_prob_of_the_tokens_that_are_written():
    trace, model, target = parse_probe("naturalness:most=2"), tiny_model(1), tiny_model()
    found = trace.read(model, texts(), trace.of_target(target, texts()))["naturalness_f"]
    asked = VerbMem(texts().benchmark.rows("verbmem", "forget")[:2], texts().tokenizer, PROTOCOLS["muse"])
    written = asked(model)
    for value, before, new in zip(found.values, asked.ids, written.tokens, strict=True):
        with torch.no_grad():
            logprobs = target(torch.tensor([[*before, *new]])).logits[0].log_softmax(dim=-1)
        slow = [float(logprobs[len(before) - 1 + i, token]) for i, token in enumerate(new)]
        assert value == pytest.approx(sum(slow) / len(slow), abs=1e-4)
    assert found.outputs == written.outputs


def test_what_the_target_writes_is_likelier_to_it_than_what_another_model_writes():
    trace, target = parse_probe("naturalness"), tiny_model()
    own, other = (trace.read(model, texts(), target)["naturalness_f"].values for model in (target, tiny_model(1)))
    assert own.mean() > other.mean()
