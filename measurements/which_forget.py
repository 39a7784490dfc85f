"""Which methods forget, and which only fall silent: an audit of the candidate that an arena recommends of each.

    make arena                                                      # some hours on two cores
    python -m measurements.which_forget [--storage URL] [--name muse-mini-arena] [--out measurements/results]

The scores are the audit's own, of each model as it is, over all items; beside them what comes back under each stress,
where chance does not explain it (docs/auditing.md). What a study has of it already is not measured again.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from lethe.analysis import audit_words
from lethe.analysis.arena import Arena, read_arena
from lethe.analysis.audit import RETRAINED, TARGET, Audit, audit_in
from lethe.analysis.cells import NONE, number
from lethe.handover.choice import name_of
from lethe.store.audits import PLAIN, Audited
from lethe.store.places import Place
from lethe.store.snapshot import Reader, Snapshot
from lethe.store.storage import load_study
from lethe.store.urls import default_storage
from measurements.markdown import markdown_table

ROOT = Path(__file__).resolve().parents[1]
SCORES = (
    *("verbmem_f", "knowmem_f", "answer_prob_f", "leak_at_100_f", "mcq_f", "extraction_strength_f"),
    *("exact_memorization_f", "repetition_f", "privleak", "knowmem_r", "mcq_r", "utility"),
)


def recommended(arena: Arena) -> Iterator[tuple[str, str, str]]:
    """Method, study and candidate of each entrant that has one to take."""
    for row in arena.entrants.dropna(subset=["study"]).to_dict("records"):
        yield str(row["entrant"]), str(row["study"]), name_of(int(row["trial"]), Place.of(row))


def share(study: str, known: Mapping[str, Snapshot], url: str) -> None:
    """Give a study the readings of target and retrained model that another has: all studies have the same two."""
    stored = load_study(url, study)
    for found in next(iter(known.values())).audits if known else ():
        if found.whose in (TARGET, RETRAINED):
            stored.set_user_attr(found.key, found.to_json())


def audit(study: str, candidate: str, url: str) -> None:
    """Measure what a study lacks of a candidate's audit; CalledProcessError where that fails."""
    lethe = [sys.executable, "-c", "from lethe_cli.main import main; main()"]
    subprocess.run([*lethe, "audit", study, candidate, "--storage", url], check=True)


def line(name: str, whose: str, study: Snapshot, found: Audit) -> list[str]:
    """A model's row: its scores, and what comes back in it under each stress."""
    plain = next((r for r in study.audits if (r.whose, r.stress) == (whose, PLAIN) and not r.refused), None)
    values = [score(plain, column) for column in SCORES]
    return [name, *values, *(returned(found, whose, stress) for stress in found.stresses), silent(found, whose)]


def score(reading: Audited | None, name: str) -> str:
    """A score of a reading."""
    return number(reading.scores[name][0]) if reading and name in reading.scores else NONE


def returned(found: Audit, whose: str, stress: str) -> str:
    """The most that comes back under a stress, and in which score; a dash where nothing is told from chance."""
    rows = [row for row in found.of(whose) if row.stress == stress and row.back]
    most = max(rows, key=lambda row: row.gain, default=None)
    return f"{audit_words.signed(most.gain, 0)} {most.score}" if most else NONE


def silent(found: Audit, whose: str) -> str:
    """Of how many questions that it no longer answers it picks the answer; a dash where no more than by chance."""
    known = found.silent.get(whose)
    return f"{known.picked} of {known.unsaid} ({known.never})" if known and known.sure else NONE


def page(arena: Arena, studies: Mapping[str, Snapshot]) -> str:
    """The table and the sentences as Markdown."""
    rows, sentences, stresses = [], [], ()
    for method, name, candidate in recommended(arena):
        study, found = studies[name], audit_in(studies[name])
        if not rows:
            rows = [line(f"({whose})", whose, study, found) for whose in (TARGET, RETRAINED)]
            stresses = found.stresses
        rows.append(line(method, candidate, study, found))
        sentences.append(f"- {method}: {audit_words.verdict(found, candidate)}.")
    head = ["method", *SCORES, *stresses, "only silent"]
    return "\n".join(
        [
            "# Which methods forget, and which only fall silent",
            "",
            f"`python -m measurements.which_forget --name {arena.name}`: of each method the candidate that the arena "
            "recommends. Scores are of the models as they are, over all items; under a stress the most that comes "
            "back, in points and in which score: net recovery, as far as it lies above the retrained model (the "
            "sentences give all of it). Only silent: of how many questions that it no longer answers it picks out the "
            "right answer (in brackets the retrained model).",
            "",
            markdown_table(head, rows),
            "",
            *sentences,
            "",
        ]
    )


def main() -> None:
    """Audit what an arena recommends, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--storage", default=default_storage())
    parser.add_argument("--name", default="muse-mini-arena")
    parser.add_argument("--out", type=Path, default=ROOT / "measurements" / "results")
    given: Any = parser.parse_args()
    try:
        arena = read_arena(given.storage, given.name)
        studies: dict[str, Snapshot] = {}
        for _, study, candidate in recommended(arena):
            share(study, studies, given.storage)
            audit(study, candidate, given.storage)
            studies[study] = Reader(given.storage, study).read()
        (given.out / "which-forget.md").write_text(page(arena, studies), "utf-8")
    except (ValueError, subprocess.CalledProcessError) as error:
        sys.exit(f"error: {error}")
    print(f"wrote {given.out / 'which-forget.md'}")


if __name__ == "__main__":
    main()
