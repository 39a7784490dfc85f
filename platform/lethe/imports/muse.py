"""What MUSE's own evaluation writes (arXiv 2407.06460): a CSV file with a model's name and its scores in a line. Pure.

Rows called `target`, `retrain` or `retrained` are the two models that every other is read against.
"""

from pathlib import Path

from lethe.imports.rows import WHOLE, Found, Oddity, Reference, Row, number, records, role_of
from lethe.store.places import Place

PROTOCOL = "muse"
SCORES = ("verbmem_f", "privleak", "knowmem_f", "knowmem_r")
REFERENCES = {"target": "target", "retrain": "retrained", "retrained": "retrained"}


def is_table(head: list[str]) -> bool:
    """Whether a CSV file has the columns of MUSE's: a name and scores, and nothing else."""
    return "name" in head and len(head) > 1 and set(head) - {"name"} <= set(SCORES)


def read(file: Path) -> Found:
    """A candidate for each line."""
    found = Found()
    for line, record in records(file)[1]:
        try:
            if isinstance(record, str):
                raise ValueError(record)
            name = record["name"].strip()
            if not name:
                raise ValueError("it names no model")
            scores = {score: number(record[score], score) for score in SCORES if score in record}
        except ValueError as error:
            found.oddities.append(Oddity(str(file), line, str(error)))
            continue
        if name in REFERENCES:
            found.references.append(Reference(name=REFERENCES[name], scores=scores))
            continue
        place = Place(WHOLE.axis, WHOLE.at, role_of(name))
        found.rows.append(
            Row(
                file=str(file),
                line=line,
                run=name,
                parameters={},
                place=place,
                scores=scores,
                facts={"protocol": PROTOCOL},
            )
        )
    return found
