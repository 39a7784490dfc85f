"""A candidate is handed over as a folder that loads, tells what it is, and can be verified; or one line says why not."""

import hashlib
import json
import math
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from disks import fill, needs_mount, small_disk
from searching import ROOT
from tiny import article, tiny_tokenizer
from tiny_dashboard import make_study
from tiny_handover import run_study
from tiny_study import run_trial, tiny_ledger
from transformers import AutoModelForCausalLM, AutoTokenizer
from typer import Exit

from lethe.fronts.objectives import SEEN
from lethe.handover.manifest import differences, write_manifest
from lethe.store.snapshot import Reader
from lethe.store.storage import open_storage
from lethe_cli.exporting import asked_for
from lethe_cli.handing_over import export, verify
from lethe_cli.verifying import read_card
from trainables.decoding.generate import greedy
from trainables.methods.guard_prompt import GuardPrompt
from trainables.methods.mean_teacher import MeanTeacher
from trainables.methods.uld import ULD
from trainables.methods.whp_logits import WhpLogits
from trainables.scores import split
from trainables.subjects.models import load_model
from trainables.subjects.saving import load_subject

SHORT = {"steps": 2, "batch_size": 2}


@pytest.fixture(scope="module")
def url(tiny, tmp_path_factory):
    """A study of two trials that train adapters."""
    base = MeanTeacher(**SHORT, eval_every=1, lora_rank=2)
    return run_study(tiny, tmp_path_factory.mktemp("real"), base, trials=2)


@pytest.fixture(scope="module")
def handed(url, tmp_path_factory):
    """The recommended candidate's folder."""
    folder = tmp_path_factory.mktemp("out") / "deep" / "model"
    export("real", "recommended", str(folder), storage=url)
    return folder


def weights_of(url, candidate):
    trial, _, rest = candidate.partition("@")
    table = Reader(url, "real").read().candidates
    _, at, role = rest.split("/")
    own = table[(table["trial"] == int(trial)) & (table["at"] == float(at)) & (table["role"] == role)]
    return own.iloc[0]["weights"]


def card_of(folder):
    return json.loads((folder / "lethe.json").read_text("utf-8"))


def test_an_ordinary_folder_gives_the_logits_of_the_candidate_adapters_taken_in(url, tmp_path):
    export("real", "1@step/2/student", str(tmp_path / "out"), storage=url)
    ids = AutoTokenizer.from_pretrained(tmp_path / "out")(article(0), return_tensors="pt").input_ids
    assert ids[0].tolist() == tiny_tokenizer()(article(0)).input_ids
    with torch.no_grad():
        ours = load_model(weights_of(url, "1@step/2/student"))(ids).logits
        theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()(ids).logits
    assert torch.equal(ours, theirs)
    assert not list((tmp_path / "out").glob("adapter*"))


def test_what_was_forgotten_is_told_by_hashes_and_no_text_is_in_any_file_beside_the_weights(handed):
    texts = [article(i) for i in range(4)]
    assert card_of(handed)["forgotten"] == [hashlib.sha256(text.encode()).hexdigest() for text in texts]
    told = (handed / "README.md").read_text("utf-8") + (handed / "lethe.json").read_text("utf-8")
    assert "4 documents, known by the sha256" in told
    assert all(text[:40] not in told for text in texts)


@pytest.mark.parametrize(
    ("request_", "axis", "at", "splits"),
    [
        ("all", "step", 60, ["raw/forget"]),
        ("scal_2", "step", 60, ["scal/forget_2"]),
        ("sust", "request", 2, ["sust/forget_1", "sust/forget_2"]),
    ],
)
def test_only_what_was_asked_for_by_then_is_said_to_be_forgotten(request_, axis, at, splits):
    place = {"axis": axis, "at": float(at), "role": "student"}
    handed = SimpleNamespace(settings={"request": request_}, candidate=place)
    assert list(asked_for(handed)) == splits


def test_the_card_has_the_recipe_the_scores_and_where_all_is_from(handed, url, tiny):
    card, (study) = card_of(handed), Reader(url, "real").read()
    where = card["candidate"]
    table = study.candidates
    row = table[(table["trial"] == where["trial"]) & (table["at"] == where["at"]) & (table["role"] == where["role"])]
    assert card["scores"]["knowmem_r"] == row.iloc[0][["knowmem_r", "knowmem_r_low", "knowmem_r_high"]].tolist()
    assert card["references"] == study.facts.references
    assert card["settings"]["lr"] == row.iloc[0]["lr"]
    assert card["command"][:2] == ["python", "platform/train_mt.py"]
    assert card["recommended"]
    assert set(card["sources"]) == {"benchmark", "target", "retrained"}
    assert card["sources"]["target"]["place"] == str(tiny.folder / "target")
    assert card["searched"]["trials"] == "2 complete, of 2 asked for"
    readme = (handed / "README.md").read_text("utf-8")
    for heading in ("Scores", "How it is made again", "What was rejected, and why", "Limits of this claim"):
        assert f"\n## {heading}" in readme


def test_the_same_scores_are_measured_from_the_folder_to_the_digit(handed, capsys):
    verify(str(handed))
    out = capsys.readouterr().out
    assert "other code" not in out
    assert out.count("the same digits") == len(card_of(handed)["scores"]) > 5
    assert "privleak: card" in out


def test_where_items_were_split_the_card_and_what_is_measured_again_are_of_those_that_report(
    tiny, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(split, "width", lambda sizes: 0 if len(sizes) == 1 else math.inf)  # PrivLeak keeps all items
    (tmp_path / "real").mkdir()
    url = run_study(tiny, tmp_path / "real", MeanTeacher(**SHORT), split=True)
    seen = Reader(url, "real").read().candidates
    assert (seen["verbmem_f"] != seen[f"verbmem_f{SEEN}"]).any()
    export("real", "recommended", str(tmp_path / "out"), storage=url)
    verify(str(tmp_path / "out"))
    assert capsys.readouterr().out.count("the same digits") == len(card_of(tmp_path / "out")["scores"]) > 5
    assert "Half of the items chose the front" in (tmp_path / "out" / "README.md").read_text("utf-8")


def test_a_folder_alone_is_enough_where_the_study_and_both_models_are_gone(handed, tiny, tmp_path, capsys):
    moved, data = tmp_path / "moved", tmp_path / "data"
    shutil.copytree(handed, moved)
    shutil.copytree(tiny.folder / "data", data)
    verify(str(moved), benchmark=str(data), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["holds"]
    assert told["scores"]["privleak"]["again"] == told["scores"]["privleak"]["card"]


def test_a_file_that_was_changed_is_one_line_and_exit_code_1(handed, tmp_path, capsys):
    shutil.copytree(handed, tmp_path / "bad")
    with (tmp_path / "bad" / "config.json").open("a") as out:
        out.write(" ")
    with pytest.raises(Exit):
        verify(str(tmp_path / "bad"))
    assert capsys.readouterr().out.startswith("changed: 'config.json' has ")


def test_scores_of_other_weights_are_found_out_though_the_manifest_was_made_to_fit(handed, url, tmp_path, capsys):
    shutil.copytree(handed, tmp_path / "bad")
    card = card_of(handed)
    card["scores"]["knowmem_f"][0] += 2.0
    (tmp_path / "bad" / "lethe.json").write_text(json.dumps(card))
    write_manifest(tmp_path / "bad")
    with pytest.raises(Exit):
        verify(str(tmp_path / "bad"))
    assert "BEYOND the tolerance, by 2" in capsys.readouterr().out
    verify(str(tmp_path / "bad"), tolerance=2.5)


BROKEN = {
    "are no numbers": {"reference": {"privleak": {"forget": "many"}}},
    "has no readings of privleak": {"reference": {"another": {}}},
    "are unknown": {"passes": {"decode": "by magic", "texts": "padded"}},
    "is no card that can be read": None,
}


@pytest.mark.parametrize(("message", "evidence"), BROKEN.items(), ids=BROKEN)
def test_a_card_that_somebody_broke_is_one_line(handed, tmp_path, message, evidence):
    shutil.copytree(handed, tmp_path / "bad")
    card = card_of(handed)
    card["evidence"] = evidence and card["evidence"] | evidence
    (tmp_path / "bad" / "lethe.json").write_text(json.dumps(card))
    write_manifest(tmp_path / "bad")
    with pytest.raises(ValueError, match=message):
        verify(str(tmp_path / "bad"))


@pytest.mark.parametrize(
    "told",
    [
        "[1, 2]",
        "[1, 2, 3, 4]",
        "[1, null, 2]",
        "[NaN, 1, 2]",
        "[1, 2, Infinity]",
        '["1", 2, 3]',
        f"[1, 2, 1{'0' * 400}]",
    ],
)
def test_a_score_of_a_card_that_is_not_three_finite_numbers_is_told(tmp_path, told):
    (tmp_path / "lethe.json").write_text(
        f'{{"benchmark": "b", "protocol": "muse", "evidence": {{}}, "scores": {{"a": {told}}}}}'
    )
    with pytest.raises(ValueError, match=r"lethe.json' is no card that can be read$"):
        read_card(tmp_path)


@pytest.mark.parametrize(
    ("name", "reads"), [("verbmem_f", True), ("a\x1b[2J", False), ("a\nb", False), ("a\u202eb", False)]
)
def test_a_score_whose_name_moves_the_cursor_is_no_card(tmp_path, name, reads):
    card = {"benchmark": "b", "protocol": "muse", "evidence": {}, "scores": {name: [1, 2.0, 3]}}
    (tmp_path / "lethe.json").write_text(json.dumps(card))
    with nullcontext() if reads else pytest.raises(ValueError, match="is no card that can be read"):
        assert read_card(tmp_path)["scores"] == {name: [1.0, 2.0, 3.0]}


def test_another_benchmark_is_refused_in_one_line(handed, tiny, tmp_path):
    from trainables.benchmarks.layout import load_benchmark, write_benchmark

    splits = load_benchmark(tiny.folder / "data").splits
    write_benchmark(tmp_path / "other", splits | {("raw", "forget"): [{"text": "Another text."}]})
    with pytest.raises(ValueError, match="holds other rows than the card's"):
        verify(str(handed), benchmark=str(tmp_path / "other"))


def test_a_prompt_guard_is_a_folder_of_its_own_kind(tiny, tmp_path, capsys):
    url = run_study(tiny, tmp_path, GuardPrompt(names=2), searched=False)
    export("real", "0", str(tmp_path / "guard"), storage=url)
    assert load_subject(tmp_path / "guard").kind == "prompt_guard"
    assert card_of(tmp_path / "guard")["kind"] == "prompt_guard"
    assert "only Lethe loads" in (tmp_path / "guard" / "README.md").read_text("utf-8")
    verify(str(tmp_path / "guard"))
    assert "BEYOND" not in capsys.readouterr().out


def test_a_pair_of_models_is_one_folder_with_both(tiny, tmp_path, capsys):
    url = run_study(tiny, tmp_path, WhpLogits(**SHORT))
    export("real", "0", str(tmp_path / "pair"), storage=url)
    assert {file.parent.name for file in (tmp_path / "pair").glob("*/config.json")} == {"target", "reinforced"}
    (tmp_path / "pair" / "a").mkdir()  # its name is the first one, and it holds no model's tokenizer
    (tmp_path / "pair" / "a" / "tokenizer_config.json").write_text("{}")
    write_manifest(tmp_path / "pair")
    verify(str(tmp_path / "pair"))
    assert "BEYOND" not in capsys.readouterr().out


def test_a_logit_difference_is_handed_over_verified_and_loaded_by_the_few_lines_beside_it(tiny, tmp_path, capsys):
    url = run_study(tiny, tmp_path, ULD(**SHORT, blocks=1, halvings=1), searched=False)
    export("real", "0@alpha/1.6/difference", str(tmp_path / "out"), storage=url)
    assert {file.parent.name for file in (tmp_path / "out").glob("*/config.json")} == {"target", "assistant"}
    assert "the target's own weights" in (tmp_path / "out" / "README.md").read_text("utf-8")
    verify(str(tmp_path / "out"))
    assert "BEYOND" not in capsys.readouterr().out
    assert written_by_loader(tmp_path / "out", article(0)[:20]) == written(tmp_path / "out", article(0)[:20])


def written_by_loader(folder, text) -> str:
    """What `load.py` prints."""
    ran = subprocess.run(
        [sys.executable, folder / "load.py", text],
        capture_output=True,
        check=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    return ran.stdout.decode()


def written(folder, text) -> str:
    subject = load_subject(folder)
    (new,) = greedy(subject, [tiny_tokenizer()(text).input_ids], max_new_tokens=40)
    return tiny_tokenizer().decode(new, skip_special_tokens=True) + "\n"


def test_a_pair_at_strength_0_is_handed_over_as_the_plain_model_that_it_is(tiny, tmp_path, capsys):
    url = run_study(tiny, tmp_path, ULD(**SHORT, blocks=1, halvings=0), searched=False)
    parts = Path(weights_of(url, "0@alpha/1.6/difference")) / "parts.json"
    parts.write_text(parts.read_text("utf-8").replace("1.6", "0"))
    export("real", "0", str(tmp_path / "out"), storage=url)
    assert not (tmp_path / "out" / "load.py").exists()
    ids = torch.tensor([tiny_tokenizer()(article(0)).input_ids])
    with torch.no_grad():
        theirs = AutoModelForCausalLM.from_pretrained(tmp_path / "out").eval()(ids).logits
        ours = load_model(tiny.folder / "target")(ids).logits
    assert torch.equal(theirs, ours)
    assert card_of(tmp_path / "out")["kind"] is None


def test_weights_that_are_not_kept_are_one_line_with_the_command_that_makes_them_again(tmp_path):
    url = make_study(tmp_path)
    with pytest.raises(
        ValueError, match=r"^the weights of 0@step/20/teacher are not kept.*python platform/train_mt.py"
    ):
        export("tiny", "0@step/20/teacher", str(tmp_path / "out"), storage=url)
    assert not (tmp_path / "out").exists()


def test_a_row_that_names_a_folder_of_somebody_else_s_has_none_of_it_copied(tmp_path):
    home = tmp_path / "home"
    (home / "work").mkdir(parents=True)
    for name in ("id_ed25519", "config.json", "work/model.safetensors"):
        (home / name).write_text("private")
    url = f"sqlite:///{tmp_path}/studies.db"
    run_trial(tiny_ledger(open_storage(url)), weights=str(home))
    with pytest.raises(ValueError, match=r"home', where the weights of 0@step/10/student should be, holds no model$"):
        export("tiny", "0", str(tmp_path / "out"), storage=url)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", ["file", "full"])
def test_what_is_in_the_way_is_left_as_it_is(url, tmp_path, kind):
    place = tmp_path / "out"
    if kind == "full":
        place.mkdir()
    (place / "notes" if kind == "full" else place).write_text("mine")
    with pytest.raises(ValueError, match="choose another folder"):
        export("real", "recommended", str(place), storage=url)
    assert (place / "notes" if kind == "full" else place).read_text() == "mine"


@needs_mount
def test_a_full_disk_leaves_no_half_folder(url, tmp_path):
    with small_disk(tmp_path / "disk", "1m") as disk:
        fill(disk / "ballast")
        with pytest.raises(OSError, match="No space left"):
            export("real", "recommended", str(disk / "out"), storage=url)
        assert [file.name for file in disk.iterdir()] == ["ballast"]


def test_where_the_texts_were_changed_since_the_card_claims_no_hashes(tiny, tmp_path, capsys):
    home = Path(shutil.copytree(tiny.folder, tmp_path / "tiny"))
    moved = replace(tiny, folder=home)
    url = run_study(moved, tmp_path, MeanTeacher(**SHORT, eval_every=2))
    shutil.rmtree(home / "target")
    export("real", "recommended", str(tmp_path / "out"), storage=url)
    assert "note: the card has no hashes of what was forgotten" in capsys.readouterr().out
    assert card_of(tmp_path / "out")["forgotten"] is None


def test_nothing_is_written_to_the_store(url, handed, tmp_path):
    file = url.removeprefix("sqlite:///")

    def dump():
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
            return list(connection.iterdump())

    before = dump()
    export("real", "recommended", str(tmp_path / "again"), storage=url)
    assert dump() == before
    assert differences(tmp_path / "again") == []
