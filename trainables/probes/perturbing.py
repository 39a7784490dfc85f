"""Noise and steering: hidden states are moved while a question is read, and what was suppressed may be said again.

`noise` adds random numbers behind a block (arXiv 2505.23270; its scale and its audits are unverified), `steering` adds
what a question's own state has beyond those of questions about others (AnonAct, arXiv 2411.02631). The best of several
draws or strengths is taken, which lifts every model: only what is beyond the retrained model's says something. Answers
are not written: how likely the right one becomes is read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from trainables.benchmarks.names import names_of
from trainables.benchmarks.rows import Row
from trainables.decoding.log_probs import token_logprobs
from trainables.decoding.passes import FAST, Passes
from trainables.probes.features import ASKED, FEWEST, SHOTS, H
from trainables.probes.probe import Texts
from trainables.probes.states import LAST, block_states, changed, next_logprobs, only_model, spread_of
from trainables.probes.trace import Trace
from trainables.scores.answer_prob import answer_prob
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.score import Items
from trainables.scores.split import by_name
from trainables.scores.utility import choice_start
from trainables.settings import setting
from trainables.training.trainable import blocks_of

STRENGTHS = (1.0, 2.0, 4.0)  # of steering
Array = np.ndarray


@dataclass(frozen=True)
class Answer:
    """A question with its right answer in tokens: those of both, and where the answer's begin."""

    prompt: str
    truth: str
    ids: list[int]
    begin: int


def answers_of(texts: Texts, rows: Sequence[Row]) -> list[Answer]:
    """Questions as KnowMem asks them, with their answers."""
    found = []
    for row, prompt in zip(rows, knowmem_prompts(rows, texts.benchmark.rows(*SHOTS)), strict=True):
        before, whole = (texts.tokenizer(text).input_ids for text in (prompt, prompt + row["answer"]))
        found.append(Answer(prompt, row["answer"], list(whole), choice_start(before, whole)))
    return found


def answer_logprobs(subject: Any, answers: Sequence[Answer], *, batch_size: int, passes: Passes) -> list[Array]:
    """log p of each token of the right answer to each question: an array [tokens] for each."""
    rows = [answer.ids for answer in answers]
    read = token_logprobs(subject, rows, batch_size=batch_size, texts=passes.texts)
    return [values[answer.begin - 1 :] for values, answer in zip(read, answers, strict=True)]


@dataclass(frozen=True, kw_only=True)
class Noise(Trace):
    """How likely right answers become under the best of several draws of noise, and how much noise changes at all.

    A draw is a table of normal numbers for each place and dimension, the same for all questions, times `gamma` and the
    deviation of the model's own states there. An item is a question.
    """

    kind: ClassVar[str] = "noise"
    meaning: ClassVar[str] = "noise is added to hidden states while a question is read"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (ASKED, SHOTS)
    tells: ClassVar[dict[str, str]] = {
        "noise_f": "how likely it finds right answers about forgotten text under the best of several draws of noise",
        "noise_shift_f": "how much noise changes the log-probability of those answers, in hundredths of a nat a token",
    }

    gamma: float = setting(0.2, "of the noise, in deviations of the states")
    draws: int = setting(8, "draws of noise", positive=True)
    depth: float = setting(0.5, "where it is added, as a share of the blocks", most=1)
    most: int = setting(40, "questions", positive=True)
    seed: int = setting(0, "of the noise")

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError for a subject of several models."""
        model = only_model(subject)
        answers = answers_of(texts, texts.benchmark.rows(*ASKED)[: self.most])
        rows = [answer.ids for answer in answers]
        block = min(int(self.depth * len(blocks_of(model))), len(blocks_of(model)) - 1)
        scale = self.gamma * spread_of(subject, rows, block, batch_size=batch_size, passes=passes)
        logprobs = partial(answer_logprobs, subject, answers, batch_size=batch_size, passes=passes)
        plain, noisy = logprobs(), []
        for draw in range(self.draws):
            with changed(model, block, Drawn(scale, (self.seed, draw))):
                noisy.append(logprobs())
        best = np.array([max(100 * answer_prob(own[i]) for own in noisy) for i in range(len(rows))])
        shift = [np.mean([abs(own[i].mean() - plain[i].mean()) for own in noisy]) for i in range(len(rows))]
        prompts, truths = [answer.prompt for answer in answers], [answer.truth for answer in answers]
        said = [f"{value:.1f} of 100" for value in best]
        return {
            "noise_f": Items(prompts, said, truths, best),
            "noise_shift_f": Items(prompts, [""] * len(rows), truths, 100 * np.array(shift)),
        }


class Drawn:
    """One draw of noise: the same numbers at the same place of every row, however many rows are read at once."""

    def __init__(self, scale: float, seed: tuple[int, int]) -> None:
        self._scale, self._seed, self._table = scale, seed, np.empty((0, 0))

    def __call__(self, out: Tensor) -> Tensor:
        """States [B, T, d] with noise, as a new tensor."""
        places, d = out.shape[1:]
        if len(self._table) < places:
            self._table = np.random.default_rng(self._seed).standard_normal((places, d))
        noise = torch.tensor(self._scale * self._table[:places], device=out.device)
        return out + noise.to(out.dtype)


@dataclass(frozen=True, kw_only=True)
class Steering(Trace):
    """How likely the first token of right answers becomes when the prompt's last state is pushed on as its name does.

    The push is the state minus the mean state of the same question about `names` others, which no model has seen. Its
    strength and its block are the best of half of the questions; the items are the other half.
    """

    kind: ClassVar[str] = "steering"
    meaning: ClassVar[str] = "hidden states are pushed towards whom or what a question names"
    needs: ClassVar[tuple[tuple[str, str], ...]] = (ASKED, SHOTS, H, ("raw", "forget"))
    tells: ClassVar[dict[str, str]] = {
        "steering_f": "how likely it finds the first token of right answers about forgotten text when it is steered",
        "steering_gain_f": "what steering adds to that",
    }

    names: int = setting(8, "others that each question is also asked about", positive=True)
    most: int = setting(80, "questions", positive=True)

    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """ValueError for a subject of several models, and where questions name nobody, or no others are known."""
        shared: dict[str, Any] = {"batch_size": batch_size, "passes": passes}
        blocks = len(blocks_of(only_model(subject)))
        rows, others = self._asked(texts)
        answers = answers_of(texts, rows)
        before = [answer.ids[: answer.begin] for answer in answers]
        firsts = [answer.ids[answer.begin] for answer in answers]
        asked = knowmem_prompts([row for some in others for row in some], texts.benchmark.rows(*SHOTS))
        anonymous = [texts.tokenizer(prompt).input_ids for prompt in asked]
        own, theirs = (block_states(subject, ids, LAST, **shared) for ids in (before, anonymous))
        pushes = own - theirs.reshape(blocks, len(rows), self.names, -1).mean(axis=2)
        chooses = np.arange(len(rows)) % 2 == 0
        plain = 100 * np.exp(next_logprobs(subject, before, firsts, **shared))
        tried = []
        for block, strength in product(sorted({blocks // 2, max(blocks - 2, 0)}), STRENGTHS):
            added = strength * pushes[block]
            tried.append(100 * np.exp(next_logprobs(subject, before, firsts, block=block, added=added, **shared)))
        best = max(tried, key=lambda values: float(values[chooses].mean()))
        kept_rows = [answer for answer, choosing in zip(answers, chooses, strict=True) if not choosing]
        prompts, truths = [answer.prompt for answer in kept_rows], [answer.truth for answer in kept_rows]
        said = [f"{value:.1f} of 100" for value in best[~chooses]]
        return {
            "steering_f": Items(prompts, said, truths, best[~chooses]),
            "steering_gain_f": Items(prompts, [""] * len(prompts), truths, (best - plain)[~chooses]),
        }

    def _asked(self, texts: Texts) -> tuple[list[Row], list[list[Row]]]:
        """Questions that name somebody, and each of them about others."""
        rows = texts.benchmark.rows(*ASKED)
        own = by_name([row["question"] for row in rows])
        named = [(row, name) for row, name in zip(rows, own, strict=True) if name != row["question"].rstrip(".?")]
        named = named[: self.most]
        if len(named) < FEWEST:
            raise ValueError(f"steering: {len(named)} questions name whom or what they are about: {FEWEST} are needed")
        unseen = names_of(texts.benchmark.texts(*H), texts.benchmark.texts("raw", "forget"), 10 * self.names)
        length = len(named[0][1].split())
        unseen = [name for name in unseen if len(name.split()) == length] or unseen
        if len(unseen) < self.names:
            raise ValueError(
                f"steering: {len(unseen)} names are known of texts that no model saw: {self.names} are needed"
            )
        asked = [
            [row | {"question": row["question"].replace(name, other)} for other in unseen[: self.names]]
            for row, name in named
        ]
        return [row for row, _ in named], asked
