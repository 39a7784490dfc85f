"""The mean-teacher paper's logs: each epoch is a candidate, the model it starts from the target; what is odd is told."""

import json

import pytest

from lethe.imports.paper_logs import PROTOCOL, is_log, is_table, read_log, read_table
from lethe.imports.rows import references_of
from lethe.store.places import Place

ARGS = {
    "args": {
        "seed": 7,
        "gen_eval_name": "books",
        "network": "some/target",
        "loss": "nlul",
        "penalty": "kl",
        "optimizer": "sgd",
        "lr": 5e-4,
        "momentum": 0.95,
        "alpha": 0.1,
        "delta": 0,
        "damp": 5.0,
        "steps": 100,
        "exp_id": 3,
    }
}
STEP = {"global_step": 0, "loss_tr": 0.5}


def epoch(number, verbmem, **others):
    return {"epoch": number, "metrics": {"verbmem_f": verbmem, "knowmem_f": 60.0, "mmlu_val": 40.0} | others}


def log(tmp_path, *lines, name="seed_7.out"):
    file = tmp_path / name
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    file.write_text("\n".join(texts) + "\n")
    return file


def test_every_epoch_is_a_candidate_at_the_epochs_that_were_trained(tmp_path):
    file = log(tmp_path, ARGS, epoch(-1, 56.0), STEP, epoch(0, 40.0), STEP, epoch(1, 20.5))
    found = read_log(file)
    assert [(row.line, row.place, row.scores["verbmem_f"]) for row in found.rows] == [
        (2, Place("epoch", 0, "student"), 56.0),
        (4, Place("epoch", 1, "student"), 40.0),
        (6, Place("epoch", 2, "student"), 20.5),
    ]
    assert found.oddities == []
    assert is_log(file)


def test_a_row_knows_its_recipe_what_it_was_made_on_and_by_which_code_it_was_scored(tmp_path):
    (row,) = read_log(log(tmp_path, ARGS, epoch(0, 40.0))).rows
    assert row.parameters == {
        **{"loss": "nlul", "penalty": "kl", "optimizer": "sgd", "lr": 5e-4, "momentum": 0.95, "alpha": 0.1},
        **{"delta": 0, "damp": 5.0, "seed": 7},
    }
    assert row.facts == {"benchmark": "muse-books", "model": "some/target", "protocol": PROTOCOL}
    assert row.scores == {"verbmem_f": 40.0, "knowmem_f": 60.0, "utility": 40.0}


def test_the_model_that_runs_start_from_is_the_target(tmp_path):
    found = read_log(log(tmp_path, ARGS, epoch(-1, 56.0), epoch(0, 40.0)))
    target = {"target": {"verbmem_f": 56.0, "knowmem_f": 60.0, "utility": 40.0}}
    assert references_of(found.references, {}) == target
    assert found.references[0].facts == found.rows[0].facts


def test_a_last_privleak_is_the_last_epochs(tmp_path):
    found = read_log(log(tmp_path, ARGS, epoch(0, 40.0), epoch(1, 20.0), {"privleak": -12.5}))
    assert [row.scores.get("privleak") for row in found.rows] == [None, -12.5]


def test_a_score_that_was_not_measured_is_left_out(tmp_path):
    (row,) = read_log(log(tmp_path, ARGS, epoch(0, 40.0, mmlu_val=None))).rows
    assert row.scores == {"verbmem_f": 40.0, "knowmem_f": 60.0}


def test_a_log_that_was_begun_anew_is_two_runs(tmp_path):
    found = read_log(log(tmp_path, ARGS, epoch(0, 40.0), ARGS, epoch(0, 39.0)))
    assert [row.run for row in found.rows] == ["seed_7.out", "seed_7.out #2"]


BROKEN = {
    '{"epoch": 1, "metr': "it is no JSON",
    '{"loss": 1}': "it is neither arguments, a step, an epoch nor a PrivLeak",
    "[1, 2]": "it is neither arguments, a step, an epoch nor a PrivLeak",
    '{"epoch": 1, "metrics": {"verbmem_f": NaN}}': "verbmem_f is nan: it must be a finite number",
    '{"epoch": 1, "metrics": {"verbmem_f": "high"}}': "verbmem_f is 'high': it must be a finite number",
    '{"epoch": 1, "metrics": {}}': "it has no scores",
    '{"epoch": 0.5, "metrics": {"verbmem_f": 1}}': "its epoch is 0.5: it must be -1, 0, 1, ...",
    '{"privleak": null}': "it has no scores",
}


@pytest.mark.parametrize(("line", "reason"), BROKEN.items(), ids=BROKEN.values())
def test_a_broken_line_is_told_with_its_place_and_the_rest_is_read(tmp_path, line, reason):
    file = log(tmp_path, ARGS, epoch(0, 40.0), line, epoch(2, 20.0))
    found = read_log(file)
    assert list(map(str, found.oddities)) == [f"{file}:3: {reason}"]
    assert [row.place.at for row in found.rows] == [1, 3]


def test_arguments_that_are_odd_begin_a_run_all_the_same_which_is_left_out(tmp_path):
    odd = {"args": ARGS["args"] | {"delta": float("inf")}}
    found = read_log(log(tmp_path, ARGS, epoch(0, 40.0), odd, epoch(0, 1.0), {"privleak": 1.0}, ARGS, epoch(0, 39.0)))
    assert [(oddity.line, oddity.reason) for oddity in found.oddities] == [
        (3, "delta is inf: it must be a finite number"),
        (4, "an epoch stands before the arguments of its run"),
        (5, "a PrivLeak stands before any epoch of its run"),
    ]
    assert [(row.run, row.scores["verbmem_f"]) for row in found.rows] == [("seed_7.out", 40.0), ("seed_7.out #3", 39.0)]


def test_what_stands_before_the_arguments_is_of_no_run(tmp_path):
    found = read_log(log(tmp_path, epoch(0, 40.0), {"privleak": 1.0}, ARGS, {"privleak": 2.0}))
    assert [oddity.reason for oddity in found.oddities] == [
        "an epoch stands before the arguments of its run",
        "a PrivLeak stands before any epoch of its run",
        "a PrivLeak stands before any epoch of its run",
    ]


HEAD = "log,loss,penalty,lr,delta,seed,epoch,verbmem_f,mmlu_val,privleak"


def test_a_table_of_logs_is_read_as_the_logs_are(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text(f"{HEAD}\na.out,npo,kl,1e-05,0,3,-1,56,40,\na.out,npo,kl,1e-05,0,3,0,12.5,39,-3\n")
    found = read_table(file)
    assert is_table(HEAD.split(","))
    assert [(row.line, row.run, row.place.at, row.scores) for row in found.rows] == [
        (2, "a.out", 0, {"verbmem_f": 56.0, "utility": 40.0}),
        (3, "a.out", 1, {"verbmem_f": 12.5, "utility": 39.0, "privleak": -3.0}),
    ]
    assert found.rows[0].parameters == {"loss": "npo", "penalty": "kl", "lr": 1e-5, "delta": 0, "seed": 3}
    assert references_of(found.references, {}) == {"target": {"verbmem_f": 56.0, "utility": 40.0}}


def test_broken_rows_of_a_table_are_told_with_their_lines(tmp_path):
    file = tmp_path / "runs.csv"
    file.write_text(f"{HEAD}\na.out,npo\n,npo,kl,1,0,3,0,1,1,\na.out,npo,kl,1,0,3,x,1,1,\na.out,npo,kl,1,0,3,0,1,1,\n")
    found = read_table(file)
    assert [(oddity.line, oddity.reason) for oddity in found.oddities] == [
        (2, "it has 2 cells, and the head has 10"),
        (3, "it names no log"),
        (4, "its epoch is 'x': it must be a finite number"),
    ]
    assert [row.line for row in found.rows] == [5]
