"""What is asked of an audit, known before anything is loaded: readings by their names, and the code that makes them.

No torch.
"""

import re
from dataclasses import dataclass
from functools import cache

from trainables.keys import SCORES, hash_of, program_hash
from trainables.probes import PROBES, TIERS, TRACES, between_commas

PLAIN = ""  # no stress


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One reading: whose, where that model lies (a folder, a URL or a hub id), and the stress, or PLAIN."""

    whose: str
    place: str
    stress: str  # or the trace that is read

    @property
    def words(self) -> str:
        """It in a reader's words."""
        if self.is_trace:
            return f"{self.stress} of {self.whose}"
        return f"{self.whose} {f'under {self.stress}' if self.stress else 'as it is'}"

    @property
    def is_trace(self) -> bool:
        """Whether a trace is read, rather than scores."""
        return self.stress.partition(":")[0] in TRACES

    @property
    def file(self) -> str:
        """The name of its table of items: no other reading, and none by other code, has it."""
        told = re.sub(r"[^\w.,=-]+", "-", f"{self.whose} {self.stress or 'plain'}")
        return f"{told[:120]}-{hash_of([self.whose, self.stress, audit_code()])}.parquet"


@cache
def audit_code() -> str:
    """Hash of the code and libraries that give readings: those of the scores, and of every probe.

    One for all readings, since they are compared with each other.
    """
    modules = sorted({f"trainables.probes.{place.split('.')[0]}" for place in PROBES.values()})
    return program_hash(SCORES, *modules)


def split_probes(texts: list[str]) -> list[str]:
    """Probes from texts with commas between them, as `quant:nf4,relearn_in:share=0.5,k=10`.

    A tier's name stands for its probes. What sets something belongs to the probe before it. ValueError names a kind
    that is not known.
    """
    named = [name for name in between_commas(",".join(texts)) if name]
    found = [probe for name in named for probe in TIERS.get(name, (name,))]
    for name in found:
        kind = name.partition(":")[0]
        if kind in TIERS:
            raise ValueError(f"{kind} stands for {', '.join(TIERS[kind])}, and has no settings of its own: {name!r}")
        if kind not in PROBES:
            raise ValueError(f"probe {kind!r} is unknown: choose one of {', '.join((*PROBES, *TIERS))}")
    if not found:
        raise ValueError(f"no probe is named: choose of {', '.join((*PROBES, *TIERS))}")
    return found
