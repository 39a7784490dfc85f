"""What hidden states say, beside the target's and the retrained model's: whether a method moved more than the answers.

`cka` compares the geometry of texts' states with the target's (Kornblith et al., arXiv 1905.00414), `knn` asks whether
states of questions with the same answer lie together, `membership_probe` whether forgotten texts can be told from texts
that no model saw. The last finds the unlearning rather than the memory: what is good is the retrained model's. Sources:
spec probes.md, section 9; arXiv 2503.06991.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from trainables.decoding.passes import FAST, Passes
from trainables.probes.probe import Texts
from trainables.probes.resampling import auc_items, items_of
from trainables.probes.states import LAST, MEAN, block_states
from trainables.probes.trace import Trace
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.score import Items
from trainables.settings import setting

F, R2, H = ("privleak", "forget"), ("privleak", "retain"), ("privleak", "holdout")
ASKED, SHOTS = ("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl")
FEWEST = 20  # items
FOLDS = 5
Array = np.ndarray


def rows_of(texts: Texts, split: tuple[str, str], most: int, max_length: int) -> tuple[list[str], list[list[int]]]:
    """The first texts of a split and their tokens, cut; a text of fewer than 2 tokens is left out."""
    pairs = [(text, texts.tokenizer(text).input_ids[:max_length]) for text in texts.benchmark.texts(*split)[:most]]
    kept = [(text, ids) for text, ids in pairs if len(ids) > 1]
    return [text for text, _ in kept], [list(ids) for _, ids in kept]


def gram(states: Array) -> Array:
    """The products [n, n] of states [n, d] with each other, in fp64."""
    wide = states.astype(np.float64)
    return wide @ wide.T


def cka(one: Array, other: Array) -> float:
    """Linear CKA of two sets of states of the same n items by their products [n, n], 0 to 1.

    `||Yc' Xc||^2 / (||Xc' Xc|| ||Yc' Yc||)` with centred columns; 0 where either set is one point. Biased upward for
    few items and many dimensions, so only values of the same items are compared.
    """
    a, b = (_centred(own) for own in (one, other))
    norms = np.sqrt((a * a).sum() * (b * b).sum())
    return float((a * b).sum() / norms) if norms > 0 else 0.0


def _centred(products: Array) -> Array:
    rows = products.mean(axis=0, keepdims=True)
    return products - rows - rows.T + products.mean()


def cka_items(own: Sequence[Array], known: Sequence[Array]) -> Array:
    """Values [n] x100 whose mean is the CKA of products [n, n], averaged over pairs of them."""

    def statistic(kept: Array) -> float:
        return float(np.mean([cka(a[kept][:, kept], b[kept][:, kept]) for a, b in zip(own, known, strict=True)]))

    return 100 * items_of(statistic, len(own[0]))


@dataclass(frozen=True, kw_only=True)
class Cka(Trace):
    """How much the states of texts lie to one another as the target's do; an item is a text."""

    kind: ClassVar[str] = "cka"
    meaning: ClassVar[str] = "hidden states of texts are compared with the target's"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (F, R2)
    tells: ClassVar[dict[str, str]] = {
        "cka_f": "how alike the target's its hidden states of forgotten texts lie, mean over blocks",
        "cka_last_f": "the same behind the last block",
        "cka_r": "how alike the target's its hidden states of retained texts lie, mean over blocks",
    }

    most: int = setting(200, "texts of a kind", positive=True)
    max_length: int = setting(512, "tokens of a text", positive=True)

    def of_target(self, target: Any, texts: Texts) -> Any:
        """The products of the target's states, of each kind of texts and each block."""
        return {split: self._grams(target, self._rows(texts, split)[1], 32, FAST) for split in (F, R2)}

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError for a model of another number of blocks than the target has."""
        found = {}
        for split, names in ((F, ("cka_f", "cka_last_f")), (R2, ("cka_r",))):
            prompts, rows = self._rows(texts, split)
            own, known = self._grams(subject, rows, batch_size, passes), kept[split]
            if len(own) != len(known):
                raise ValueError(f"it has {len(own)} blocks, and the target {len(known)}: they cannot be compared")
            empty = [""] * len(prompts)
            for name, first in zip(names, (0, -1), strict=False):
                found[name] = Items(prompts, empty, empty, cka_items(own[first:], known[first:]))
        return found

    def _rows(self, texts: Texts, split: tuple[str, str]) -> tuple[list[str], list[list[int]]]:
        return rows_of(texts, split, self.most, self.max_length)

    def _grams(self, subject: Any, rows: list[list[int]], batch_size: int, passes: Passes) -> list[Array]:
        return [gram(states) for states in block_states(subject, rows, MEAN, batch_size=batch_size, passes=passes)]


def neighbours_say(states: Array, classes: Sequence[str], k: int) -> list[str]:
    """Of each item the class that most of its k nearest others have, by the cosine of states [n, d].

    Of classes with as many, that whose items are nearer in sum.
    """
    wide = states.astype(np.float64)
    wide = wide / np.maximum(np.linalg.norm(wide, axis=1, keepdims=True), 1e-12)
    alike = wide @ wide.T
    np.fill_diagonal(alike, -np.inf)
    said = []
    for row in alike:
        near = np.argsort(-row, kind="stable")[:k]
        votes: dict[str, tuple[int, float]] = {}
        for i in near:
            count, whole = votes.get(classes[i], (0, 0.0))
            votes[classes[i]] = (count + 1, whole + float(row[i]))
        said.append(max(votes, key=votes.__getitem__))
    return said


@dataclass(frozen=True, kw_only=True)
class Knn(Trace):
    """Whether the nearest questions, by their last token's state behind the last block, have answers that begin alike.

    Asked of questions whose answer begins as another one's does, such as those for a colour. An item is a question.
    """

    kind: ClassVar[str] = "knn"
    meaning: ClassVar[str] = "questions with alike hidden states are looked for"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (ASKED, SHOTS)
    tells: ClassVar[dict[str, str]] = {
        "knn_f": "share of forgotten questions whose nearest others, by hidden state, have an answer that begins alike"
    }

    k: int = setting(5, "nearest questions that vote", positive=True)
    most: int = setting(400, "questions", positive=True)

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError for fewer than 20 questions whose answer begins as another one's does."""
        rows = texts.benchmark.rows(*ASKED)[: self.most]
        prompts = knowmem_prompts(rows, texts.benchmark.rows(*SHOTS))
        classes = [(row["answer"].lower().split() or [""])[0] for row in rows]
        counts = Counter(classes)
        asked = [i for i, name in enumerate(classes) if counts[name] > 1]
        if len(asked) < FEWEST:
            raise ValueError(
                f"knn: of {len(rows)} questions {len(asked)} have an answer that begins as another one's does, and at "
                f"least {FEWEST} are needed"
            )
        ids = [texts.tokenizer(prompt).input_ids for prompt in prompts]
        states = block_states(subject, ids, LAST, batch_size=batch_size, passes=passes)[-1]
        said = neighbours_say(states, classes, self.k)
        values = np.array([100.0 * (said[i] == classes[i]) for i in asked])
        asked_of, outputs, truths = ([column[i] for i in asked] for column in (prompts, said, classes))
        return {"knn_f": Items(asked_of, outputs, truths, values)}


def held_out(features: Array, labels: Array, *, C: float, seeds: Sequence[int]) -> Array:
    """What a logistic regression says of each of n items [n, d] that it was not fitted to: the mean over 5-fold splits.

    Columns are standardised within each fold. ValueError for fewer items of a label than folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    fewest = int(min(np.bincount(labels, minlength=2)))
    if fewest < FOLDS:
        raise ValueError(f"there are {fewest} texts of a kind, and {FOLDS} folds: each needs one")
    said = np.zeros(len(labels))
    for seed in seeds:
        for fitted, asked in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(features, labels):
            model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=5000))
            said[asked] += model.fit(features[fitted], labels[fitted]).decision_function(features[asked])
    return said / len(seeds)


def told_apart(first: Array, second: Array, *, C: float, seeds: Sequence[int]) -> Array:
    """Values [m + n] x100 whose mean is the AUC by which held-out features [m, d] are told from [n, d]."""
    labels = np.array([1] * len(first) + [0] * len(second))
    said = held_out(np.concatenate([first, second]), labels, C=C, seeds=seeds)
    return auc_items(said[: len(first)], said[len(first) :])


@dataclass(frozen=True, kw_only=True)
class MembershipProbe(Trace):
    """Whether a linear probe tells forgotten texts from unseen ones by their states behind the last block.

    An item is a text. Of the retrained model it is about 50: to it they are the same.
    """

    kind: ClassVar[str] = "membership_probe"
    meaning: ClassVar[str] = "a linear probe of hidden states looks for forgotten texts among unseen ones"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (F, H)
    tells: ClassVar[dict[str, str]] = {
        "membership_f": "AUC by which its hidden states tell forgotten texts from unseen ones"
    }

    most: int = setting(200, "texts of a kind", positive=True)
    max_length: int = setting(512, "tokens of a text", positive=True)

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError for too few texts of a kind."""
        prompts: list[str] = []
        states = []
        for split in (F, H):
            own, rows = rows_of(texts, split, self.most, self.max_length)
            prompts += own
            states.append(block_states(subject, rows, MEAN, batch_size=batch_size, passes=passes)[-1])
        empty = [""] * len(prompts)
        return {"membership_f": Items(prompts, empty, empty, told_apart(*states, C=0.1, seeds=[0]))}
