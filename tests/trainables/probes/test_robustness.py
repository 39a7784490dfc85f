"""Net recovery as a score: what a stress brings back beyond what it gives the retrained model, 0 at least."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer
from tiny_subjects import unchanged

from lethe.analysis.recovery import Readings, recovery
from trainables.benchmarks.layout import Benchmark
from trainables.probes.probe import Texts
from trainables.probes.robustness import Stressed, is_robustness, robustness_scores, stress_of
from trainables.runs.unlearning import Unlearner
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.reductions import NET, WHOLE, reduce
from trainables.scores.references import fingerprint
from trainables.scores.score import Items
from trainables.task import Task
from trainables.workers.session import make_session

MUSE = PROTOCOLS["muse"]
NAME = "net_quant:nf4"


def items(*values, truth=""):
    asked = [f"question {i}" for i in range(len(values))]
    return Items(asked, [""] * len(values), [truth] * len(values), np.array(values, dtype=float))


def gained(plain, stressed):
    """The items of the score of quant:nf4, of what a model answers as it is and under the stress."""
    (score,) = robustness_scores(["quant"])
    known = {score.prepare: items(*stressed), score.gained_on.prepare: SimpleNamespace(written=items(*plain))}
    return score.read(known).by_sample(score.card)


def read(candidate, retrained):
    return reduce(NET, gained(*candidate), gained(*retrained))


@pytest.mark.parametrize(
    ("retrained", "net"),
    [
        (([0, 0], [0, 0]), 50.0),  # spec, probes.md 1: items a and b, of which a comes back
        (([0, 0], [100, 0]), 0.0),  # it does so in a model that never knew it, too
        (([0, 0], [100, 100]), 0.0),  # it comes back to a less degree: noise, and no more robust than 0
    ],
)
def test_what_comes_back_counts_beyond_what_a_model_gains_that_never_knew(retrained, net):
    assert read(([0, 0], [100, 0]), retrained).value == net


def test_its_interval_is_that_of_an_audit_where_it_is_above_zero():
    draw = np.random.default_rng(3)
    plain, stressed, never, nor = (draw.uniform(0, 100, 30) for _ in range(4))
    found = read((plain, stressed + 40), (never, nor))
    audit = recovery(Readings(plain, stressed + 40), None, Readings(never, nor)).net
    assert found.value == pytest.approx(audit.value)
    assert [found.low, found.high] == pytest.approx([max(0, audit.low), audit.high])


def test_the_retrained_model_itself_has_zero_without_width():
    own = ([10, 50, 0], [20, 0, 90])
    found = read(own, own)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_model_whose_answers_are_no_numbers_has_none_either():
    assert np.isnan(read(([0, 0], [np.nan, 0]), ([0, 0], [0, 0])).value)


@pytest.fixture(scope="module")
def evaluator():
    beside = robustness_scores(["quant:int3"])
    made = Evaluator(tiny_benchmark(8), tiny_tokenizer(), MUSE, None, beside=beside)
    return made.with_scores(["knowmem_f", "net_quant:int3"])


def test_it_is_measured_beside_knowmem_and_leaves_the_model_as_it_was(evaluator):
    model, retrained = tiny_model(3, num_hidden_layers=1), tiny_model(5, num_hidden_layers=1)
    told = evaluator.with_reference(evaluator.reference_of(retrained))
    with unchanged(model):
        found = told(model)
    assert set(found.scores) == {"knowmem_f", "net_quant:int3"}
    assert told(retrained).scores["net_quant:int3"].high == 0
    of = {name: table.reset_index(drop=True) for name, table in found.items.groupby("score")}
    plain = of["knowmem_f"]
    assert (of["net_quant:int3"]["prompt"] == plain["prompt"]).all()
    with stress_of("quant:int3").on(model, Texts(benchmark=tiny_benchmark(8), tokenizer=tiny_tokenizer())) as stressed:
        by_hand = evaluator.with_scores(["knowmem_f"])(stressed).items
    assert of["net_quant:int3"]["output"].tolist() == by_hand["output"].tolist()
    assert of["net_quant:int3"]["value"].tolist() == (by_hand["value"] - plain["value"]).tolist()


def test_without_a_retrained_model_there_is_none(evaluator):
    assert set(evaluator(tiny_model(3, num_hidden_layers=1)).scores) == {"knowmem_f"}


def test_questions_that_a_stress_gives_away_are_not_asked_and_one_that_leaves_none_is_refused():
    made = (tiny_benchmark(), tiny_tokenizer(), MUSE)
    half = Stressed(stress_of("relearn_in:share=0.5"), *made)
    assert len(half._knowmem.prompts) == 2
    with pytest.raises(ValueError, match="^under relearn_in:share=1.0 no question about forgotten text counts$"):
        Stressed(stress_of("relearn_in:share=1"), *made)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("same_code", "same_code cannot be searched for: it is a trace, not a stress; choose one of quant, relearn_in"),
        ("icr:full", "icr cannot be searched for: it asks questions otherwise, of which not all count; choose one of"),
        ("quant:nf5", "format 'nf5' is unknown: choose one of nf4"),
        ("net_steal", "stress 'steal' is unknown: choose one of quant"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_in_one_line(text, message):
    assert is_robustness(text)
    with pytest.raises(ValueError, match=message):
        stress_of(text)


def test_it_is_named_by_its_stress_however_that_is_spelt():
    named = ["quant", "quant:nf4", "net_quant:nf4", "relearn_benign:k=5,lr=1e-4"]
    assert [score.name for score in robustness_scores(named)] == [NAME, "net_relearn_benign:k=5,lr=0.0001"]
    assert not is_robustness("knowmem_f:minimize")


def test_reference_scores_and_runs_with_it_are_others_than_without_and_its_code_counts():
    (score,) = robustness_scores(["quant"])
    hashes = {fingerprint("texts", MUSE, beside) for beside in ((), [score], [replace(score, made_by="other code")])}
    assert len(hashes) == 3


def test_a_benchmark_without_what_a_stress_reads_has_none():
    (score,) = robustness_scores(["relearn_benign"])
    assert not score.can_read(tiny_benchmark())
    more = {("raw", "retain1"): tiny_benchmark().rows("raw", "forget")}
    assert score.can_read(Benchmark(name="tiny", splits=tiny_benchmark().splits | more))


def test_a_session_measures_it_of_every_candidate_and_of_both_reference_models(tiny, tmp_path, monkeypatch):
    task = Task(**tiny.places(), cache=tiny.cache(), split=True, stresses=("quant:nf4",))
    made = []
    keep = Unlearner.__init__
    monkeypatch.setattr(Unlearner, "__init__", lambda own, *given: made.append(own) or keep(own, *given))
    trial = {"folder": str(tmp_path / "run"), "method": "ga", "steps": 1, "eval_every": 1, "batch_size": 2}
    (result,) = make_session(task, 8)(trial)
    references = made[0].loaded.references
    for scores in (result["candidates"][0]["scores"], references.target, references.retrained):
        value, low, high = scores[NAME]
        assert 0 <= low <= value <= high
    assert references.retrained[NAME] == [0, 0, 0]
    assert WHOLE in references.reference[NAME]
    plain = Unlearner(replace(task, stresses=()), 8).loaded.references
    assert NAME not in plain.target
    assert plain.fingerprint != references.fingerprint
