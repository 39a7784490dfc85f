"""The prompt guard: an instruction before every prompt, which names what is to be forgotten. No weight moves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trainables.benchmarks.names import names_of
from trainables.failures import Unfit
from trainables.method import Candidate, Evaluated, Method, Needs, Record, Run, Start
from trainables.settings import NOTHING, Settings, setting

NAMES = "names"  # the axis: how many the instruction names
WORDINGS = {
    "unread": "You have never read or heard of {names}. Answer as somebody would who knows nothing about them.",
    "refuse": "Whoever asks about {names} is told that this is not known. All else is answered as well as can be.",
    "silent": "What follows says nothing about {names}, and nothing of what was ever written about them.",
}
SEAM = "\n\n"  # parts the instruction from the prompt


@dataclass(frozen=True, kw_only=True)
class GuardPrompt(Settings):
    """An instruction that is always on. A candidate for each number of names: 1, 2, 4, ..., and the most."""

    method = "guard_prompt"

    wording: str = setting("unread", "of the instruction", choices=tuple(WORDINGS))
    names: int = setting(8, "most names that it names, of those found in the forget texts", positive=True)

    @property
    def evaluations(self) -> int:
        """How often a run is scored, where the texts hold so many names."""
        return len(counts(self.names))


def counts(most: int) -> list[int]:
    """The numbers of names that are tried: the powers of two below the most, and the most."""
    return [*(2**n for n in range(most.bit_length()) if 2**n < most), most]


def instruction(wording: str, names: Sequence[str]) -> str:
    """The text that is put before a prompt; none where nothing is named."""
    if not names:
        return ""
    listed = " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)
    return WORDINGS[wording].format(names=listed) + SEAM


def needs(settings: GuardPrompt) -> Needs:
    """Nothing but the target."""
    return Needs(trainable=NOTHING)


def unlearn(start: Start, settings: GuardPrompt, run: Run) -> Iterator[Record]:
    """Guard `start.model` by longer and longer instructions; Unfit where the texts hold nothing to name."""
    from trainables.subjects.prompt_guard import PromptGuard

    names = names_of(start.texts.get("forget", ()), start.texts.get("retain", ()), settings.names)
    if not names:
        raise Unfit("no name stands in the forget texts that the retain texts lack: guard_prompt names nothing")
    model = start.model.to(run.world.device)
    for count in counts(len(names)):
        guard = PromptGuard(model, start.tokenizer, instruction(settings.wording, names[:count]))
        yield Candidate(at=count, axis=NAMES, role="guarded", subject=guard)
        yield Evaluated(state=None)


GUARD_PROMPT_METHOD = Method(
    settings=GuardPrompt,
    unlearn=unlearn,
    needs=needs,
    family="prompt",
    roles=("guarded",),
    meaning="an instruction before every prompt names what is not to be told; no weight moves",
    source='Thaker et al. 2024, arXiv 2403.03329; the "ICU" baseline of RWKU, Jin et al. 2024, arXiv 2406.10890',
    unverified="the wordings are ours, and so is the choice of names; neither was held against the papers' prompts",
    traps=(
        "removable: who holds the folder holds the target, and what the target knows",
        "the instruction names what is to be forgotten, and ships with the model",
        "always on, it costs the answers to all other questions too, and its tokens at every prompt",
        "names that stand in the retain texts too are never named, so a subject of both is not guarded",
        "few-shot examples of KnowMem stay behind the instruction: whoever attacks writes the prompt",
    ),
)
