"""The page on mirage-mini's reference models: a question counts that the target answers and the retrained model not."""

import pandas as pd

from measurements.mirage_mini import GOALS, admitted, page

FORGOTTEN = ("knowmem_f", "alias_f", "reverse_f", "multi_hop_f")


def table(*values):
    return pd.concat([pd.DataFrame({"score": name, "value": values}) for name in FORGOTTEN])


def test_a_question_is_admitted_that_the_target_answers_and_the_retrained_model_does_not():
    items = {"target": table(100.0, 50.0, 49.0, 100.0), "retrained": table(0.0, 49.0, 0.0, 50.0)}
    assert admitted(items) == dict.fromkeys(FORGOTTEN, (2, 4))


def test_the_page_has_a_row_for_each_goal():
    values = {"target": dict.fromkeys(GOALS, 90.0), "retrained": dict.fromkeys(GOALS, 7.25)}
    text = page(values, dict.fromkeys(FORGOTTEN, (2, 4)), 0)
    assert "| alias_f | 90.0 | 7.2 | at least 85 | at most 15 | 2 of 4 |" in text
    assert text.count("\n|") == len(GOALS) + 2
