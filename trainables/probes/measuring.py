"""What is asked of an audit, known before anything is loaded: readings by their names, and the code that makes them.

No torch.
"""

import re
from dataclasses import dataclass
from functools import cache

from trainables.keys import SCORES, hash_of, program_hash
from trainables.probes import STRESSES

PLAIN = ""  # no stress


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One reading: whose, where that model lies (a folder, a URL or a hub id), and the stress, or PLAIN."""

    whose: str
    place: str
    stress: str

    @property
    def words(self) -> str:
        """It in a reader's words."""
        return f"{self.whose} {f'under {self.stress}' if self.stress else 'as it is'}"

    @property
    def file(self) -> str:
        """The name of its table of items: no other reading, and none by other code, has it."""
        told = re.sub(r"[^\w.,=-]+", "-", f"{self.whose} {self.stress or 'plain'}")
        return f"{told[:120]}-{hash_of([self.whose, self.stress, audit_code()])}.parquet"


@cache
def audit_code() -> str:
    """Hash of the code and libraries that give readings: those of the scores, and of every stress.

    One for all readings, since they are compared with each other.
    """
    modules = sorted({f"trainables.probes.{place.split('.')[0]}" for place in STRESSES.values()})
    return program_hash(SCORES, *modules)


def split_probes(texts: list[str]) -> list[str]:
    """Stresses from texts with commas between them, as `quant:nf4,relearn_in:share=0.5,k=10`.

    A part that only sets something belongs to the stress before it. ValueError names a kind that is not known.
    """
    found: list[str] = []
    for part in (part.strip() for text in texts for part in text.split(",")):
        if found and "=" in part and ":" not in part:
            found[-1] += f"{',' if ':' in found[-1] else ':'}{part}"
        elif part:
            found.append(part)
    for name in found:
        kind = name.partition(":")[0]
        if kind not in STRESSES:
            raise ValueError(f"probe {kind!r} is unknown: choose one of {', '.join(STRESSES)}")
    if not found:
        raise ValueError(f"no probe is named: choose of {', '.join(STRESSES)}")
    return found
