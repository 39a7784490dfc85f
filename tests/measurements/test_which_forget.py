"""The table of what methods forget: each recommended candidate beside the models, from its study's audit."""

from dataclasses import replace

from tiny_arena import Entered, Made, make_arena
from tiny_audit import GONE, HALF, KNOWN, NF4, pair
from tiny_audit import Made as Readings

from lethe.analysis.arena import read_arena
from lethe.store.snapshot import Reader
from measurements import which_forget


def test_what_each_method_gives_and_what_comes_back_stands_in_its_row(tmp_path, monkeypatch):
    scored = {"verbmem_f": 10.0, "privleak": 0.0, "knowmem_r": 26.0}
    entered = [Entered(entrant=name, seed=0, trials=[Made(candidates=[(300, scored)])]) for name in ("ga", "npo")]
    url = make_arena(tmp_path, entered)
    arena = read_arena(url, "tiny")
    gained = {"ga": HALF, "npo": GONE}
    studies = {}
    for method, study, candidate in which_forget.recommended(arena):
        found = Readings(tmp_path / method)
        for whose, before, under in (("target", KNOWN, KNOWN), ("retrained", GONE, GONE)):
            pair(found, whose, NF4, {"knowmem_f": before}, {"knowmem_f": under})
        pair(found, candidate, NF4, {"knowmem_f": GONE}, {"knowmem_f": gained[method]})
        studies[study] = replace(Reader(url, study).read(), audits=tuple(found.readings))
    rows = {row.split(" | ")[0].strip("| "): row.split(" | ") for row in which_forget.page(arena, studies).splitlines()}
    column = rows["method"].index("knowmem_f")
    assert [rows[name][column] for name in ("(target)", "(retrained)", "ga", "npo")] == ["100.0", "0.0", "0.0", "0.0"]
    stress = rows["method"].index(NF4)
    assert [rows[name][stress] for name in ("ga", "npo")] == ["+50 knowmem_f", "–"]
