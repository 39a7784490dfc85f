"""KnowMem: whether the model answers questions about the forgotten (or the retained) texts, few-shot."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from trainables.decoding.passes import FAST, Passes
from trainables.scores.protocol import Protocol
from trainables.scores.rouge import RougeL, decode, finish
from trainables.scores.score import Items
from trainables.scores.verbmem import written

if TYPE_CHECKING:
    from trainables.world import World

Row = Mapping[str, str]
SHAPE = "Question: {question}\nAnswer: "  # of a question, as MUSE asks it


def knowmem_prompts(rows: Sequence[Row], shots: Sequence[Row]) -> list[str]:
    """The few-shot examples, then the question, then `Answer: ` with its trailing space.

    A row that a probe has put in another shape has that as its `shape`, and may have a `context` before it.
    """
    examples = "".join(f"{_asked(row)}{row['answer']}\n\n" for row in shots)
    return [f"{examples}{_asked(row)}" for row in rows]


def _asked(row: Row) -> str:
    return row.get("context", "") + row.get("shape", SHAPE).format(question=row["question"])


class KnowMem:
    """The questions of one `place`, a "config/split", tokenised once; call it with a model."""

    def __init__(
        self,
        rows: Sequence[Row],
        shots: Sequence[Row],
        tokenizer: Any,
        protocol: Protocol,
        place: str = "knowmem/forget_qa",
    ) -> None:
        self._tokenizer, self._protocol = tokenizer, protocol
        self.prompts = knowmem_prompts(rows, shots)
        self.truths = [row["answer"].strip() if protocol.strip else row["answer"] for row in rows]
        # Whole strings, never pieces: a BPE may merge across the seam of examples and question.
        self.ids = [tokenizer(prompt, add_special_tokens=True).input_ids for prompt in self.prompts]
        # Tokens read at once: the last new one is never fed.
        self.longest = {place: max(map(len, self.ids)) + protocol.knowmem_tokens - 1}
        self.rouge = RougeL(self.truths, protocol)
        self.stop = StopWords(tokenizer, protocol.stop_words)

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Items:
        """Answers each question in protocol.knowmem_tokens greedy tokens; scores what precedes a stop.

        Workers share the questions.
        """
        tokens = self._protocol.knowmem_tokens
        new = written(model, self.ids, tokens, world, batch_size=batch_size, decode=passes.decode, stop=self.stop)
        return self.scored(new)

    def scored(self, new: Sequence[Sequence[int]]) -> Items:
        """What a model wrote to the questions, by its new token ids, scored."""
        outputs = [self._finish(ids) for ids in new]
        return Items(self.prompts, outputs, self.truths, 100 * self.rouge(outputs))

    def _finish(self, ids: Sequence[int]) -> str:
        return finish(decode(self._tokenizer, ids), self._protocol, self._tokenizer, self._protocol.stop_words)


class StopWords:
    """Says of a row that a stop word stands in its text, so that what follows would be cut off in any case.

    Looked for only when the newest token holds a mark on which a stop word may end: decoding a row costs more
    than a token. A word that ends in a letter (`\\nQuestion`) is noticed at the next such mark.
    """

    def __init__(self, tokenizer: Any, words: Sequence[str]) -> None:
        self._tokenizer, self._words = tokenizer, words
        marks = {word[-1] for word in words if not word[-1].isalnum()}
        pieces = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
        self._marked = {i for i, piece in enumerate(pieces) if marks & set(piece)}

    def __call__(self, ids: list[int]) -> bool:
        """Whether the decoded ids hold a stop word (never a false yes; a no may be late)."""
        if ids[-1] not in self._marked:
            return False
        text = decode(self._tokenizer, ids)
        return any(word in text for word in self._words)
