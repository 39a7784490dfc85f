"""VerbMem: how much of a forgotten text the model still writes verbatim, given its beginning."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.scores.protocol import Protocol
from trainables.scores.rouge import RougeL, decode, finish
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_text

if TYPE_CHECKING:
    from trainables.world import World


@dataclass(frozen=True)
class Written(Items):
    """What a model wrote to each prompt, scored, and its new token ids up to and with the end of the sequence."""

    tokens: list[list[int]]


class VerbMem:
    """The prompts and truths of `verbmem`, tokenised once; call it with a model (MUSE, criterion C1)."""

    def __init__(self, rows: Sequence[Mapping[str, str]], tokenizer: Any, protocol: Protocol) -> None:
        self._tokenizer, self._protocol = tokenizer, protocol
        self.prompts = [row["prompt"] for row in rows]
        self.truths = [_truth(row["gt"], tokenizer, protocol) for row in rows]
        self.ids = [tokenizer(prompt, add_special_tokens=True).input_ids for prompt in self.prompts]
        # Tokens read at once: the last new one is never fed.
        self.longest = {"verbmem/forget": max(map(len, self.ids)) + protocol.verbmem_tokens - 1}
        self.rouge = RougeL(self.truths, protocol)

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Written:
        """Continues each prompt greedily by protocol.verbmem_tokens tokens and scores it; workers share the prompts."""
        tokens = self._protocol.verbmem_tokens
        new = written(model, self.ids, tokens, world, batch_size=batch_size, decode=passes.decode)
        outputs = [finish(decode(self._tokenizer, ids), self._protocol, self._tokenizer) for ids in new]
        return Written(self.prompts, outputs, self.truths, 100 * self.rouge(outputs), new)


def _truth(text: str, tokenizer: Any, protocol: Protocol) -> str:
    if protocol.truth_tokens is not None:
        # Special tokens count towards the cut and are skipped when decoding, as in the public code.
        text = decode(tokenizer, tokenizer(text, add_special_tokens=True).input_ids[: protocol.truth_tokens])
    return text.strip() if protocol.strip else text


def written(model: Any, ids: list[list[int]], tokens: int, world: "World | None", **options: Any) -> list[list[int]]:
    """What a model writes behind each prompt, in so many greedy tokens; workers share the prompts."""
    from trainables.decoding.generate import greedy  # loads torch, which a list of scores does without
    from trainables.world import ALONE

    return (world or ALONE).share_out(lambda rows: greedy(model, rows, max_new_tokens=tokens, **options), ids)


def prepare(benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> VerbMem:
    """The prompts of a benchmark."""
    return VerbMem(benchmark.rows("verbmem", "forget"), tokenizer, protocol)


SCORES = (
    Score(
        card=Card(
            name="verbmem_f",
            goal="minimize",
            meaning="recites forgotten text",
            item="forgotten text, to be continued",
            forgotten=True,
        ),
        needs=(("verbmem", "forget"),),
        prepare=prepare,
        words="gt",
        together=by_text,
    ),
)
