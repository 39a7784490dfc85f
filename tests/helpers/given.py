"""All that a run is given besides token sequences, for methods that read it: tokenizer, texts, and derived data."""

from typing import Any

from corpora import models, plain
from tiny import article, tiny_tokenizer

from trainables.derivations import derive

GIVEN: dict[str, Any] = {
    "tokenizer": tiny_tokenizer(),
    "texts": {"forget": [article(0), article(1)], "retain": [article(6)]},
    "data": {
        name: derive(plain(), name, models=models())
        for name in (
            *("qa", "pairs", "refusals", "paraphrases", "wrong", "generic", "keywords", "unknown", "memo"),
            *("modules", "neighbours"),
        )
    }
    | {"proxy": {"new": [{"text": article(5)}]}},
    "cut_from": {"forget": [0, 0, 1, 1, 2, 2], "retain": [0, 0, 1, 2, 2]},  # of six sequences, and of five
}
