"""The command line that runs a trial again."""

import pytest

from lethe.store.again import run_again

ABOUT = {"benchmark": "muse-mini", "model": None, "protocol": "muse", "method": "npo_gdr", "space": {"lr": "searched"}}


@pytest.mark.parametrize(("axis", "steps"), [("step", 20), ("alpha", 60)])
def test_a_run_ends_where_its_candidate_stands_on_the_steps_and_else_where_its_settings_say(axis, steps):
    words = run_again(ABOUT, {"lr": 0.1, "steps": 60}, axis, 20.0)
    named = ["--benchmark", "muse-mini", "--protocol", "muse", "--method", "npo_gdr"]
    assert words == ["platform/train_mt.py", *named, "--set", "lr=0.1", "--set", f"steps={steps}"]
