"""The published figures that ship with Lethe are those of the papers, and the runs are a study like any other."""

import numpy as np
import pytest

from dashboard import published
from lethe.analysis.decide import recommend


@pytest.mark.parametrize(
    ("corpus", "method", "scores"),
    [
        ("news", "target", (58.4, 63.9, -99.8, 55.2)),
        ("news", "GA_GDR", (4.9, 31.0, 108.1, 27.3)),
        ("books", "retrained", (14.346, 28.9, 0.0, 74.5)),
        ("books", "MT + NLUL + QKL", (9.6, 18.9, -57.7, 45.0)),
    ],
)
def test_some_figures_by_hand(corpus, method, scores):
    row = published.figures(corpus).set_index("method").loc[method]
    assert tuple(row[["verbmem_f", "knowmem_f", "privleak", "knowmem_r"]]) == scores
    assert row["source"].startswith("arXiv 2")


def test_twelve_methods_each_and_the_only_gaps_are_two_privleaks_on_news():
    for corpus in published.CORPORA:
        assert len(published.figures(corpus)) == 12
    gaps = published.figures("news").isna().sum()
    assert gaps[gaps > 0].to_dict() == {"privleak": 2}


def test_the_runs_are_a_study_with_trajectories_from_the_target_on():
    study = published.news_runs()
    assert (len(study.candidates), len(study.trials)) == (219, study.candidates["trial"].nunique())
    starts = study.candidates[(study.candidates["at"] == 0) & (study.candidates["begin"] == "cold")]
    assert starts["verbmem_f"].round(1).unique().tolist() == [56.3]
    assert not study.candidates.duplicated(["trial", "at"]).any()
    assert study.candidates["front"].any()


def test_every_published_candidate_is_a_student_for_the_public_code_scores_no_teacher():
    assert set(published.news_runs().candidates["role"]) == {"student"}


def test_the_logs_warm_starts_and_their_other_ema_rate_are_among_the_runs():
    candidates = published.news_runs().candidates
    warm = candidates[candidates["begin"] == "warm"].groupby("loss")["verbmem_f"].agg(["first", "last"]).round(1)
    assert warm.T.to_dict("list") == {"ll": [15.3, 0.0], "npo": [47.5, 0.4]}
    assert sorted(candidates["delta"].unique()) == [0.0, 0.0025, 0.005]


def test_every_row_is_read_and_a_run_keeps_what_it_varies_alone():
    study = published.news_runs()
    assert study.parameters == list(published.PARAMETERS)
    assert study.distributions["lr"].log
    assert sorted(study.distributions["begin"].choices) == ["cold", "warm"]
    assert np.isfinite(study.candidates[["verbmem_f", "knowmem_f", "knowmem_r", "utility"]].to_numpy(float)).all()


def test_a_point_is_recommended_among_them_without_saying_how_sure():
    study = published.news_runs()
    found = recommend(study.candidates, study.facts.objectives, study.facts.constraints)
    assert study.candidates["front"].iloc[found.row]
    assert found.share is None
    assert np.isnan(study.candidates["verbmem_f_low"]).all()
