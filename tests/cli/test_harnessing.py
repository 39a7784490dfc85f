"""What `lethe harness` refuses, before the harness or torch is loaded."""

import pytest

from lethe_cli import harnessing
from trainables import harness


def run(tasks="arc_easy", benchmark=None, include=None):
    harnessing.run("some/model", tasks, benchmark, include, None, None, 32, as_json=False)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (
            {"tasks": " , "},
            "^--tasks is empty: name tasks of lm-evaluation-harness, or lethe_utility with --benchmark$",
        ),
        ({"tasks": "lethe_utility"}, "^--benchmark and the task lethe_utility go together"),
        ({"benchmark": "muse-mini"}, "^--benchmark and the task lethe_utility go together"),
        ({"include": "/nowhere"}, "'/nowhere'"),
    ],
)
def test_bad_input_is_one_line(given, line):
    with pytest.raises(ValueError, match=line):
        run(**given)


def test_without_the_extra_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(harness, "find_spec", lambda name: None)
    with pytest.raises(
        ValueError, match=r"^lm-evaluation-harness is not installed: pip install 'lethe-tune\[harness\]'$"
    ):
        run()
