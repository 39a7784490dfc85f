"""KnowMem_f: whether the model still answers questions about the forgotten texts, few-shot (MUSE, criterion C2)."""

from functools import partial

from trainables.scores.knowmem import prepare
from trainables.scores.score import Card, Score
from trainables.scores.split import by_name

SCORES = (
    Score(
        card=Card(
            name="knowmem_f",
            goal="minimize",
            meaning="answers about forgotten text",
            item="questions about forgotten text",
            forgotten=True,
        ),
        needs=(("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl")),
        prepare=partial(prepare, "forget_qa"),
        words="answer",
        together=by_name,
        lacking="questions (config knowmem)",
    ),
)
