"""Words in any script: what ROUGE compares, what the length of a passage is counted in, and where a text may be cut.

Chinese, Japanese, Thai and their like are written without spaces between words: there, a word is one character with
its marks.
"""

import unicodedata

import regex

# Scripts without spaces between words; the long vowel mark of Japanese belongs to no script of its own.
_UNSPACED = r"[\p{Han}\p{Hiragana}\p{Katakana}\u30fc\p{Bopomofo}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}]"
_CHARACTER = rf"[{_UNSPACED}&&[\p{{L}}\p{{N}}]]"
_WORD = regex.compile(rf"(?V1){_CHARACTER}\p{{M}}*|[[\p{{L}}\p{{N}}\p{{M}}]--{_UNSPACED}]+")
_PIECE = regex.compile(rf"(?V1) ?(?:{_CHARACTER}\p{{M}}*[^ \p{{L}}\p{{N}}]*|[^ {_CHARACTER}]+)| ")
_SENTENCE_END = regex.compile(
    r"(?<=[.?!؟۔।॥።])(?=\s)"
    r"|(?<=[。｡．！？][」』”’）】》]*)(?=[^」』”’）】》])"
    r"|(?<=[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}])(?=\s)",  # where a space marks a sentence or phrase
)


def unicode_words(text: str) -> list[str]:
    """The runs of letters, marks and digits of a text, in Unicode's form NFKC and without case.

    Of an ASCII text these are the words of the package rouge-score.
    """
    # Folding may undo the form, so the form is made again.
    return _WORD.findall(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold()))


def contradicts(answer: str, true: str) -> bool:
    """Whether an answer says something, and not the true one: its words stand nowhere in it, without case or marks."""
    said, words = (f" {' '.join(unicode_words(text))} " for text in (answer, true))
    return bool(said.strip()) and words not in said


def split_words(text: str) -> list[str]:
    """Pieces of one word each that join to the text again; a piece holds the space before its word.

    Of a text in a script with spaces they are what stands between the spaces.
    """
    return _PIECE.findall(text)


def split_sentences(text: str) -> list[str]:
    """Sentences that join to the text again; a sentence holds the space, or the line's end, before it."""
    return _SENTENCE_END.split(text)
