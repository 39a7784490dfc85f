"""How telling each token of a text is, by its keywords (derived data `keywords`): between 0 and 1, 0 for most."""

from collections.abc import Mapping, Sequence
from typing import Any

from trainables.failures import Unfit
from trainables.training.data import pieces


def telling(
    tokenizer: Any,
    texts: Sequence[str],
    rows: Sequence[Mapping[str, Any]],
    *,
    max_length: int,
    long_texts: str = "split",
) -> list[tuple[list[int], list[float]]]:
    """The token sequences that `chunk_texts` makes of some texts, each with the importance of its tokens.

    A token has that of the heaviest keyword that it is a part of. Unfit where the tokenizer does not tell where its
    tokens lie.
    """
    if not tokenizer.is_fast:
        raise Unfit(f"{type(tokenizer).__name__} does not tell where in a text its tokens lie: no keyword can be found")
    read = tokenizer(list(texts), return_offsets_mapping=True)
    found = []
    for number, (ids, spans) in enumerate(zip(read.input_ids, read.offset_mapping, strict=True)):
        own = [row for row in rows if row["row"] == number]
        pairs = [(token, _weight(span, own)) for token, span in zip(ids, spans, strict=True)]
        cut = (
            [pairs[:max_length]]
            if long_texts == "truncate"
            else pieces(pairs, (tokenizer.bos_token_id, 0.0), max_length)
        )
        found += [([token for token, _ in piece], [weight for _, weight in piece]) for piece in cut if len(piece) > 1]
    return found


def _weight(span: tuple[int, int], rows: Sequence[Mapping[str, Any]]) -> float:
    begin, end = span
    return max((row["weight"] for row in rows for a, b in row["spans"] if a < end and begin < b), default=0.0)
