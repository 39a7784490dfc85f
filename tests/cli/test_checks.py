"""Each check passes what is right and names what is wrong, in one line."""

import math
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_folders import benchmark_folder, model_folder

from lethe_cli import checks
from trainables.benchmarks import find_source
from trainables.benchmarks.layout import load_benchmark
from trainables.methods.mean_teacher import MeanTeacher
from trainables.scores import all_scores, searched_scores


def test_two_cpus_are_enough_and_one_is_not(monkeypatch):
    monkeypatch.setattr(checks, "available_cpus", lambda: 2)
    assert checks.check_cpus() == 2
    monkeypatch.setattr(checks, "available_cpus", lambda: 1)
    with pytest.raises(ValueError, match="this machine offers 1 CPU: a search needs at least 2"):
        checks.check_cpus()


def test_a_model_folder_is_given_back_in_full(tmp_path, monkeypatch):
    model_folder(tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    assert checks.check_model("model", "--model") == str(tmp_path / "model")
    assert checks.check_model("./model", "--model") == str(tmp_path / "model")


@pytest.mark.parametrize(
    ("without", "what"),
    [("config.json", "configuration"), ("model.safetensors", "weights"), ("tokenizer.json", "tokenizer")],
)
def test_a_model_folder_names_what_it_lacks_and_what_was_looked_for(tmp_path, without, what):
    folder = model_folder(tmp_path / "model", without=without)
    with pytest.raises(ValueError, match=rf"--retrained '{folder}' has no {what} \(looked for "):
        checks.check_model(str(folder), "--retrained")


def test_pickled_weights_are_no_weights(tmp_path):
    folder = model_folder(tmp_path / "model", without="model.safetensors")
    (folder / "pytorch_model.bin").write_text("")
    with pytest.raises(ValueError, match=r"has no weights \(looked for \*\.safetensors\)"):
        checks.check_model(str(folder), "--model")


def test_no_model_and_a_hub_id_are_left_as_they_are():
    assert checks.check_model(None, "--model") is None
    assert checks.check_model("owner/name", "--model") == "owner/name"


@pytest.mark.parametrize("name", ["model", "/no/such/folder", "./model/target", "~/no/such", "a/b/c"])
def test_what_is_neither_a_folder_nor_a_hub_id_is_refused(name):
    with pytest.raises(ValueError, match="is neither a folder nor a hub id owner/name"):
        checks.check_model(name, "--model")


@pytest.mark.parametrize("name", ["owner/notes.txt", "notes.txt", "./notes.txt", "owner/gone"])
def test_what_is_here_and_no_folder_is_told_and_no_hub_is_asked_for_it(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "owner").mkdir()
    for file in ("owner/notes.txt", "notes.txt"):
        (tmp_path / file).write_text("a text")
    (tmp_path / "owner" / "gone").symlink_to("nowhere")
    found = "a link to what is not there" if "gone" in name else "a file"
    takers = {
        "benchmark": (find_source, load_benchmark, checks.check_benchmark),
        "--model": (lambda given: checks.check_model(given, "--model"), checks.check_planned),
    }
    for what, take in ((what, take) for what, those in takers.items() for take in those):
        with pytest.raises(ValueError, match=rf"^{what} '{name}' is {found}, not a folder$"):
            take(name)


def test_a_home_folder_is_written_out_for_a_benchmark_and_a_model_alike(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    model_folder(tmp_path / "model")
    data = benchmark_folder(tmp_path / "data")
    assert checks.check_model("~/model", "--model") == checks.check_planned("~/model") == str(tmp_path / "model")
    assert find_source("~/data").data == str(data)


OF_WRONG_ANSWERS = {name for name, score in searched_scores().items() if "qa" in dict(score.needs)}
OF_LEVELS = {name for name in searched_scores() if name.startswith("level")}
ON_OTHER_WAYS = {name for name, score in searched_scores().items() if "probe" in dict(score.needs)} - OF_LEVELS
BROUGHT = {"shared_k", "mcq_g", *ON_OTHER_WAYS, *OF_LEVELS}  # by configs that no other benchmark has
OF_REQUESTS = {
    name for name, score in searched_scores().items() if "sust" in dict(score.needs)
}  # muse-mini's kind alone


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("muse-mini", OF_WRONG_ANSWERS | BROUGHT),
        ("tofu-mini", BROUGHT | OF_REQUESTS),
        ("dusk-mini", OF_WRONG_ANSWERS | OF_REQUESTS | BROUGHT - {"shared_k"}),
        ("mirage-mini", OF_WRONG_ANSWERS | OF_REQUESTS | BROUGHT - ON_OTHER_WAYS),
        ("wmdp-mini", OF_WRONG_ANSWERS | BROUGHT),
    ],
)
def test_what_is_made_here_gives_every_score_but_those_whose_configs_it_has_not(name, absent):
    reasons = checks.available_scores(checks.check_benchmark(name), retrained=True)
    assert {score for score, reason in reasons.items() if reason} == absent


@pytest.mark.parametrize(
    ("without", "retrained", "absent"),
    [
        ((), True, set()),
        ((), False, {name for name, score in searched_scores().items() if score.relative} - OF_WRONG_ANSWERS),
        (("privleak",), True, {"privleak"}),
        (("knowmem",), True, {name for name, score in all_scores().items() if "knowmem" in dict(score.needs)}),
        (("utility",), True, {"utility"}),
    ],
)
def test_a_score_that_a_benchmark_cannot_give_has_its_reason(tmp_path, without, retrained, absent):
    benchmark = checks.check_benchmark(str(benchmark_folder(tmp_path / "b", without=without)))
    reasons = checks.available_scores(benchmark, retrained=retrained)
    choice = {"mcq_f", "mcq_f_gap", "mcq_r"}  # of one question there are no wrong answers
    others = choice | OF_WRONG_ANSWERS | OF_REQUESTS | BROUGHT
    assert {score for score, reason in reasons.items() if reason} == absent | others
    assert set(reasons) == set(searched_scores())


@given(steps=st.integers(1, 10**6), lr=st.floats(1e-9, 1e3))
def test_settings_are_read_as_they_were_written(steps, lr):
    assert checks.check_settings([f"steps={steps}", f"lr={lr}", "freeze=False"]) == MeanTeacher(
        steps=steps, lr=lr, freeze=False
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps", "setting 'steps' is not NAME=VALUE, for example steps=60"),
        ("speed=1", "'speed' is no setting of mean_teacher: choose one of"),
        ("lr=-0.1", "lr is -0.1: it must be greater than 0"),
        ("batch_size=9223372036854775808", "batch_size is 9223372036854775808: it must be at most 9223372036854775807"),
        ("alpha=-1", "alpha is -1.0: it must be at least 0"),
        ("lr=nan", "lr is nan: it must be a number"),
        ("lr=inf", "lr is inf: it must be a number"),
        ("steps=0", "steps is 0: it must be greater than 0"),
        ("steps=2.5", "steps is '2.5': it must be a whole number"),
        ("freeze=maybe", "freeze is 'maybe': it must be true or false"),
        ("forget_loss=ga", "forget_loss 'ga' is unknown: choose one of nlul, ll"),
        ("penalty=l2", "penalty 'l2' is unknown: choose one of kl"),
        ("optimizer=lion", "optimizer 'lion' is unknown: choose one of sgd, adamw"),
    ],
)
def test_a_setting_that_is_not_allowed_is_named_with_what_is(text, message):
    with pytest.raises(ValueError, match=message):
        checks.check_settings([text])


def test_a_setting_that_is_searched_is_refused_with_the_flag_that_does_it():
    with pytest.raises(ValueError, match="setting 'lr' is searched: give its range with --range lr=LOW:HIGH"):
        checks.check_settings(["steps=5", "lr=0.1"], searched=("lr", "alpha"))


@pytest.mark.parametrize("count", [0, -3])
def test_what_is_counted_is_there_at_least_once(count):
    with pytest.raises(ValueError, match=f"^--trials is {count}: it must be at least 1$"):
        checks.check_count("--trials", count)
    assert checks.check_count("--trials", 1) == 1


@pytest.mark.parametrize("cpus", [0, -1, math.nan, math.inf])
def test_a_worker_wants_some_cpu(cpus):
    with pytest.raises(ValueError, match=f"--cpus-per-worker is {cpus}: it must be a number greater than 0"):
        checks.check_worker(cpus, 0)


def test_shards_of_one_model_want_a_gpu_each():
    for parallel, workers, gpus in (("ddp", 2, 0.5), ("fsdp", 1, 0.5), ("fsdp", 2, 1), ("fsdp", 2, 0)):
        checks.check_sharing(MeanTeacher(parallel=parallel), range(1, workers + 1), gpus)
    with pytest.raises(ValueError, match=r"--gpus-per-worker is 0.5 with parallel=fsdp: .* or --set parallel=ddp$"):
        checks.check_sharing(MeanTeacher(parallel="fsdp"), range(1, 3), 0.5)


@pytest.mark.parametrize("gpus", [-1, -0.5, math.nan, math.inf, 1.5])
def test_a_worker_wants_no_gpu_a_share_of_one_or_whole_ones(gpus):
    with pytest.raises(ValueError, match=f"--gpus-per-worker is {gpus}: it must be a"):
        checks.check_worker(1, gpus)
    for allowed in (0, 0.25, 1, 2):
        checks.check_worker(0.5, allowed)


def test_unknown_protocols_and_samplers_are_named_with_the_choices():
    with pytest.raises(ValueError, match="protocol 'tofu' is unknown: choose muse, muse-unicode, open-unlearning"):
        checks.check_protocol("tofu")
    with pytest.raises(ValueError, match="sampler 'grid' is unknown: choose tpe, nsga2, nsga3, random"):
        checks.check_sampler("grid")
    assert (checks.check_protocol("muse"), checks.check_sampler("tpe")) == ("muse", "tpe")


def test_a_new_folder_is_not_there_yet_or_empty(tmp_path):
    assert checks.check_new_folder(str(tmp_path)) == tmp_path
    assert checks.check_new_folder(str(tmp_path / "new" / "one")) == tmp_path / "new" / "one"
    (tmp_path / "file").write_text("")
    for taken in (tmp_path, tmp_path / "file"):
        with pytest.raises(ValueError, match="exists and is not an empty folder: choose another place"):
            checks.check_new_folder(str(taken))


def test_a_folder_within_a_file_is_no_place_to_write_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="^--out '.*out' cannot be made: '.*file' is not a folder to write in$"):
        checks.check_folder_to_write("--out", str(tmp_path / "file" / "out"))
    with pytest.raises(ValueError, match="^the folder '.*out' cannot be made: '.*file' is not a folder to write in$"):
        checks.check_new_folder(str(tmp_path / "file" / "out"))


def test_an_empty_folder_that_cannot_be_written_to_is_told_before_anything_is_made_for_it(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda place, mode: mode != os.W_OK)  # root may write to any folder
    for place in (tmp_path, tmp_path / "new"):
        with pytest.raises(ValueError, match="^the folder '.*' cannot be made: '.*' is not a folder to write in$"):
            checks.check_new_folder(str(place))
