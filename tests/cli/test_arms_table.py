"""The arms of an ablation fit a terminal of 100 columns, whatever they are called and however many scores are guarded."""

from dataclasses import replace
from io import StringIO

import pytest
import tiny_ablation
from rich.console import Console

from lethe.analysis.designs import full_factorial
from lethe.fronts.objectives import Constraint
from lethe_cli.ablating import draw_arms

LONG = {
    "damping": {"on": {}, "off_by_a_setting_of_long_name": {"damping": 0.0}},
    "loss": tiny_ablation.SWITCHES["loss"],
}
GUARDED = ("repetition_f", "nonwords_f")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """Both long and short names, and a guard of three scores, as a search's by default."""
    found = tiny_ablation.read(tmp_path_factory.mktemp("arms"), design=full_factorial(LONG))
    runs = found.runs.assign(**{f"{score}{end}": 1.0 for score in GUARDED for end in ("", "_low", "_high")})
    guard = (*found.facts.constraints, *(Constraint(score=score, ceiling=10.0) for score in GUARDED))
    console = Console(file=StringIO(), width=100)
    console.print(draw_arms(replace(found, runs=runs, facts=replace(found.facts, constraints=guard))))
    return console.file.getvalue()


def test_no_name_and_no_number_is_cut_off(drawn):
    assert "…" not in drawn
    head, *rows = drawn.splitlines()
    assert head.split() == ["arm", "seeds", "verbmem_f", "|privleak|", "knowmem_r", "utility", "hypervolume"]
    assert all(row[1].isdigit() and "±" in row[3] for row in map(str.split, rows) if row[0] == "baseline")
    whole = "".join(line.split("  ")[0].strip() for line in rows[3:])
    assert "damping=off_by_a_setting_of_long_name,loss=ll" in whole.replace(" ", "")
