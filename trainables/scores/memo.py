"""MEMO of right answers: how well a model goes on with them from wherever they are cut (decoding/continued.py).

Asked as KnowMem asks; an answer's value is the mean over its cuts, times 100. The same by every protocol. Source: Gu et
al. 2024, arXiv 2409.11844, which takes it of wrong answers: of true ones it measures memorisation.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.continued import Continued
from trainables.decoding.passes import FAST, Passes
from trainables.scores.knowmem import knowmem_prompts
from trainables.scores.protocol import Protocol
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_name
from trainables.scores.verbmem import written

if TYPE_CHECKING:
    from trainables.world import World

FORGET, SHOTS = ("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl")


class Memo:
    """Questions with their right answers, cut and tokenised once; call it with a model."""

    def __init__(self, rows: Sequence[Mapping[str, str]], shots: Sequence[Mapping[str, str]], tokenizer: Any) -> None:
        self.prompts = knowmem_prompts(rows, shots)
        self.truths = [row["answer"].strip() for row in rows]
        asked = [(prompt.rstrip(), truth) for prompt, truth in zip(self.prompts, self.truths, strict=True)]
        self.continued = Continued(asked, tokenizer)
        self.longest = {"/".join(FORGET): self.continued.longest}

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Items:
        """Goes on from every cut; workers share the cuts."""
        prompts, most = self.continued.prompts, self.continued.most
        new = written(model, prompts, most, world, batch_size=batch_size, decode=passes.decode)
        found = self.continued.values(new)
        values = np.array([100 * np.mean(of_cuts) for _, of_cuts in found])
        return Items(self.prompts, [text for text, _ in found], self.truths, values)


def prepare(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> Memo:
    """The questions of a benchmark on what is to be forgotten."""
    return Memo(benchmark.rows(*FORGET), benchmark.rows(*SHOTS), tokenizer)


SCORES = (
    Score(
        card=Card(
            name="memo_f",
            goal="minimize",
            meaning="goes on with answers about forgotten text from wherever they are cut",
            item="answers about forgotten text, to be continued",
            forgotten=True,
            shown=False,
            on_request=True,  # it writes, a tenth of what an evaluation takes
        ),
        needs=(FORGET, SHOTS),
        prepare=prepare,
        together=by_name,
        lacking="questions (config knowmem)",
    ),
)
