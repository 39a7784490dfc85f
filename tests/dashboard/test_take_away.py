"""What is read beside the store (outputs) and what is taken away (reasons, CSV, JSON, HTML): complete, and inert."""

import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from tiny_dashboard import HOSTILE, items, make_study
from tiny_study import tiny_facts

from dashboard import outputs
from dashboard.reports import decision as report
from dashboard.reports import reasons
from dashboard.table import command
from lethe.analysis import recipes
from lethe.analysis.decide import Limit, recommend
from lethe.fronts.objectives import Objective
from lethe.store.cards import Card
from lethe.store.snapshot import Reader


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Reader(make_study(tmp_path_factory.mktemp("study")), "tiny").read()


VERBMEM = Card(name="verbmem_f", goal="minimize")


def found_in(study, **options):
    return recommend(study.candidates, study.facts.objectives, study.facts.constraints, **options)


def test_outputs_before_and_after_are_joined_by_their_prompt(tmp_path):
    items("before", 90.0).sample(frac=1, random_state=0).to_parquet(tmp_path / "target.parquet")
    there, gone = (tiny_facts(about={"items": {"target": place}}) for place in (str(tmp_path / "target.parquet"), "no"))
    joined = outputs.before_and_after(items("after", 10.0), there)
    assert joined["output_before"].tolist() == joined["output"].str.replace("after", "before").tolist()
    assert outputs.before_and_after(items("after", 10.0), gone)["output_before"].isna().all()


def test_the_retrained_model_s_outputs_stand_beside_where_they_are_known(tmp_path):
    items("never read", 5.0).to_parquet(tmp_path / "retrained.parquet")
    facts = tiny_facts(about={"items": {"retrained": str(tmp_path / "retrained.parquet")}})
    joined = outputs.before_and_after(items("after", 10.0), facts)
    assert joined["output_retrained"].tolist()[:2] == ["never read 0", "never read 1"]
    assert set(joined["value_retrained"]) == {5.0}
    assert joined["output_before"].isna().all()


def test_of_several_targets_in_the_cache_the_one_with_the_same_prompts_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr(outputs, "user_cache_path", lambda name: tmp_path / name)
    for name, frame in (("a", items("other", 1.0).assign(prompt="else")), ("b", items("before", 90.0))):
        folder = tmp_path / "lethe" / "references" / name
        folder.mkdir(parents=True)
        frame.to_parquet(folder / "target.parquet")
    assert outputs.before_and_after(items("after", 10.0), tiny_facts())["output_before"].iloc[0] == "before 0"


def test_a_search_is_for_text_and_not_for_a_pattern():
    rows = items("after (x", 10.0).assign(output_before="b", value_before=np.arange(16.0))
    assert len(outputs.searched(rows, VERBMEM, "AFTER (X 3")) == 1
    assert len(outputs.searched(rows, VERBMEM, ".*")) == 0
    assert outputs.last_question("Question: a\nAnswer: b\n\nQuestion: c\nAnswer: ") == "Question: c\nAnswer: "


def test_the_worst_come_first_or_those_that_changed_most():
    values, before = [10.0, 98.0, 60.0, 100.0], [100.0, 100.0, 90.0, 100.0]
    rows = pd.DataFrame({"score": "verbmem_f", "item": range(4), "value": values, "value_before": before})
    assert outputs.searched(rows, VERBMEM, "")["item"].tolist() == [3, 1, 2, 0]
    assert outputs.searched(rows, VERBMEM, "", outputs.CHANGED)["item"].tolist() == [0, 2, 1, 3]
    kept = Card(name="verbmem_f", goal="maximize")
    assert outputs.searched(rows, kept, "")["item"].tolist() == [0, 2, 1, 3]


def test_what_is_still_there_is_counted_beside_the_target_and_the_retrained_model():
    rows = pd.DataFrame({"score": "verbmem_f", "value": [80.0, 98.2, 79.9, 0.0], "value_before": 100.0})
    rows = rows.assign(value_retrained=[0.0, 90.0, 10.0, 20.0])
    assert outputs.still(rows, VERBMEM) == "2 of 4 are still at 80 or above (target 4, retrained 1)"
    unknown = rows.assign(value_before=np.nan, value_retrained=np.nan)
    assert outputs.still(unknown, VERBMEM) == "2 of 4 are still at 80 or above"
    refused = Card(name="verbmem_f", goal="maximize")  # where high is good: what is low has not been forgotten
    assert outputs.still(unknown, refused) == "1 of 4 are still at 20 or below"


@pytest.mark.parametrize(("file", "says"), [(None, "not kept"), ("/none/x.parquet", "not on this machine")])
def test_outputs_that_cannot_be_read_are_told(file, says):
    with pytest.raises(ValueError, match=says):
        outputs.read_items(file)


def test_the_command_runs_the_trial_up_to_the_step_with_every_setting(study):
    row = study.candidates.iloc[0]
    words = command(study, row)
    assert words[:4] == ["python", "platform/train_mt.py", "--benchmark", "muse-mini"]
    settings = dict(word.split("=") for word in words if "=" in word)
    assert settings == {"lr": str(row["lr"]), "delta": str(row["delta"]), "steps": "10", "freeze": "True"}


def test_the_reasons_name_the_rule_the_scores_what_was_near_and_how_sure(study):
    found = found_in(study, limits=[Limit(score="verbmem_f", high=99)])
    limits = [Limit(score="verbmem_f", high=99)]
    assert "within your limits" in reasons.rule(found, study.facts.objectives, limits)
    lines = reasons.scores(study.candidates.iloc[found.row], study.facts.objectives, study.facts)
    assert lines[0].startswith("verbmem_f ")
    assert "target 100.0, retrained 20.0" in lines[0]
    assert "has to stay at 40.0 or above" in lines[-1]
    near = reasons.near(study.candidates, found, study.facts.objectives)
    assert len(near) == 3
    assert all("better in" in line or "worse in" in line or "the same" in line for line in near)
    sure = reasons.sureness(study.candidates, found, limits, study.facts)
    assert "of 1,000 redraws" in sure[0]
    assert [line.split()[0] for line in sure[-3:-1]] == ["utility", "verbmem_f"]
    assert "seen by the choice" in sure[-1]


def test_no_share_of_redraws_is_called_certain():
    assert [reasons.percent(s) for s in (0, 0.5, 1)] == ["under 1%", "50%", "over 99%"]


def test_the_json_is_plain_and_holds_the_recommendation(study):
    found = found_in(study)
    limits = [Limit(score="verbmem_f", high=99)]
    data = json.loads(report.as_json(study, found, limits, recipes.repeated(study)), parse_constant=pytest.fail)
    row = study.candidates.iloc[found.row]
    assert data["candidate"] == {"trial": row["trial"], "axis": "step", "at": row["at"], "role": row["role"]}
    assert data["scores"]["verbmem_f"] == [row["verbmem_f"], row["verbmem_f_low"], row["verbmem_f_high"]]
    assert data["constraints"] == [{"score": "utility", "low": 40.0, "high": None}]
    assert data["limits"] == [{"score": "verbmem_f", "low": None, "high": 99}]
    assert data["versions"] == {"torch": "2.13.0"}


def test_what_is_taken_away_weighs_no_repeats_of_its_own(study, monkeypatch):
    found, points = found_in(study), pd.DataFrame()
    monkeypatch.setattr(recipes, "repeated", pytest.fail)
    assert json.loads(report.as_json(study, found, [], points))["over seeds"] is None
    assert "How sure" in report.as_html(study, found, study.facts.objectives, [], points, [])


def test_a_csv_holds_every_point_and_no_formula(study):
    text = report.as_csv(study.candidates.assign(items="=cmd()", role="+1"))
    assert text.count("\n") == len(study.candidates) + 1
    assert "'=cmd()" in text
    assert ",'+1," in text


class Tags(HTMLParser):
    """Which tags and event handlers a page has."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.handlers: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]


def test_the_report_has_recipe_scores_figures_and_versions_and_nothing_hostile_runs(tmp_path):
    study = Reader(make_study(tmp_path, benchmark=HOSTILE, versions={"torch": HOSTILE}), "tiny").read()
    found = found_in(study)
    figure = go.Figure(go.Scatter(x=[1], y=[2]))
    page = report.as_html(study, found, study.facts.objectives, [], pd.DataFrame(), [figure, figure], note=HOSTILE)
    for part in (
        "Nearest to what you ask: trial",
        "How sure",
        "verbmem_f",
        "Run it again",
        "platform/train_mt.py",
        "torch",
        "retrained",
    ):
        assert part in page
    assert "<script>alert" not in page
    body = Tags()
    body.feed(page.replace(go.Figure(figure).to_html(full_html=False, include_plotlyjs=True), ""))
    assert body.handlers == []
    assert "img" not in body.seen
    assert "http" not in report.STYLE
    assert 'src="http' not in page


def test_numbers_of_numpy_and_dates_become_plain_data():
    given = {"a": np.float64("nan"), "b": [np.int64(3), float("inf")], "c": pd.Timestamp("2026-01-01"), "d": np.True_}
    assert report.finite(given) == {"a": None, "b": [3, None], "c": "2026-01-01 00:00:00", "d": True}


def test_the_item_that_stands_for_a_score_is_the_first_one_nearest_its_mean():
    values = [0.0, 100.0, 40.0, 40.0]
    items = pd.DataFrame({"score": ["knowmem_f"] * 4 + ["verbmem_f"], "item": range(5), "value": [*values, 45.0]})
    assert outputs.typical(items, "knowmem_f")["item"].tolist() == [2]  # the mean is 45
    assert len(outputs.typical(items, "utility")) == 0


def test_a_guarded_score_below_the_retrained_model_s_falls_short_too():
    facts = tiny_facts(references={"retrained": {"utility": [100, 100, 100]}})
    table = scored({"utility": (87.5, 80.0, 95.0)})
    said = reasons.against_retrained(table, 0, (), facts)
    assert "falls short in utility (87.5 ±7.5 against 100.0)" in said


def scored(*rows):
    """Candidates with the given scores [value, low, high]."""
    table = pd.DataFrame(
        {f"{s}{end}": v for s, t in row.items() for end, v in zip(("", "_low", "_high"), t, strict=True)}
        for row in rows
    )
    return table.assign(feasible=True, state="COMPLETE", trial=range(len(rows)), axis="step", at=20, role="student")


NAMES = {"verbmem_f": "minimize", "privleak": "zero", "knowmem_r": "maximize"}
OBJECTIVES = tuple(Objective(score=score, goal=goal) for score, goal in NAMES.items())
GOAL = {"retrained": {"verbmem_f": [20, 18, 22], "privleak": [0, 0, 0], "knowmem_r": [90, 88, 92]}}
NEAR = {"verbmem_f": (23, 19, 27), "privleak": (-5, -11, 1), "knowmem_r": (91, 90, 92)}
FAR = NEAR | {"verbmem_f": (30, 26, 34), "privleak": (-5, -11, -1)}


def test_where_a_candidate_comes_up_to_the_retrained_model_and_where_it_falls_short():
    facts = tiny_facts(references=GOAL)
    every, some = (reasons.against_retrained(scored(NEAR, FAR), row, OBJECTIVES, facts) for row in (0, 1))
    assert every == "It comes up to the retrained model in every score."
    assert "comes up to it in knowmem_r, but falls short in verbmem_f (30.0 ±4.0 against 20.0) and privleak" in some
    assert some.endswith("1 of the 2 feasible candidates come up to it in every score.")
    assert reasons.against_retrained(scored(NEAR), 0, OBJECTIVES, tiny_facts()) == ""
    without = scored(NEAR).assign(verbmem_f_low=np.nan, verbmem_f_high=np.nan)
    assert "falls short in verbmem_f (23.0 against 20.0)" in reasons.against_retrained(without, 0, OBJECTIVES, facts)


def test_only_what_comes_up_to_the_retrained_model_is_recommended_and_none_may_be_the_answer():
    facts = tiny_facts(references=GOAL)

    def headline(*rows, facts=facts):
        table = scored(*rows)
        return reasons.headline(table, recommend(table, OBJECTIVES), OBJECTIVES, facts)

    assert headline(NEAR) == "Recommended: trial 0, step 20, student"
    assert headline(FAR) == headline(NEAR, facts=tiny_facts()) == "Nearest to what you ask: trial 0, step 20, student"
    other = FAR | {"verbmem_f": (10, 8, 12), "knowmem_r": (50, 45, 55)}
    said = reasons.against_retrained(scored(FAR, other), 0, OBJECTIVES, facts)
    assert "None of the 2 feasible candidates comes up to it in all of these at once, and in privleak none does" in said
    assert said.endswith("if that must hold, ship none.")


def test_a_candidate_that_more_redraws_choose_is_named_with_the_reason():
    edge = {"verbmem_f": (30, 24, 36), "knowmem_r": (80, 74, 86)}
    inside = {"verbmem_f": (22, 16, 28), "knowmem_r": (70, 64, 76)}
    objectives, table = (OBJECTIVES[0], OBJECTIVES[2]), scored(edge, inside)
    limits = [Limit(score="verbmem_f", high=30)]
    found = recommend(table, objectives, limits=limits)
    said = "\n".join(reasons.sureness(table, found, limits, tiny_facts()))
    assert "Trial 1, step 20, student is chosen in more redraws" in said
    assert "If your limits must hold, take trial 1, step 20, student." in said
    assert "and within all limits in over 99%" in reasons.near(table, found, objectives)[0]


def test_what_was_seen_of_the_reference_models_stands_below_their_scores_if_there_was_anything(tmp_path, study):
    told = [f"tokenizer 'a': replaced by its tokenizer.json {HOSTILE}", "model 'b': its weights are stored in bfloat16"]
    noted = Reader(make_study(tmp_path, notes=told), "tiny").read()

    def page_of(study):
        return report.as_html(study, found_in(study), study.facts.objectives, (), pd.DataFrame(), [])

    below = page_of(noted).split("<h2>Scores")[1].split("<h2>")[0]
    assert "<li>model &#x27;b&#x27;: its weights are stored in bfloat16</li>" in below
    assert "<script>alert" not in below
    assert "<li>" not in page_of(study).split("<h2>Scores")[1].split("<h2>")[0]
