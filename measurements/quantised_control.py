"""The positive control of quantisation: a model that unlearned within the cells of nf4, so that rounding undoes it all.

    python -m measurements.quantised_control [--steps 60]      # two minutes on two cores

After each step every weight is brought back between the midpoints around the target's level, so each rounds to the
target's own value. A probe that tells no recovery here tells nothing. It is a warning as well: in full precision the
model seems to have forgotten, and no score of a search sees that it has not. Source: spec probes.md, section 3 (ours).
"""

import argparse
import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lethe.analysis.audit_words import spanned
from lethe.analysis.cells import number
from lethe.analysis.recovery import Readings, recovery
from trainables.losses.logits import gdr, nlul, token_log_probs
from trainables.probes import parse
from trainables.probes.auditing import Auditor
from trainables.probes.formats import NF4, of_blocks
from trainables.probes.quant import linear_weights, same_codes
from trainables.subjects.models import load_model
from trainables.task import Task, locate
from trainables.training.data import chunk_texts, collate, cyclic_indices, next_token_targets

ROOT = Path(__file__).resolve().parents[1]
RATE, WEIGHT, BATCH, LENGTH = 1e-3, 0.5, 4, 512  # of AdamW; of the forget loss; sequences of a step; their tokens
MARGIN = 1e-4  # of a block's scale: how far a weight keeps from the end of its cell
SCORES = ("verbmem_f", "knowmem_f", "answer_prob_f", "extraction_strength_f", "knowmem_r", "utility")
STRESS = "quant:nf4"


def cell(weight: Tensor) -> tuple[Tensor, Tensor]:
    """The least and the largest value [out, in] by which each number keeps its code, and its block its scale."""
    found = of_blocks(weight, NF4)
    levels = torch.tensor(NF4)
    ends = torch.cat([levels[:1], (levels[1:] + levels[:-1]) / 2, levels[-1:]])
    scales = found.scales.repeat_interleave(64)[: weight.numel()].view(weight.shape)
    codes = found.codes.long()
    low, high = (ends[codes] + MARGIN) * scales, (ends[codes + 1] - MARGIN) * scales
    fixed = weight.abs() == scales  # what the scale is read from
    return torch.where(fixed, weight, low), torch.where(fixed, weight, high)


def unlearn(target: Any, forget: Sequence[Sequence[int]], retain: Sequence[Sequence[int]], steps: int) -> Any:
    """A copy of the target after steps of NLUL on forget and cross-entropy on retain sequences, within its cells."""
    model = copy.deepcopy(target).requires_grad_(False)
    weights = linear_weights(model)
    cells = [cell(weight) for weight in weights]
    places = {weight.data_ptr() for weight in weights}
    trained = [weight for weight in model.parameters() if weight.data_ptr() in places]
    optimizer = torch.optim.AdamW([weight.requires_grad_(True) for weight in trained], lr=RATE, weight_decay=0.0)
    for step in range(1, steps + 1):
        loss = WEIGHT * nlul(read(model, forget, step)).mean() + gdr(read(model, retain, step, stream=1)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for weight, (low, high) in zip(weights, cells, strict=True):
            weight.clamp_(low, high)
    return model.requires_grad_(True)


def read(model: Any, rows: Sequence[Sequence[int]], step: int, *, stream: int = 0) -> Tensor:
    """Log-probs [N] of the tokens of a step's sequences, padding left out."""
    chosen = cyclic_indices(len(rows), size=BATCH, seed=0, stream=stream, step=step)
    ids, mask = collate([rows[i] for i in chosen], pad=0)
    targets = next_token_targets(ids, mask)
    return token_log_probs(model(ids).logits[:, :-1], targets)[targets >= 0]


def values(auditor: Auditor, model: Any) -> dict[str, Readings]:
    """Each score of a model item by item, as it is and under the stress."""
    tables = [auditor.read(model, stress).items for stress in (None, parse(STRESS))]
    own = [{name: table[table["score"] == name]["value"].to_numpy(float) for name in SCORES} for table in tables]
    return {name: Readings(*(found[name] for found in own)) for name in SCORES}


def page(models: Mapping[str, Mapping[str, Readings]], same: float, steps: int) -> str:
    """The figures as Markdown."""
    rows = []
    for name in SCORES:
        found = recovery(*(models[who][name] for who in ("control", "target", "retrained")))
        course = [
            f"{number(np.mean(own[name].plain))} → {number(np.mean(own[name].stressed))}" for own in models.values()
        ]
        rows.append(f"| {name} | {' | '.join(course)} | {spanned(found.net)} |")
    head = ["score", *models, "net recovery"]
    return "\n".join(
        [
            "# The positive control of quantisation",
            "",
            f"`python -m measurements.quantised_control --steps {steps}`: muse-mini, seed 0. Each cell: as it is → "
            f"weights as {STRESS.partition(':')[2]}. Of the control's weights {number(same)}% round to the target's "
            "own value.",
            "",
            f"| {' | '.join(head)} |",
            f"|{'---|' * len(head)}",
            *rows,
            "",
        ]
    )


def main() -> None:
    """Make the control, and write what quantisation brings back in it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--out", type=Path, default=ROOT / "measurements" / "results")
    given = parser.parse_args()
    places = locate(task := Task(benchmark="muse-mini"))
    auditor = Auditor(task)
    tokenizer, rows = auditor.texts.tokenizer, auditor.texts.benchmark
    forget, retain = (
        chunk_texts(tokenizer, rows.texts("raw", split), max_length=LENGTH) for split in ("forget", "retain1")
    )
    target = load_model(places.target)
    control = unlearn(target, forget, retain, given.steps)
    found = {"control": control, "target": target, "retrained": load_model(str(places.retrained))}
    models = {name: values(auditor, model) for name, model in found.items()}
    text = page(models, same_codes(control, target, "nf4"), given.steps)
    (given.out / "quantised-control.md").write_text(text, "utf-8")
    print(text)


if __name__ == "__main__":
    main()
