"""The report says what was found, shows what is missing, needs no network, and lets no text through as markup."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from tiny_ablation import finished, read
from tiny_audit import GONE, HALF, Made, made, store_audit
from tiny_dashboard import HOSTILE
from tiny_study import scores

from dashboard.charts import ablations as ablation_charts
from dashboard.reports import ablations as ablation_report
from dashboard.reports.ablations import as_html, as_markdown
from lethe.analysis import verdicts
from lethe.analysis.ablation import VOLUME, read_ablation
from lethe.analysis.designs import fractional_factorial

REFERENCES = {"target": scores(verbmem_f=100.0, privleak=-100.0), "retrained": scores(verbmem_f=20.0)}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("ablation")


@pytest.fixture(scope="module")
def found(place):
    about = {"meanings": {"loss=ll": "gradient ascent"}, "versions": {"torch": "2.13"}, "commit": "abc123"}
    return read(place, **about)


@pytest.fixture(scope="module")
def failed(tmp_path_factory):
    """An ablation of which one arm's runs have failed."""
    return read(tmp_path_factory.mktemp("failed"), fail="loss=ll")


@pytest.fixture(scope="module")
def page(found):
    return as_html(found)


def test_the_page_needs_no_network_and_holds_the_script_once(page):
    assert re.findall(r"(?:src|href)\s*=\s*['\"]?(?:https?:)?//", page.split("<body>")[0]) == []
    assert not re.search(r"<script[^>]+src=", page)
    assert not re.search(r"<link[^>]+href=", page)
    assert page.count("plotly.js v") <= 1
    assert len(page) < 8e6


def test_an_audit_of_its_candidates_has_its_sections_and_says_which_arms_they_are_of(tmp_path):
    url, name = finished(tmp_path, seeds=2)
    store_audit(url, name, made(GONE, HALF, whose="1@step/2/student", found=Made(tmp_path / "audit")))
    text = as_markdown(read_ablation(url, name))
    first = text.split("## Audit\n")[1].split("##")[0]
    assert "- trial 1, step 2, student: " in first
    assert "- trial 1 is a run of damping=off, seed 0" in first
    assert "## Audit: What each stress brings back\n" in text


def test_without_an_audit_nothing_is_said_of_one(page):
    assert "<h2>Audit" not in page


def test_the_answer_stands_first_and_everything_that_was_asked_is_there(page):
    titles = re.findall(r"<h2>(.*?)</h2>", page)
    assert titles[:3] == ["In short", "What was asked", "How to read this"]
    wanted = {
        "Effects",
        "In words",
        "Scores",
        "Forest plots",
        "Fronts of the arms",
        "Hypervolume",
        "Configuration",
        "Versions",
    }
    assert wanted <= set(titles)
    for text in ("abc123", "torch", "gradient ascent", "loss=ll", "the student after the run&#x27;s last step"):
        assert text in page


def test_markdown_says_the_same_without_figures(found):
    text = as_markdown(found)
    for title in ("In short", "Effects", "In words", "Scores", "Hypervolume", "Configuration"):
        assert f"\n## {title}\n" in text
    rows = [line for line in text.splitlines() if line.startswith("| loss=ll |")]
    assert len(rows) >= 3
    assert "worse" in rows[1]


def test_gaps_are_shown_and_an_arm_without_a_run_is_said_to_be_unknown(failed):
    text = as_markdown(failed)
    assert "## Gaps" in text
    assert "loss=ll: not known, every one of its 5 runs failed (Diverged: step 3)." in text
    assert "5 of 15 runs failed and gave no score: see the gaps." in text
    assert "– (gap)" in text


def test_an_ablation_of_which_nothing_ran_still_has_a_report(tmp_path):
    url, name = finished(tmp_path, seeds=2, fail="baseline")
    assert "not known" in as_markdown(read_ablation(url, name))
    assert "<h2>Gaps</h2>" in as_html(read_ablation(url, name))


def test_text_from_a_study_is_shown_as_it_is(tmp_path):
    found = read(tmp_path, seeds=2, benchmark=HOSTILE, meanings={"loss=ll": HOSTILE}, settings={HOSTILE: HOSTILE})
    page = as_html(found)
    body = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert "<img" not in body
    assert "alert(&#x27;x&#x27;)" in body
    assert "<img" not in as_markdown(found)


def test_a_fraction_says_what_it_cannot_tell(tmp_path):
    switches = {name: {"low": {}, "high": {name: 1}} for name in "abcd"}
    text = as_markdown(read(tmp_path, seeds=2, design=fractional_factorial(switches, ["D=ABC"])))
    assert "Generators D=ABC (A a, B b, C c, D d), resolution 4." in text
    assert "## Main effects and interactions" in text


def test_what_was_seen_of_the_reference_models_stands_beside_their_scores(tmp_path, page):
    told = read(tmp_path, seeds=2, notes=["model 'b': its weights are stored in bfloat16"])
    assert "- model 'b': its weights" in as_markdown(told).split("## Scores")[1].split("## ")[0]
    assert "<li>model &#x27;b&#x27;" in as_html(told).split("<h2>Scores</h2>")[1].split("<h2>")[0]
    assert "<li>" not in page.split("<h2>Scores</h2>")[1].split("<h2>")[0]


def row(**changes):
    known = {
        "score": "verbmem_f",
        "goal": "minimize",
        "value": 4.0,
        "low": -1.0,
        "high": 9.0,
        "n": 5,
        "sd": 1.0,
        "better": False,
    }
    return known | {"sure": False, "needed": 12.0} | changes


UNKNOWN = {"low": float("nan"), "high": float("nan"), "sd": 0.0}
SENTENCES = {
    "verbmem_f: 4.0 higher (95% interval −1.0 to 9.0): 5 seeds can't separate these; about 12 would, if the difference "
    "is as large as it looks": {},
    "verbmem_f: 4.0 higher, worse (95% interval 1.0 to 7.0): clear": {"sure": True, "low": 1.0, "high": 7.0},
    "verbmem_f: 4.0 higher (95% interval −1.0 to 9.0): 5 seeds can't separate these, nor would 200 on these "
    "items; a difference of up to 9.0 is not ruled out": {"needed": float("nan")},
    "|verbmem_f|: the very same in every seed; on other items a difference of up to 2.0 is not ruled out": {
        "goal": "zero",
        "value": 0.0,
        "low": -2.0,
        "high": 2.0,
        "sd": 0.0,
    },
    "hypervolume: the very same in every seed": {"score": "hypervolume", "goal": "maximize", **UNKNOWN, "value": 0.0},
    "verbmem_f: 4.0 in every one of 5 seeds, which says nothing of how sure that is": UNKNOWN,
    "verbmem_f: not known, for no seed has both runs": {"value": float("nan")},
    "verbmem_f: 4.0 in one seed, which says nothing of how sure that is": {
        "low": float("nan"),
        "n": 1,
        "sd": float("nan"),
    },
}


@pytest.mark.parametrize(("sentence", "changes"), SENTENCES.items())
def test_differences_in_words(sentence, changes):
    assert verdicts.sentence(row(**changes), 5) == sentence


def test_a_difference_that_only_the_correction_takes_away_is_said_to_be_one():
    assert "its own interval leaves 0 out" in verdicts.sentence(row(low=0.5), 5)


def test_the_summary_begins_with_what_the_baseline_scores_beside_the_reference_models(found):
    known = replace(found, facts=replace(found.facts, references=REFERENCES))
    first = verdicts.summary(known)[0]
    mean = found.arms().set_index(["arm", "score"]).loc[("baseline", "verbmem_f"), "mean"]
    assert first.startswith(f"The baseline scores verbmem_f {mean:.1f} (target 100.0, retrained ")
    assert "(target 100.0, retrained 0.0)" in first  # PrivLeak's distance from 0, as the differences are
    assert verdicts.summary(found)[0].startswith(f"The baseline scores verbmem_f {mean:.1f}, ")  # where none is known


def test_an_arm_below_the_floor_is_said_to_be_ruled_out(found):
    assert not any("floor" in line for line in verdicts.summary(found))
    found.measured("utility").values.loc["loss=ll"] = 10.0
    try:
        assert "below the floor of 40.0, which rules it out." in " ".join(verdicts.summary(found))
    finally:
        found.measured("utility").values.loc["loss=ll"] = 90.0


def test_a_forest_has_a_row_for_every_arm_and_tells_clear_from_not_clear_without_colour(found):
    effects = found.effects()
    figure = ablation_charts.forest(effects, "verbmem_f")
    shown = {name for trace in figure.data for name in trace.y}
    assert shown == set(effects["effect"])
    symbols = [trace.marker.symbol for trace in figure.data]
    assert len(set(symbols)) == len(symbols)
    assert "better: left" in figure.layout.xaxis.title.text


def test_a_forest_says_where_no_run_ended(failed):
    figure = ablation_charts.forest(failed.effects(), "verbmem_f")
    assert [a.text for a in figure.layout.annotations] == ["no run ended"]


def test_every_arm_has_a_front_of_its_own(found):
    arms = [arm.name for arm in found.design]
    figure = ablation_charts.fronts(found.candidates, arms, "verbmem_f", "knowmem_r", found.facts)
    assert [a.text for a in figure.layout.annotations] == arms
    assert sum(len(trace.x) for trace in figure.data) == len(found.candidates)


def test_hypervolumes_are_those_of_the_arms(found):
    arms = found.arms()
    (trace,) = ablation_charts.volumes(arms).data
    assert list(trace.x) == list(arms.loc[arms["score"] == VOLUME, "mean"])


def test_the_parts_of_the_page_are_those_of_the_report(found):
    assert all(isinstance(section.title, str) for section in ablation_report.sections(found))
    assert isinstance(found.effects(), pd.DataFrame)
