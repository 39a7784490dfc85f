"""What is unlearned and in which order, on muse-mini beside two papers: the coreset effect, and modular sampling.

    python -m measurements.data_ablations [--seeds 5] [--out measurements/results]     # half an hour on two cores

Three methods, each at one setting: smaller shares of the forget set; the twentieth by several rules; four orders of
batches. It goes on where it was stopped. Of both papers, arXiv 2504.10185 (coreset) and 2509.05316 (MELU), the
abstracts were read: what is compared is what they say in words, at 7B and 8B, with a model of a made-up world.
"""

import math
from collections.abc import Callable, Iterator, Mapping

import numpy as np
from scipy import stats

from lethe.analysis.ablation import Ablation
from lethe.analysis.cells import number, with_interval
from lethe.analysis.designs import BASELINE
from lethe.analysis.effects import ALPHA, Estimate, contrast
from lethe.analysis.verdicts import summary
from measurements.markdown import markdown_table
from measurements.paper_ablations import Claim, ablated, arguments_of, level, own_rows

# What the arena on muse-mini's second edition recommended of each, rounded; on the third they leave KnowMem_f 25 to 40
# of 95 and KnowMem_r 62 to 74 of 92. They were chosen before any share, rule or order was tried.
METHODS = {
    "npo_gdr": ("lr=0.00123", "forget_weight=5.26", "npo_beta=0.127", "steps=40"),
    "rmu": ("lr=0.003125", "alpha=6.95", "layer=2", "rmu_c=136", "steps=60"),
    "simnpo": ("lr=0.00082", "forget_weight=2.83", "simnpo_beta=1.33", "simnpo_gamma=0.37", "steps=40"),
}
SHARE, SELECTION, SAMPLING = "share", "selection", "sampling"
SWITCHES = {SHARE: "forget_set", SELECTION: "selection", SAMPLING: "sampling"}
TWENTIETH = "forget_fraction=0.05"
GONE = ("verbmem_f", "knowmem_f")  # what has to go
SHOWN = (*GONE, "knowmem_r", "utility", "repetition_f")
AS_WELL = 0.1  # of what the whole forget set takes away: within so much of it a share does as well
Read = Callable[[str, str], Ablation]  # of a method and an ablation's kind the ablation


def study(method: str, kind: str) -> str:
    """An ablation's name."""
    return f"muse-mini-{method}-{kind}"


def flags(method: str, kind: str) -> list[str]:
    """What an ablation of the kind is asked for by."""
    settings = [*METHODS[method], *([TWENTIETH] if kind == SELECTION else [])]
    return ["--method", method, "--switch", SWITCHES[kind], "--set", *settings]


def claims(method: str, read: Read) -> Iterator[Claim]:
    """Every published finding that these ablations can speak to, for one method."""
    shares, rules, orders = (read(method, kind) for kind in (SHARE, SELECTION, SAMPLING))
    for score in GONE:
        yield as_well(shares, "forget_set=5%", score, f"5% of the forget set unlearns as all of it does ({score})")
    for score in GONE:
        yield all_alike(rules, score, f"whichever rule selects these 5%, as much is unlearned ({score})")
    cyclic, paired, modular = (f"sampling={name}" for name in ("cyclic", "one_to_one", "modular"))
    yield difference(orders, paired, cyclic, "knowmem_f", 1, "1:1 sampling unlearns less than cyclic")
    yield difference(orders, paired, cyclic, "knowmem_r", -1, "1:1 sampling keeps less than cyclic")
    yield difference(orders, modular, cyclic, "knowmem_r", 1, "modular sampling keeps more than cyclic")
    for score in ("knowmem_f", "knowmem_r"):
        yield steadier(orders, modular, cyclic, score, f"modular sampling is steadier than cyclic ({score})")


def as_well(found: Ablation, arm: str, score: str, published: str) -> Claim:
    """Whether an arm takes away nine tenths of what the baseline does, as far as its interval tells."""
    target = found.facts.references["target"][score][0]
    whole = float(level(found, BASELINE, score)["mean"])
    margin = AS_WELL * (target - whole)
    effect = contrast(found.measured(score), {arm: 1.0, BASELINE: -1.0})
    said = f"{arm}: {number(float(level(found, arm, score)['mean']))}, all: {number(whole)}, target {number(target)}; "
    return Claim(published, said + shown(effect), within(effect, margin))


def within(effect: Estimate | None, most: float, least: float = -math.inf) -> str:
    """Whether a difference lies within bounds: its whole interval does, or none of it."""
    if effect is None or not np.isfinite(effect.low):
        return "cannot tell"
    if least <= effect.low and effect.high <= most:
        return "agrees"
    return "disagrees" if effect.low > most or effect.high < least else "cannot tell"


def all_alike(found: Ablation, score: str, published: str) -> Claim:
    """Whether every rule takes away what a random share does, to a tenth of what the target has."""
    margin = AS_WELL * found.facts.references["target"][score][0]
    arms = [arm.name for arm in found.design if arm.name != BASELINE]
    effects = {arm: contrast(found.measured(score), {arm: 1.0, BASELINE: -1.0}) for arm in arms}
    sides = [within(effect, margin, -margin) for effect in effects.values()]
    verdict = next((word for word in ("disagrees", "cannot tell") if word in sides), "agrees")
    said = "; ".join(f"{arm} {shown(effect)}" for arm, effect in effects.items())
    return Claim(published, f"against random: {said}", verdict)


def difference(found: Ablation, arm: str, other: str, score: str, sign: int, published: str) -> Claim:
    """Whether two arms differ as was published, where the interval of their difference leaves 0 out."""
    effect = contrast(found.measured(score), {arm: 1.0, other: -1.0})
    clear = effect is not None and effect.p < ALPHA
    verdict = ("agrees" if effect is not None and effect.value * sign > 0 else "disagrees") if clear else "cannot tell"
    return Claim(published, f"{score}: {shown(effect)}", verdict)


def steadier(found: Ablation, arm: str, other: str, score: str, published: str) -> Claim:
    """Whether an arm's scores vary less over seeds than another's: two variances, compared by F at 5%."""
    values = found.measured(score).values
    ours, theirs = (values.loc[name].dropna().to_numpy(float) for name in (arm, other))
    ratio = float(np.var(ours, ddof=1) / np.var(theirs, ddof=1))
    low, high = stats.f.ppf((ALPHA / 2, 1 - ALPHA / 2), len(ours) - 1, len(theirs) - 1)
    verdict = "agrees" if ratio < low else "disagrees" if ratio > high else "cannot tell"
    spreads = f"{number(float(np.std(ours, ddof=1)))} and {number(float(np.std(theirs, ddof=1)))}"
    return Claim(published, f"standard deviation over seeds {spreads}", verdict)


def shown(effect: Estimate | None) -> str:
    """A difference and how far its 95% interval reaches."""
    return "not known" if effect is None else with_interval(effect.value, effect.low, effect.high)


def taken(read: Read) -> list[list[str]]:
    """Of what the whole forget set takes away of a score, what each share of it does, in percent."""
    rows = []
    for method in METHODS:
        found = read(method, SHARE)
        for arm in (arm.name for arm in found.design if arm.name != BASELINE):
            rows.append([method, arm.removeprefix(f"{SWITCHES[SHARE]}="), *(_of_all(found, arm, s) for s in GONE)])
    return rows


def _of_all(found: Ablation, arm: str, score: str) -> str:
    target = found.facts.references["target"][score][0]
    part, whole = (target - float(level(found, name, score)["mean"]) for name in (arm, BASELINE))
    return f"{part / whole:.0%}"


def markdown(read: Read, seeds: int) -> str:
    """The whole result."""
    every = {method: list(claims(method, read)) for method in METHODS}
    first = next(iter(METHODS))
    counts = [[word, *(str(sum(c.verdict == word for c in own)) for own in every.values())] for word in VERDICTS]
    parts = [
        "# The coreset effect and modular sampling on muse-mini",
        f"`python -m measurements.data_ablations --seeds {seeds}`, commit "
        f"{read(first, SHARE).facts.about.get('commit') or 'not known'}; the student after the last step, {seeds} "
        "seeds; mean over seeds, and how far its 95% interval reaches. " + " ".join(RULES),
        markdown_table(["verdicts", *METHODS], counts),
        "Of what the whole forget set takes away, a share of it takes, drawn at random and in as many steps:",
        markdown_table(["method", "share", *GONE], taken(read)),
    ]
    for method, own in every.items():
        parts += [f"## {method}", f"`{' '.join(METHODS[method])}`"]
        parts += [markdown_table(["published", "here", "verdict"], [[c.published, c.here, c.verdict] for c in own])]
        for kind in SWITCHES:
            found = read(method, kind)
            parts += [f"### {HEADS[kind]}", markdown_table(["arm", *SHOWN], own_rows(found, SHOWN))]
            parts += ["\n".join(f"- {line}" for line in summary(found) if ": clearly " in line)]
    return "\n\n".join(part for part in parts if part) + "\n"


VERDICTS = ("agrees", "disagrees", "cannot tell")
HEADS: Mapping[str, str] = {
    SHARE: "How much of the forget set, in as many steps",
    SELECTION: "Which twentieth of it",
    SAMPLING: "In which order",
}
RULES = (
    "A share does as well as all that takes away nine tenths of what all does; rules are alike whose difference to a "
    "random draw is below a tenth of the target's score. Each verdict is its own 95% interval's; among so many, one in "
    "twenty may be chance.",
    "Of muse-mini's 104 forget texts, on 42 organisations, 5% are 6. What MELU calls 1:1 is `one_to_one` here; the "
    "baseline draws both texts at random.",
)


if __name__ == "__main__":
    arguments = arguments_of(__doc__)
    found = {(m, kind): ablated(flags(m, kind), arguments, study(m, kind)) for m in METHODS for kind in SWITCHES}
    file = arguments.out / "data_ablations.md"
    file.write_text(markdown(lambda method, kind: found[method, kind], arguments.seeds), "utf-8")
    print(f"wrote {file}")
