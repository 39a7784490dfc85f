"""The mean-teacher paper's ablations on muse-mini, beside what it published of a 7B model: one command.

    python -m measurements.paper_ablations [--seeds 5] [--out measurements/results]     # under an hour on two cores

Forget loss (nlul, npo, ll) under a mean teacher, cold and warm-started; teacher; damping; kl against qkl; EMA rate. It
goes on where it was stopped, and takes over runs that other ablations of the store have finished. Published: tables of
arXiv 2504.13388 and its author's logs (MUSE-News, Llama-2-7B). A small model of a made-up world is no 7B model: what is
compared is the direction of an effect and whether it is clear, never its size.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from lethe.analysis.ablation import Ablation, read_ablation
from lethe.analysis.cells import number, with_interval
from lethe.analysis.designs import BASELINE
from lethe.analysis.verdicts import mean_cell, sentence, summary
from measurements.markdown import markdown_table

ROOT = Path(__file__).resolve().parents[1]
PUBLISHED = ROOT / "dashboard" / "reference"
SCORES = ("verbmem_f", "knowmem_f", "privleak", "knowmem_r")
WARM_LL, WARM_NPO = "forget_loss=ll, start=warm", "forget_loss=npo, start=warm"
HALF_RATE = "ema_rate=0.1"  # half of the baseline's, as 0.0025 is of 0.005
NOT_PUBLISHED = (
    "The published tables and logs have no run at 7B with a frozen teacher under SGD or without damping, no `nlul` "
    "that was warm-started, and no EMA rate but 0.005 and 0.0025: for these parts there is nothing to agree or "
    "disagree with."
)
ONE_RUN = (
    "Warm starts, the EMA rate of 0.0025, and the `ll` and `npo` that stay were published as one run each, all under "
    "`qkl`, `npo` with a beta of 0.5 (here 0.1). The published warm start is a run of AdamW (lr 1e-6, alpha 1, against "
    "the frozen target with damping 5) of 300 steps for `ll` and 400 for `npo`; the mean teacher then took 100 and "
    "1,000. The run of EMA rate 0.0025 took 1,000 steps of 80 forget sequences; those of 0.005 had fallen after 400 of "
    "40, which is where the table's rows are from."
)


@dataclass(frozen=True)
class Claim:
    """What was published, and what the same question gives here."""

    published: str
    here: str
    verdict: str


def level(found: Ablation, arm: str, score: str) -> pd.Series:
    """An arm's mean of a score with its interval."""
    arms = found.arms()
    return arms[(arms["arm"] == arm) & (arms["score"] == score)].iloc[0]


def effect(found: Ablation, arm: str, score: str) -> pd.Series:
    """An arm's difference to the baseline in a score."""
    effects = found.effects()
    return effects[(effects["effect"] == arm) & (effects["score"] == score)].iloc[0]


def leaves(found: Ablation, arm: str, published: str, *, moves: bool) -> Claim:
    """Whether an arm's VerbMem leaves the target's (falls below half of it) as it was published to do, or not to do."""
    row, half = level(found, arm, "verbmem_f"), found.facts.references["target"]["verbmem_f"][0] / 2
    moved = row["high"] < half
    clear = moved or row["low"] > half
    verdict = ("agrees" if moved == moves else "disagrees") if clear else "cannot tell"
    return Claim(published, f"{arm}: VerbMem_f {mean_cell(row)}, of the target's {number(2 * half)}", verdict)


def direction(found: Ablation, arm: str, score: str, sign: int, published: str) -> Claim:
    """Whether a difference to the baseline has the published direction, where it is clear here."""
    row = effect(found, arm, score)
    same = "agrees" if row["value"] * sign > 0 else "disagrees"
    return Claim(published, sentence(row.to_dict(), len(found.seeds)), same if row["sure"] else "cannot tell")


def claims(found: Ablation) -> list[Claim]:
    """Every published finding that this ablation can speak to."""
    stays = "under a mean teacher VerbMem_f stays at 54.8 of the target's 56.3 for 20 epochs"
    warm = "warm-started: VerbMem_f"
    kept = effect_of_target(found, "knowmem_r")
    knows = effect_of_target(found, "knowmem_f")
    return [
        leaves(found, BASELINE, "nlul: under a mean teacher VerbMem_f falls from 58.4 to 14.8", moves=True),
        leaves(found, "forget_loss=ll", f"ll: {stays}", moves=False),
        leaves(found, "forget_loss=npo", f"npo: {stays}", moves=False),
        leaves(found, WARM_LL, f"ll, {warm} falls from 15.3 to 0.0", moves=True),
        direction(
            found, WARM_LL, "knowmem_r", -1, "ll, warm-started: KnowMem_r falls from 46.9 to 35.7 (nlul cold: 50.8)"
        ),
        leaves(found, WARM_NPO, f"npo, {warm} falls from 47.5 to 0.4", moves=True),
        direction(
            found, WARM_NPO, "knowmem_r", -1, "npo, warm-started: KnowMem_r falls from 54.1 to 42.8 (nlul cold: 50.8)"
        ),
        leaves(found, HALF_RATE, "half the EMA rate, 0.0025: VerbMem_f falls from 56.3 to 12.3", moves=True),
        direction(
            found, "penalty=qkl", "verbmem_f", -1, "qkl for kl: VerbMem_f 8.4 for 14.8 on News (Books: 9.6 for 1.5)"
        ),
        direction(found, "penalty=qkl", "knowmem_f", -1, "qkl for kl: KnowMem_f 40.0 for 58.2 (Books: 18.9 for 23.0)"),
        direction(found, "penalty=qkl", "knowmem_r", -1, "qkl for kl: KnowMem_r 50.8 for 52.7 (Books: 45.0 for 59.7)"),
        Claim("nlul with kl keeps KnowMem_r: 52.7 of the target's 55.2", kept, share_verdict(found, "knowmem_r", 0.9)),
        Claim(
            "nlul with kl leaves KnowMem_f: 58.2 of the target's 63.9", knows, share_verdict(found, "knowmem_f", 0.8)
        ),
    ]


def effect_of_target(found: Ablation, score: str) -> str:
    """The baseline's score beside the target's."""
    return (
        f"baseline: {mean_cell(level(found, BASELINE, score))} of {number(found.facts.references['target'][score][0])}"
    )


def share_verdict(found: Ablation, score: str, share: float) -> str:
    """Whether the baseline keeps a share of the target's score."""
    row, least = level(found, BASELINE, score), share * found.facts.references["target"][score][0]
    return "agrees" if row["low"] > least else "disagrees" if row["high"] < least else "cannot tell"


def published_rows() -> list[list[str]]:
    """The published 7B figures: tables of the papers, and means over the logs' runs at their last epoch."""
    table = pd.read_csv(PUBLISHED / "muse_7b.csv")
    table = table[table["corpus"] == "news"]
    chosen = table[table["method"].isin(("target", "retrained")) | table["method"].str.contains("MT")]
    rows = [[f"{r['method']} (table)", *(number(r[s]) for s in SCORES)] for r in chosen.to_dict("records")]
    logs = pd.read_csv(PUBLISHED / "mean_teacher_news_runs.csv")
    last = logs.sort_values("epoch").groupby(["group", "log"], sort=False).tail(1)
    for group, own in last.groupby("group"):
        cells = [number(own[s].mean()) if own[s].notna().any() else "–" for s in SCORES]
        runs = "1 run" if len(own) == 1 else f"{len(own)} runs"
        rows.append([f"{group} (logs, {runs}, epoch {_last_epochs(own)})", *cells])
    return rows


def _last_epochs(last: pd.DataFrame) -> str:
    """The last epochs of runs, the target's counted as 0: one number, or from the least to the most."""
    least, most = last["epoch"].min() + 1, last["epoch"].max() + 1
    return str(least) if least == most else f"{least} to {most}"


def own_rows(found: Ablation, scores: Sequence[str] = SCORES) -> list[list[str]]:
    """The reference models and every arm of an ablation, with some scores."""
    rows = [
        [name, *(with_interval(*v) for v in (row[s] for s in scores))] for name, row in found.facts.references.items()
    ]
    return rows + [[arm.name, *(mean_cell(level(found, arm.name, s)) for s in scores)] for arm in found.design]


def markdown(found: Ablation, command: str) -> str:
    """The whole result."""
    about = found.facts.about
    claimed = [[c.published, c.here, c.verdict] for c in claims(found)]
    parts = [
        "# The mean-teacher paper's ablations on muse-mini",
        f"`{command}`, seeds {', '.join(map(str, found.seeds))}, commit {about.get('commit') or 'not known'}; the "
        "student after the last step; mean over seeds, and how far its 95% interval reaches (`+` or `−`: to that "
        "side only). `privleak` of the arms is its "
        "distance from 0.",
        "## Published and here",
        markdown_table(["published, 7B", "here, 1M", "verdict"], claimed),
        ONE_RUN,
        NOT_PUBLISHED,
        "## Here, in words",
        "\n".join(f"- {line}" for line in summary(found)),
        "## Here, muse-mini",
        markdown_table(["arm", *SCORES], own_rows(found)),
        "## Published, MUSE-News, Llama-2-7B",
        markdown_table(["run", *SCORES], published_rows()),
    ]
    return "\n\n".join(parts) + "\n"


def arguments_of(about: str | None) -> argparse.Namespace:
    """What a measurement of ablations is asked for: seeds, where its page goes, the folder of its store."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--out", type=Path, default=ROOT / "measurements" / "results")
    parser.add_argument("--storage-path", type=lambda place: Path(place).expanduser(), default="~/lethe-results")
    return parser.parse_args()


def ablated(flags: Sequence[str], arguments: argparse.Namespace, name: str) -> Ablation:
    """The ablation of this name in the asked store, run by these flags where it is not there, or not through."""
    asked = ["--seeds", str(arguments.seeds), "--storage-path", str(arguments.storage_path), "--name", name, "--resume"]
    subprocess.run([sys.executable, str(ROOT / "platform" / "ablate_mt.py"), *flags, *asked], check=True)
    return read_ablation(f"sqlite:///{arguments.storage_path}/studies.db", name)


if __name__ == "__main__":
    arguments = arguments_of(__doc__)
    result = ablated(["--design", "paper"], arguments, "muse-mini-paper")
    file = arguments.out / "paper_ablations.md"
    file.write_text(markdown(result, f"python -m measurements.paper_ablations --seeds {arguments.seeds}"), "utf-8")
    print(f"wrote {file}")
