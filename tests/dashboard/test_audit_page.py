"""The page Audit without a browser, what Decide says of it, and its report."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from tiny_audit import NF4, ONE, Made, audited, make_audited
from tiny_dashboard import HOSTILE, make_study

from dashboard import outputs
from dashboard.reports import audit as audit_report
from lethe.analysis import audit_words
from lethe.analysis.audit import audit_in
from lethe.store.snapshot import Reader
from lethe.store.urls import VARIABLE
from lethe_cli.report import report

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
INT3 = "quant:int3_rtn"


@pytest.fixture(autouse=True, scope="module")
def _caches():
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    """A study with an audit, in which what models wrote is hostile."""
    return make_audited(tmp_path_factory.mktemp("audited"), said=HOSTILE)


@pytest.fixture(scope="module")
def study(url):
    return Reader(url, "tiny").read()


def opened(url, monkeypatch, page="audit", **query):
    monkeypatch.setenv(VARIABLE, url)
    app = AppTest.from_file(str(APP), default_timeout=180)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    if page != "decide":
        app.switch_page(f"views/{page}.py").run()
    assert not app.exception, app.exception[0].value
    return app


def words(app):
    kinds = ("title", "subheader", "caption", "text", "markdown", "info", "warning", "error", "code")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind)).replace("\\", "")


def box(app, label):
    return next(box for box in app.selectbox if box.label == label)


def test_the_page_says_what_comes_back_draws_it_and_shows_the_items_of_the_worst(url, study, monkeypatch):
    app = opened(url, monkeypatch)
    for line in audit_words.summary(audit_in(study)):
        assert line in words(app)
    assert "no text of raw/forget names those who are asked about" in words(app)
    figure = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = [trace["name"] for trace in figure["data"] if "name" in trace]
    assert names[-4:] == [
        "before the stress",
        "under it: comes back",
        "under it: not told from nothing",
        "under it: collapsed",
    ]
    table = app.dataframe[0].value
    assert table["verdict"].tolist()[:3] == ["comes back", "comes back", "not told from nothing"]
    assert (box(app, "candidate").value, box(app, "stress").value) == ("0/step/20/student", INT3)
    assert "30 items that count, those that came back first: of 15 more is known under the stress." in words(app)


def test_a_score_a_candidate_and_a_stress_are_chosen_by_a_link_and_stand_in_it(url, monkeypatch):
    app = opened(url, monkeypatch, score="utility", candidate="1/step/20/student", stress=NF4)
    assert box(app, "score").value == "utility"
    assert (box(app, "candidate").value, box(app, "stress").value) == ("1/step/20/student", NF4)
    box(app, "stress").set_value(INT3).run()
    assert app.query_params["stress"] in (INT3, [INT3])


def test_a_study_without_an_audit_says_how_to_make_one(tmp_path, monkeypatch):
    app = opened(make_study(tmp_path, trials=1), monkeypatch)
    assert "lethe audit tiny" in words(app)
    assert not app.get("plotly_chart")


def test_what_came_back_comes_first_and_what_does_not_count_is_left_out(url, study):
    files = {(reading.whose, reading.stress): reading.items for reading in study.audits}
    own = "0@step/20/student"
    found = outputs.came_back(files[own, ""], files[own, NF4], "gone.parquet", study.facts.card("knowmem_f"))
    assert found["gained"].tolist() == [100.0] * 12 + [0.0] * 18
    assert found["value_retrained"].isna().all()
    with pytest.raises(ValueError, match=r"^the outputs are not on this machine: gone.parquet$"):
        outputs.came_back("gone.parquet", files[own, NF4], "", study.facts.card("knowmem_f"))


def test_decide_says_of_an_audited_candidate_what_comes_back(url, study, monkeypatch):
    app = opened(url, monkeypatch, "decide", rule="verbmem_f")
    audit = audit_in(study)
    said = [metric for metric in app.metric if metric.label.startswith("net recovery")]
    verdicts = [audit_words.verdict(audit, name) for name in audit.candidates]
    assert len(said) == any(verdict in words(app) for verdict in verdicts)
    assert said or "; net recovery " in words(app)


def test_the_report_says_what_the_page_says_and_is_inert(url, study, tmp_path):
    for ending in ("html", "md"):
        report("tiny", str(tmp_path / f"audit.{ending}"), storage=url)
    page, text = ((tmp_path / f"audit.{ending}").read_text("utf-8") for ending in ("html", "md"))
    titles = ["In short", "Before each stress and under it", "What each stress brings back"]
    assert re.findall(r"<h2>(.*?)</h2>", page) == [*titles, "Stresses that could not be put on"]
    assert page.count("plotly-graph-div") == 3
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    for line in audit_words.summary(audit_in(study)):
        assert line in text
    assert audit_report.as_markdown(study) == text
    with pytest.raises(ValueError, match=r"^role 'teacher' represents the runs of an ablation; in an audit all roles"):
        report("tiny", str(tmp_path / "audit.md"), role="teacher", storage=url)


def test_traces_have_a_part_of_the_report_of_their_own():
    found = Made()
    for whose, value in (("target", 100.0), ("retrained", 20.0), (ONE, 60.0)):
        found.add(whose, "cka", {"cka_f": [value] * 30})
        found.readings[-1] = replace(found.readings[-1], tells={"cka_f": "how alike <b>states</b> lie"})
    report_of = {section.title: section for section in audit_report.sections(audited(found), {})}
    assert list(report_of) == ["In short", "What no answer shows"]
    head, rows = report_of["What no answer shows"].table
    assert dict(zip(head, rows[0], strict=True))["position"] == "0.50 (0.50 to 0.50)"
    assert "apart from its answers" in report_of["In short"].items[-1]
