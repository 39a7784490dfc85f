"""KnowMem_r: whether the model still answers questions about the retained texts, few-shot (MUSE, criterion C4)."""

from operator import attrgetter

from trainables.scores.answers import PREPARED, RETAIN
from trainables.scores.score import Card, Score
from trainables.scores.split import by_name

SCORES = (
    Score(
        card=Card(
            name="knowmem_r",
            goal="maximize",
            meaning="answers about retained text",
            item="questions about retained text",
        ),
        needs=(("knowmem", "retain_qa"), ("knowmem", "retain_qa_icl")),
        prepare=PREPARED[RETAIN],
        items=attrgetter("written"),
        words="answer",
        together=by_name,
        lacking="questions (config knowmem)",
    ),
)
