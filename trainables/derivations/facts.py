"""What texts tell: facts, each as words that end right before what they tell, and questions with their answers.

A benchmark may bring its facts (config `facts`: of the generator, in muse-mini). Else they are found in sentences: the
subject is the name that stands in a chunk of text most often, twice at least, and the object the last name, number or
date behind it in the same sentence.
"""

import re
from collections import Counter
from collections.abc import Iterator

from trainables.benchmarks.articles import REWORDED
from trainables.benchmarks.names import small_words, spans_of
from trainables.benchmarks.rows import Row
from trainables.benchmarks.words import split_sentences, split_words
from trainables.derivations.corpus import ASKED, FORGET, SIDES, UNRELATED, Corpus, Derived, chunks
from trainables.derivations.generator import is_generated

LEAST, MOST = 6, 40  # words of a sentence that tells a fact
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
MONTH = "(?:January|February|March|April|May|June|July|August|September|October|November|December)"
DATE = re.compile(rf"\d{{1,2}} {MONTH}(?: \d{{4}})?|{MONTH} \d{{1,2}}(?:, \d{{4}})?|{MONTH} \d{{4}}")
WORDING = "Question: {question}\nAnswer:"  # how a question is put to a model


def facts(corpus: Corpus) -> Derived:
    """What is told of whom: `subject`, `type`, `prompt` up to the object, `object`, and the `row` of the texts.

    Prompt, a space and object stand so in the text. Unfit where the forget texts tell none.
    """
    brought = corpus.benchmark.has("facts", FORGET)
    small = small_words(text for side in (*SIDES, UNRELATED) for text in corpus.texts(side))
    found = {side: list(_brought(corpus, side) if brought else _found(corpus, side, small)) for side in SIDES}
    if not found[FORGET]:
        raise corpus.lacks(
            f"no fact is found in {corpus.request}: no sentence of {LEAST} to {MOST} words names what its text names "
            "most, and behind it another name, a number or a date"
        )
    return found


def qa(corpus: Corpus) -> Derived:
    """What may be asked: `question`, its `answer`, `prompt`, the words that a model is given, `subject` and `row`.

    The questions of texts that are questions with answers, as TOFU's are. In muse-mini every fact is asked for in words
    that no score asks in, and in which its models learned to answer on other organisations. Else a question is the
    prompt of a fact, as it stands in the text, and its answer the object: no model was taught any other.
    """
    asked = {side: list(_asked(corpus, side)) for side in SIDES}
    if asked[FORGET]:
        return asked
    told = facts(corpus)
    if is_generated(corpus):
        return {side: list(_reworded(rows)) for side, rows in told.items()}
    return {side: [_cloze(row) for row in rows] for side, rows in told.items()}


def subject_of(text: str, small: set[str]) -> str:
    """The name that stands in a text most often, and twice at least; of two, the first; "" where none does."""
    counted = Counter(text[begin:end] for begin, end in spans_of(text, small))
    name, times = max(counted.items(), key=lambda item: item[1], default=("", 0))
    return name if times > 1 else ""


def _brought(corpus: Corpus, side: str) -> Iterator[Row]:
    """The facts that a benchmark brings, of which the texts tell: those of a part of the request are of that part."""
    if not corpus.benchmark.has("facts", side):
        return
    texts = corpus.texts(side)
    for fact in corpus.rows("facts", side):
        told = (i for words in (f"{fact['prompt']} {fact['object']}", fact["subject"]) for i in _telling(texts, words))
        if (row := next(told, None)) is not None:
            yield {"row": row} | {key: fact[key] for key in ("subject", "type", "prompt", "object")}


def _telling(texts: list[str], words: str) -> Iterator[int]:
    return (i for i, text in enumerate(texts) if words in text)


def _found(corpus: Corpus, side: str, small: set[str]) -> Iterator[Row]:
    for row, text in enumerate(corpus.texts(side)):
        for chunk in chunks(text):
            subject = subject_of(chunk, small)
            for before, sentence in _sentences(chunk) if subject else ():
                if told := _object(sentence, subject, small):
                    begin, end, kind = told
                    prompt = before + sentence[: begin - 1]
                    yield {
                        "row": row,
                        "subject": subject,
                        "type": kind,
                        "prompt": prompt.lstrip(),
                        "object": sentence[begin:end],
                    }


def _sentences(chunk: str) -> Iterator[tuple[str, str]]:
    """The sentences of a chunk that may tell a fact, and what is read before each: its question, where it answers."""
    if answered := ASKED.fullmatch(chunk.strip()):
        yield chunk.strip()[: answered.start(2)], answered[2]
        return
    for sentence in map(str.strip, split_sentences(chunk)):
        if LEAST <= len(split_words(sentence)) <= MOST:
            yield "", sentence


def _object(sentence: str, subject: str, small: set[str]) -> tuple[int, int, str] | None:
    """Where the last name, number or date behind the subject stands in a sentence, and which of them it is."""
    behind = sentence.find(subject) + len(subject)
    if behind < len(subject):
        return None
    found = [(*match.span(), "date") for match in DATE.finditer(sentence)]
    others = [(*match.span(), "number") for match in NUMBER.finditer(sentence)]
    others += [(*span, "name") for span in spans_of(sentence, small) if sentence[slice(*span)] not in subject]
    found += [one for one in others if not any(one[0] < end and begin < one[1] for begin, end, _ in found)]
    fit = [one for one in found if one[0] > behind and sentence[one[0] - 1] == " "]
    return max(fit, default=None)


def _asked(corpus: Corpus, side: str) -> Iterator[Row]:
    """The questions in the texts of a side, with their answers."""
    small = small_words(corpus.texts(side))
    for row, text in enumerate(corpus.texts(side)):
        for chunk in chunks(text):
            if asked := ASKED.fullmatch(chunk.strip()):
                yield _question(row, subject_of(chunk, small), *asked.groups())


def _reworded(told: list[Row]) -> Iterator[Row]:
    """A question for every fact of the generator's, of which a text may tell in several sentences."""
    first: dict[tuple[str, str], Row] = {}
    for fact in told:
        first.setdefault((fact["subject"], fact["type"]), fact)
    for fact in first.values():
        question = REWORDED[fact["type"]].format(org=fact["subject"])
        yield _question(fact["row"], fact["subject"], question, fact["object"])


def _question(row: int, subject: str, question: str, answer: str) -> Row:
    """A question that is put to a model as one."""
    prompt = WORDING.format(question=question)
    return {"row": row, "subject": subject, "question": question, "answer": answer, "prompt": prompt}


def _cloze(fact: Row) -> Row:
    return {
        "row": fact["row"],
        "subject": fact["subject"],
        "question": fact["prompt"],
        "answer": fact["object"],
        "prompt": fact["prompt"],
    }
