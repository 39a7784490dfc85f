"""KnowMem_r: whether the model still answers questions about the retained texts, few-shot (MUSE, criterion C4)."""

from functools import partial

from trainables.scores.knowmem import prepare
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
        prepare=partial(prepare, "retain_qa"),
        words="answer",
        together=by_name,
        lacking="questions (config knowmem)",
    ),
)
