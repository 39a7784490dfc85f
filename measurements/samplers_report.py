"""Replayed searches compared: hypervolume by cost and by time, and at which share of its cost TPE's is reached.

Means over seeds, with bootstrap intervals over seeds, 95%. Arms are paired: of what an arm is compared with, the same
seeds are drawn.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from playwright.sync_api import sync_playwright
from plotly.subplots import make_subplots

from dashboard.charts.arenas import COLOURS, DASHES
from dashboard.charts.curves import plain
from lethe.analysis.cells import listed
from lethe.search.rule import NONE, RULES
from measurements.arms import ARMS, SEARCHES
from measurements.cells import COMMIT, Table
from measurements.markdown import markdown_table

BASE = "tpe"  # without stopping
FEW = 12  # trials: those of `make tune`
EXPECTED = 1 / 3  # of the base's cost
SHARES = np.linspace(0, 1, 241)
DRAWS = 2000
SIZE = {"width": 1400, "height": 620}
Array = np.ndarray


@dataclass(frozen=True, kw_only=True)
class Curves:
    """Hypervolume of every arm [seeds, shares], at shares of what a whole search takes; [seeds] after few trials.

    The unit of cost is what a search may spend, that of time what the base takes in the mean.
    """

    cost: Mapping[str, Array]
    time: Mapping[str, Array]
    few: Mapping[str, Array]

    def end(self, arm: str) -> Array:
        """What an arm has at its end, by seed."""
        return self.cost[arm][:, -1]

    def expected(self, arm: str) -> Array:
        """What it has at the share of the cost at which the base's end was expected, by seed."""
        return self.cost[arm][:, np.searchsorted(SHARES, EXPECTED, side="right") - 1]


def curves_of(courses: pd.DataFrame, table: Table, trials: int) -> Curves:
    """The curves of replays, of each arm with the same seeds."""
    by_arm = {arm: [rows for _, rows in own.groupby("seed")] for arm, own in courses.groupby("arm", sort=False)}
    took = float(np.mean([rows["seconds"].iloc[-1] for rows in by_arm[BASE]]))
    return Curves(
        cost={
            arm: np.array([along(rows, "cost", trials * table.whole) for rows in own]) for arm, own in by_arm.items()
        },
        time={arm: np.array([along(rows, "seconds", took) for rows in own]) for arm, own in by_arm.items()},
        few={arm: np.array([rows["volume"].iloc[:FEW].iloc[-1] for rows in own]) for arm, own in by_arm.items()},
    )


def along(rows: pd.DataFrame, by: str, whole: float) -> Array:
    """A course's hypervolume at SHARES of a whole: that behind the last trial that had ended."""
    passed = np.searchsorted(rows[by].to_numpy(float), SHARES * whole * (1 + 1e-9), side="right")
    return np.concatenate([[0.0], rows["volume"].to_numpy(float)])[passed]


def means(values: Array) -> Array:
    """The mean over seeds, and those of bootstrap samples behind it: [seeds, ...] -> [1 + DRAWS, ...]."""
    seeds = len(values)
    drawn = np.random.default_rng(0).multinomial(seeds, np.full(seeds, 1 / seeds), size=DRAWS) / seeds
    return np.concatenate([np.full((1, seeds), 1 / seeds), drawn]) @ values


def reached(own: Array, base: Array) -> Array:
    """The share at which an arm's mean is what the base's is at its end; infinite where it never is: [1 + DRAWS]."""
    there = means(own) >= means(base)[:, -1:] - 1e-12
    return np.where(there.any(axis=1), SHARES[there.argmax(axis=1)], np.inf)


def interval(values: Array) -> tuple[float, float, float]:
    """What was found, and the 95% interval of what came behind it; infinite values stay so."""
    low, high = np.quantile(values[1:], [0.025, 0.975], method="inverted_cdf")
    return float(values[0]), float(low), float(high)


def beside(value: Array, digits: int = 3) -> str:
    """A mean with its interval."""
    found, low, high = interval(value)
    return f"{found:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def difference(own: Array, base: Array) -> str:
    """A mean difference with its interval, bold where that is clear of 0."""
    found, low, high = interval(means(own - base))
    text = f"{found:+.3f} ({low:+.3f} to {high:+.3f})"
    return f"**{text}**" if low > 0 or high < 0 else text


def share(found: Array) -> str:
    """A share of the whole, in percent, with its interval; where it is never reached, more than 100."""
    value, low, high = (f"{100 * v:.0f}" if np.isfinite(v) else "never" for v in interval(found))
    return f"{value}% ({low} to {high})" if value != "never" else f"never ({low} at the least)"


def searches_table(curves: Curves, courses: pd.DataFrame) -> Iterator[list[str]]:
    """A row for each arm."""
    for arm in curves.cost:
        own = courses[courses["arm"] == arm]
        ended = own.groupby("seed").size()
        asking = own.groupby("seed")["asking"].max() / ended
        yield [
            arm,
            f"{ended.mean():.0f}",
            f"{curves.expected(arm).mean():.3f}",
            beside(means(curves.end(arm))),
            difference(curves.end(arm), curves.end(BASE)),
            share(reached(curves.cost[arm], curves.cost[BASE])),
            share(reached(curves.time[arm], curves.time[BASE])),
            f"{1000 * asking.mean():.0f}",
        ]


def sentences(curves: Curves) -> Iterator[str]:
    """What came out, in words."""
    yield f"A whole search by {BASE} without stopping has a hypervolume of {curves.end(BASE).mean():.3f}."
    others = [arm for arm in curves.cost if arm != BASE]
    took = {arm: reached(curves.cost[arm], curves.cost[BASE]) for arm in others}
    for arm in others:
        if np.isfinite(took[arm][0]):
            time = share(reached(curves.time[arm], curves.time[BASE]))
            yield f"{arm}: as much at {share(took[arm])} of its cost, and {time} of its time."
        else:
            yield f"{arm}: never as much; at the end {difference(curves.end(arm), curves.end(BASE))}."
    soon = [arm for arm in others if took[arm][0] <= EXPECTED]
    yield f"At a third of its cost, which was expected: {listed(soon) if soon else 'none'}."
    first = max(curves.few, key=lambda arm: curves.few[arm].mean())
    yield (
        f"After {FEW} trials {first} has most, {curves.few[first].mean():.3f}; {BASE} has "
        f"{curves.few[BASE].mean():.3f}: {difference(curves.few[first], curves.few[BASE])}."
    )


def markdown(curves: Curves, courses: pd.DataFrame, table: Table, command: str, workers: int) -> str:
    """The whole report."""
    about = table.facts.about
    seeds = courses["seed"].nunique()
    runs = f"{len(table.cells)} runs of {about.get('method', 'a made-up form')}, {len(table.space)} settings"
    head = ["search", "trials", "at a third", "at the end", f"beside {BASE}", "cost to that", "time to that", "ms"]
    few = [
        [arm, beside(means(values)), difference(values, curves.few[BASE])]
        for arm, values in sorted(curves.few.items(), key=lambda pair: -pair[1].mean())
        if ARMS[arm].stop == NONE
    ]
    parts = [
        "# Which search finds a front for the least",
        f"`{command}`; the table: {runs}, commit {about.get(COMMIT) or 'not known'}. {seeds} seeds, {workers} "
        "workers. Each suggestion has the run of the nearest cell: what a search can find ends at the table's front, "
        "so those that learn fast look more alike than they are. Time is simulated: a run's evaluations at the "
        "pace at which they came, without what starting it and suggesting takes.",
        "![Hypervolume by cost and by time](samplers.png)",
        "## In words",
        "\n".join(f"- {line}" for line in sentences(curves)),
        "## Searches",
        "Hypervolume of the trials that ended, means over seeds with 95% intervals (bootstrap over seeds, paired; bold "
        f"where clear of 0). Cost and time to that: the share of a whole search's at which there is as much as {BASE} "
        "has at its end. ms: of the processor, for a suggestion.",
        markdown_table(head, searches_table(curves, courses)),
        f"## After {FEW} trials",
        "Trials that were not stopped.",
        markdown_table(["search", "hypervolume", f"beside {BASE}"], few),
    ]
    return "\n\n".join(parts) + "\n"


def figure(curves: Curves) -> go.Figure:
    """Hypervolume by cost and by time: a colour for each sampler, a dash for each rule."""
    drawn = make_subplots(cols=2, shared_yaxes=True, horizontal_spacing=0.03)
    colours = dict(zip(SEARCHES, COLOURS, strict=False))
    dashes = dict(zip(RULES, DASHES, strict=False))
    for column, by in enumerate((curves.cost, curves.time), start=1):
        for arm, values in by.items():
            name = arm.partition(",")[0]
            if arm not in (name, *(f"{name}, {rule}" for rule in RULES)) or name not in SEARCHES:
                continue
            line = {"shape": "hv", "width": 2, "color": colours[name], "dash": dashes[ARMS[arm].stop]}
            drawn.add_scatter(
                x=100 * SHARES, y=values.mean(axis=0), name=arm, line=line, showlegend=column == 1, row=1, col=column
            )
    drawn.add_hline(y=float(curves.end(BASE).mean()), line={"width": 1, "color": "grey"})
    drawn.add_vline(x=100 * EXPECTED, line={"width": 1, "color": "grey"})
    for column, what in enumerate(("cost", "time"), start=1):
        drawn.update_xaxes(title=f"share of a whole search's {what}, in percent", row=1, col=column)
    drawn.update_yaxes(title="hypervolume, mean over seeds (better: up)", row=1, col=1)
    return plain(drawn, SIZE["height"]).update_layout(width=SIZE["width"], hovermode="closest")


def picture(drawn: go.Figure, file: Path) -> None:
    """A figure as PNG, as chromium shows it."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=["--headless=new", "--no-sandbox"])
        page = opened.new_page(viewport=SIZE)
        page.set_content(drawn.to_html(include_plotlyjs=True))
        page.wait_for_selector(".js-plotly-plot .xtitle")
        page.screenshot(path=file)
        opened.close()


def write_report(courses: pd.DataFrame, table: Table, command: str, *, trials: int, workers: int, out: Path) -> None:
    """Write the report and its figure into a folder."""
    curves = curves_of(courses, table, trials)
    (out / "samplers.md").write_text(markdown(curves, courses, table, command, workers), "utf-8")
    picture(figure(curves), out / "samplers.png")
