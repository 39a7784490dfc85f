"""What the target writes: answers behind shots, texts behind texts, thoughts behind a request, all cut where they end."""

from corpora import models, plain, tofu_like
from tiny import tiny_model, tiny_tokenizer

from trainables.decoding.generate import greedy
from trainables.derivations import derive
from trainables.derivations.sampled import THINK, THOUGHT


def test_each_question_gets_four_answers_of_one_line():
    for benchmark in (plain(), tofu_like()):
        rows, asked = derive(benchmark, "own", models=models())["forget"], derive(benchmark, "qa")["forget"]
        assert [(row["question"], row["answer"]) for row in rows] == [(r["question"], r["answer"]) for r in asked]
        assert all(len(row["own"]) == 4 and "\n" not in "".join(row["own"]) for row in rows)
        assert len({answer for row in rows for answer in row["own"]}) > len(rows)


def test_a_trace_is_what_the_target_writes_greedily_behind_the_text_and_the_request():
    row = derive(plain(), "traces", models=models())["forget"][1]
    ids = tiny_tokenizer()(f"{plain().texts('raw', 'forget')[1]}\n\n{THINK}\n").input_ids
    (new,) = greedy(tiny_model(), [ids], max_new_tokens=THOUGHT)
    assert row == {"row": 1, "request": THINK, "trace": tiny_tokenizer().decode(new, skip_special_tokens=True)}


def test_fresh_text_is_written_for_each_text_of_the_forget_set():
    texts = [row["text"] for row in derive(plain(), "proxy", models=models())["new"]]
    assert len(set(texts)) == len(texts) == 3
    assert not any("\n\n" in text for text in texts)
