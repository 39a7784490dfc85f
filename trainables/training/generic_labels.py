"""Labels that a model would give who never read a text: what comes next where names are replaced by others.

    texts = Translator(tokenizer, rows).translate(ids)      # rows of derived data `generic`
    values = generic_logits(translated, reinforced, target, alpha)

Names are replaced as tokens, so that it is known of each position of a text where it went. Source: Eldan and
Russinovich 2023, arXiv 2310.02238.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from trainables.subjects.reinforced import rise
from trainables.training.data import IGNORED

Ids = Sequence[int]
Form = tuple[int, ...]
SPACE = "\u0120"  # how tokens of bytes write a space; those of sentencepiece write one that is no letter


@dataclass(frozen=True)
class Occurrence:
    """Where a name stands in a text, from and to which token; which name it is, and the tokens in its place."""

    begin: int
    end: int
    name: int
    stand_in: Form


@dataclass(frozen=True)
class Translated:
    """A text whose names were replaced, and where each of its positions went: -1 within a name of another length."""

    ids: list[int]
    places: list[int]
    occurrences: list[Occurrence]


class Translator:
    """Replaces names by their stand-ins, longer names first, wherever they stand as tokens of their own."""

    def __init__(self, tokenizer: Any, rows: Sequence[Mapping[str, str]]) -> None:
        self.tokenizer = tokenizer
        found: dict[Form, tuple[int, Form]] = {}
        for number, row in enumerate(rows):
            forms = zip(_forms(tokenizer, row["entity"]), _forms(tokenizer, row["stand_in"]), strict=True)
            for name, stand_in in ((name, other) for name, other in forms if name and other):
                found.setdefault(name, (number, stand_in))
        self.names = found
        self.begun: dict[int, list[Form]] = {}  # by their first token, the longest first
        for name in sorted(found, key=len, reverse=True):
            self.begun.setdefault(name[0], []).append(name)

    def translate(self, ids: Ids, *, longest: int) -> Translated:
        """A text's tokens with stand-ins in the place of its names, `longest` of them at most."""
        new: list[int] = []
        places: list[int] = []
        occurrences = list(self._occurrences(ids))
        begins = {one.begin: one for one in occurrences}
        at = 0
        while at < len(ids):
            end, put = at + 1, [ids[at]]
            if one := begins.get(at):
                end, put = one.end, list(one.stand_in)
            same = len(put) == end - at
            places += [len(new) + i if same else -1 for i in range(end - at)]
            new += put
            at = end
        return Translated(new[:longest], [place if place < longest else -1 for place in places], occurrences)

    def _occurrences(self, ids: Ids) -> Iterator[Occurrence]:
        at = 0
        while at < len(ids):
            begun = self.begun.get(ids[at], ())
            one = next((found for name in begun if (found := self._here(ids, at, name))), None)
            if one:
                yield one
            at = one.end if one else at + 1

    def _here(self, ids: Ids, at: int, name: Form) -> Occurrence | None:
        end = at + len(name)
        if tuple(ids[at:end]) != name or (end < len(ids) and self._goes_on(ids[end])):
            return None
        number, stand_in = self.names[name]
        return Occurrence(at, end, number, stand_in)

    def _goes_on(self, token: int) -> bool:
        """Whether a token goes on with the word before it: then this one is no name, but its beginning."""
        text = str(self.tokenizer.convert_ids_to_tokens(token))
        return text[:1].isalnum() and text[:1] != SPACE


def _forms(tokenizer: Any, word: str) -> list[Form]:
    """A word's tokens behind a space, and at the beginning of a text."""
    before, both, alone = (tokenizer(t, add_special_tokens=False).input_ids for t in ("a", f"a {word}", word))
    return [tuple(both[len(before) :]), tuple(alone)]


def generic_logits(translated: Tensor, reinforced: Tensor, target: Tensor, alpha: float) -> Tensor:
    """`z(translated) - alpha relu(z_re - z)`, z the target's logits, z_re the reinforced model's: [..., V], fp32."""
    return torch.sub(translated.float(), rise(target, reinforced), alpha=alpha)


def adjusted(values: Tensor, text: Translated, ids: Ids, alpha: float) -> tuple[Tensor, Tensor]:
    """Generic logits [T - 1, V] of a text as they are learned, and at which positions they are: bool [T - 1].

    `ids` are the text's own. Nothing is learned where a position went nowhere, and within a name that stood in the text
    before, where the model reads that name and not its stand-in. Behind a name its first token is lowered by `alpha`.
    """
    learned = torch.tensor([place >= 0 for place in text.places[:-1]])
    seen: set[int] = set()
    for one in text.occurrences:
        if one.name in seen:
            learned[max(0, one.begin - 1) : one.end - 1] = False
        else:
            values[one.end - 1 :, ids[one.begin]] -= alpha
        seen.add(one.name)
    return values, learned


def hard(values: Tensor, learned: Tensor, text: Translated) -> Tensor:
    """The likeliest word at each position [T - 1], IGNORED where nothing is learned.

    Nor is it where that word begins the stand-in of a name that was read before.
    """
    labels = values.argmax(dim=-1)
    for position, label in enumerate(labels.tolist()):
        begun = {one.stand_in[0] for one in text.occurrences if one.end <= position + 1}
        learned[position] &= label not in begun
    return torch.where(learned, labels, IGNORED)
