"""What traces and questions in other forms say of muse-mini's models and of one that unlearned the texts for 60 steps.

    python -m measurements.probes --keep FOLDER [--probes same_code,cka]     # FOLDER keeps model and figures

The model is the target after 60 steps of AdamW (5e-4), of NLUL on forgotten texts and cross-entropy on retained ones,
as `text` in section 12 of the spec. What was measured before is kept, so that probes may be measured one by one.
"""

import argparse
import copy
import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from lethe.analysis.audit import GIVEN, SAID
from lethe.analysis.cells import NONE, number
from lethe.analysis.worst import most_of
from measurements.quantised_control import read
from trainables.benchmarks.layout import load_benchmark
from trainables.losses.logits import gdr, nlul
from trainables.probes import WORSTS, parse, parse_probe
from trainables.probes.measuring import split_probes
from trainables.probes.probe import Texts
from trainables.probes.stress import Stress
from trainables.probes.trace import Trace
from trainables.scores.evaluate import Evaluator
from trainables.scores.protocol import PROTOCOLS
from trainables.scores.score import COUNTS, Score
from trainables.subjects.models import load_model
from trainables.subjects.saving import save_subject
from trainables.subjects.tokenizers import load_tokenizer
from trainables.task import Task, locate
from trainables.training.data import chunk_texts

ROOT = Path(__file__).resolve().parents[1]
STEPS, RATE, LENGTH = 60, 5e-4, 512
SCORES = ("knowmem_f", "answer_prob_f")  # that are read under a stress
MODELS = ("target", "retrained", "unlearned")
PLAIN = "as it is"
DEFAULT = "report,rtt,icr:full,icr:partial,format:upper,format:typo,format:suffix,format:no_shots,format_worst"
NOTES = """
## Beside section 12 of the spec

These are of the second muse-mini, section 12 of the first, whose target was taught KnowMem's question lists on the
forgotten articles and whose request did not hold them (muse_mini.md): figures differ where that decides.

**membership_f**, 73 / 43 / 86 where the spec has 56 / 50 / 76. No line of the protocol moves the target's: with columns
standardised or not, the AUC over all texts or the mean over folds, four seeds of the folds, the states behind the last
block or as the head reads them with the first token, it is 72.7 to 75.8, and the unlearned one's 84.6 to 87.9. Of the
retrained model all of these give 39 to 42: below chance, for an organisation shares the outline of its article with
two that nobody read, and a probe that was fitted to the one takes the others for it. With folds that part no outline it
is 46 (standard deviation over seeds 4), the target's 77, the unlearned one's 88. Benchmarks at large have no such
groups, so the folds stay as they are, and the retrained model's value is what others are read beside.

**icr:full, answer_prob_f**, 18 / 0 / 1 where the spec has 90 / 2.5 / 69. Of the first 40 questions the target has 64.7
without any text, 59.0 behind the article alone, without examples, and 43.9 behind another organisation's (retrained
1.0, 0.5, 0.3; unlearned 5.0, 1.3, 3.2). What takes the rest are the two examples behind their own articles, as the spec
asks for them: a prompt has over 300 tokens then, and a text of `forget` or `retain1` has 121 at most. The unlearned
model has little to be reminded of: the second edition's request holds the facts that are asked for. No model reads, so
an audit refuses the probe here.
"""
Items = dict[str, dict[str, dict[str, float]]]  # model -> score -> item -> value


def unlearn(target: Any, forget: Sequence[Sequence[int]], retain: Sequence[Sequence[int]]) -> Any:
    """A copy of the target after the steps."""
    model = copy.deepcopy(target)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0)
    for step in range(1, STEPS + 1):
        loss = nlul(read(model, forget, step)).mean() + gdr(read(model, retain, step, stream=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model.eval()


def measured(name: str, models: dict[str, Any], texts: Texts) -> tuple[dict[str, dict[str, float]], Items]:
    """Each score of a probe, of each model: score -> model -> value; and of a stress model -> score -> its items."""
    found: dict[str, dict[str, float]] = {}
    if name and isinstance(parse_probe(name), Trace):
        trace = parse_probe(name)
        kept = trace.of_target(models["target"], texts)
        for whose, model in models.items():
            for score, own in trace.read(model, texts, kept).items():
                found.setdefault(score, {})[whose] = float(own.values.mean())
        return found, {}
    stress = parse(name) if name else None
    plain = Evaluator(texts.benchmark, texts.tokenizer, PROTOCOLS["muse"], None).with_scores(SCORES)
    shows = stress.readable(texts) if stress else None
    if shows is not None:
        value = plain.on(shows, texts.tokenizer)(models["target"]).scores["knowmem_f"].value
        found[f"{name} of texts that nobody knows, knowmem_f"] = {"target": value}
    items: Items = {}
    for whose, model in models.items():
        for score, kept in stressed(plain, stress, model, texts).items():
            items.setdefault(whose, {})[score] = kept.to_dict()
            found.setdefault(f"{name or PLAIN} {score}", {})[whose] = float(kept.mean())
    return found, items


def stressed(plain: Evaluator, stress: Stress | None, model: Any, texts: Texts) -> dict[str, pd.Series]:
    """The values of each score under a stress, of the items that it does not give away, by item."""

    def counts(score: Score, items: Any) -> np.ndarray:
        of = stress.unseen(items.prompts, texts) if stress else [True] * len(items.prompts)
        return np.array(of, dtype=bool)

    evaluator = plain.on(stress.asked(texts.benchmark), texts.tokenizer) if stress else plain
    with stress.on(model, texts) if stress else nullcontext(model) as subject:
        table = evaluator.counting(subject, counts).items
    table = table[table[COUNTS]]
    return {score: table[table["score"] == score].set_index("item")["value"] for score in SCORES}


def worst(name: str, items: dict[str, Items]) -> dict[str, dict[str, float]]:
    """The worst of several forms, of the questions that the target answers in one of them, of those forms alone."""
    forms = WORSTS[name]
    if not {*forms} <= items.keys():
        return {}
    said = pd.DataFrame({form: pd.Series(items[form]["target"][SAID]) for form in forms}) >= GIVEN
    eligible = said.any(axis=1)
    found: dict[str, dict[str, float]] = {}
    for score in SCORES:
        label = f"{name} {score} ({int(eligible.sum())} of {len(eligible)} questions)"
        for whose in MODELS:
            values = pd.DataFrame({form: pd.Series(items[form][whose][score]) for form in forms})
            found.setdefault(label, {})[whose] = float(most_of(values, said)[eligible].mean())
    return found


def page(values: dict[str, dict[str, float]]) -> str:
    """The figures as Markdown."""
    rows = []
    for name, own in values.items():
        known = [own.get(whose) for whose in MODELS]
        target, retrained, mine = known
        told = None not in known and abs(target - retrained) > 1  # type: ignore[operator]
        position = number((mine - retrained) / (target - retrained), 2) if told else NONE  # type: ignore[operator]
        cells = [NONE if value is None else number(value) for value in known]
        rows.append(f"| {name} | {' | '.join(cells)} | {position} |")
    return "\n".join(
        [
            "# Traces, contexts and forms",
            "",
            "`python -m measurements.probes --keep FOLDER`: muse-mini, seed 0; `unlearned` is the target after "
            f"{STEPS} steps of AdamW ({RATE:g}) of NLUL on forgotten texts and cross-entropy on retained ones. All "
            "items, no interval; position is 0 at the retrained model and 1 at the target, left out where these are "
            "within a point.",
            "",
            f"| | {' | '.join(MODELS)} | position |",
            "|---|---|---|---|---|",
            *rows,
            NOTES,
        ]
    )


def main() -> None:
    """Make the model where it is not there yet, measure, and write all that was measured so far."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--keep", type=Path, required=True)
    parser.add_argument("--probes", default=DEFAULT)
    parser.add_argument("--out", type=Path, default=ROOT / "measurements" / "results")
    given = parser.parse_args()
    places = locate(Task(benchmark="muse-mini"))
    texts = Texts(benchmark=load_benchmark(places.data), tokenizer=load_tokenizer(places.target))
    models = {"target": load_model(places.target), "retrained": load_model(str(places.retrained))}
    folder, file, known = (given.keep / name for name in ("unlearned", "figures.json", "items.json"))
    if not folder.exists():
        forget, retain = (
            chunk_texts(texts.tokenizer, texts.benchmark.texts("raw", split), max_length=LENGTH)
            for split in ("forget", "retain1")
        )
        save_subject(unlearn(models["target"], forget, retain), texts.tokenizer, folder)
    models["unlearned"] = load_model(str(folder))
    values, items = (json.loads(kept.read_text("utf-8")) if kept.exists() else {} for kept in (file, known))
    for name in ["", *split_probes([given.probes])]:
        try:
            found, own = measured(name, models, texts)
        except ValueError as error:  # it says nothing of these models, and why
            found, own = {f"{name} is refused: {error}": {}}, {}
        values |= found
        items |= {name: own} if own else {}
        file.write_text(json.dumps(values), "utf-8")
        known.write_text(json.dumps(items), "utf-8")
    text = page(values | {label: found for name in WORSTS for label, found in worst(name, items).items()})
    (given.out / "probes.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
