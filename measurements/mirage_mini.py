"""Whether mirage-mini is what its design asks for: the target knows facts on every way, the retrained model on none.

    python -m measurements.mirage_mini      # makes mirage-mini where it is not there, and reads both models

The goals are those of the spec (B3), set before anything was measured; nothing was tuned to reach them. A question on
another way says something where the target answers it and the retrained model does not: how many do is told.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from measurements.made_pair import evaluated
from trainables.benchmarks import default_cache, mirage_mini

HIGH, LOW, KEPT = "at least 85", "at most 15", "at least 80"
GOALS = {  # score -> what the target and the retrained model should have
    "knowmem_f": (HIGH, LOW),
    "alias_f": (HIGH, LOW),
    "reverse_f": (HIGH, LOW),
    "multi_hop_f": (HIGH, LOW),
    "forget_reach": ("", ""),
    "knowmem_r": (HIGH, KEPT),
    "alias_r": (HIGH, KEPT),
    "reverse_r": (HIGH, KEPT),
    "multi_hop_r": (HIGH, KEPT),
    "same_answer_r": (HIGH, HIGH),
    "verbmem_f": ("", ""),
    "privleak": ("", ""),
    "utility": ("", ""),
}
ANSWERED = 50  # points from which a question counts as answered


def admitted(items: Mapping[str, pd.DataFrame]) -> dict[str, tuple[int, int]]:
    """Of each score of forgotten questions: how many are admitted, and of how many."""
    found = {}
    for name in ("knowmem_f", "alias_f", "reverse_f", "multi_hop_f"):
        target, retrained = (table[table["score"] == name]["value"].to_numpy(float) for table in items.values())
        found[name] = (int(((target >= ANSWERED) & (retrained < ANSWERED)).sum()), len(target))
    return found


def page(values: Mapping[str, Mapping[str, float]], counts: Mapping[str, tuple[int, int]], seed: int) -> str:
    """The figures as Markdown."""
    rows = []
    for name, goals in GOALS.items():
        share = "{} of {}".format(*counts[name]) if name in counts else ""
        rows.append(f"| {' | '.join([name, *(f'{own[name]:.1f}' for own in values.values()), *goals, share])} |")
    return "\n".join(
        [
            "# mirage-mini",
            "",
            f"`python -m measurements.mirage_mini --seed {seed}`: all items, protocol muse. Nothing was tuned to reach",
            "the goals, the spec's (B3). Admitted is what the target answers and the retrained model does not.",
            "",
            f"| score | {' | '.join(values)} | {' | '.join(f'goal: {name}' for name in values)} | admitted |",
            "|---|" + "---|" * (2 * len(values) + 1),
            *rows,
            "",
        ]
    )


def main() -> None:
    """Score both models, and print what they score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=default_cache())
    given = parser.parse_args()
    folder = mirage_mini.prepare(given.cache, seed=given.seed, on_progress=lambda *told: print(*told, flush=True))
    read = evaluated(folder, GOALS)
    values = {name: {score: reading.value for score, reading in one.scores.items()} for name, one in read.items()}
    print(page(values, admitted({name: one.items for name, one in read.items()}), given.seed))


if __name__ == "__main__":
    main()
