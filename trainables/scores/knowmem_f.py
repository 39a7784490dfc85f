"""KnowMem_f: whether the model still answers questions about the forgotten texts, few-shot (MUSE, criterion C2)."""

from operator import attrgetter

from trainables.scores.answers import FORGET, PREPARED
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
        prepare=PREPARED[FORGET],
        items=attrgetter("written"),
        words="answer",
        together=by_name,
        lacking="questions (config knowmem)",
    ),
)
