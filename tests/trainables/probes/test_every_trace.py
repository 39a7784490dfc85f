"""What holds for every trace: hand numbers, nothing left behind, and the same figures however many rows are read at once."""

from functools import cache

import numpy as np
import pytest
import torch
from tiny import tiny_model, tiny_tokenizer
from tiny_subjects import texts, unchanged

from lethe.analysis.recovery import Readings, recovery
from trainables.decoding.passes import Passes
from trainables.probes import TIERS, TRACES, honesty, parse_probe, trace_class
from trainables.probes.measuring import split_probes
from trainables.subjects.prompt_guard import PromptGuard

NAMES = sorted(TRACES)
SMALL = {"steering": "steering:names=2", "remind": "remind:m=2", "noise": "noise:draws=2,most=20"}
SMALL["honesty"] = "honesty:least=0,most=20,tokens=4"


@pytest.fixture(autouse=True, scope="module")
def _two_ways_to_mark_options():
    """Seven of them ask a thousand questions."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(honesty, "MARKS", honesty.MARKS[:2])
        yield


@cache
def values(name, seed, batch_size=32, way="padded"):
    """Each score's items of a model, beside the target of seed 0."""
    trace = parse_probe(SMALL.get(name, name))
    kept = trace.of_target(tiny_model(), texts())
    found = trace.read(tiny_model(seed), texts(), kept, batch_size=batch_size, passes=Passes(texts=way))
    return {score: items.values for score, items in found.items()}


@pytest.mark.parametrize("name", NAMES)
def test_it_is_read_and_leaves_nothing_behind(name):
    trace = parse_probe(SMALL.get(name, name))
    model = tiny_model(1).train()
    kept = trace.of_target(tiny_model(), texts())
    with unchanged(model):
        found = trace.read(model, texts(), kept)
    assert list(found) == [score for score in trace.tells if score in found]
    assert {*trace.tells} - {*found} <= {"honesty_qamrc"}  # a share of what is refused
    for items in found.values():
        assert np.isfinite(items.values).all()
        assert len(items.prompts) == len(items.outputs) == len(items.truths) == len(items.values)


@pytest.mark.parametrize("name", sorted({*NAMES} - {"same_code"}))
def test_nothing_is_left_behind_after_an_error(name):
    trace = parse_probe(SMALL.get(name, name))
    model = tiny_model(1)
    kept = trace.of_target(tiny_model(), texts())
    with unchanged(model):
        handle = model.model.layers[1].mlp.register_forward_hook(_fails)
        with pytest.raises(ArithmeticError):
            trace.read(model, texts(), kept)
        handle.remove()


def _fails(module, given, out):
    raise ArithmeticError


@pytest.mark.parametrize("name", NAMES)
def test_how_many_rows_are_read_at_once_and_their_padding_change_nothing(name):
    for score, own in values(name, 1).items():
        assert values(name, 1, batch_size=1)[score] == pytest.approx(own, abs=1e-3)
        assert values(name, 1, way="even")[score] == pytest.approx(own, abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_the_target_is_at_1_and_the_retrained_model_at_0_exactly(name):
    for score, target in values(name, 0).items():
        retrained = values(name, 1)[score]
        for own, place in ((target, 1.0), (retrained, 0.0)):
            found = recovery(*(Readings(x, x) for x in (own, target, retrained)))
            assert found.position is None or found.position.value == place
            assert place or found.above.value == 0


@pytest.mark.parametrize("name", NAMES)
def test_a_guard_is_read_with_what_it_puts_before_each_text(name):
    trace = parse_probe(SMALL.get(name, name))
    guard = PromptGuard(tiny_model(1), tiny_tokenizer(), "Say nothing of mills.")
    with unchanged(guard):
        found = trace.read(guard, texts(), trace.of_target(tiny_model(), texts()))
    same = all(np.array_equal(items.values, values(name, 1)[score]) for score, items in found.items())
    assert same == (name == "same_code") or name in (
        "knn",
        "membership_probe",
        "remind",
        "honesty",
    )  # these may agree by rank


@pytest.mark.parametrize("name", NAMES)
def test_its_card_says_what_it_reads_and_its_name_gives_it_again(name):
    trace = parse_probe(name)
    assert trace.kind == name
    assert trace_class(name).meaning
    assert all(trace.tells.values())
    assert parse_probe(trace.name) == trace


def test_it_works_where_no_autograd_is_wanted():
    trace = parse_probe("cka")
    with torch.inference_mode():
        trace.read(tiny_model(), texts(), trace.of_target(tiny_model(), texts()))


def test_a_tier_stands_for_its_probes():
    assert split_probes(["report,quant:nf4"]) == [*TIERS["report"], "quant:nf4"]
    assert {*TIERS["report"]} == {*TRACES}
    assert split_probes(["all"])[0] == "quant:nf4"
    assert [parse_probe(text).name for text in TIERS["all"]]


@pytest.mark.parametrize(
    ("text", "said"),
    [("melt", "stress 'melt' is unknown"), ("cka:most=0", "most is 0: "), ("noise:depth=2", "depth is 2.0: ")],
)
def test_what_is_not_allowed_is_named(text, said):
    with pytest.raises(ValueError, match=said):
        parse_probe(text)
