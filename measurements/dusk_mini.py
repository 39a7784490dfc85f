"""What dusk-mini's two reference models score, beside what its design aims at.

    python -m measurements.dusk_mini      # four minutes on two cores where the models are not made yet, else seconds

The aims were set before anything was measured (after DUSK, arXiv 2505.15209). Nothing is judged by them here.
"""

import argparse
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from measurements.made_pair import evaluated
from trainables.benchmarks import default_cache, dusk_mini
from trainables.scores import all_scores

AIMS = {  # row -> what the target and the retrained model should score
    "knowmem_f": ("at least 90", "at most 15"),
    "shared_k": ("at least 90", "at least 85"),
    "knowmem_r": ("at least 90", "at least 90"),
    "verbmem_f": ("at least 90", "15 to 40"),
    "verbmem_f of shared persons": ("", "above the next row"),
    "verbmem_f of the style's own": ("", ""),
    "utility": ("", ""),
    "AUC of the attack": ("at most .1", ".4 to .7"),
}


def figures(items: pd.DataFrame) -> dict[str, float]:
    """The rows of the page from a model's items."""
    values = {name: table["value"].to_numpy(float) for name, table in items.groupby("score")}
    found = {name: float(values[name].mean()) for name in AIMS if name in values}
    shared = values["verbmem_f"][: dusk_mini.SHARED]  # the profiles on shared persons come first
    found["verbmem_f of shared persons"] = float(shared.mean())
    found["verbmem_f of the style's own"] = float(values["verbmem_f"][dusk_mini.SHARED :].mean())
    return found | {"AUC of the attack": auc(items[items["score"] == "privleak"])}


def auc(items: pd.DataFrame) -> float:
    """How often a forgotten text is less likely than a held-out one: near 0 where the model remembers."""
    first, second = (
        items["value"][items["truth"] == kind].to_numpy(float) for kind in all_scores()["privleak"].card.samples
    )
    return float(((first[:, None] > second) + (first[:, None] == second) / 2).mean())


def page(models: Mapping[str, Mapping[str, float]], seed: int) -> str:
    """The figures as Markdown."""
    rows = []
    for name, aims in AIMS.items():
        digits = 2 if name.startswith("AUC") else 1
        cells = [name, *(f"{own[name]:.{digits}f}" for own in models.values()), *aims]
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(
        [
            "# dusk-mini",
            "",
            f"`python -m measurements.dusk_mini --seed {seed}`: all items, protocol muse.",
            "",
            f"| score | {' | '.join(models)} | {' | '.join(f'aim: {name}' for name in models)} |",
            "|---|" + "---|" * 2 * len(models),
            *rows,
            "",
        ]
    )


def main() -> None:
    """Score both models, and write what they score."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=default_cache())
    given = parser.parse_args()
    folder = dusk_mini.prepare(given.cache, seed=given.seed)
    read = evaluated(folder, {*AIMS, "privleak"})
    print(page({name: figures(one.items) for name, one in read.items()}, given.seed))


if __name__ == "__main__":
    main()
