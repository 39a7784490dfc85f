"""The contract of a trace, on one page: what is read of a subject that no answer shows: weights, hidden states, losses.

    trace = parse("cka")
    kept = trace.of_target(target, texts)
    items = trace.read(subject, texts, kept)["cka_f"]

It is read of the target, the candidate and the retrained model alike, with the same seed: alone it tells nothing. The
mean of a score's items is its value, so that what is said of two models is said of the same items: where a score is no
mean, the items are its jackknife's (`resampling.py`). Behind a reading the subject is what it was, to the bit, also
after an error. No torch is loaded for the contract.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from trainables.decoding.passes import FAST, Passes
from trainables.probes.probe import Probe, Texts
from trainables.scores.score import Items


@dataclass(frozen=True, kw_only=True)
class Trace(Probe):
    """Something that a subject holds, whatever it answers."""

    tells: ClassVar[Mapping[str, str]]  # its scores, and what the value of each says, in a reader's words

    def of_target(self, target: Any, texts: Texts) -> Any:
        """What is kept of the target, for what subjects are compared with; None where nothing is."""
        return None

    @abstractmethod
    def read(
        self, subject: Any, texts: Texts, kept: Any, *, batch_size: int = 32, passes: Passes = FAST
    ) -> dict[str, Items]:
        """The items of each score. ValueError, in one line, where it cannot be read of the subject or the texts."""
