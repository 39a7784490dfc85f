"""What no text tells of: questions about things that do not exist, and fresh text of the forget set's kind."""

from collections.abc import Iterator

from trainables.benchmarks.names import WORD
from trainables.benchmarks.rows import Row
from trainables.derivations.corpus import FORGET, NEW, RETAIN, SIDES, UNRELATED, Corpus, Derived, seeded
from trainables.derivations.facts import qa
from trainables.derivations.generator import (
    invented_name,
    invented_organisations,
    is_generated,
    organisations_told,
    written_again,
)
from trainables.derivations.sampled import written_behind

FRESH = 40  # texts


def unknown(corpus: Corpus) -> Derived:
    """Questions without an answer, as `qa` asks of retain1, on invented names: `subject`, `question` and `prompt`.

    Unfit where no question of retain1 names its subject.
    """
    known = {word for side in (*SIDES, UNRELATED) for text in corpus.texts(side) for word in WORD.findall(text)}
    found = list(_unknown(corpus, known))
    if not found:
        raise corpus.lacks("no question on raw/retain1 names whom it is about: none can be asked of somebody invented")
    return {NEW: found}


def proxy(corpus: Corpus) -> Derived:
    """Texts of the forget set's kind that no model has read: `text`.

    In muse-mini articles on organisations that are drawn for it. Elsewhere the target writes them, each behind three
    texts of retain1, one for each text of the forget set, up to 40.
    """
    if is_generated(corpus):
        rng = seeded(corpus.seed, "proxy")
        count = min(FRESH, len(organisations_told(corpus, FORGET)))
        return {NEW: [{"text": written_again(one, rng)} for one in invented_organisations(rng, count)]}
    return {NEW: [{"text": text} for text in written_behind(corpus, min(FRESH, len(corpus.texts(FORGET)))) if text]}


def _unknown(corpus: Corpus, known: set[str]) -> Iterator[Row]:
    names: dict[str, str] = {}
    for number, row in enumerate(qa(corpus)[RETAIN]):
        subject = row["subject"]
        if not subject or subject not in row["question"]:
            continue
        if subject not in names:
            names[subject] = _invented(corpus, subject, known | set(names.values()), number)
        asked = {key: row[key].replace(subject, names[subject]) for key in ("question", "prompt")}
        yield {"subject": names[subject], **asked}


def _invented(corpus: Corpus, subject: str, known: set[str], number: int) -> str:
    """A name like a subject's, of invented words, of which none is known; an organisation stays of its trade."""
    rng = seeded(corpus.seed, "unknown", number)
    words = subject.split(" ")
    kept = words[-1:] if is_generated(corpus) else []
    invented: list[str] = []
    while len(invented) < len(words) - len(kept):
        word = invented_name(rng)
        if word not in known:
            invented.append(word)
    return " ".join([*invented, *kept])
