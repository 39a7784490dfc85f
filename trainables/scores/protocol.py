"""What exactly is measured: every choice that moves a MUSE score, gathered in one named record.

A score is only comparable with scores of the same protocol, so the name travels with it. No torch here.
"""

from dataclasses import dataclass, replace

from trainables.task import Task


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """The choices in which public evaluations of MUSE differ, and the lengths in which they agree.

    `truth_tokens` cuts VerbMem's truth to so many token ids (None: left whole); `drop_last` leaves the last
    predicted token out of Min-K and of memorisation; `cut_at_eos` cuts a decoded output at the literal end-of-sequence
    string. ROUGE compares words of the letters a to z and digits, all others dropped, or, with `unicode_words`, words
    in any script.
    With `split`, half of each score's items choose and the other half report (split.py); public evaluations, which
    choose nothing, read all of them.
    """

    name: str
    use_stemmer: bool  # English only
    strip: bool
    cut_at_eos: bool
    drop_last: bool
    truth_tokens: int | None
    verbmem_tokens: int = 128
    knowmem_tokens: int = 32
    unicode_words: bool = False
    stop_words: tuple[str, ...] = ("\n\n", "\nQuestion", "Question:")
    split: bool = False


# Shi et al. 2024, arXiv 2407.06460, and its public code (transformers 4.40).
_MUSE = Protocol(name="muse", use_stemmer=False, strip=False, cut_at_eos=False, drop_last=False, truth_tokens=128)

PROTOCOLS = {
    "muse": _MUSE,
    # For texts that are not English: the same, with words in any script (words.py). Equal to muse where all is ASCII.
    "muse-unicode": replace(_MUSE, name="muse-unicode", unicode_words=True),
    # locuslab/open-unlearning, src/evals.
    "open-unlearning": Protocol(
        name="open-unlearning",
        use_stemmer=True,
        strip=True,
        cut_at_eos=True,
        drop_last=True,
        truth_tokens=None,
    ),
}


def protocol_of(task: Task) -> Protocol:
    """The protocol by which a task is judged."""
    return replace(PROTOCOLS[task.protocol], split=task.split)
