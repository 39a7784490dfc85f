"""open-unlearning's evaluations: shares become scores x100, the recipe is that of Hydra's configuration beside them."""

import json

import pytest

from lethe.imports.open_unlearning import PROTOCOL, files_in, is_evaluation, read
from lethe.store.places import Place

SUMMARY = {
    "forget_knowmem_ROUGE": 0.5,
    "forget_verbmem_ROUGE": 0.25,
    "privleak": -30.0,
    "retain_knowmem_ROUGE": 0.4,
    "extraction_strength": 0.1,
}
TRAINING = """
data_split: News
model:
  model_args:
    pretrained_model_name_or_path: muse-bench/MUSE-${data_split}_target
trainer:
  handler: NPO
  args:
    learning_rate: 1e-5
    num_train_epochs: 10
    per_device_train_batch_size: 4
    seed: 0
    logging_dir: ${trainer.args.output_dir}/logs
  method_args:
    beta: 0.1
    alpha: 1.0
    retain_loss_type: NLL
"""


def write(folder, metrics=SUMMARY, name="MUSE_SUMMARY.json", config=None, at=""):
    (folder / at).mkdir(parents=True, exist_ok=True)
    if config is not None:
        (folder / ".hydra").mkdir(exist_ok=True)
        (folder / ".hydra" / "config.yaml").write_text(config)
    file = folder / at / name
    file.write_text(metrics if isinstance(metrics, str) else json.dumps(metrics, indent=2))
    return file


def test_shares_are_scores_of_100_and_privleak_is_one_already(tmp_path):
    (row,) = read(write(tmp_path / "some_model")).rows
    assert row.scores == {
        **{"knowmem_f": 50.0, "verbmem_f": 25.0, "privleak": -30.0, "knowmem_r": 40.0},
        "extraction_strength": 10.0,
    }
    assert (row.run, row.place) == ("some_model", Place("run", 1, "some_model"))
    assert row.facts == {"benchmark": "muse", "protocol": PROTOCOL}


def test_the_other_file_says_the_same_beside_its_items(tmp_path):
    whole = {name: {"agg_value": value, "value_by_index": {"0": {"x": 1}}} for name, value in SUMMARY.items()}
    whole["mia_min_k_texts"] = {"value_by_index": {}}
    (row,) = read(write(tmp_path / "a", whole, "MUSE_EVAL.json")).rows
    assert row.scores == read(write(tmp_path / "a")).rows[0].scores


def test_the_recipe_is_that_of_the_training_above(tmp_path):
    (row,) = read(write(tmp_path / "muse_npo", config=TRAINING, at="evals")).rows
    assert row.parameters == {
        **{"handler": "NPO", "learning_rate": 1e-5, "num_train_epochs": 10, "per_device_train_batch_size": 4},
        **{"seed": 0, "beta": 0.1, "alpha": 1.0, "retain_loss_type": "NLL"},
    }
    assert (row.run, row.place) == ("muse_npo", Place("epoch", 10, "model"))
    assert row.facts == {
        **{"benchmark": "muse-news", "model": "muse-bench/MUSE-News_target"},
        "protocol": PROTOCOL,
    }


def test_checkpoints_of_a_run_stand_at_their_steps(tmp_path):
    for step in (20, 100):
        write(tmp_path / "npo", config=TRAINING, at=f"checkpoint-{step}/evals")
    rows = read(tmp_path / "npo").rows
    assert {row.place for row in rows} == {Place("step", 20, "model"), Place("step", 100, "model")}
    assert {row.run for row in rows} == {"npo"}


def test_tofu_s_metrics_keep_their_names(tmp_path):
    tofu = {"forget_quality": 0.05, "model_utility": 0.6}
    (row,) = read(write(tmp_path / "a", tofu, "TOFU_SUMMARY.json", config="forget_split: forget10")).rows
    assert row.scores == {"forget_quality": 5.0, "model_utility": 60.0}
    assert row.facts["benchmark"] == "tofu-forget10"


def test_of_a_folder_each_evaluation_is_read_once(tmp_path):
    summary = write(tmp_path / "a")
    write(tmp_path / "a", "{}", "MUSE_EVAL.json")
    other = write(tmp_path / "b", {"privleak": {"agg_value": 1}}, "MUSE_EVAL.json")
    write(tmp_path / "b", "{}", "notes.json")
    assert files_in(tmp_path) == [summary, other]
    assert is_evaluation(tmp_path)
    assert is_evaluation(summary)
    assert not is_evaluation(tmp_path / "b" / "notes.json")


def test_a_metric_that_is_no_number_is_told_with_its_line_and_the_others_are_read(tmp_path):
    file = write(tmp_path / "a", SUMMARY | {"privleak": "?"})
    found = read(file)
    assert list(map(str, found.oddities)) == [f"{file}:4: privleak is '?': it must be a finite number"]
    assert found.rows[0].scores.keys() == {"knowmem_f", "verbmem_f", "knowmem_r", "extraction_strength"}


BROKEN = {
    '{"privleak": 1,\n oops}': (2, "it is no JSON"),
    "[1]": (1, "it is no table of metrics"),
    "{}": (1, "it has no scores"),
}


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_file_is_told(tmp_path, text):
    found = read(write(tmp_path / "a", text))
    assert [(oddity.line, oddity.reason) for oddity in found.oddities] == [BROKEN[text]]
    assert found.rows == []


ODD = {
    "trainer: {handler: NPO, args: [1, 2]}": "its configuration's args is [1, 2]: it must be names with values",
    "trainer: {handler: NPO, method_args: high}": "its configuration's method_args is 'high': it must be names with values",
    "model: a/b": "its configuration's model is 'a/b': it must be names with values",
    "model: {model_args: [a/b]}": "its configuration's model_args is ['a/b']: it must be names with values",
    "trainer: {handler: NPO, args: {learning_rate: .inf}}": "learning_rate is inf: it must be a finite number",
    "trainer: {handler: NPO, method_args: {beta: -.inf}}": "beta is -inf: it must be a finite number",
}


@pytest.mark.parametrize(("config", "reason"), ODD.items(), ids=ODD)
def test_an_evaluation_with_an_odd_configuration_is_told_and_the_others_are_read(tmp_path, config, reason):
    file = write(tmp_path / "odd", config=config)
    write(tmp_path / "sound", config=TRAINING)
    found = read(tmp_path)
    assert list(map(str, found.oddities)) == [f"{file}:1: {reason}"]
    assert [row.run for row in found.rows] == ["sound"]


def test_names_of_arguments_are_texts_whatever_they_are_written_as(tmp_path):
    (row,) = read(write(tmp_path / "a", config="trainer: {handler: X, method_args: {1: 0.5, beta: 2}}")).rows
    assert row.parameters == {"handler": "X", "1": 0.5, "beta": 2}


def test_a_broken_configuration_is_told_with_the_line_where_it_breaks(tmp_path):
    found = read(write(tmp_path / "a", config="trainer:\n  handler: [NPO\n"))
    assert found.rows == []
    assert found.oddities[0].reason.endswith("is broken at line 3")
