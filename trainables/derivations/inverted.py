"""Answers that contradict the true one, each with how well the target continues it from wherever it is cut (MEMO).

torch is loaded where the target writes, and not before.
"""

from collections.abc import Sequence

from trainables.benchmarks.rows import Row
from trainables.decoding.continued import Continued
from trainables.derivations.corpus import FORGET, Corpus, Derived
from trainables.derivations.sampled import own, target_of
from trainables.derivations.wrong import wrong


def memo(corpus: Corpus) -> Derived:
    """Of each fact the wrong objects, as in `wrong`, with the target's MEMO.

    `row`, `prompt`, the true `answer`, `inverted`, answers in its place, and `memo`, of each of them the value of every
    cut by five characters, from 0 to 1.
    """
    rows = wrong(corpus)[FORGET]
    return _weighed(corpus, "memo", [_row(row, row["object"], row["wrong"]) for row in rows])


def own_memo(corpus: Corpus) -> Derived:
    """The same of what the target writes itself, as in `own`: `row`, `prompt`, `answer`, `inverted` and `memo`."""
    target_of(corpus, "own_memo")
    return _weighed(corpus, "own_memo", [_row(row, row["answer"], row["own"]) for row in own(corpus)[FORGET]])


def _row(row: Row, answer: str, inverted: Sequence[str]) -> Row:
    return {"row": row["row"], "prompt": row["prompt"], "answer": answer, "inverted": list(inverted)}


def _weighed(corpus: Corpus, name: str, rows: list[Row]) -> Derived:
    models = target_of(corpus, name)
    from trainables.decoding.generate import greedy

    continued = Continued([(row["prompt"], answer) for row in rows for answer in row["inverted"]], models.tokenizer)
    written = greedy(
        models.target,
        continued.prompts,
        max_new_tokens=continued.most,
        batch_size=models.batch_size,
        decode=models.decode,
    )
    found = iter(continued.values(written))
    return {FORGET: [row | {"memo": [next(found)[1] for _ in row["inverted"]]} for row in rows]}
