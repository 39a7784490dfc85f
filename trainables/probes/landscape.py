"""REMIND: how a text's loss changes as some of its tokens are replaced by others that are near them.

A retained text lies in a sharp minimum, one that was never seen on a slope, one that was unlearned on a flat piece.
Source: arXiv 2511.04228. Unverified, as no code of it was found: the features and the neighbours are Lethe's own (spec
probes.md, section 9); neighbours are near by the target's input embeddings for all models, so that all read the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from trainables.decoding.log_probs import token_logprobs
from trainables.decoding.passes import FAST, Passes
from trainables.probes.features import R2, F, H, rows_of, told_apart
from trainables.probes.probe import Texts
from trainables.probes.trace import Trace
from trainables.scores.score import Items
from trainables.settings import setting
from trainables.subjects.subject import models_of

RADII = (1, 2, 4, 8)  # tokens that are replaced
NEAR = 10  # nearest tokens of which one takes a token's place
CHUNK = 1024  # tokens whose nearest ones are looked for at once
REPEATS = range(5)  # of the folds
Array = np.ndarray


def features_of(own: float, losses: Array) -> Array:
    """What a text's loss and its neighbours' losses [radii, m] say, in nats a token: 15 numbers.

    The loss, its neighbours' mean, deviation, least, most, quantiles of 10, 25, 50, 75 and 90 per cent and skew, the
    loss minus their mean, the share of them below it, and slope and curvature of `a + b r + c r^2` by the radius r.
    """
    flat = losses.ravel()
    mean, std = flat.mean(), flat.std()
    skew = float((((flat - mean) / std) ** 3).mean()) if std > 0 else 0.0
    radii = np.array(RADII[: len(losses)], dtype=float)
    curve = np.polyfit(radii, losses.mean(axis=1), 2) if len(radii) > 2 else np.zeros(3)
    quantiles = np.quantile(flat, [0.1, 0.25, 0.5, 0.75, 0.9])
    parts = [
        own,
        mean,
        std,
        flat.min(),
        flat.max(),
        *quantiles,
        skew,
        own - mean,
        (flat < own).mean(),
        curve[1],
        curve[0],
    ]
    return np.array(parts, dtype=float)


def nearest(embeddings: Any, banned: Sequence[int]) -> Array:
    """The nearest other tokens [V, 10] of each token, by the cosine of embeddings [V, d]; none that is banned."""
    table = torch.nn.functional.normalize(embeddings.detach().float(), dim=1)
    found = []
    for first in range(0, len(table), CHUNK):
        alike = table[first : first + CHUNK] @ table.T
        alike[:, list(banned)] = -2
        own = torch.arange(len(alike))
        alike[own, own + first] = -2
        found.append(alike.topk(min(NEAR, len(table) - 1), dim=1).indices.cpu())
    return torch.cat(found).numpy()


def neighbours(ids: Sequence[int], near: Array, radius: int, m: int, seed: Sequence[int]) -> list[list[int]]:
    """m rows like one, with so many tokens behind the first replaced, as many as there are at most."""
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(m):
        row = list(ids)
        for place in draw.choice(np.arange(1, len(row)), size=min(radius, len(row) - 1), replace=False):
            row[place] = int(near[row[place], draw.integers(near.shape[1])])
        found.append(row)
    return found


@dataclass(frozen=True, kw_only=True)
class Remind(Trace):
    """By how texts' losses change around them, whether forgotten ones are told from unseen and from retained ones.

    An item is a text. Of the retrained model the first is about 50, of the target the second.
    """

    kind: ClassVar[str] = "remind"
    meaning: ClassVar[str] = "losses of texts are read beside those of texts that differ in a few tokens"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (F, R2, H)
    tells: ClassVar[dict[str, str]] = {
        "remind_h": "AUC by which losses around texts tell forgotten from unseen ones",
        "remind_r": "AUC by which losses around texts tell forgotten from retained ones",
    }

    m: int = setting(8, "neighbours of a text for each number of replaced tokens", positive=True)
    most: int = setting(100, "texts of a kind", positive=True)
    max_length: int = setting(512, "tokens of a text", positive=True)
    seed: int = setting(0, "of the neighbours")

    def of_target(self, target: Any, texts: Texts) -> Array:
        """The nearest tokens of each token."""
        weights = models_of(target)[0].get_input_embeddings().weight
        return nearest(weights, texts.tokenizer.all_special_ids)

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError for too few texts of a kind."""
        prompts, found = {}, {}
        for stream, split in enumerate((F, H, R2)):
            prompts[split], rows = rows_of(texts, split, self.most, self.max_length)
            moved = [
                [neighbours(row, kept, radius, self.m, [self.seed, stream, i, radius]) for radius in RADII]
                for i, row in enumerate(rows)
            ]
            flat = [own for row in moved for some in row for own in some]
            read = token_logprobs(subject, [*rows, *flat], batch_size=batch_size, texts=passes.texts)
            losses = np.array([-values.mean() for values in read])
            around = losses[len(rows) :].reshape(len(rows), len(RADII), self.m)
            found[split] = np.stack([features_of(own, some) for own, some in zip(losses, around, strict=False)])
        items = {}
        for name, other in (("remind_h", H), ("remind_r", R2)):
            both = prompts[F] + prompts[other]
            empty = [""] * len(both)
            items[name] = Items(both, empty, empty, told_apart(found[F], found[other], C=1.0, seeds=REPEATS))
        return items
