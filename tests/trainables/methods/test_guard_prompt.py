"""The prompt guard moves no weight: it puts longer and longer instructions before every prompt, each a candidate."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from searching import make_tiny
from tiny import article, tiny_model, tiny_tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from lethe_cli import request
from lethe_cli.flags import TuneFlags
from lethe_cli.request import make_request
from lethe_cli.train import train
from trainables.decoding.generate import greedy
from trainables.failures import Unfit
from trainables.memory.plan import FP32, SCORING, plan, shape_of
from trainables.method import Candidate, Evaluated
from trainables.methods import find_method, unlearn
from trainables.methods.guard_prompt import WORDINGS, GuardPrompt, counts, instruction
from trainables.methods.mean_teacher import MeanTeacher
from trainables.runs.sequences import streams
from trainables.runs.unlearning import Unlearner
from trainables.subjects.prompt_guard import PromptGuard
from trainables.subjects.saving import load_subject
from trainables.task import Task

TEXTS = {"forget": [article(0), article(1)], "retain": [article(6)]}
NAMES = ["Ada Orme", "Bo Quill", "Orton", "Selby"]  # of these texts, by how often they stand there


def records(settings: GuardPrompt, model=None, **changed) -> list:
    texts = TEXTS | changed
    return list(unlearn(model or tiny_model(), [], [], settings, pad=2, tokenizer=tiny_tokenizer(), texts=texts))


@pytest.mark.parametrize(
    ("most", "tried"), [(1, [1]), (2, [1, 2]), (3, [1, 2, 3]), (4, [1, 2, 4]), (9, [1, 2, 4, 8, 9])]
)
def test_the_numbers_of_names_double_up_to_the_most(most, tried):
    assert counts(most) == tried
    assert GuardPrompt(names=most).evaluations == len(tried)


def test_the_instruction_lists_its_names_and_names_nobody_where_there_are_none():
    assert instruction("silent", NAMES[:3]).startswith("What follows says nothing about Ada Orme, Bo Quill and Orton,")
    assert instruction("silent", NAMES[:1]).startswith("What follows says nothing about Ada Orme,")
    assert all(instruction(wording, NAMES).endswith("\n\n") for wording in WORDINGS)
    assert instruction("unread", []) == ""


def test_each_candidate_names_more_of_the_forget_texts_and_none_has_anything_to_go_on_to():
    found = records(GuardPrompt(names=3, wording="refuse"))
    assert [(r.at, r.axis, r.role) for r in found[::2]] == [(n, "names", "guarded") for n in (1, 2, 3)]
    assert [r.subject.text for r in found[::2]] == [instruction("refuse", NAMES[:n]) for n in (1, 2, 3)]
    assert [r for r in found if not isinstance(r, Candidate)] == [Evaluated(state=None)] * 3


def test_where_fewer_names_are_found_all_of_them_are_the_last_candidate():
    assert [r.at for r in records(GuardPrompt(names=64)) if isinstance(r, Candidate)] == [1, 2, 4]


def test_no_weight_moves_and_all_candidates_are_one_model():
    model, before = tiny_model(), tiny_model().state_dict()
    for record in records(GuardPrompt(), model)[::2]:
        assert record.subject.models == (model,)
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


def test_texts_without_a_name_of_their_own_are_told_in_a_line():
    with pytest.raises(Unfit, match="^no name stands in the forget texts that the retain texts lack: guard_prompt"):
        records(GuardPrompt(), retain=TEXTS["forget"])


def test_it_is_only_scored_so_its_plan_is_the_weights_and_the_scoring_pass():
    shape = shape_of(tiny_model().config, trainable="nothing")
    planned = plan(shape, GuardPrompt(), workers=2)
    whole = sum(p.numel() for p in tiny_model().parameters())
    assert shape.elements(trainable=True) == 0
    assert planned.phases.keys() == {SCORING}
    assert planned.phases[SCORING]["weights"] == FP32 * whole
    assert planned.host == 2 * 2 * FP32 * whole  # on each of two workers the target, and the copy that goes to its GPU
    trained = plan(replace(shape), MeanTeacher(), workers=2).phases[SCORING]
    assert planned.phases[SCORING]["key-value cache"] == trained["key-value cache"]


def test_it_trains_on_no_text():
    assert streams(GuardPrompt()) == ()
    assert GuardPrompt().longest == 0


def test_its_card_says_that_it_can_be_taken_off():
    assert any(trap.startswith("removable") for trap in find_method("guard_prompt").traps)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return make_tiny(tmp_path_factory.mktemp("guarded"))


@pytest.fixture(scope="module")
def unlearner(tiny):
    return Unlearner(Task(**tiny.places(), cache=tiny.cache()))


@pytest.fixture(scope="module")
def run(unlearner, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    return folder, list(unlearner(GuardPrompt(names=2), folder))


def test_a_run_scores_each_instruction_and_keeps_a_folder_that_makes_it_again(run, unlearner):
    candidates = [candidate for result in run[1] for candidate in result["candidates"]]
    assert [(c["axis"], c["at"], c["role"]) for c in candidates] == [("names", 1, "guarded"), ("names", 2, "guarded")]
    asked = [tiny_tokenizer()("Where did Ada Orme open a mill?").input_ids]
    for candidate in candidates:
        again = load_subject(candidate["weights"])
        assert json.loads(Path(candidate["weights"], "parts.json").read_text())["kind"] == "prompt_guard"
        before = PromptGuard(unlearner.loaded.target, tiny_tokenizer(), again.text)
        assert greedy(again, asked, max_new_tokens=8) == greedy(before, asked, max_new_tokens=8)
        assert unlearner.loaded.evaluator(again).scores["privleak"].value == candidate["scores"]["privleak"][0]


def test_it_takes_no_steps_and_its_table_of_steps_has_no_rows(run):
    steps = pd.read_parquet(run[0] / "steps.parquet")
    assert list(steps.columns) == ["step", "cost"]
    assert steps.empty


def test_the_same_run_again_gives_the_same_results(run, unlearner, tmp_path):
    again = list(unlearner(GuardPrompt(names=2), tmp_path))
    for one, other in zip(run[1], again, strict=True):
        assert [c["scores"] for c in one["candidates"]] == [c["scores"] for c in other["candidates"]]


def test_a_guard_longer_than_the_model_s_positions_ends_the_run_with_its_reason(unlearner, tmp_path, monkeypatch):
    longest = max(unlearner.loaded.evaluator.lengths().values())
    config = GPT2Config(vocab_size=300, n_positions=longest + 20, n_embd=16, n_layer=1, n_head=2)
    few = replace(unlearner.loaded, target=GPT2LMHeadModel(config).eval())
    monkeypatch.setattr(unlearner, "loaded", few)
    (result,) = unlearner(GuardPrompt(names=1), tmp_path)
    assert re.fullmatch(rf"Unfit: \S+ needs \d+ tokens, and gpt2 has {longest + 20} positions: .*", result["failure"])


def test_lethe_train_runs_it_and_settings_of_training_are_none_of_its(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(request, "default_cache", lambda: Path(tiny.cache()))
    train(method="guard_prompt", settings=["names=1", "wording=silent"], as_json=True, **tiny.places())
    outcome = json.loads(capsys.readouterr().out)
    assert [candidate["at"] for candidate in outcome["candidates"]] == [1]
    flags = TuneFlags(**tiny.places(), method="guard_prompt", name="guarded", settings=("steps=4",))
    with pytest.raises(ValueError, match=r"^'steps' is no setting of guard_prompt: choose one of .*wording, names$"):
        make_request(flags)
