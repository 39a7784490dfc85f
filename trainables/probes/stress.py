"""The contract of a stress, on one page: what is done to a subject before it is scored, and taken back behind it.

    stress = parse("relearn_in:share=0.25,k=10")
    with stress.on(subject, texts) as stressed:
        evaluation = evaluator(stressed)

It is put on the target, the candidate and the retrained model alike, with the same seed: what it does to a model that
never knew is no recovery (`lethe.analysis.recovery`). Behind the block the subject is what it was, to the bit, also
after an error. No torch is loaded for the contract.
"""

from abc import abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from trainables.benchmarks.layout import Benchmark
from trainables.probes.probe import Probe, Texts

READS = 30.0  # of 100: KnowMem_f of a target that reads what a stress puts before its questions


@dataclass(frozen=True, kw_only=True)
class Stress(Probe):
    """Something that is done to a subject, or to what it is asked, before it is scored."""

    learns: ClassVar[bool] = False  # whether it trains the subject
    read_by: ClassVar[tuple[str, ...]] = ()  # the scores that it may change; all of them where none is named

    @abstractmethod
    def on(self, subject: Any, texts: Texts) -> AbstractContextManager[Any]:
        """The subject under the stress, for as long as a `with` block lasts."""

    def asked(self, benchmark: Benchmark) -> Benchmark:
        """What the scores read under the stress: the benchmark itself, where only the subject is changed."""
        return benchmark

    @property
    def asks(self) -> bool:
        """Whether questions are asked otherwise under it: then only those say anything that the target answers so."""
        return type(self).asked is not Stress.asked

    def readable(self, texts: Texts) -> Benchmark | None:
        """What a target has to answer to show that the stress says anything of it; None where nothing has to be shown.

        Of its KnowMem_f that is at least `READS` of 100.
        """
        return None

    def unseen(self, prompts: list[str], texts: Texts) -> list[bool]:
        """Of each prompt of a score whether the stress gives nothing away of its answer; the others do not count."""
        return [True] * len(prompts)
