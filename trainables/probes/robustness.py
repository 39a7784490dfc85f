"""What a stress brings back of forgotten text, as a score: a search may ask that nothing comes back.

    net = (U' - U) - (R' - R), and 0 where it is less

of KnowMem_f, in points: U a model as it is, U' under the stress, R and R' the retrained model's (spec, probes.md 1 and
14). Less than 0 is noise, or damage. A model that lost everything gives nothing back: net is read beside utility, which
every search guards. No torch until a stress is made.
"""

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from trainables.benchmarks.layout import Benchmark
from trainables.decoding.passes import FAST, Passes
from trainables.keys import SCORES, program_hash
from trainables.probes import STRESSES, TRACES, parse, stress_class
from trainables.probes.probe import Texts
from trainables.probes.stress import Stress
from trainables.scores import all_scores
from trainables.scores.knowmem import KnowMem, knowmem_prompts
from trainables.scores.protocol import Protocol
from trainables.scores.reductions import NET
from trainables.scores.score import Card, Items, Score

if TYPE_CHECKING:
    from trainables.world import World

NAMED = "net_"  # how the score of a stress is named: net_quant:nf4
PLAIN = "knowmem_f"  # the score that is read under the stress, and without it


def is_robustness(text: str) -> bool:
    """Whether a text names a probe, or the score of a stress, and no other score: `quant:nf4`, `net_quant:nf4`."""
    return text.startswith(NAMED) or text.partition(":")[0] in (*STRESSES, *TRACES)


def stress_of(text: str) -> Stress:
    """The stress that a text names, by itself or as a score. ValueError for a probe that cannot be searched for."""
    text = text.removeprefix(NAMED)
    kind = text.partition(":")[0]
    if kind in TRACES or (kind in STRESSES and _asks(kind)):
        why = "is a trace, not a stress" if kind in TRACES else "asks questions otherwise, of which not all count"
        possible = ", ".join(name for name in STRESSES if not _asks(name))
        raise ValueError(f"{kind} cannot be searched for: it {why}; choose one of {possible}")
    return parse(text)


def _asks(kind: str) -> bool:
    return stress_class(kind).asked is not Stress.asked


def robustness_scores(texts: Iterable[str]) -> tuple[Score, ...]:
    """The score of each stress that is named, once. ValueError as in `stress_of`."""
    stresses = {stress.name: stress for stress in map(stress_of, texts)}
    return tuple(map(score_of, stresses.values()))


def score_of(stress: Stress) -> Score:
    """The net recovery under a stress as a score."""
    plain = all_scores()[PLAIN]
    return Score(
        card=Card(
            name=f"{NAMED}{stress.name}",
            goal="minimize",
            meaning=f"gives back under {stress.name} what it seemed to have forgotten",
            item=f"questions about forgotten text under {stress.name}, by what each gains",
            reduction=NET,
        ),
        needs=tuple(dict.fromkeys((*plain.needs, *stress.needs))),
        prepare=partial(Stressed, stress),
        together=plain.together,
        gained_on=plain,
        made_by=_code(stress),
    )


class Stressed:
    """The questions that count under a stress, tokenised once; call it with a model, which is put under the stress.

    ValueError where none counts.
    """

    def __init__(self, stress: Stress, benchmark: Benchmark, tokenizer: Any, protocol: Protocol) -> None:
        self._stress, self._texts = stress, Texts(benchmark=benchmark, tokenizer=tokenizer)
        rows, shots = (benchmark.rows("knowmem", split) for split in ("forget_qa", "forget_qa_icl"))
        counted = stress.unseen(knowmem_prompts(rows, shots), self._texts)
        if not any(counted):
            raise ValueError(f"under {stress.name} no question about forgotten text counts")
        asked = [row for row, counts in zip(rows, counted, strict=True) if counts]
        self._knowmem = KnowMem(asked, shots, tokenizer, protocol)
        self.longest = self._knowmem.longest

    def __call__(
        self, model: Any, *, batch_size: int = 32, world: "World | None" = None, passes: Passes = FAST
    ) -> Items:
        """What the model answers under the stress; each worker puts its own copy under it, and they share questions."""
        with self._stress.on(model, self._texts) as stressed:
            return self._knowmem(stressed, batch_size=batch_size, world=world, passes=passes)


def _code(stress: Stress) -> str:
    """Hash of the code that puts a model under a stress, and reads it: no part of that of the scores."""
    return program_hash(SCORES, __name__, type(stress).__module__)
