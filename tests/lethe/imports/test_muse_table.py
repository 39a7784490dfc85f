"""MUSE's table: a model a line, and the two models that the others are read against are no candidates."""

from lethe.imports.muse import is_table, read
from lethe.imports.rows import references_of

HEAD = "name,verbmem_f,privleak,knowmem_f,knowmem_r"


def test_every_model_is_a_candidate_and_target_and_retrained_model_are_references(tmp_path):
    file = tmp_path / "out.csv"
    file.write_text(f"{HEAD}\ntarget,58.4,-99.8,63.9,55.2\nnpo (gdr)/2,1.5,0.5,40,30\nretrain,20.8,0,33.1,55.0\n")
    found = read(file)
    assert is_table(HEAD.split(","))
    assert not is_table([*HEAD.split(","), "lr"])
    assert [(row.line, row.run, row.place.key, row.scores) for row in found.rows] == [
        (3, "npo (gdr)/2", "run/1/npo -gdr--2", {"verbmem_f": 1.5, "privleak": 0.5, "knowmem_f": 40, "knowmem_r": 30})
    ]
    references = references_of(found.references, {})
    assert references["target"]["verbmem_f"] == 58.4
    assert references["retrained"]["knowmem_r"] == 55.0


def test_broken_lines_are_told_and_the_rest_is_read(tmp_path):
    file = tmp_path / "out.csv"
    file.write_text(f'{HEAD}\na,1,2,3\n,1,2,3,4\nb,1,x,3,4\nc,1,2,3,4\n"d,1,2,3,4\n')
    found = read(file)
    assert [row.run for row in found.rows] == ["c"]
    assert [(oddity.line, oddity.reason) for oddity in found.oddities] == [
        (2, "it has 4 cells, and the head has 5"),
        (3, "it names no model"),
        (4, "privleak is 'x': it must be a finite number"),
        (6, "it is no CSV: unexpected end of data"),
    ]
