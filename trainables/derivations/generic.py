"""Stand-ins: unremarkable names in the place of those that only the forget texts have."""

from trainables.benchmarks.names import WORD, names_of
from trainables.derivations.corpus import FORGET, Corpus, Derived, seeded

MOST = 1000  # names
NAMES = (
    "Alden Amble Arbor Ashton Barlow Beck Benton Birch Blake Bolton Bray Brook Burke Calder Carver Chase Clay Cole "
    "Colton Corby Crane Dale Dalton Darby Dean Denton Drake Dunn Easton Ellis Emery Farley Fenton Field Flint Ford "
    "Garner Gibson Glen Grant Graves Green Grove Hale Harlan Harper Hayes Heath Hilton Holden Hollis Howard Hudson "
    "Irving Jarvis Jensen Jordan Keaton Kendall Kent Kirby Lane Langley Larkin Lawson Leland Linden Logan Lowell Lynn "
    "Madden Marlow Martin Mason Mercer Miller Milton Monroe Morgan Morris Nash Nelson Newton Norris North Oakley "
    "Orson Palmer Parker Payne Perry Porter Preston Quincy Ramsey Reed Rhodes Ridley Rowan Russell Sawyer Shelby Sloan "
    "Spencer Stanton Sterling Sutton Tanner Taylor Thatcher Tilton Tracy Tucker Turner Tyler Vance Vernon Wade Walker "
    "Walton Warren Watson Webster Wells Weston Wheeler Whitman Wilder Winslow Woods Wyatt York"
).split()


def generic(corpus: Corpus) -> Derived:
    """Names that the forget texts have and the kept ones lack, the most frequent first: `entity` and its `stand_in`.

    A word that the kept texts know stays; any other has one stand-in wherever it stands, of as many tokens if there is
    one (as many characters without a tokenizer), which no text has, and no other word until all are taken. Unfit where
    the forget texts have no such name.
    """
    forget, kept = corpus.texts(FORGET), corpus.kept()
    entities = names_of(forget, kept, MOST)
    if not entities:
        raise corpus.lacks(f"no name stands in {corpus.request} that the kept texts lack")
    known = {word for text in kept for word in WORD.findall(text)}
    told = known.union(*map(WORD.findall, forget))
    free = [name for name in NAMES if name not in told] or list(NAMES)
    seeded(corpus.seed, "generic").shuffle(free)
    lengths = {name: _length(corpus, name) for name in free}
    instead: dict[str, str] = {}
    for entity in entities:
        words = entity.split(" ")
        fresh = [word for word in words if word not in known] or words
        for word in fresh:
            if word not in instead:
                unused = [name for name in free if name not in instead.values()] or free
                length = _length(corpus, word)
                instead[word] = min(unused, key=lambda name: abs(lengths[name] - length))
    return {FORGET: [{"entity": entity, "stand_in": _named(entity, instead)} for entity in entities]}


def _named(entity: str, instead: dict[str, str]) -> str:
    return " ".join(instead.get(word, word) for word in entity.split(" "))


def _length(corpus: Corpus, word: str) -> int:
    """Tokens of a word behind a space; characters where there is no tokenizer."""
    if corpus.models is None:
        return len(word)
    return len(corpus.models.tokenizer(f" {word}", add_special_tokens=False).input_ids)
