"""Relearning: a few steps on some text, and what was not in it may come back.

Sources: arXiv 2406.13356, 2410.08827, 2510.07626. What was trained on says how quickly a model learns, the rest what it
still knew: only the rest counts (`unseen`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor

from trainables.decoding.evaluating import without_dropout
from trainables.losses.logits import token_log_probs
from trainables.probes.probe import Texts
from trainables.probes.stress import Stress
from trainables.probes.weights import put_back
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.split import by_name, question
from trainables.settings import setting
from trainables.subjects.subject import combined, models_of, rows_read
from trainables.training.data import IGNORED, chunk_texts, collate, cyclic_indices, next_token_targets

CLIP = 1.0  # largest global gradient norm


@dataclass(frozen=True, kw_only=True)
class Relearn(Stress):
    """Steps of AdamW on text, with all weights, without weight decay, schedule or dropout."""

    meaning: ClassVar[str] = "it learns some text once more"
    learns: ClassVar[bool] = True
    split: ClassVar[str]  # of the config raw: what is learned

    k: int = setting(20, "steps")
    lr: float = setting(3e-4, "learning rate; 2e-5 for models of 7B", positive=True)
    batch: int = setting(4, "sequences of a step", positive=True)
    max_length: int = setting(512, "tokens of a sequence", positive=True)
    seed: int = setting(0, "of the order of the sequences")

    def documents(self, texts: Texts) -> list[str]:
        """What is learned. ValueError where the benchmark has no such texts."""
        return texts.benchmark.texts("raw", self.split)

    @contextmanager
    def on(self, subject: Any, texts: Texts) -> Iterator[Any]:
        """Every weight is put back behind the block, and whether it takes gradients."""
        models = models_of(subject)
        weights = [weight for model in models for weight in model.parameters()]
        gradients = [(weight.requires_grad, weight.grad) for weight in weights]
        with put_back(weights), without_dropout(*models):
            try:
                with torch.inference_mode(False), torch.enable_grad():
                    self._learn(subject, weights, texts)
                yield subject
            finally:
                for weight, (needed, gradient) in zip(weights, gradients, strict=True):
                    weight.requires_grad_(needed)
                    weight.grad = gradient

    def _learn(self, subject: Any, weights: Sequence[Tensor], texts: Texts) -> None:
        rows = chunk_texts(texts.tokenizer, self.documents(texts), max_length=self.max_length)
        for weight in weights:
            weight.requires_grad_(True)
            weight.grad = None
        optimizer = torch.optim.AdamW(weights, lr=self.lr, weight_decay=0.0)
        for step in range(1, self.k + 1):
            chosen = cyclic_indices(len(rows), size=self.batch, seed=self.seed, stream=0, step=step)
            _loss(subject, [rows[i] for i in chosen]).backward()
            torch.nn.utils.clip_grad_norm_(weights, CLIP)
            optimizer.step()
            optimizer.zero_grad()


def _loss(subject: Any, rows: Sequence[Sequence[int]]) -> Tensor:
    """Cross-entropy of sequences, in nats a token; what a subject reads before them counts for nothing."""
    read = rows_read(subject, rows)
    models = models_of(subject)
    ids, attention = (part.to(models[0].device) for part in collate(read, pad=0))
    targets = next_token_targets(ids, attention)
    for i, (row, whole) in enumerate(zip(rows, read, strict=True)):
        targets[i, : len(whole) - len(row)] = IGNORED
    logits = combined(subject, [model(ids, attention_mask=attention, use_cache=False).logits for model in models])
    counted = (targets != IGNORED).float()
    return -(token_log_probs(logits[:, :-1], targets) * counted).sum() / counted.sum()


@dataclass(frozen=True, kw_only=True)
class RelearnIn(Relearn):
    """Steps on a share of the forgotten text. What is asked of the others, which it says nothing of, counts."""

    kind: ClassVar[str] = "relearn_in"
    meaning: ClassVar[str] = "it learns a share of the forgotten text once more"
    split: ClassVar[str] = "forget"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (("raw", "forget"), ("knowmem", "forget_qa"))

    share: float = setting(0.25, "of whom or what questions are about, that is learned of", positive=True, most=1)

    def documents(self, texts: Texts) -> list[str]:
        """The forgotten texts that name some of those that questions are about, and none of the others.

        ValueError where no text does.
        """
        seen, others = self._names(texts)
        found = [
            text
            for text in super().documents(texts)
            if any(name in text for name in seen) and not any(name in text for name in others)
        ]
        if not found:
            raise ValueError(
                f"relearn_in: no text of raw/forget names one of the first {len(seen)} of {len(seen) + len(others)} "
                "that questions are about and none of the others, so none can be learned of which the rest says nothing"
            )
        return found

    def unseen(self, prompts: list[str], texts: Texts) -> list[bool]:
        """Whether a prompt asks for none of those that were learned of."""
        seen, _ = self._names(texts)
        return [not any(name in question(prompt) for name in seen) for prompt in prompts]

    def _names(self, texts: Texts) -> tuple[list[str], list[str]]:
        """Whom or what questions are about: those that are learned of, and the others."""
        asked = [row["question"] for row in texts.benchmark.rows("knowmem", "forget_qa")]
        names = list(dict.fromkeys(by_name(asked)))
        first = max(1, round(self.share * len(names)))
        return names[:first], names[first:]


@dataclass(frozen=True, kw_only=True)
class RelearnBenign(Relearn):
    """Steps on text of the same kind that holds none of the answers: the retained text."""

    kind: ClassVar[str] = "relearn_benign"
    meaning: ClassVar[str] = "it learns retained text once more"
    split: ClassVar[str] = "retain1"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (("raw", "retain1"),)


@dataclass(frozen=True, kw_only=True)
class RelearnUnrelated(Relearn):
    """Steps on general text."""

    kind: ClassVar[str] = "relearn_unrelated"
    meaning: ClassVar[str] = "it learns unrelated text"
    split: ClassVar[str] = "unrelated"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (("raw", "unrelated"),)


@dataclass(frozen=True, kw_only=True)
class RelearnAnswers(RelearnIn):
    """Steps on questions about forgotten text with their answers (RTT). What is asked of the others counts.

    Source: arXiv 2410.08827, which learns the letter of a choice and takes the best of several rates; here the question
    and the answer are learned as a text, at one rate. Facts of one subject are on one side.
    """

    kind: ClassVar[str] = "rtt"
    meaning: ClassVar[str] = "it learns the answers to a share of the questions about forgotten text"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (("knowmem", "forget_qa"),)

    share: float = setting(0.5, "of whom or what questions are about, whose answers are learned", positive=True, most=1)

    def documents(self, texts: Texts) -> list[str]:
        """Each question that counts for nothing, with its answer."""
        rows = texts.benchmark.rows("knowmem", "forget_qa")
        counted = self.unseen([row["question"] for row in rows], texts)
        asked = zip(knowmem_prompts(rows, []), rows, counted, strict=True)
        return [prompt + row["answer"] for prompt, row, unseen in asked if not unseen]
