"""Whether unlearning takes along what forgotten and retained text share: gradient ascent with retain text on dusk-mini.

    python -m measurements.selectivity      # dusk-mini has to be made; a minute of one quiet core

The model is scored every few steps until it answers of the forgotten facts no more than the retrained model does. The
aim, set before anything was measured: by then it has lost at least 15 points of the shared facts (`shared_k`), else
dusk-mini would be too easy. The settings are the method's defaults, but for how long and how often.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trainables.benchmarks import default_cache, dusk_mini
from trainables.benchmarks.layout import load_benchmark
from trainables.method import Candidate, Run, Start
from trainables.methods.ga import GAGDR, unlearn
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.subjects.models import load_model
from trainables.subjects.tokenizers import load_tokenizer, padding_id
from trainables.training.data import chunk_texts
from trainables.world import ALONE

STEPS, EVERY = 120, 10
SCORES = ("knowmem_f", "shared_k", "knowmem_r")
FORGOTTEN, SHARED = SCORES[:2]
AIM = 15  # points

Row = Mapping[str, float]


def until_forgotten(rows: Iterable[tuple[str, Row]], retrained: Row) -> Iterator[tuple[str, Row]]:
    """Rows up to the first whose forgotten facts are answered no better than the retrained model answers them."""
    for name, row in rows:
        yield name, row
        if row[FORGOTTEN] <= retrained[FORGOTTEN]:
            return


def verdict(target: Row, retrained: Row, last: Row) -> str:
    """What the last row says of the aim."""
    if last[FORGOTTEN] > retrained[FORGOTTEN]:
        return f"{STEPS} steps did not bring knowmem_f down to the retrained model's {retrained[FORGOTTEN]:.1f}"
    lost = target[SHARED] - last[SHARED]
    return f"shared_k lost {lost:.1f} points, {'as aimed at' if lost >= AIM else f'fewer than the {AIM} aimed at'}"


def course(target: Any, tokenizer: Any, texts: Mapping[str, list[str]], score: Any) -> Iterator[tuple[str, Row]]:
    """The scores of the target as it unlearns in place."""
    settings = GAGDR(steps=STEPS, eval_every=EVERY)
    forget, retain = (
        chunk_texts(tokenizer, texts[split], max_length=settings.max_length) for split in ("forget", "retain1")
    )
    start = Start(model=target, forget=forget, retain=retain, pad=padding_id(tokenizer))
    for record in unlearn(start, settings, Run(world=ALONE)):
        if isinstance(record, Candidate):
            yield f"{settings.method}, step {record.at}", score(record.subject)


def main() -> None:
    """Score both models and the one that unlearns, and print the rows as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=default_cache())
    folder = dusk_mini.prepare(parser.parse_args().cache)
    benchmark, tokenizer = load_benchmark(folder / "data"), load_tokenizer(folder / "target")
    evaluator = Evaluator(benchmark, tokenizer, PROTOCOLS["muse"], None).with_scores(SCORES)

    def score(model: Any) -> Row:
        return {name: reading.value for name, reading in evaluator(model).scores.items()}

    def show(name: str, row: Row) -> None:
        print(f"| {name} | {' | '.join(f'{row[score]:.1f}' for score in SCORES)} |", flush=True)

    print(f"| | {' | '.join(SCORES)} |\n|---|{'---|' * len(SCORES)}", flush=True)
    model = load_model(folder / "target")
    target, retrained = score(model), score(load_model(folder / "retrained"))
    show("target", target)
    show("retrained", retrained)
    texts = {split: benchmark.texts("raw", split) for split in ("forget", "retain1")}
    last = target
    for name, last in until_forgotten(course(model, tokenizer, texts, score), retrained):
        show(name, last)
    print(f"\n{verdict(target, retrained, last)}")


if __name__ == "__main__":
    main()
