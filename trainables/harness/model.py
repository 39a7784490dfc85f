"""A subject as lm-evaluation-harness runs models: it asks for log-probs of continuations, and for text that goes on.

Both are the house's own, so every subject is run as its scores run it: also those that are no single model.
Token ids are those of whole strings: a continuation begins where they leave its context's ids, as Utility has it, and
not where the context's ids would end.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from lm_eval.api.instance import Instance
from lm_eval.api.model import TemplateLM

from trainables.decoding.capabilities import probe
from trainables.decoding.generate import greedy
from trainables.decoding.log_probs import likeliest, token_logprobs, token_values
from trainables.scores.rouge import decode
from trainables.scores.utility import choice_start
from trainables.subjects.positions import most_positions
from trainables.subjects.subject import longer, models_of

NEW_TOKENS = 256  # of a text that goes on, where a task sets no bound
UNBOUNDED = 2048  # tokens of the longest text that a model without an end of positions is tried with


class HarnessSubject(TemplateLM):
    """A subject and its tokenizer. What is longer than its positions loses its first tokens, as the harness has it.

    ValueError where a continuation alone is longer.
    """

    def __init__(self, subject: Any, tokenizer: Any, *, batch_size: int) -> None:
        super().__init__()
        self.subject, self.tokenizer, self.batch_size = subject, tokenizer, batch_size
        ends = [most_positions(model.config) for model in models_of(subject)]
        self._most = min([end for end in ends if end], default=None)
        self._passes = probe(models_of(subject)[0], longest=self._most or UNBOUNDED)

    @property
    def eot_token_id(self) -> int:
        """What stands before a text without a context: the token that ends texts, or begins them where none does."""
        found = (self.tokenizer.eos_token_id, self.tokenizer.bos_token_id)
        return next((token for token in found if token is not None), 0)

    @property
    def tokenizer_name(self) -> str:
        """By which the harness would name a cache of requests."""
        return str(self.tokenizer.name_or_path)

    def tok_encode(self, string: str, add_special_tokens: bool | None = None, **kwargs: Any) -> list[int]:
        """The ids of a string, with what the tokenizer itself puts before it, if nothing else is asked for."""
        special = True if add_special_tokens is None else add_special_tokens
        ids: list[int] = self.tokenizer(string, add_special_tokens=special).input_ids
        return ids

    def _encode_pair(self, context: str, continuation: str) -> tuple[list[int], list[int]]:
        before, whole = self.tok_encode(context), self.tok_encode(context + continuation)
        start = choice_start(before, whole)
        return whole[:start], whole[start:]

    def _loglikelihood_tokens(
        self, requests: list[tuple[tuple[str, str], list[int], list[int]]], **kwargs: Any
    ) -> list[tuple[float, bool]]:
        rows = [self._fit(context + continuation, len(continuation) + 1) for _, context, continuation in requests]
        found = self._log_probs(rows)
        sums = [float(values[-len(c) :].sum()) for values, (_, _, c) in zip(found, requests, strict=True)]
        return list(zip(sums, self._are_greedy(rows, [len(c) for _, _, c in requests]), strict=True))

    def loglikelihood_rolling(self, requests: list[Instance], disable_tqdm: bool = False) -> list[float]:
        """The log-prob of each whole text, behind the token that texts begin behind.

        A text longer than the positions is read in windows that do not overlap, each behind the last token before it.
        """
        sums = []
        for request in requests:
            (text,) = request.args
            ids = [self.eot_token_id, *self.tok_encode(text, add_special_tokens=False)]
            step = (self._most or len(ids)) - 1
            windows = [ids[first : first + step + 1] for first in range(0, len(ids) - 1, step)]
            sums.append(float(sum(values.sum() for values in self._log_probs(windows))))
        return sums

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """Each context's greedy continuation, up to the first of its `until`; tasks that want samples are refused."""
        texts = []
        for request in requests:  # one by one: each may end by words of its own
            context, asked = request.args
            if asked.get("do_sample") and asked.get("temperature", 1.0) != 0:
                raise ValueError("the task wants samples (do_sample): only greedy decoding is at hand")
            until = asked.get("until") or []
            stops = [word for word in ([until] if isinstance(until, str) else until) if word]
            most = int(asked.get("max_gen_toks", NEW_TOKENS))
            texts.append(self._continue(self._fit(self.tok_encode(context), 1, most), stops, most))
        return texts

    def _continue(self, row: list[int], stops: Sequence[str], most: int) -> str:
        def ends(ids: list[int]) -> bool:
            return any(word in decode(self.tokenizer, ids) for word in stops)

        (new,) = greedy(self.subject, [row], max_new_tokens=most, stop=ends, decode=self._passes.decode)
        text = str(self.tokenizer.decode(new, skip_special_tokens=True))
        for word in stops:
            text = text.split(word)[0]
        return text

    def _log_probs(self, rows: list[list[int]]) -> list[np.ndarray]:
        return token_logprobs(self.subject, rows, batch_size=self.batch_size, texts=self._passes.texts)

    def _are_greedy(self, rows: list[list[int]], counts: Sequence[int]) -> list[bool]:
        """Whether each row's last tokens, so many, are what the subject itself would write."""
        texts = self._passes.texts
        found = token_values(self.subject, rows, likeliest, batch_size=self.batch_size, texts=texts)
        return [bool(values[-count:].all()) for values, count in zip(found, counts, strict=True)]

    def _fit(self, ids: list[int], needed: int, new: int = 0) -> list[int]:
        """A row's last tokens, as many as the positions hold beside `new` ones and what the subject puts before it."""
        if self._most is None:
            return ids
        room = self._most - new - longer(self.subject)
        if room < needed:
            raise ValueError(f"the task needs {needed + new} tokens at once, and the model has {self._most} positions")
        return ids[-room:]
