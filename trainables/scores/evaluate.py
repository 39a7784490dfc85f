"""All MUSE scores of a model in one call, by one protocol, each with its interval and its items.

    evaluator = Evaluator(benchmark, tokenizer, PROTOCOLS["muse"], retrained=None)
    evaluator = evaluator.with_reference(evaluator.attack(retrained_model))
    evaluation = evaluator(model)

Loading models and benchmarks is not done here.
"""

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.scores.attacks import Texts
from trainables.scores.intervals import mean_interval
from trainables.scores.knowmem import KnowMem
from trainables.scores.privleak import ATTACKS, DEFAULT_ATTACK, SPLITS, Attack, auc, privleak
from trainables.scores.protocol import Protocol
from trainables.scores.truths import check_truths
from trainables.scores.utility import Utility
from trainables.scores.verbmem import Answers, VerbMem
from trainables.world import ALONE, World


@dataclass(frozen=True, kw_only=True)
class Score:
    """A score x100, its 95% interval over items, and their number."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The scores of one model: `items` has a row an item, `attack` is what a retrained reference hands on."""

    protocol: str
    scores: dict[str, Score]
    items: pd.DataFrame
    attack: Attack


class Evaluator:
    """A benchmark made ready for one tokenizer and protocol; calling it with a model gives an Evaluation.

    Scores whose texts the benchmark lacks are absent. Without `retrained`, the Evaluation.attack of the
    retrained model, PrivLeak and the mia_ scores are absent too: no reference is ever made up. ValueError
    names a text too short to attack, a truth that the protocol's ROUGE does not see (truths.py), and a reference of
    other items or with an AUC of 0. The workers of `world` share the items out; all of them have to call, and all get
    the whole evaluation. `passes` are the ways in which the model may be run (`capabilities.probe`); the fastest are
    taken for granted where they are not given.
    """

    def __init__(
        self,
        benchmark: Benchmark,
        tokenizer: Any,
        protocol: Protocol,
        retrained: Attack | None,
        *,
        batch_size: int = 32,
        seed: int = 0,
        world: World = ALONE,
        passes: Passes = FAST,
    ) -> None:
        self.protocol, self.retrained, self.world = protocol, retrained, world
        self.batch_size, self.seed, self.passes = batch_size, seed, passes
        self._answered = _answered(benchmark, tokenizer, protocol)
        for name, task in self._answered.items():
            if name != "utility":  # whose choices are compared by their log-probs
                check_truths(task.truths, protocol, f"benchmark {benchmark.name!r}: {name}")
        self._texts = {
            split: Texts(benchmark.texts("privleak", split), tokenizer, protocol, f"privleak/{split}")
            for split in SPLITS
            if all(benchmark.has("privleak", other) for other in SPLITS)
        }

    def with_reference(self, retrained: Attack) -> "Evaluator":
        """The same evaluator with a retrained model's attack as reference; nothing is tokenised again."""
        other = copy.copy(self)
        other.retrained = retrained
        return other

    def with_batch_size(self, batch_size: int) -> "Evaluator":
        """The same evaluator with as many items at once; the scores are the same."""
        other = copy.copy(self)
        other.batch_size = batch_size
        return other

    def with_passes(self, passes: Passes) -> "Evaluator":
        """The same evaluator for a model that is run in these ways."""
        other = copy.copy(self)
        other.passes = passes
        return other

    def lengths(self) -> dict[str, int]:
        """Most tokens that a model reads at once, new ones counted: split -> number."""
        longest = {SPLIT_OF[name]: task.longest for name, task in self._answered.items()}
        return longest | {f"privleak/{split}": texts.longest for split, texts in self._texts.items()}

    def attack(self, model: Any) -> Attack:
        """The membership attacks' scores: attack name -> split -> [n]; empty without `privleak` texts."""
        by_split = {split: texts(model, **self._shared()) for split, texts in self._texts.items()}
        if not by_split:
            return {}
        return {name: {split: scores[name] for split, scores in by_split.items()} for name in ATTACKS}

    def __call__(self, model: Any) -> Evaluation:
        """Evaluates the model; its training flag and its attention are as before afterwards."""
        answers = {name: task(model, **self._shared()) for name, task in self._answered.items()}
        attack = self.attack(model)
        scores = {name: self._mean(answer.values) for name, answer in answers.items()}
        if attack and self.retrained is not None:
            scores |= self._privleaks(attack, self.retrained)
        return Evaluation(protocol=self.protocol.name, scores=scores, items=self._items(answers, attack), attack=attack)

    def _shared(self) -> dict[str, Any]:
        return {"batch_size": self.batch_size, "world": self.world, "passes": self.passes}

    def _mean(self, values: np.ndarray) -> Score:
        low, high = mean_interval(values, seed=self.seed)
        return Score(value=float(values.mean()), low=low, high=high, n=len(values))

    def _privleaks(self, attack: Attack, retrained: Attack) -> dict[str, Score]:
        scores = {}
        for name in ATTACKS:
            # PrivLeak must be there and refuses a reference AUC of 0; another attack is then left out.
            if name == DEFAULT_ATTACK or auc(**retrained[name]) > 0:
                value, low, high = privleak(attack[name], retrained[name], seed=self.seed)
                n = sum(len(attack[name][split]) for split in SPLITS)
                scores[_score_name(name)] = Score(value=value, low=low, high=high, n=n)
        return scores

    def _items(self, answers: dict[str, Answers], attack: Attack) -> pd.DataFrame:
        tables = [_table(name, answer) for name, answer in answers.items()]
        if attack:
            prompts = [text for split in SPLITS for text in self._texts[split].texts]
            truths = [split for split in SPLITS for _ in self._texts[split].texts]
            values = np.concatenate([attack[DEFAULT_ATTACK][split] for split in SPLITS])
            tables.append(_table("privleak", Answers(prompts, [""] * len(prompts), truths, values)))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=_COLUMNS)


SPLIT_OF = {
    "verbmem_f": "verbmem/forget",
    "knowmem_f": "knowmem/forget_qa",
    "knowmem_r": "knowmem/retain_qa",
    "utility": "utility/test",
}
_COLUMNS = ["score", "item", "prompt", "output", "truth", "value"]


def _score_name(attack: str) -> str:
    return "privleak" if attack == DEFAULT_ATTACK else f"mia_{attack}"


def _answered(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    if benchmark.has("verbmem", "forget"):
        tasks["verbmem_f"] = VerbMem(benchmark.rows("verbmem", "forget"), tokenizer, protocol)
    for name, split in (("knowmem_f", "forget_qa"), ("knowmem_r", "retain_qa")):
        if benchmark.has("knowmem", split):
            shots = benchmark.rows("knowmem", f"{split}_icl")
            tasks[name] = KnowMem(benchmark.rows("knowmem", split), shots, tokenizer, protocol)
    if benchmark.has("utility", "test"):
        tasks["utility"] = Utility(benchmark.rows("utility", "test"), tokenizer)
    return tasks


def _table(score: str, answers: Answers) -> pd.DataFrame:
    columns = (
        score,
        range(len(answers.prompts)),
        answers.prompts,
        answers.outputs,
        answers.truths,
        answers.values,
    )
    return pd.DataFrame(dict(zip(_COLUMNS, columns, strict=True)))
