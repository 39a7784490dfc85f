"""What holds for every stress: it changes what is scored, is the same each time, and leaves nothing behind."""

from typing import Any

import numpy as np
import pytest
import torch
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer
from tiny_subjects import unchanged

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.log_probs import token_logprobs
from trainables.probes import STRESSES, parse, stress_class
from trainables.probes.probe import Texts
from trainables.probes.stress import Stress
from trainables.scores import searched_scores
from trainables.subjects.prompt_guard import PromptGuard

ROWS = [[0, 5, 9, 40, 7], [0, 33, 8]]
NAMES = sorted(STRESSES)
ASKING = {name for name in NAMES if stress_class(name).asked is not Stress.asked}  # these leave the subject alone


@pytest.fixture(scope="module")
def texts() -> Texts:
    """A tiny benchmark with texts to be kept as well."""
    tiny = tiny_benchmark()
    more = {("raw", split): tiny.rows("privleak", "holdout") for split in ("retain1", "unrelated")}
    return Texts(benchmark=Benchmark(name="tiny", splits=tiny.splits | more), tokenizer=tiny_tokenizer())


def read(subject: Any) -> np.ndarray:
    return np.concatenate(token_logprobs(subject, ROWS))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("training", [False, True])
def test_nothing_is_left_behind(name: str, training: bool, texts: Texts) -> None:
    model = tiny_model().train(training)
    model.lm_head.weight.requires_grad_(False)
    with unchanged(model):
        plain = read(model)
        with parse(name).on(model, texts) as stressed:
            assert np.array_equal(read(stressed), plain) == (name in ASKING)
        assert np.array_equal(read(model), plain)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_left_behind_after_an_error(name: str, texts: Texts) -> None:
    model = tiny_model()
    with unchanged(model), pytest.raises(ArithmeticError), parse(name).on(model, texts):
        raise ArithmeticError


@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_same_each_time(name: str, texts: Texts) -> None:
    found = []
    for _ in range(2):
        with parse(name).on(tiny_model(), texts) as stressed:
            found.append(read(stressed))
    assert np.array_equal(*found)


@pytest.mark.parametrize("name", NAMES)
def test_a_subject_that_is_no_plain_model_is_stressed_too(name: str, texts: Texts) -> None:
    guard = PromptGuard(tiny_model(), tiny_tokenizer(), "Say nothing of mills.")
    with unchanged(guard):
        plain = read(guard)
        with parse(name).on(guard, texts) as stressed:
            assert np.array_equal(read(stressed), plain) == (name in ASKING)


@pytest.mark.parametrize("name", NAMES)
def test_it_works_where_no_autograd_is_wanted(name: str, texts: Texts) -> None:
    model = tiny_model()
    with torch.inference_mode(), parse(name).on(model, texts) as stressed:
        assert np.isfinite(read(stressed)).all()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_scored_is_changed_by_the_model_or_by_what_it_is_asked(name: str, texts: Texts) -> None:
    before = {key: list(rows) for key, rows in texts.benchmark.splits.items()}
    asked = parse(name).asked(texts.benchmark)
    assert (asked.splits != before) == (name in ASKING)
    assert texts.benchmark.splits == before


@pytest.mark.parametrize("name", NAMES)
def test_the_scores_that_it_may_change_are_there(name: str) -> None:
    assert set(stress_class(name).read_by) <= set(searched_scores())


@pytest.mark.parametrize("name", NAMES)
def test_its_name_gives_it_again(name: str) -> None:
    stress = parse(name)
    assert stress.kind == name
    assert parse(stress.name) == stress


@pytest.mark.parametrize("name", NAMES)
def test_its_card_says_what_it_does_and_needs(name: str) -> None:
    kind: type[Stress] = stress_class(name)
    assert kind.meaning
    assert all(len(split) == 2 for split in kind.needs)


def test_settings_that_differ_stand_in_the_name() -> None:
    assert parse("relearn_in:k=10,share=0.5").name == "relearn_in:k=10,share=0.5"
    assert (parse("quant").name, parse("quant:int4").name) == ("quant:nf4", "quant:int4")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("melt", "stress 'melt' is unknown: choose one of quant, "),
        ("quant:int5", "format 'int5' is unknown: choose one of nf4, fp4, int8, int4, int3"),
        ("relearn_in:k=-1", "k is -1: it must be at least 0"),
        ("relearn_in:share=2", "share is 2.0: it must lie between 0 and 1"),
        ("relearn_in:steps=2", "'steps' is no setting of relearn_in: choose one of k, lr, "),
        ("relearn_in:2", "relearn_in has no setting that goes without its name, as in 'k=10': '2'"),
        ("quant:nf4,fp4", "format of quant is given more than once"),
    ],
)
def test_what_is_not_allowed_is_named(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said.replace("(", r"\(")):
        parse(text)
