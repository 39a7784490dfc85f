"""An arena's report, and its methods beside what MUSE and the mean-teacher paper published of them at 7B.

    make arena                                                            # some hours on two cores; --resume goes on
    python -m measurements.arena_beside_7b [--storage URL] [--name muse-mini-arena] [--out measurements/results]

Published: one point for each method on MUSE-News, Llama-2-7B, with the settings that its authors took. Here: of each
method the candidate that the arena recommends, searched under one budget. A small model of a made-up world is no 7B
model, so sizes are not compared, only four questions about each method: is the wording gone, are the facts gone, does
the membership attack still see what was forgotten, is what should stay still known.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from dashboard.published import figures
from dashboard.reports.arenas import as_markdown
from lethe.analysis.arena import Arena, read_arena
from lethe.analysis.cells import NONE, number, with_interval
from lethe.analysis.items import ALL_ITEMS, over_all
from lethe.store.urls import default_storage

ROOT = Path(__file__).resolve().parents[1]
SAME = {  # method here -> as it is published; MUSE's code takes its KL and NPO terms of raw logits, as these two do
    "mean_teacher": "MT + NLUL + KL",
    "ga": "GA",
    "ga_gdr": "GA_GDR",
    "klr_muse": "GA_KLR",
    "npo": "NPO",
    "npo_gdr": "NPO_GDR",
    "npo_muse": "NPO_KLR",
    "task_vector": "task vector",
    "whp_logits": "WHP",
}
AGREES, DISAGREES, CANNOT_TELL = "agrees", "disagrees", "cannot tell"
YES, NO, EITHER = "yes", "no", "either"


@dataclass(frozen=True)
class Question:
    """A yes or no about a method: whether a score has gone more than half of the way from one value to another."""

    words: str
    score: str
    start: str  # the reference model at which the answer is no
    end: float | str  # a value, or the reference model, at which it is yes

    def bound(self, references: Mapping[str, float]) -> float:
        """Half way."""
        end = self.end if isinstance(self.end, float) else references[self.end]
        return (references[self.start] + end) / 2

    def answer(self, value: float, references: Mapping[str, float]) -> bool:
        """Whether a score is nearer to the end than to the start."""
        bound = self.bound(references)
        return (value - bound) * (bound - references[self.start]) > 0


QUESTIONS = (
    Question("the wording is gone (VerbMem_f nearer to the retrained model's)", "verbmem_f", "target", "retrained"),
    Question("the facts are gone (KnowMem_f nearer to the retrained model's)", "knowmem_f", "target", "retrained"),
    Question("the attack has lost its hold (PrivLeak above half of the target's)", "privleak", "target", "retrained"),
    Question("what should stay is lost (KnowMem_r below half of the target's)", "knowmem_r", "target", 0.0),
)


def compared(arena: Arena, published: pd.DataFrame) -> pd.DataFrame:
    """A row for each method that was published, and question: published, here, the answers of both, verdict."""
    known = published.set_index("method")
    ours = arena.entrants.set_index("entrant")
    rows = []
    for entrant, name in SAME.items():
        if entrant not in ours.index or name not in known.index:
            continue
        for question in QUESTIONS:
            there, here = float(known.loc[name, question.score]), ours.loc[entrant]
            ends = [float(here.get(f"{question.score}{end}", float("nan"))) for end in ("", "_low", "_high")]
            rows.append(
                {
                    "method": entrant,
                    "published as": name,
                    "question": question.words,
                    "published": there,
                    "here": with_interval(*ends),
                    "all items": number(over_all(here, arena.facts, [question.score]).get(question.score)),
                    "answers": answers(question, there, ends, known, arena),
                    "verdict": verdict(question, there, ends, known, arena),
                }
            )
    return pd.DataFrame(rows)


def verdict(question: Question, there: float, ends: list[float], published: pd.DataFrame, arena: Arena) -> str:
    """Whether both sides answer alike; cannot tell: no score, or its interval here reaches both answers."""
    told = answers(question, there, ends, published, arena)
    if not set(told) <= {YES, NO}:
        return CANNOT_TELL
    return AGREES if told[0] == told[1] else DISAGREES


def answers(
    question: Question, there: float, ends: list[float], published: pd.DataFrame, arena: Arena
) -> tuple[str, str]:
    """The answer at 7B and here: yes, no, either where an interval reaches both, a dash without a score."""
    of_7b = {model: float(published.loc[model, question.score]) for model in ("target", "retrained")}
    references = arena.facts.references.items()
    of_ours = {model: known[question.score][0] for model, known in references if question.score in known}
    return _answer(question, [there], of_7b), _answer(question, ends, of_ours)


def _answer(question: Question, values: list[float], references: Mapping[str, float]) -> str:
    if pd.isna(values).any():
        return NONE
    found = {question.answer(value, references) for value in values}
    return EITHER if len(found) > 1 else YES if found == {True} else NO


def page(arena: Arena, published: pd.DataFrame) -> str:
    """The comparison as Markdown."""
    table = compared(arena, published)
    parts = [
        "## Beside the published 7B figures",
        "MUSE-News, Llama-2-7B (arXiv 2407.06460; mean teacher: 2504.13388), one point for each method. Here: the "
        "candidate to take of each. Four questions about each, answered yes or no with the models of its own side, "
        "either where the interval here reaches both answers. Agrees: both sides answer alike; cannot tell: either, or "
        "nothing was published. The published scores are over all items. Those here are of items that no choice saw, "
        "where there are enough; beside them stands the same over all.",
    ]
    for question in QUESTIONS:
        own = table[table["question"] == question.words]
        counts = own["verdict"].value_counts()
        told = ", ".join(f"{name} {counts.get(name, 0)}" for name in (AGREES, DISAGREES, CANNOT_TELL))
        lines = [f"### {question.words[0].upper()}{question.words[1:]}", f"Of {len(own)} methods: {told}.", ""]
        lines += [
            f"| method | published as | 7B | here | {ALL_ITEMS} | at 7B, here | verdict |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
        shown = own.assign(
            published=[number(value) for value in own["published"]],
            answers=[", ".join(both) for both in own["answers"]],
        )
        columns = ["method", "published as", "published", "here", "all items", "answers", "verdict"]
        lines += [f"| {' | '.join(map(str, row))} |" for row in shown[columns].to_numpy().tolist()]
        for model, known in arena.facts.references.items():
            of_7b = published.set_index("method").loc[model, question.score]
            ours = number(known[question.score][0]) if question.score in known else NONE
            lines.append(f"| ({model}) | | {number(of_7b)} | {ours} | | | |")
        parts.append("\n".join(lines[:1]) + "\n\n" + "\n".join(lines[1:]))
    return "\n\n".join(parts) + "\n"


def main() -> None:
    """Write the report and the comparison."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--storage", default=default_storage())
    parser.add_argument("--name", default="muse-mini-arena")
    parser.add_argument("--out", type=Path, default=ROOT / "measurements" / "results")
    given = parser.parse_args()
    try:
        arena = read_arena(given.storage, given.name)
    except ValueError as error:
        sys.exit(f"error: {error}")
    file = given.out / f"{given.name}.md"
    file.write_text(f"{as_markdown(arena)}\n{page(arena, figures('news'))}", "utf-8")
    print(f"wrote {file}")


if __name__ == "__main__":
    main()
