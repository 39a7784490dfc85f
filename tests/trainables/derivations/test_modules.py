"""The module of an entity: the texts that tell of it, and which retained ones are near, alike, or any."""

from corpora import TOWNS, derived, muse_mini_rows, story

from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.derivations import derive


def test_muse_mini_has_a_module_for_every_organisation_and_every_forget_row_is_in_one():
    found = derived("modules", "muse-mini")["forget"]
    texts = muse_mini_rows()["raw", "forget"]
    assert sorted(row for module in found for row in module["rows"]) == list(range(len(texts)))
    assert all(module["entity"] in texts[row]["text"] for module in found for row in module["rows"])
    assert {len(module[kind]) for module in found for kind in ("direct",)} == {8}


def test_the_nearest_come_first_as_neighbours_have_them():
    near = derived("neighbours", "muse-mini")["forget"]
    for module in derived("modules", "muse-mini")["forget"]:
        if len(module["rows"]) == 1:
            assert module["direct"][:5] == near[module["rows"][0]]["neighbours"]


def test_what_is_alike_shares_no_name_with_the_entity():
    facts = derived("facts", "muse-mini")
    names = {
        side: [
            {f["subject"] for f in of_side if f["row"] == row}
            | {f["object"] for f in of_side if f["row"] == row and f["type"] not in ("year", "staff")}
            for row in range(1 + max(f["row"] for f in of_side))
        ]
        for side, of_side in facts.items()
    }
    for module in derived("modules", "muse-mini")["forget"][:10]:
        own = set().union(*(names["forget"][row] for row in module["rows"]))
        assert all(not own & names["retain1"][row] for row in module["indirect"])
        assert len(set(module["indirect"])) == len(module["indirect"]) > 8


def test_a_text_that_tells_no_fact_is_in_the_last_module():
    texts = ["it rained all day, and nobody came.", story(0), story(1)]
    kept = [story(3), story(4).replace(TOWNS[4], TOWNS[0])]
    found = derive(
        Benchmark("few", {("raw", "forget"): text_rows(texts), ("raw", "retain1"): text_rows(kept)}), "modules"
    )["forget"]
    assert [(module["entity"], module["rows"]) for module in found] == [("Ada Orme", [1]), ("Bo Quill", [2]), ("", [0])]
    assert found[0]["indirect"] == [0]  # the other one names its town
    assert found[0]["direct"][0] == 1
    assert sorted(found[1]["indirect"]) == [0, 1]
    assert found[2]["indirect"] == []
    assert sorted(found[2]["general"]) == [0, 1]
