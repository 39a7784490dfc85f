"""Whether a folder that was handed over is whole, and its scores, measured again, are those of its card."""

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dashboard.reports.card import DATA
from lethe.analysis.cells import with_interval
from lethe.display.console import open_console
from lethe.handover.manifest import MANIFEST, differences, sha256
from lethe_cli.stored import print_json, say
from trainables.folders import expanded
from trainables.keys import SCORES, program_hash
from trainables.probes.robustness import is_robustness, robustness_scores
from trainables.runs import evidence
from trainables.scores.protocol import PROTOCOLS

SAME = 1e-5  # up to which digits are the same: likelihoods are of fp32, whose rounding hangs on where a tensor lies


@dataclass(frozen=True)
class Check:
    """A score of the card, measured again: None where that cannot be done from the folder alone."""

    score: str
    card: list[float]
    again: list[float] | None
    holds: bool

    @property
    def words(self) -> str:
        """What came of it."""
        if self.again is None:
            return "not measured: there are no readings of a retrained model" if self.holds else "MISSING"
        if all(abs(a - b) <= SAME for a, b in zip(self.card, self.again, strict=True)):
            return "the same digits"
        if abs(self.again[0] - self.card[0]) <= SAME:
            return "the same, with another interval"
        return f"{'within' if self.holds else 'BEYOND'} the tolerance, by {abs(self.again[0] - self.card[0]):.3g}"


def run(folder: str, benchmark: str | None, tolerance: float, *, as_json: bool) -> bool:
    """Check the files, then the scores, and print what came of it; returns whether all holds."""
    place = expanded(folder)
    if not place.is_dir():
        raise ValueError(f"there is no folder {folder!r}")
    faults = differences(place)
    checks = [] if faults else measured(place, benchmark, tolerance)
    holds = not faults and all(check.holds for check in checks)
    if as_json:
        scores = {c.score: {"card": c.card, "again": c.again, "holds": c.holds} for c in checks}
        print_json({"manifest sha256": sha256(place / MANIFEST), "faults": faults, "scores": scores, "holds": holds})
    else:
        tell(place, faults, checks)
    return holds


def tell(folder: Path, faults: list[str], checks: list[Check]) -> None:
    """A line for each fault of the files, or for each score."""
    for line in faults:
        say(line)
    say(f"{MANIFEST} has the sha256 {sha256(folder / MANIFEST)}")
    if faults:
        say("the files are not those of the manifest, and the scores were not measured again")
        return
    if read_card(folder)["evidence"].get("code") != program_hash(SCORES):
        say("note: the card's scores were measured by other code, or other versions of torch, than are here")
    for check in checks:
        again = "" if check.again is None else f", again {with_interval(*check.again)}"
        say(f"{check.score}: card {with_interval(*check.card)}{again}: {check.words}".replace("−", "-"))


def measured(folder: Path, benchmark: str | None, tolerance: float) -> list[Check]:
    """Each score of the card beside what is measured again; ValueError where that cannot be, with what is missing."""
    card = read_card(folder)
    rows = evidence.load_rows(benchmark or card["benchmark"])
    known = card["evidence"].get("rows")
    if known and evidence.rows_hash(rows) != known:
        raise ValueError(
            f"benchmark {benchmark or card['benchmark']!r} holds other rows than the card's: give the card's with "
            "--benchmark"
        )
    from trainables.runs.remeasure import measure_again  # torch: not before the files are known to be whole

    with open_console(stderr=True).status("measuring the scores again"):
        beside = robustness_scores(filter(is_robustness, card["scores"]))
        again = measure_again(folder, rows, card["protocol"], card["evidence"], card["scores"], beside=beside)
    without = not card["evidence"].get("reference")
    return [check(score, values, again.get(score), tolerance, without) for score, values in card["scores"].items()]


def check(score: str, card: list[float], again: list[float] | None, tolerance: float, without: bool) -> Check:
    """A score of the card beside what was measured; one that needs readings which there are none of is let pass."""
    holds = without if again is None else abs(again[0] - card[0]) <= max(tolerance, SAME)
    return Check(score, card, again, holds)


def read_card(folder: Path) -> dict[str, Any]:
    """The card as data; ValueError in one line where it is not there, or lacks what the scores are measured by."""
    file = folder / DATA
    try:
        card = json.loads(file.read_text("utf-8"))
        scores = {_printable(name): _triple(values) for name, values in card["scores"].items()}
        kept = {"benchmark": str(card["benchmark"]), "protocol": str(card["protocol"]), "scores": scores}
        found = kept | {"evidence": dict(card["evidence"])}
    except FileNotFoundError:
        raise ValueError(f"{str(folder)!r} has no card {DATA}: `lethe export` writes one") from None
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError):
        raise ValueError(f"{str(file)!r} is no card that can be read") from None
    if found["protocol"] not in PROTOCOLS:
        raise ValueError(f"protocol {found['protocol']!r} of {str(file)!r} is unknown: choose {', '.join(PROTOCOLS)}")
    return found


def _printable(name: str) -> str:
    """A score's name; ValueError where it holds signs that move a terminal's cursor."""
    if not name.isprintable():
        raise ValueError(f"{name!r} is no name of a score")
    return name


def _triple(values: list[Any]) -> list[float]:
    """Value, low and high of a score; or the error that says that these are no finite numbers."""
    value, low, high = values
    if not all(isinstance(v, int | float) and math.isfinite(v) for v in values):
        raise ValueError(f"{values!r} are no three numbers")
    return [float(value), float(low), float(high)]
