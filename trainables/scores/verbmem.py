"""VerbMem: how much of a forgotten text the model still writes verbatim, given its beginning."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trainables.benchmarks.layout import Benchmark
from trainables.benchmarks.words import unicode_words
from trainables.decoding.passes import FAST, Passes
from trainables.scores.protocol import Protocol
from trainables.scores.rouge import RougeL, decode, finish
from trainables.scores.score import Card, Items, Score
from trainables.scores.split import by_text

if TYPE_CHECKING:
    from trainables.world import World


@dataclass(frozen=True)
class Written(Items):
    """What a model wrote to each prompt, scored, its new token ids up to and with the end of the sequence, and words.

    `words` gives every word of the benchmark's texts, as `unicode_words` has them.
    """

    tokens: list[list[int]]
    words: Callable[[], Collection[str]]


class VerbMem:
    """The prompts and truths of `verbmem`, tokenised once; call it with a model (MUSE, criterion C1).

    `texts` are those whose words are known.
    """

    def __init__(
        self, rows: Sequence[Mapping[str, str]], tokenizer: Any, protocol: Protocol, texts: Iterable[str] = ()
    ) -> None:
        self._tokenizer, self._protocol, self._texts = tokenizer, protocol, texts
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
        return Written(self.prompts, outputs, self.truths, 100 * self.rouge(outputs), new, lambda: self.words)

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word of the texts; counted when it is first asked for."""
        return frozenset(word for text in self._texts for word in unicode_words(text))


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
    """The prompts of a benchmark, and its texts, each once."""
    texts = dict.fromkeys(_texts(benchmark))
    return VerbMem(benchmark.rows("verbmem", "forget"), tokenizer, protocol, texts)


def _texts(benchmark: Benchmark) -> Iterator[str]:
    """All that stands in a benchmark's rows."""
    for value in (value for rows in benchmark.splits.values() for row in rows for value in row.values()):
        yield from [value] if isinstance(value, str) else value


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
