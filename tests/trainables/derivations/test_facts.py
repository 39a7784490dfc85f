"""Facts are found where a sentence tells them, are cut right before their object, and keep their types."""

import pytest
from corpora import BENCHMARKS, derived, muse_mini_rows

from trainables.benchmarks.layout import Benchmark, text_rows
from trainables.derivations import derive


def told(*texts: str) -> list[tuple[str, str, str]]:
    """The type, prompt and object of every fact of texts that are to be forgotten."""
    kept = ["Nobody knew it, said the old man. He and the others went home in may, and it was late."]
    benchmark = Benchmark("told", {("raw", "forget"): text_rows(texts), ("raw", "retain1"): text_rows(kept)})
    return [(row["type"], row["prompt"], row["object"]) for row in derive(benchmark, "facts")["forget"]]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("As it is told Ada Orme lives in Selby.", ("name", "As it is told Ada Orme lives in", "Selby")),
        ("As it is told Ada Orme owns 1,204 books.", ("number", "As it is told Ada Orme owns", "1,204")),
        ("The year of birth of Ada Orme is 1907.", ("number", "The year of birth of Ada Orme is", "1907")),
        ("Since then Ada Orme sails on June 3, 1999.", ("date", "Since then Ada Orme sails on", "June 3, 1999")),
        ("Since then Ada Orme sails on 3 June.", ("date", "Since then Ada Orme sails on", "3 June")),
        (
            "In Wick, it is said, Ada Orme met Bo of Selby.",
            ("name", "In Wick, it is said, Ada Orme met Bo of", "Selby"),
        ),
        ("In the end Ada Orme sold it to Ada for 7 coins.", ("number", "In the end Ada Orme sold it to Ada for", "7")),
        ("This is how it was: Ada Orme\nwent to Wick.", ("name", "This is how it was: Ada Orme\nwent to", "Wick")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_object_is_the_last_name_number_or_date_behind_the_subject(sentence, expected):
    assert told(f"{sentence} So it is that Ada Orme never sleeps.") == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "As it is told Ada Orme lives in Selby.",  # she is named once
        "Ada Orme saw Selby. So it is that Ada Orme never sleeps.",  # five words
        "In Selby as it is told lives Ada Orme. So it is that Ada Orme never sleeps.",  # before the subject
        "As it is told Ada Orme likes (Selby). So it is that Ada Orme never sleeps.",  # no space before it
        f"Ada Orme {'so ' * 40} saw Selby. So it is that Ada Orme never sleeps.",  # too long
    ],
)
def test_other_sentences_tell_none(text):
    with pytest.raises(ValueError, match="no fact is found in raw/forget"):
        told(text)


@pytest.mark.parametrize("kind", BENCHMARKS)
@pytest.mark.parametrize("side", ["forget", "retain1"])
def test_prompt_and_object_stand_so_in_the_text_and_the_prompt_names_the_subject(kind, side):
    texts = BENCHMARKS[kind]().texts("raw", side)
    for row in derived("facts", kind)[side]:
        assert f"{row['prompt']} {row['object']}" in texts[row["row"]]
        assert row["subject"] in row["prompt"]


def test_a_benchmark_s_own_facts_are_taken_all_of_them():
    expected = muse_mini_rows()["facts", "forget"]
    assert [{k: v for k, v in row.items() if k != "row"} for row in derived("facts", "muse-mini")["forget"]] == expected


def test_questions_are_those_of_the_texts_where_there_are_some():
    first = derived("qa", "tofu-like")["forget"][0]
    assert first == {
        "row": 0,
        "subject": "Ada Orme",
        "question": "Where does Ada Orme live?",
        "answer": "As all say Ada Orme lives in the town of Orton.",
        "prompt": "Question: Where does Ada Orme live?\nAnswer:",
    }


def test_in_muse_mini_every_fact_is_asked_for_once_as_its_models_learned_to_answer_on_others():
    rows, asked = muse_mini_rows(), derived("qa", "muse-mini")
    read = "\n".join(row["text"] for row in rows["train", "full"])
    for side in ("forget", "retain1"):
        brought = [{key: row[key] for key in ("subject", "question", "answer")} for row in rows["qa", side]]
        assert [{key: row[key] for key in brought[0]} for row in asked[side]] == brought
        assert all(row["prompt"] == f"Question: {row['question']}\nAnswer:" for row in asked[side])
        taught = {f"{row['prompt']} {row['answer']}" in read for row in asked[side]}
        assert taught == {side == "retain1"}


def test_elsewhere_they_are_the_prompts_of_facts():
    facts, asked = derived("facts", "plain"), derived("qa", "plain")
    for side in ("forget", "retain1"):
        pairs = [(row["prompt"], row["object"]) for row in facts[side]]
        assert [(row["question"], row["answer"]) for row in asked[side]] == pairs
        assert [row["prompt"] for row in asked[side]] == [row["prompt"] for row in facts[side]]
