"""What is asked of an audit is known by its names, before torch is loaded."""

import subprocess
import sys

import pytest

from trainables.probes import between_commas
from trainables.probes.measuring import Asked, audit_code, split_probes


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["quant:nf4,relearn_benign"], ["quant:nf4", "relearn_benign"]),
        (["relearn_in:share=0.5,k=10,quant:int4"], ["relearn_in:share=0.5,k=10", "quant:int4"]),
        (["relearn_in,k=10", "quant"], ["relearn_in:k=10", "quant"]),
        (["relearn_in", "k=10"], ["relearn_in:k=10"]),
        ([" quant:nf4 , quant:int4,"], ["quant:nf4", "quant:int4"]),
    ],
)
def test_a_part_that_sets_something_belongs_to_the_stress_before_it(texts, found):
    assert split_probes(texts) == found


def test_scores_are_parted_as_probes_are_and_a_bound_stands_behind_the_last_setting():
    text = "knowmem_r:80, relearn_in,k=5,lr=1e-4:20,,quant:nf4:10"
    assert between_commas(text) == ["knowmem_r:80", "relearn_in:k=5,lr=1e-4:20", "", "quant:nf4:10"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["quant:nf4,melt"], "^probe 'melt' is unknown: choose one of quant, "),
        (["k=10"], "^probe 'k=10' is unknown"),
        ([","], "^no probe is named: choose of quant, "),
    ],
)
def test_a_probe_that_is_not_known_is_named(texts, said):
    with pytest.raises(ValueError, match=said):
        split_probes(texts)


def test_no_two_readings_have_a_table_of_one_name():
    asked = [Asked(whose=w, place="", stress=s) for w in ("1@step/2/a", "1@step/2-a") for s in ("", "quant:nf4", "p")]
    files = {one.file for one in asked}
    assert len(files) == len(asked)
    assert all("/" not in file and file.endswith(".parquet") and len(file) < 200 for file in files)
    assert asked[1].file.startswith("1-step-2-a-quant-nf4-")


def test_no_torch_is_loaded_for_it():
    code = "import sys, trainables.probes.measuring as m; m.audit_code(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    assert len(audit_code()) == 16
