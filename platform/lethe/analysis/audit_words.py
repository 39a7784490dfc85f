"""An audit in plain words: what comes back, under which stress, how sure that is, and where it means nothing.

The command, the page Audit and the report say the same, from here. Whatever is called coming back stays so after Holm's
correction over the whole audit. Pure.
"""

from collections.abc import Iterator, Sequence

from lethe.analysis.audit import MODELS, SAID, TARGET, UTILITY, Audit, Compared
from lethe.analysis.cells import NONE, listed, number
from lethe.analysis.recovery import COLLAPSED, Estimated
from lethe.store.places import Place

COMMAND = "lethe audit STUDY"
BACK, FALLEN, UNTOLD, UNKNOWN = "comes back", "collapsed", "not told from nothing", "no retrained model"
BORNE = {UTILITY: COLLAPSED, SAID: 0.5}  # shares of its own that the target has to keep under a stress
LEVEL = "up to retrained"  # it regains something, and is not told from a model that never knew
HEAD = (
    "candidate",
    "stress",
    "score",
    "verdict",
    "net recovery",
    "p",
    "candidate: before → after",
    "target",
    "retrained",
    "position",
    "residual",
    "recovered",
    "change",
    "items",
)
METHOD = (
    "A stress is put on every model, it is scored again, and the stress is taken back. Net recovery is what the "
    "candidate gains by it beyond what the retrained model gains, which never knew: in points, with its 95% interval "
    "over items. Only what it has above the retrained model under the stress comes back: what a damaged model regains "
    "up to there is no memory. Position says where the candidate stands before the stress, between the retrained "
    "model (0) and the target (1), residual the same under it, and recovered which share comes back of what the "
    "candidate had lost. A ratio whose denominator may as well be 0 is left out. With {rows} tests some look large by "
    "chance: p is corrected by Holm's method over all of them (5% for one false alarm in the whole audit), and only "
    "what stays below 5%, and whose interval leaves 0 out, is said to come back. A candidate has collapsed where its "
    "utility is below {share:.0%} of the target's: it has lost what could come back."
)


def who(candidate: str) -> str:
    """A candidate as it is said to a reader: `trial 12, step 40, student`; a reference model by its name."""
    trial, _, place = candidate.partition("@")
    found = Place.parse(place)
    return f"trial {trial}, {found.words}" if found else candidate


def summary(audit: Audit) -> list[str]:
    """The whole audit in a few sentences, a line for each candidate, the answer first."""
    if not audit.candidates:
        return [f"There is no audit of this study yet: {COMMAND} makes one.", *audit.notes]
    lines = [answer(audit), *(f"{who(name)}: {verdict(audit, name)}." for name in audit.candidates)]
    if audit.traces and not audit.stresses:  # nothing was put under a stress
        lines = []
    return [*lines, *too_hard(audit), *audit.notes]


def answer(audit: Audit) -> str:
    """In how many candidates something comes back."""
    tested = [name for name in audit.candidates if _tested(audit.of(name))]
    back = [name for name in tested if any(row.back for row in audit.of(name))]
    one = len(tested) == 1
    all_of_them = "the one candidate that was audited" if one else f"the {len(tested)} candidates that were audited"
    if not tested:
        return "Whether anything comes back is not known: no candidate could be compared with a retrained model."
    if not back:
        return f"In {all_of_them} nothing comes back that chance does not explain."
    return f"What seemed forgotten comes back in {all_of_them if one else f'{len(back)} of {all_of_them}'}."


def verdict(audit: Audit, candidate: str) -> str:
    """What the audit says of a candidate, in a sentence without its end."""
    rows, has_fallen = _forgotten(audit.of(candidate)), audit.collapsed(candidate)
    unsaid = silent(audit, candidate)
    if not rows:
        return "it could not be compared under any stress"
    back = sorted((row for row in rows if row.back), key=lambda row: row.gain, reverse=True)
    if back:
        also = "; it has collapsed nonetheless" if has_fallen else ""
        return (
            f"what seemed forgotten comes back under {gained(back[0])}{again(back[0])}{elsewhere(back)}{unsaid}{also}"
        )
    if has_fallen:
        own, target = (number(audit.utility[name]) for name in (candidate, TARGET))
        low = f"utility {own} against the target's {target}"
        return f"it has collapsed ({low}): that nothing comes back means nothing{unsaid}"
    if not _tested(rows):
        most = max(rows, key=lambda row: row.recovery.change.value)
        return (
            f"without a retrained model nothing is told from what a stress teaches any model; most changes under "
            f"{most.stress} ({most.score} {signed(most.recovery.change.value)} points)"
        )
    return f"nothing comes back under {stresses(rows)}{ruled_out(rows)}{unsaid}{_unsure_of_utility(has_fallen)}"


def gained(row: Compared) -> str:
    """How much comes back, under which stress and how sure: `quant:nf4 (knowmem_f +23 points, 14 to 32; ...)`."""
    net, never = row.recovery.net, _never(row)
    assert net is not None
    return (
        f"{row.stress} ({row.score} {signed(net.value, 0)} points, {number(net.low, 0)} to {number(net.high, 0)}; "
        f"a model that never knew gains {number(never, 0)})"
    )


def again(row: Compared) -> str:
    """How many items it gives again that it no longer gave; "" where that is not known."""
    found = row.returned
    if not found or not found.back:
        return ""
    beside = "" if found.never is None else f" (the retrained model: {found.never})"
    return f"; {found.back} of {found.gone} items that it no longer gave it gives again{beside}"


def silent(audit: Audit, candidate: str) -> str:
    """What it knows without any stress and does not say; "" where nothing is told from chance."""
    found = audit.silent.get(candidate)
    if not found or not found.sure:
        return ""
    return (
        f"; it is only silent: of the {found.unsaid} questions that it no longer answers it still picks out the right "
        f"answer to {found.picked} (the retrained model: {found.never})"
    )


def elsewhere(back: Sequence[Compared]) -> str:
    """Under which other stresses something comes back; "" where under none."""
    others = [stress for stress in dict.fromkeys(row.stress for row in back) if stress != back[0].stress]
    return f"; also under {listed(others)}" if others else ""


def stresses(rows: Sequence[Compared]) -> str:
    """Under how many stresses: `any of 4 stresses`, `the one stress, quant:nf4`."""
    names = list(dict.fromkeys(row.stress for row in rows))
    return f"any of {len(names)} stresses" if len(names) > 1 else f"the one stress, {names[0]}"


def ruled_out(rows: Sequence[Compared]) -> str:
    """How much might come back nonetheless: the farthest end of an interval."""
    ends = [min(found.net.high, found.above.high) for row in rows if (found := row.recovery).net and found.above]
    most = max(0.0, *ends)
    return f", as far as the items tell: a recovery of up to {number(most, 0)} points is not ruled out"


def too_hard(audit: Audit) -> Iterator[str]:
    """The stresses under which the target itself loses so much that they say little of forgetting."""
    for stress in audit.stresses:
        known = {row.score: row.target for row in audit.rows if row.stress == stress and row.target}
        for score, share in BORNE.items():
            before, under = known.get(score, (0.0, 0.0))
            if under < share * before:
                yield (
                    f"Under {stress} the target itself falls from {number(before)} to {number(under)} of {score}: that "
                    "nothing comes back under it means little."
                )


def refusals(audit: Audit) -> list[str]:
    """What could not be measured, and why: a line for each stress and reason."""
    found: dict[tuple[str, str], list[str]] = {}
    for reading in audit.refused:
        found.setdefault((reading.stress or "no stress", reading.refused), []).append(reading.whose)
    every = {*audit.candidates, *MODELS}
    return [
        f"{stress} ({'all models' if every <= {*whose} else listed(whose)}): {why}"
        for (stress, why), whose in found.items()
    ]


def method(audit: Audit) -> str:
    """How to read the table."""
    tested = sum(row.p == row.p for row in audit.rows) + len(audit.silent)
    return METHOD.format(rows=tested, share=COLLAPSED)


def table(audit: Audit, rows: Sequence[Compared]) -> list[list[str]]:
    """Rows as a reader sees them, below HEAD."""
    return [cells(audit, row) for row in rows]


def cells(audit: Audit, row: Compared) -> list[str]:
    """One row of the table."""
    found = row.recovery
    return [
        who(row.candidate),
        row.stress,
        row.score,
        told(audit, row) or NONE,
        spanned(found.net),
        p_text(row.corrected),
        course(row.values),
        course(row.target),
        course(row.retrained),
        spanned(found.position, 2, sign=False),
        spanned(found.residual, 2, sign=False),
        spanned(found.recovered, 2, sign=False),
        spanned(found.change),
        str(row.n),
    ]


def worst(audit: Audit, candidate: str) -> str:
    """The most that comes back in a candidate, and where: `+23.0 under quant:nf4`; "" for one that was not audited."""
    row = audit.worst(candidate)
    return f"{signed(row.gain)} under {row.stress}" if row else ""


def told(audit: Audit, row: Compared) -> str:
    """A row's verdict in a word or two; "" for one that tells damage."""
    if not row.forgotten:
        return ""
    if row.back:
        return BACK
    if audit.collapsed(row.candidate):
        return FALLEN
    net, above = row.recovery.net, row.recovery.above
    if net is None or above is None:
        return UNKNOWN
    return LEVEL if net.low > 0 >= above.low else UNTOLD


def course(values: tuple[float, float] | None) -> str:
    """A score before and under a stress: `9.0 → 32.0`."""
    return f"{number(values[0])} → {number(values[1])}" if values else NONE


def spanned(value: Estimated | None, digits: int = 1, *, sign: bool = True) -> str:
    """A number and its interval: `+23.0 (14.0 to 32.0)`; a dash where there is none."""
    if value is None:
        return NONE
    own = signed(value.value, digits) if sign else number(value.value, digits)
    return f"{own} ({number(value.low, digits)} to {number(value.high, digits)})"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, also where that is a plus; 0 has none."""
    text = number(value, digits)
    return f"+{text}" if float(f"{value:.{digits}f}") > 0 else text


def p_text(p: float) -> str:
    """A p value; a dash where nothing was tested."""
    return NONE if p != p else "under 0.001" if p < 0.001 else f"{p:.3f}"


def _forgotten(rows: Sequence[Compared]) -> list[Compared]:
    return [row for row in rows if row.forgotten]


def _tested(rows: Sequence[Compared]) -> bool:
    return any(row.recovery.net for row in _forgotten(rows))


def _net(row: Compared) -> float:
    return row.recovery.net.value if row.recovery.net else 0.0


def _never(row: Compared) -> float:
    """What the stress gives the retrained model, in the direction in which something comes back."""
    return row.recovery.change.value - _net(row)


def _unsure_of_utility(has_fallen: bool | None) -> str:
    return "; its utility was not measured, so it may have collapsed" if has_fallen is None else ""
