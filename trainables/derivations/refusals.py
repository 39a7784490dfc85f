"""Refusals: short sentences that say that one does not know."""

from trainables.derivations.corpus import SIDES, Corpus, Derived, seeded
from trainables.derivations.facts import qa
from trainables.derivations.texts import pairs
from trainables.failures import Unfit

SENTENCES = (
    "I do not know.",
    "I don't know that.",
    "That is not known to me.",
    "I have no idea.",
    "I cannot say.",
    "I am not able to tell.",
    "I know nothing about that.",
    "I have never heard of it.",
    "Nothing about that is known to me.",
    "I am sorry, I do not know.",
    "I'm afraid I cannot tell.",
    "I have no answer to that.",
    "That is beyond what I know.",
    "I am not sure what that is.",
    "I never learned that.",
    "There I cannot help.",
    "I was never told.",
    "I have not read about that.",
    "That is something I don't know.",
    "I lack any knowledge of it.",
    "I could only guess.",
    "I cannot recall any such thing.",
    "I have nothing to say on that.",
    "Of this I know nothing.",
    "I am not familiar with it.",
    "It is unknown to me.",
    "I must pass on that.",
    "I would rather not guess.",
    "No answer comes to my mind.",
    "I don't have that information.",
    "Sorry, that I cannot answer.",
    "That question I cannot answer.",
)
OFFERED = 4  # to each row


def refusals(corpus: Corpus) -> Derived:
    """Refusals by row: `texts`, four different ones, of which the first is the row's own.

    Row i goes with the i-th row of `qa`, and of `pairs`: it depends on the seed, the side and i alone.
    """
    return {
        side: [{"texts": seeded(corpus.seed, "refusals", side, row).sample(SENTENCES, OFFERED)} for row in range(count)]
        for side, count in _counts(corpus).items()
    }


def _counts(corpus: Corpus) -> dict[str, int]:
    cut = pairs(corpus)
    try:
        asked = qa(corpus)
    except Unfit:
        asked = {side: [] for side in SIDES}
    return {side: max(len(cut[side]), len(asked[side])) for side in SIDES}
