"""The card of a candidate: what it claims is of its study, what was rejected is told, and nothing in it is markup."""

import html
import math
import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt
from tiny_dashboard import HOSTILE, make_study

from dashboard.reports import card
from dashboard.reports.card import Handed, as_markdown, plain, rejected
from dashboard.table import trials_in_words
from lethe.analysis.decide import Limit, recommend
from lethe.store.snapshot import Reader

TABLE = ("table", "thead", "tbody", "tr", "th", "td")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    return Reader(make_study(tmp_path_factory.mktemp("study")), "tiny").read()


def handed(study, limits=(), **changes):
    found = recommend(study.candidates, study.facts.objectives, study.facts.constraints, limits)
    return Handed(**({"study": study, "row": found.row, "found": found, "limits": limits} | changes))


def test_the_next_best_are_told_and_how_many_broke_a_constraint_or_a_limit(study):
    lines = rejected(handed(study, [Limit(score="verbmem_f", high=15.0)]))
    own = study.candidates[study.candidates["state"] == "COMPLETE"]
    assert lines[0].startswith("trial ")
    assert "better in" in lines[0]
    broken = int((own["verbmem_f"] > 15.0).sum())
    (told,) = [line for line in lines if "broke" in line]
    nearest = own.loc[own["verbmem_f"] > 15.0, "verbmem_f"].min() - 15.0
    assert told.startswith(f"{broken} of {len(own)} candidates broke the limit on verbmem_f (at most 15)")
    assert told.endswith(f"{nearest:.1f} beyond")


def test_a_candidate_that_the_rule_does_not_take_says_so_first(study):
    taken = handed(study)
    other = replace(taken, row=(taken.row + 1) % len(study.candidates))
    assert not plain(other)["recommended"]
    assert rejected(other)[0].startswith("the rule takes another one than this, trial ")
    assert "## How sure" not in as_markdown(other)


def test_where_nothing_is_within_the_limits_it_is_told(study):
    none = Handed(study=study, row=0, found=None, limits=[Limit(score="verbmem_f", high=0.0)])
    assert rejected(none)[0] == "no candidate is feasible and within the limits: the rule takes none"
    assert not plain(none)["recommended"]


def test_data_that_is_not_finite_is_null(study):
    assert plain(handed(study))["constraints"] == {"utility": [40.0, None]}


@pytest.mark.parametrize("end", ["", "_low", "_high"])
def test_a_score_that_was_not_measured_of_it_is_left_out(study, end):
    table = study.candidates.assign(**{f"verbmem_r{e}": [1.0] * len(study.candidates) for e in ("", "_low", "_high")})
    taken = handed(study).row
    table.loc[table.index[taken], f"verbmem_r{end}"] = float("nan")
    told = plain(handed(replace(study, candidates=table), row=taken))["scores"]
    assert "verbmem_r" not in told
    assert all(math.isfinite(v) for triple in told.values() for v in triple)
    assert {"verbmem_f", "knowmem_r"} <= told.keys()


def test_of_many_documents_the_first_are_shown_and_all_are_data(study):
    hashes = [f"{i:064x}" for i in range(card.SHOWN_HASHES + 1)]
    many = handed(study, forgotten=hashes)
    assert plain(many)["forgotten"] == hashes
    readme = as_markdown(many)
    assert hashes[-2] in readme
    assert hashes[-1] not in readme
    assert "21 documents" in readme
    assert "could not be read" in as_markdown(handed(study))


def test_a_plain_model_of_the_hub_names_its_base_and_another_kind_does_not_claim_transformers(study):
    facts = replace(study.facts, about=study.facts.about | {"model": "owner/name"})
    readme = as_markdown(handed(replace(study, facts=facts)))
    assert readme.startswith(
        '---\ntags: [unlearning, lethe]\nlibrary_name: transformers\nbase_model: "owner/name"\n---\n'
    )
    guard = as_markdown(handed(study, kind="prompt_guard"))
    assert "transformers" not in guard.split("---")[1]
    assert "load_subject" in guard


MARKUP = (
    HOSTILE,
    "[a](http://example.org)",
    "![a](http://example.org/a.png)",
    r"\[a](http://example.org)",
    "`[a](http://example.org) ` | **b**",
)


@pytest.mark.parametrize("text", MARKUP, ids=range(len(MARKUP)))
def test_markup_in_a_name_or_a_note_stays_text(study, text):
    readme = as_markdown(handed(replace(study, name=text), notes=[text], sources={"benchmark": (text, "x")}))
    shown = MarkdownIt("commonmark").enable("table").render(readme.partition("---\n\n")[2])
    assert set(re.findall(r"<(\w+)", shown)) <= {"h1", "h2", "p", "pre", "code", "ul", "li", *TABLE}
    assert shown.count(html.escape(text, quote=False)) >= 3  # in the title, a list and a table


def test_what_a_study_ran_and_what_another_study_told_are_counted_apart(study):
    ran = trials_in_words(study)
    told = study.trials.assign(told_from=[f"before/{n}" if n < 2 else None for n in study.trials["number"]])
    own = study.trials[study.trials["number"] >= 2]["state"].value_counts()
    counts = [f"{n} {state.lower()}" for state, n in own.items()]
    assert "told" not in ran
    assert trials_in_words(replace(study, trials=told)) == ", ".join([*counts, "2 told by another study"])
    assert trials_in_words(replace(study, trials=study.trials.iloc[:0])) == "no trials yet"
    again = study.trials.assign(repeats=[0.0 if n < 2 else None for n in study.trials["number"]])
    assert trials_in_words(replace(study, trials=again)) == ", ".join([*counts, "2 repeats"])


def test_trials_that_another_study_told_are_told_apart_in_the_card(study):
    told = study.trials.assign(told_from=[f"before/{n}" if n < 2 else None for n in study.trials["number"]])
    searched = plain(handed(replace(study, trials=told)))["searched"]
    own = study.trials[study.trials["number"] >= 2]
    assert searched["trials"].startswith(f"{(own['state'] == 'COMPLETE').sum()} complete")
    assert searched["scored candidates"] == str(int((study.candidates["trial"] >= 2).sum()))
    assert searched["known before"] == "2 trials of before, with their candidates"
    assert "known before" not in plain(handed(study))["searched"]
