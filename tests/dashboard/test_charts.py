"""What is drawn is what the table says: candidates, groups, intervals, directions, references, and no text that is markup."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from slow_candidates import read_candidates
from tiny_study import OBJECTIVES, candidate, tiny_facts, tiny_ledger

from dashboard import published, table
from dashboard.charts import curves, fronts, fronts_3d, labels, landscape, many_axes
from dashboard.table import BEATEN, FRONT, INFEASIBLE, RUNNING
from lethe.fronts.objectives import SEEN

CARDS = {name: tiny_facts().card(name) for name in ("verbmem_f", "privleak", "knowmem_r", "utility")}
REFERENCES = {"target": {name: [90.0, 88.0, 92.0] for name in CARDS}}
HOSTILE = "<script>alert(1)</script>%{x}"


@pytest.fixture
def candidates() -> pd.DataFrame:
    """A candidate of every group: front (student and teacher), dominated, infeasible, still running."""
    ledger = tiny_ledger(sampler="random")
    trials = [
        [("student", {"verbmem_f": 10}), ("teacher", {"verbmem_f": 30, "knowmem_r": 80})],
        [("student", {"verbmem_f": 60}), ("teacher", {"verbmem_f": 0, "utility": 10})],
        [("student", {"verbmem_f": 5})],
    ]
    for i, rows in enumerate(trials):
        number, _ = ledger.ask()
        for step, (role, values) in enumerate(rows):
            ledger.record(number, candidate(10 * (step + 1), role, **values))
        if i < 2:
            ledger.tell(number)
    found = read_candidates(ledger.study, ledger.facts)
    return table.grouped(found, ledger.facts.objectives, ledger.facts)


def traces(figure, name: str) -> list:
    return [trace for trace in figure.data if trace.name == name]


def test_the_groups_of_the_candidates(candidates):
    assert dict(zip(candidates["key"], candidates["group"], strict=True)) == {
        "0/step/10/student": FRONT,
        "0/step/20/teacher": FRONT,
        "1/step/10/student": BEATEN,
        "1/step/20/teacher": INFEASIBLE,
        "2/step/10/student": RUNNING,
    }


def test_roles_are_those_of_the_study_whatever_they_are_called_and_keep_their_marker(candidates):
    renamed = candidates["role"].map({"student": "merged 0.5", "teacher": "edited"})
    named = table.grouped(candidates.assign(role=renamed), OBJECTIVES, tiny_facts())
    found = {t.name: t.marker.symbol for t in fronts.front_2d(named, "verbmem_f", "knowmem_r", CARDS).data}
    assert found["on the front, edited"] == "circle"
    assert found["on the front, merged 0.5"] == "diamond"
    part = named[named["role"] == "merged 0.5"]
    (alone,) = traces(fronts.front_2d(part, "verbmem_f", "knowmem_r", CARDS), "on the front, merged 0.5")
    assert alone.marker.symbol == "diamond"
    assert table.find(named, "0/step/10/merged 0.5")["verbmem_f"] == 10


@pytest.mark.parametrize(
    "key",
    [
        "0/step/10",
        "0/step/10/",
        "x/step/10/student",
        "0/step/a/student",
        "0/step/10/<script>",
        "0/step/10/a/b",
        "9" * 5000 + "/step/1/student",
    ],
)
def test_what_is_no_key_of_a_candidate_is_none(key):
    assert table.parse_candidate(key) is None


def test_the_front_is_taken_anew_over_chosen_objectives(candidates):
    facts = tiny_facts()
    only = table.objectives_of(["verbmem_f"], candidates, facts)
    again = table.grouped(candidates, only, facts)
    assert again.loc[again["group"] == FRONT, "key"].tolist() == ["0/step/10/student"]
    assert table.objectives_of(["nonsense"], candidates, facts) == OBJECTIVES


def test_every_point_is_drawn_once_with_its_key_marker_and_interval(candidates):
    figure = fronts.front_2d(candidates, "verbmem_f", "knowmem_r", CARDS, fronts.Beside(parameters=["lr"]))
    (front,) = traces(figure, "on the front, student")
    assert (list(front.x), list(front.y), list(front.customdata)) == ([10], [50], ["0/step/10/student"])
    assert (list(front.error_x.array), list(front.error_y.arrayminus)) == ([2], [2])
    drawn = [key for trace in figure.data if trace.customdata is not None for key in trace.customdata]
    assert sorted(drawn) == sorted(candidates["key"])
    looks = [(trace.marker.symbol, trace.marker.color) for trace in figure.data if trace.customdata is not None]
    assert len({symbol for symbol, _ in looks}) == len(looks)  # told apart without colour
    assert "verbmem_f: 10.0 ±2.0" in front.text[0]
    assert (
        fronts.front_2d(candidates, "verbmem_f", "knowmem_r", CARDS, fronts.Beside(intervals=False))
        .data[0]
        .error_x.array
        is None
    )


def test_axes_say_where_better_is_and_privleak_has_its_line_and_band(candidates):
    figure = fronts.front_2d(candidates, "privleak", "verbmem_f", CARDS)
    assert figure.layout.xaxis.title.text == "privleak  (better: near 0; green: ±5)"
    assert figure.layout.yaxis.title.text == "verbmem_f  (better: down)"
    assert [(s.x0, s.x1) for s in figure.layout.shapes] == [(-5, 5), (0, 0)]
    other = fronts.front_2d(candidates, "verbmem_f", "knowmem_r", CARDS)
    assert not other.layout.shapes
    assert other.layout.yaxis.title.text.endswith("(better: up)")


def test_the_stairs_join_the_points_that_are_best_in_the_two_scores(candidates):
    (stairs,) = traces(fronts.front_2d(candidates, "verbmem_f", "knowmem_r", CARDS), "best in these two")
    assert list(zip(stairs.x, stairs.y, strict=True)) == [(10, 50), (30, 80)]
    assert not traces(fronts.front_2d(candidates, "privleak", "knowmem_r", CARDS), "best in these two")


def test_the_stairs_say_where_they_are_not_by_the_items_that_chose_the_front(candidates):
    halved = candidates.assign(**{f"knowmem_r{SEEN}": candidates["knowmem_r"]})
    drawn = fronts.front_2d(halved, "verbmem_f", "knowmem_r", CARDS)
    assert [len(traces(drawn, f"best in these two{end}")) for end in ("", " (by the items that report)")] == [0, 1]


def test_references_the_trajectory_the_ring_and_published_candidates(candidates):
    figure = fronts.front_2d(
        candidates,
        "verbmem_f",
        "knowmem_r",
        CARDS,
        fronts.Beside(
            references=REFERENCES,
            chosen="0/step/20/teacher",
            trajectory=candidates[candidates["trial"] == 0],
            published=published.figures("news"),
        ),
    )
    assert (traces(figure, "target")[0].x, traces(figure, "chosen")[0].x) == ((90,), (30,))
    assert list(traces(figure, "course of trial 0, student")[0].x) == [10, 30]
    assert list(traces(figure, "published (7B)")[0].text)[:2] == ["target", "retrained"]


def test_published_models_are_named_apart_from_a_study_s_own_and_drawn_once_where_they_are_the_same():
    muse_mini, news = (tiny_facts(about={"benchmark": name}) for name in ("muse-mini", "muse-bench/MUSE-News"))
    assert (published.corpus_of(muse_mini), published.corpus_of(news)) == (None, "news")
    assert "7B target" in set(published.beside("news", muse_mini)["method"])
    news = replace(news, references=published.news_runs().facts.references)
    assert not {"target", "7B target", "retrained"} & set(published.beside("news", news)["method"])


def test_no_label_lies_on_another_one_or_on_a_candidate():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(0, 100, 40), rng.uniform(0, 100, 40)
    room = labels.Room(x, y)
    candidates = room._taken.copy()
    places = room.place(x.tolist(), y.tolist(), ["a label"] * 40)
    boxes = room._taken[40:]
    assert len(boxes) == sum(place is not None for place in places) > 20
    for i, box in enumerate(boxes):
        assert not labels.overlap(box, np.delete(boxes, i, axis=0))
        assert labels.overlap(box, candidates) == 0


def test_a_label_has_room_beside_its_own_point_and_none_in_a_crowd():
    assert labels.Room([0, 100], [0, 100]).place([0], [0], ["alone"]) == ["top center"]
    crowd = labels.Room(*np.mgrid[0:1:60j, 0:1:60j].reshape(2, -1))
    assert crowd.place([0.5], [0.5], ["no room here"]) == [None]


def test_three_dimensions_matrix_and_parallel_coordinates_hold_every_candidate(candidates):
    solid = fronts_3d.front_3d(
        candidates, ["verbmem_f", "privleak", "knowmem_r"], CARDS, fronts.Beside(references=REFERENCES)
    )
    drawn = [k for t in solid.data if t.customdata is not None for k in t.customdata]
    assert sorted(drawn) == sorted(candidates["key"])
    assert traces(solid, "privleak 0")[0].z == ((0, 0), (0, 0)) or np.all(
        np.array(traces(solid, "privleak 0")[0].y) == 0
    )
    matrix = many_axes.scatter_matrix(candidates, list(CARDS), CARDS)
    assert sum(len(t.customdata) for t in matrix.data) == len(candidates)
    lines = many_axes.parallel(candidates, list(CARDS), CARDS, ["lr", "delta"]).data[0]
    assert [d.label for d in lines.dimensions][-1] == "utility (high)"
    assert list(lines.line.color) == [1, 1, 0, 0, 0]


def test_published_figures_stand_in_the_legend_of_three_dimensions_once_and_are_named_at_the_pointer(candidates):
    known = published.beside("news", tiny_facts())
    solid = fronts_3d.front_3d(
        candidates, ["verbmem_f", "privleak", "knowmem_r"], CARDS, fronts.Beside(published=known)
    )
    (trace,) = traces(solid, "published (7B)")
    named = known.dropna(subset=["verbmem_f", "privleak", "knowmem_r"])["method"]
    assert (trace.mode, list(trace.text)) == ("markers", list(named))
    assert len(named) > 5


def test_many_points_are_thinned_but_never_the_front_or_the_chosen_one(candidates):
    many = pd.concat([candidates, *[candidates[candidates["group"] == BEATEN]] * 500], ignore_index=True)
    many.loc[7, "key"] = "7/step/7/student"
    kept = table.thinned(many, 50, keep="7/step/7/student")
    assert len(kept) <= 50
    assert (kept["group"] == FRONT).sum() == 2
    assert "7/step/7/student" in set(kept["key"])
    assert table.thinned(candidates, 50) is candidates


def test_no_text_from_outside_is_markup_in_a_figure(candidates):
    hostile = candidates.rename(columns={"lr": HOSTILE}).assign(delta=HOSTILE)
    rows = published.figures("news").assign(method=HOSTILE, source=HOSTILE)
    figures = [
        fronts.front_2d(
            hostile,
            "verbmem_f",
            "knowmem_r",
            CARDS,
            fronts.Beside(parameters=[HOSTILE, "delta"], references={HOSTILE: REFERENCES["target"]}),
        ),
        many_axes.parallel(hostile, ["verbmem_f"], CARDS, [HOSTILE, "delta"]),
        landscape.slice_chart(hostile, HOSTILE, CARDS["verbmem_f"], None),
        curves.compare_fronts({HOSTILE: hostile}, "verbmem_f", "knowmem_r", CARDS),
        fronts.front_2d(hostile, "verbmem_f", "knowmem_r", CARDS, fronts.Beside(published=rows.assign(source="x"))),
    ]
    for figure in figures:
        assert "<script" not in figure.to_json()
        assert "\\u003cscript" not in figure.to_json()


def test_the_hypervolume_grows_trial_by_trial_in_the_order_they_ended(candidates):
    end = pd.to_datetime(["2026-01-01 02:00", "2026-01-01 01:00", None])
    trials = pd.DataFrame({"number": [0, 1, 2], "state": ["COMPLETE", "COMPLETE", "RUNNING"], "end": end})
    trials["start"] = pd.Timestamp("2026-01-01")
    history = curves.volumes(candidates, trials, tiny_facts())
    assert history["number"].tolist() == [1, 0]
    assert history["volume"].tolist() == pytest.approx([0.4 * 1 * 0.5, 0.9 * 0.5 + 0.7 * 0.3])
    assert history["hours"].tolist() == [1, 2]
    assert list(curves.volume_chart(history, "time").data[0].x) == [1, 2]


def test_importances_find_the_parameter_that_matters_and_refuse_few_trials():
    ledger, rng = tiny_ledger(sampler="random"), np.random.default_rng(0)
    for _ in range(40):
        number, params = ledger.ask()
        ledger.record(number, candidate(verbmem_f=100 * params["delta"], privleak=rng.uniform(0, 50)))
        ledger.tell(number)
    done = ledger.study.trials
    trials = pd.DataFrame([{"state": t.state.name, "values": t.values, **t.params} for t in done])
    found = landscape.importances(trials, done[0].distributions, ledger.facts)
    assert found.loc["delta", "verbmem_f"] > 0.8
    assert landscape.importances(trials.head(29), done[0].distributions, ledger.facts) is None
    assert "knowmem_r" not in found.columns  # it never differed
    assert len(landscape.importance_chart(found).data) == 2


def test_a_trial_s_curves_have_bands_and_references(candidates):
    figure = curves.score_curves(candidates[candidates["trial"] == 0], ["verbmem_f", "privleak"], CARDS, REFERENCES)
    assert [t.name for t in figure.data if t.name == "target"] == ["target"] * 2
    assert sum(t.fill == "toself" for t in figure.data) == 4
    assert [(s.y0, s.y1) for s in figure.layout.shapes] == [(-5, 5)]


def test_a_contour_needs_enough_trials_spread_over_two_numbers(candidates):
    assert not landscape.can_contour(candidates, "lr", "delta")
    rng = np.random.default_rng(0)
    many = pd.DataFrame(
        {"trial": range(12), "role": "student", "axis": "step", "at": 1, "lr": rng.random(12), "delta": rng.random(12)}
    )
    many = many.assign(verbmem_f=many["lr"] * 100, key="k")
    assert landscape.can_contour(many, "lr", "delta")
    assert not landscape.can_contour(many, "lr", "lr")
    drawn = landscape.contour_chart(many, "lr", "delta", CARDS["verbmem_f"], {})
    assert np.nanmax(drawn.data[0].z) <= 100
