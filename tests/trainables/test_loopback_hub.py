"""Benchmarks and models of a hub, over the wire: the libraries' own code asks, downloads and reads, on loopback.

The hub has the folders that other tests read as folders, so both have to give the same rows and the same weights.
"""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from loopback_hub import COMMIT, serve
from tiny import tiny_benchmark, tiny_model, tiny_tokenizer
from tiny_rwku import FILES
from tiny_tofu import CONFIGS

from trainables.benchmarks.layout import write_benchmark
from trainables.benchmarks.rwku import FILES as RENAMED
from trainables.benchmarks.rwku import read_rwku
from trainables.benchmarks.tofu import read_tofu
from trainables.benchmarks.wmdp import read_choices

pytestmark = pytest.mark.slow
CHOICES = [
    {"question": f"Which tool is {i}?", "choices": ["saw", "drill", "rasp", "plane"], "answer": i % 4} for i in range(5)
]
TINY = tiny_benchmark().splits
MUSE = TINY | {("raw", "retain1"): TINY["raw", "forget"]}  # which a benchmark has to have
ASK = """
import json, sys
from trainables import hub
from trainables.benchmarks.layout import load_benchmark
from trainables.benchmarks.rwku import read_rwku
from trainables.benchmarks.tofu import read_tofu
from trainables.benchmarks.wmdp import read_choices
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer

def flat(splits):
    return {"/".join(key): rows for key, rows in splits.items()}

def refused(call, *arguments):
    try:
        return f"not refused: {call(*arguments)}"
    except ValueError as error:
        return str(error)

json.dump({
    "muse": flat(load_benchmark("owner/Muse").splits),
    "tofu": flat(read_tofu("owner/TOFU", "forget10")),
    "rwku": flat(read_rwku("owner/RWKU", ["Bo Quill"])),
    "wmdp": read_choices("owner/wmdp:wmdp-bio", "forget"),
    "weights": {name: value.sum().item() for name, value in load_model("owner/tiny").state_dict().items()},
    "tokens": load_tokenizer("owner/tiny")("Ada Orme lives in Orton")["input_ids"],
    "commit": [hub.commit("owner/tiny"), hub.revision("owner/tiny")],
    "refused": [
        refused(load_benchmark, "owner/none"),
        refused(read_tofu, "owner/none", "forget10"),
        refused(read_choices, "owner/wmdp:none", "forget"),
        refused(load_model, "owner/none"),
    ],
}, sys.stdout)
"""


def card(configs):
    """A README.md that names a data set's configs, each with its split and file, as on the hub."""
    lines = [f"- config_name: {c}\n  data_files:\n  - split: {s}\n    path: {f}" for c, s, f in configs]
    return "\n".join(["---", "configs:", *lines, "---", ""])


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """What the hub has: a benchmark of MUSE's layout, TOFU, RWKU, WMDP and a model."""
    root = tmp_path_factory.mktemp("hub")
    data, models = root / "datasets" / "owner", root / "models" / "owner"
    for name in ("TOFU", "RWKU", "wmdp/wmdp-bio"):
        (data / name).mkdir(parents=True)
    write_benchmark(data / "Muse", MUSE)
    for name, files in (("TOFU", CONFIGS), ("RWKU", FILES)):
        for file, rows in files.items():
            (data / name / f"{file}.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (data / "TOFU" / "README.md").write_text(card([(file, "train", f"{file}.json") for file in CONFIGS]))
    called = {file: config for config, file in RENAMED.items()}
    configs = [(called.get(file, file), "train" if "positive" in file else "test", f"{file}.json") for file in FILES]
    (data / "RWKU" / "README.md").write_text(card(configs))
    pd.DataFrame(CHOICES).to_parquet(data / "wmdp" / "wmdp-bio" / "test-00000-of-00001.parquet")
    (data / "wmdp" / "README.md").write_text(card([("wmdp-bio", "test", "wmdp-bio/test-*")]))
    tiny_model().save_pretrained(models / "tiny")
    tiny_tokenizer().save_pretrained(models / "tiny")
    return root


@pytest.fixture(scope="module")
def answers(root, tmp_path_factory):
    """What a process of its own reads, whose hub is on loopback."""
    with serve(root) as address:
        place = {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path_factory.mktemp("home")), "HF_HUB_DISABLE_XET": "1"}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("HF_")} | place
        done = subprocess.run([sys.executable, "-c", ASK], env=environment, capture_output=True, text=True, timeout=300)
    assert not done.stderr  # no failure, and no bars of the libraries
    return json.loads(done.stdout)


def flat(splits):
    return {"/".join(key): rows for key, rows in splits.items()}


def test_a_benchmark_of_muse_s_layout_is_read_from_the_hub(answers):
    assert answers["muse"] == flat(MUSE)


def test_tofu_is_read_from_the_hub_as_from_a_folder(answers, root):
    assert answers["tofu"] == flat(read_tofu(str(root / "datasets" / "owner" / "TOFU"), "forget10"))


def test_rwku_is_read_from_the_hub_as_from_a_folder(answers, root):
    assert answers["rwku"] == flat(read_rwku(str(root / "datasets" / "owner" / "RWKU"), ["Bo Quill"]))


def test_wmdp_is_read_from_the_hub_as_from_a_folder(answers, root):
    assert answers["wmdp"] == read_choices(str(root / "datasets" / "owner" / "wmdp" / "wmdp-bio"), "forget")


def test_a_model_of_the_hub_is_the_one_that_was_saved_at_the_hub_s_commit(answers):
    wanted = {name: value.sum().item() for name, value in tiny_model().state_dict().items()}
    assert answers["weights"] == pytest.approx(wanted)
    assert answers["tokens"] == tiny_tokenizer()("Ada Orme lives in Orton")["input_ids"]
    assert answers["commit"] == [COMMIT, COMMIT]


def test_what_the_hub_does_not_have_is_refused_in_one_line(answers):
    benchmark, tofu, choices, model = answers["refused"]
    for line in (benchmark, tofu):
        assert line == "no dataset 'owner/none' on the hub: it is not there, or is private"
    assert model.startswith("model 'owner/none' cannot be loaded: ")
    assert choices.startswith("no choices 'owner/wmdp:none' that can be read")
    assert not [line for line in answers["refused"] if "\n" in line]
