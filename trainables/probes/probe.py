"""What a stress and a trace have in common: a name with settings, and texts to read. No torch."""

from abc import ABC
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from trainables.benchmarks.layout import Benchmark
from trainables.settings import Checked


@dataclass(frozen=True, kw_only=True)
class Texts:
    """What a probe may read: a benchmark, and the tokenizer of the subject."""

    benchmark: Benchmark
    tokenizer: Any


@dataclass(frozen=True, kw_only=True)
class Probe(Checked, ABC):
    """Something that an audit tries on a subject; its fields are its settings. It is named `kind:setting=value,...`."""

    kind: ClassVar[str]
    meaning: ClassVar[str]  # what is done, in a reader's words
    main: ClassVar[str] = ""  # the setting whose value may stand without its name
    needs: ClassVar[tuple[tuple[str, str], ...]] = ()  # configs and splits of MUSE's layout that it reads

    @classmethod
    def whose(cls) -> str:
        """The probe's name."""
        return cls.kind

    @classmethod
    def named(cls, text: str) -> Self:
        """The probe of settings that stand in a line: `k=10,share=0.25`. ValueError names what is not allowed."""
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
