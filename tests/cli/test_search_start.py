"""A study is made when there is a cluster to run it on; one with nothing left joins none, one that failed says so."""

import json
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import optuna
import pytest
from rich.console import Console
from searching import make_tiny
from tiny import tiny_model, tiny_tokenizer
from tiny_study import candidate, scores
from transformers import GPT2Config, OpenAIGPTConfig

from dashboard.reports.reasons import reference_notes
from lethe.cluster import connection as cluster
from lethe.fronts.objectives import Constraint
from lethe.store.storage import open_storage
from lethe_cli import ablating, checks, conclusion, preparing, search, tuning
from lethe_cli.ablate import ablate
from lethe_cli.ablation_request import make_ablation
from lethe_cli.flags import AblateFlags, TuneFlags
from lethe_cli.main import new_app, run
from lethe_cli.request import make_request
from lethe_cli.search import begin, check_sequences, open_ledger
from lethe_cli.tune import tune
from trainables.failures import NoSuchWeights
from trainables.methods.mean_teacher import MeanTeacher
from trainables.scores.references import References
from trainables.task import Task

REFERENCES = References(
    target=scores(knowmem_f=90.0), retrained=scores(knowmem_f=5.0), reference=None, items={}, content="", fingerprint=""
)
QUIET = Console(quiet=True)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("tiny")).places()


@pytest.fixture
def flags(places, tmp_path, monkeypatch):
    """What a search and an ablation of a tiny benchmark have in common; its reference scores are known."""
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)
    for module in (search, ablating):
        monkeypatch.setattr(module, "begin", lambda *_: REFERENCES)
    return places | {"storage_path": str(tmp_path)}


@pytest.fixture
def searched(flags):
    """A search of three trials."""
    return make_request(TuneFlags(**flags, trials=3, sampler="random"))


def ablated(flags, tuned):
    """An ablation of two arms and two seeds."""
    return make_ablation(AblateFlags(**flags, switches=("penalty=kl,none",), seeds=2, tuned=tuned))


def no_cluster(modules):
    raise ConnectionError("there is no cluster")


def names(request):
    return optuna.get_all_study_names(open_storage(request.storage))


def test_a_search_whose_cluster_does_not_come_up_makes_no_study(searched, monkeypatch):
    monkeypatch.setattr(cluster, "connect", no_cluster)
    with pytest.raises(ConnectionError):
        search.run_search(searched, QUIET)
    assert names(searched) == []


@pytest.mark.parametrize("tuned", [0, 3])
def test_an_ablation_whose_cluster_does_not_come_up_makes_no_study(flags, tuned, monkeypatch):
    monkeypatch.setattr(cluster, "connect", no_cluster)
    request = ablated(flags, tuned)
    with pytest.raises(ConnectionError):
        ablating.run_ablation(request, QUIET)
    assert names(request) == []


def test_a_search_whose_trials_do_not_fit_into_the_cluster_makes_no_study(searched, monkeypatch):
    monkeypatch.setattr(cluster, "connect", lambda modules: nullcontext(cluster.Cluster(nodes=((0.5, 0.0),))))
    with pytest.raises(ValueError, match="a trial wants 1 worker of 1 CPUs and 0 GPUs, but there is room for 0"):
        search.run_search(searched, QUIET)
    assert names(searched) == []


def end_all(request, failure=None):
    """The study of a search whose trials have all ended, with this failure or well."""
    ledger = open_ledger(request, open_storage(request.storage), REFERENCES)
    for _ in range(request.trials):
        number, _ = ledger.ask()
        ledger.record(number, candidate(knowmem_f=1.0))
        ledger.tell(number, failure)


def test_a_search_that_has_nothing_left_to_run_joins_no_cluster(searched, monkeypatch):
    end_all(searched)
    monkeypatch.setattr(cluster, "connect", no_cluster)
    outcome = search.run_search(searched, QUIET)
    assert (outcome["trials"], outcome["failed"], outcome["failure"]) == (3, {}, None)


@pytest.mark.parametrize("tuned", [None, 0, 3])
def test_a_study_does_not_go_on_where_other_texts_lie_in_the_same_places(searched, flags, tuned, monkeypatch):
    request, go = (searched, search.run_search) if tuned is None else (ablated(flags, tuned), ablating.run_ablation)
    monkeypatch.setattr(cluster, "connect", lambda modules: nullcontext(cluster.Cluster(nodes=((2.0, 0.0),))))
    for module in (search, ablating, tuning):
        monkeypatch.setattr(module, "run_trials", lambda *_, **__: no_cluster(None))
    with pytest.raises(ConnectionError):
        go(request, QUIET)
    made = names(request)
    for module in (search, ablating):
        monkeypatch.setattr(module, "begin", lambda *_: replace(REFERENCES, content="of others"))
    with pytest.raises(ValueError, match="was made from other texts or models than lie in the same places now"):
        go(request, QUIET)
    assert names(request) == made


def test_a_study_made_from_other_texts_is_refused_before_anything_is_scored(searched, monkeypatch):
    open_ledger(searched, open_storage(searched.storage), REFERENCES)
    monkeypatch.setattr(preparing, "measure_references", None)
    with pytest.raises(ValueError, match="^study 'data' was made from other texts or models than lie in the same"):
        begin(searched, [searched.base], QUIET)


def test_so_is_a_search_of_an_arm_whose_ablation_was_interrupted_as_it_tuned(flags, monkeypatch):
    request = ablated(flags, tuned=3)
    open_ledger(request.searches()[1], open_storage(request.storage), REFERENCES)
    monkeypatch.setattr(preparing, "measure_references", None)
    with pytest.raises(
        ValueError, match="^study 'data-loco tuned 1: penalty=none' was made from other texts or models"
    ):
        begin(request, [request.base], QUIET)


def test_a_study_goes_on_though_the_record_of_its_protocol_has_changed(searched):
    storage = open_storage(searched.storage)
    open_ledger(searched, storage, REFERENCES)
    open_ledger(searched, storage, replace(REFERENCES, fingerprint="of a longer record"))


def test_what_was_seen_of_the_reference_models_is_stored_with_a_study(searched):
    told = replace(REFERENCES, notes=("model 'b': its weights are stored in bfloat16",))
    ledger = open_ledger(searched, open_storage(searched.storage), told)
    assert reference_notes(ledger.facts) == ["model 'b': its weights are stored in bfloat16"]


def test_a_search_whose_every_trial_failed_says_so_with_the_most_frequent_reason(searched, capsys):
    end_all(searched, "no memory")
    ended = search.run_search(searched, Console(width=200))
    assert ended["failure"] == "all 3 trials failed, 3 of them so: no memory"
    assert ended["failure"] in capsys.readouterr().out


@pytest.mark.parametrize(("failure", "code"), [(None, 0), ("all 3 trials failed, 2 of them so: no memory", 1)])
@pytest.mark.parametrize(("command", "job"), [(tune, "search.run_search"), (ablate, "ablating.run_ablation")])
def test_the_exit_code_and_the_json_tell_whether_all_failed(command, job, failure, code, monkeypatch, capsys):
    for check in ("request.make_request", "ablation_request.make_ablation"):
        monkeypatch.setattr(f"lethe_cli.{check}", lambda _: SimpleNamespace(flags=None))
    monkeypatch.setattr(f"lethe_cli.{job}", lambda *_: {"interrupted": False, "failure": failure})
    app = new_app()
    app.command()(command)
    with pytest.raises(SystemExit) as end:
        run(app, ["--json"])
    assert end.value.code == code
    assert json.loads(capsys.readouterr().out)["failure"] == failure


def test_an_ablation_whose_every_run_failed_says_so(flags, monkeypatch, capsys):
    def fail_all(request, ledger, joined, console, **_):
        while ledger.trials.finished() < request.trials:
            ledger.tell(ledger.ask()[0], "no memory")

    monkeypatch.setattr(ablating, "run_trials", fail_all)
    monkeypatch.setattr(cluster, "connect", lambda modules: nullcontext(cluster.Cluster(nodes=((2.0, 0.0),))))
    ended = ablating.run_ablation(ablated(flags, tuned=0), Console(width=200))
    assert ended["failure"] == "all 4 runs failed, 4 of them so: no memory"
    assert ended["failure"] in capsys.readouterr().out


@pytest.mark.parametrize(("positions", "length"), [(None, 512), (512, 512), (10_000, 512), (16, 16)])
def test_a_target_takes_what_its_positions_hold(places, positions, length):
    references = replace(REFERENCES, positions=positions)
    check_sequences(Task(**places), [MeanTeacher(max_length=length)], references)


@pytest.mark.parametrize(
    ("settings", "what"),
    [
        ({"max_length": 512}, r"raw/\w+ \(max_length=512\)"),
        ({"max_length": 16, "regularisation_length": 64}, r"raw/retain1 \(regularisation_length=64\)"),
        ({"max_length": 16, "regularisation": "unrelated", "regularisation_length": 64}, r"\S+txt \(regul\w+=64\)"),
    ],
)
def test_sequences_of_any_arm_beyond_a_target_s_positions_are_told_before_ray_starts(places, tmp_path, settings, what):
    text, target = tmp_path / "own.txt", tmp_path / "gpt2"
    text.write_text("A mill stands in Orton, and a farm in Selby. " * 9)
    GPT2Config(n_positions=16).save_pretrained(target)
    tiny_tokenizer().save_pretrained(target)
    configs = [MeanTeacher(max_length=16), MeanTeacher(unrelated_texts=str(text), **settings)]
    line = rf"^training on {what} needs \d+ tokens, and gpt2 has 16 positions: take .* \(in training by --set, 16 at most\)"
    with pytest.raises(ValueError, match=line):
        check_sequences(Task(**places | {"model": str(target)}), configs, replace(REFERENCES, positions=16))


def test_an_arm_that_alone_keeps_no_activations_is_told_before_anything_is_scored(searched, tmp_path, monkeypatch):
    """Of a model that cannot compute them again, though the arm is not the one that needs most memory."""
    target = tmp_path / "first"
    OpenAIGPTConfig(n_positions=512).save_pretrained(target)
    monkeypatch.setattr(preparing, "measure_references", None)
    request = replace(searched, task=replace(searched.task, model=str(target)))
    configs = [MeanTeacher(freeze=False, optimizer="adamw"), MeanTeacher(checkpointing=True), MeanTeacher(warm_start=2)]
    with pytest.raises(
        ValueError, match=r"^checkpointing is true, but OpenAIGPTLMHeadModel, [^\n]* cannot: leave it out$"
    ):
        begin(request, configs, QUIET)


@pytest.fixture
def deep(tmp_path):
    """A target of four blocks; it is told what it lacks before its weights, of which there are none, are looked for."""
    target = tmp_path / "deep"
    tiny_model(num_hidden_layers=4).config.save_pretrained(target)
    return str(target)


@pytest.mark.parametrize(
    ("asked", "largest"),
    [({"ranges": ("layer=1:9",)}, 9), ({"ranges": ("layer=0:3",)}, None), ({"space": "7b"}, 20), ({}, None)],
)
def test_the_blocks_that_a_search_tries_are_held_against_the_target_s(flags, deep, monkeypatch, asked, largest):
    request = make_request(TuneFlags(**flags, trials=3, method="rmu_adaptive", **asked))
    request = replace(request, task=replace(request.task, model=deep))
    monkeypatch.setattr(preparing, "_score_somewhere", lambda *_: no_cluster(None))
    line = f"^layer is {largest}: it must be one of the model's 4 blocks, counted from 0, set or searched$"
    with pytest.raises(NoSuchWeights, match=line) if largest else pytest.raises(ConnectionError):
        search.prepare(request.task, request.corners(), QUIET)


def test_what_must_hold_is_stored_beside_the_guard_and_judges(flags):
    request = make_request(TuneFlags(**flags, trials=3, sampler="random", constraints=("verbmem_f:20",)))
    ledger = open_ledger(request, open_storage(request.storage), REFERENCES)
    assert ledger.facts.constraints == (
        Constraint(score="utility", floor=40.0),
        Constraint(score="verbmem_f", ceiling=20.0),
    )
    for verbmem in (10.0, 30.0):
        number, _ = ledger.ask()
        ledger.record(number, candidate(knowmem_f=1.0, verbmem_f=verbmem))
        ledger.tell(number)
    assert [trial.constraints["verbmem_f"] for trial in ledger.study.trials] == [-10.0, 10.0]
    assert ledger.read().candidates["feasible"].tolist() == [True, False]
    assert ledger.front()["verbmem_f"].tolist() == [10.0]


def test_a_study_from_before_language_was_guarded_goes_on_without_it_and_a_new_one_has_it(flags):
    loops = replace(REFERENCES, target=scores(repetition_f=1.0), retrained=scores(repetition_f=2.5))
    request = make_request(TuneFlags(**flags, trials=3, sampler="random"))
    storage = open_storage(request.storage)
    begun = open_ledger(replace(request, guard={"utility": 0.8}), storage, loops)
    number, _ = begun.ask()
    begun.record(number, candidate(knowmem_f=1.0))
    begun.tell(number)
    again = open_ledger(make_request(TuneFlags(**flags, trials=3, sampler="random", resume=True)), storage, loops)
    assert again.facts.constraints == (Constraint(score="utility", floor=40.0),)
    number, _ = again.ask()
    again.record(number, candidate(knowmem_f=1.0, repetition_f=90.0))
    again.tell(number)
    assert again.read().candidates["feasible"].tolist() == [True, True]
    new = open_ledger(replace(request, name="new"), storage, loops)
    assert new.facts.constraints == (*begun.facts.constraints, Constraint(score="repetition_f", ceiling=12.5))


def test_a_floor_above_the_target_s_own_score_is_said(flags, capsys):
    request = make_request(TuneFlags(**flags, constraints=("knowmem_r:80", "verbmem_f:20")))
    preparing.warn_of_steep_floors(request.constraints, REFERENCES, Console(width=200))
    assert capsys.readouterr().out == (
        "note: knowmem_r has to stay at 80.0 or above, and the target itself has 50.0: maybe nothing will be feasible\n"
    )


def test_which_scores_are_split_and_which_have_too_few_items_is_said():
    task, halves = Task(benchmark="any", split=True), replace(REFERENCES, reported={"target": {"utility": [1, 0, 2]}})
    split, whole = preparing.told_of_split(task, halves)
    assert split == "half of the items choose, the other half report utility (all do both with --no-split)"
    assert whole.startswith("verbmem_f, knowmem_f")
    assert "too few items for two halves" in whole
    assert list(preparing.told_of_split(replace(task, split=False), halves)) == []


def test_a_study_s_reference_rows_are_of_the_items_that_report_and_its_floor_of_those_that_choose(searched):
    seen = REFERENCES.target["utility"][0]
    halves = replace(REFERENCES, reported={"target": {"utility": [11.0, 10.0, 12.0]}})
    facts = search.make_facts(searched, halves)
    assert facts.references["target"] == REFERENCES.target | {"utility": [11.0, 10.0, 12.0]}
    assert facts.seen_references["target"] == REFERENCES.target
    assert facts.constraints[0].floor == pytest.approx(0.8 * seen)


def test_a_worker_is_given_the_method_that_its_trial_has_with_its_settings(flags):
    request = make_request(TuneFlags(**flags, method="npo_gdr,guard_prompt", settings=("seed=3",)))
    given = search.job(request.bases, "F", {}, 7, {"method": "guard_prompt", "guard_prompt.names": 5})
    assert (given["folder"], given["method"], given["names"], given["seed"]) == ("F/trial-00007", "guard_prompt", 5, 3)
    assert "lr" not in given
    assert not [name for name in given if "." in name]


def test_a_row_of_several_methods_is_run_again_by_its_own(flags):
    request = make_request(TuneFlags(**flags, method="npo_gdr,guard_prompt", settings=("seed=3",)))
    parameters = {"method": "guard_prompt", "guard_prompt.wording": "refuse", "guard_prompt.names": 5}
    line = conclusion.reproduce(request, {"parameters": parameters, "axis": "names", "at": 4})
    assert line.endswith("--protocol muse --method guard_prompt --set seed=3 --set wording=refuse --set names=5")
