"""The contract of a stress, on one page: what is done to a subject before it is scored, and taken back behind it.

    stress = parse("relearn_in:share=0.25,k=10")
    with stress.on(subject, texts) as stressed:
        evaluation = evaluator(stressed)

It is put on the target, the candidate and the retrained model alike, with the same seed: what it does to a model that
never knew is no recovery (`lethe.analysis.recovery`). Behind the block the subject is what it was, to the bit, also
after an error. No torch is loaded for the contract.
"""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from trainables.benchmarks.layout import Benchmark
from trainables.settings import Checked


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What a stress may read: a benchmark, and the tokenizer of the subject."""

    benchmark: Benchmark
    tokenizer: Any


@dataclass(frozen=True, kw_only=True)
class Stress(Checked, ABC):
    """Something that is done to a subject; its fields are its settings. It is named `kind:setting=value,...`."""

    kind: ClassVar[str]
    meaning: ClassVar[str]  # what is done, in a reader's words
    main: ClassVar[str] = ""  # the setting whose value may stand without its name
    needs: ClassVar[tuple[tuple[str, str], ...]] = ()  # configs and splits of MUSE's layout that it reads
    read_by: ClassVar[tuple[str, ...]] = ()  # the scores that it may change; all of them where none is named

    @abstractmethod
    def on(self, subject: Any, texts: Texts) -> AbstractContextManager[Any]:
        """The subject under the stress, for as long as a `with` block lasts."""

    def asked(self, benchmark: Benchmark) -> Benchmark:
        """What the scores read under the stress: the benchmark itself, where only the subject is changed."""
        return benchmark

    def unseen(self, prompts: list[str], texts: Texts) -> list[bool]:
        """Of each prompt of a score whether the stress gives nothing away of its answer; the others do not count."""
        return [True] * len(prompts)

    @classmethod
    def whose(cls) -> str:
        """The stress's name."""
        return cls.kind

    @classmethod
    def named(cls, text: str) -> Self:
        """The stress of settings that stand in a line: `k=10,share=0.25`. ValueError names what is not allowed."""
        given: dict[str, str] = {}
        for part in filter(None, text.split(",")):
            name, value = part.split("=", 1) if "=" in part else (cls.main, part)
            if not name:
                raise ValueError(f"{cls.kind} has no setting that goes without its name, as in 'k=10': {part!r}")
            if name in given:
                raise ValueError(f"{name} of {cls.kind} is given more than once: {text!r}")
            given[name] = value
        return cls.parse(given)

    @property
    def name(self) -> str:
        """Its kind, and the settings that are not as they are by default; the main one always."""
        main = [str(getattr(self, self.main))] if self.main else []
        rest = [f"{name}={value}" for name, value in self.chosen().items() if name != self.main]
        return ":".join([self.kind, *filter(None, [",".join([*main, *rest])])])
