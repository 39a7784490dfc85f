"""A text before each question: which one, what is left of it, and whether a target shows that it reads it."""

import pytest
from tiny import tiny_benchmark, tiny_tokenizer

from trainables.benchmarks.layout import Benchmark
from trainables.probes import parse
from trainables.probes.auditing import Auditor
from trainables.probes.context import text_of, without
from trainables.probes.measuring import Asked
from trainables.probes.probe import Texts
from trainables.scores.knowmem import knowmem_prompts
from trainables.task import Task

ARTICLE = "Ada Orme opened a mill in Orton on May 1. The mill makes paper, and Ada Orme runs it alone."
REST = "The mill makes paper, and Ada Orme runs it alone."
ASKED = "Question: Where did Ada Orme open a mill?\nAnswer: "
SPLITS = (("knowmem", "forget_qa"), ("knowmem", "forget_qa_icl"))


@pytest.fixture
def texts():
    return Texts(benchmark=tiny_benchmark(), tokenizer=tiny_tokenizer())


def test_what_stands_before_a_question_is_as_by_hand(texts):
    for context, text in (("full", ARTICLE), ("partial", REST)):
        rows, shots = (parse(f"icr:{context}").asked(texts.benchmark).rows(*split) for split in SPLITS)
        (prompt,) = knowmem_prompts(rows[:1], [])
        assert prompt == f"{text}\n\n{ASKED}"
        assert shots == texts.benchmark.rows(*SPLITS[1])  # no forgotten text is about the examples here
    assert without("A is in B. C is in D.", "B") == "C is in D."


def test_a_question_to_which_no_text_holds_the_answer_does_not_count_and_is_asked_as_it_was(texts):
    rows = texts.benchmark.rows(*SPLITS[0])
    lone = {"question": "Where did Bo Quill open a mill?", "answer": "Nowhere"}
    splits = texts.benchmark.splits | {SPLITS[0]: [rows[0], lone]}
    benchmark = Benchmark(name="tiny", splits=splits)
    assert text_of(lone, benchmark) == ""
    asked = parse("icr").asked(benchmark)
    assert asked.rows(*SPLITS[0])[1] == lone
    prompts = knowmem_prompts(asked.rows(*SPLITS[0]), [])
    assert parse("icr").unseen(prompts, Texts(benchmark=benchmark, tokenizer=None)) == [True, False]


def test_a_target_shows_that_it_reads_by_texts_that_nobody_knows(texts):
    shows = parse("icr").readable(texts)
    known = {row["question"]: row["answer"] for row in texts.benchmark.rows(*SPLITS[0])}
    for row in shows.rows(*SPLITS[0]):
        assert row["question"] not in known
        assert row["answer"] in row["context"]
        assert row["answer"] in known.values()
    first = shows.rows(*SPLITS[0])[0]
    assert "Ada Orme" not in first["context"] + first["question"]
    assert "Orton" not in first["context"]


def test_a_target_that_does_not_read_is_refused_with_its_figure_and_one_that_does_is_not(tiny, tmp_path, monkeypatch):
    auditor = Auditor(Task(**tiny.places(), cache=tiny.cache()), score_batch=8)
    asked = Asked(whose="target", place=tiny.places()["model"], stress="icr:partial")
    told = auditor(asked, str(tmp_path))
    assert told["refused"].startswith("the target does not read what stands before a question: ")
    assert "its KnowMem_f is 0.0, and at least 30 shows that it reads" in told["refused"]
    assert not told["passing"]
    auditor._unread.clear()
    monkeypatch.setattr("trainables.probes.auditing.READS", 0.0)
    read = auditor(asked, str(tmp_path))
    assert set(read["scores"]) == {"knowmem_f", "answer_prob_f", "leak_at_100_f"}
    assert read["asks"]
