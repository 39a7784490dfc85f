"""All that a run is given besides token sequences, for methods that read it: tokenizer, texts, and derived data."""

from typing import Any

from corpora import models, plain
from tiny import article, tiny_tokenizer

from trainables.derivations import derive


class Derived(dict[str, Any]):
    """Derived data by name, made of the plain benchmark by the tiny model when it is asked for."""

    def __missing__(self, name: str) -> Any:
        self[name] = derive(plain(), name, models=models())
        return self[name]


GIVEN: dict[str, Any] = {
    "tokenizer": tiny_tokenizer(),
    "texts": {"forget": [article(0), article(1)], "retain": [article(6)]},
    "data": Derived(proxy={"new": [{"text": article(5)}]}),
    "cut_from": {"forget": [0, 0, 1, 1, 2, 2], "retain": [0, 0, 1, 2, 2]},  # of six sequences, and of five
}
