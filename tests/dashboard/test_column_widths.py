"""What a table's columns are as wide as."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from dashboard.wire import CHARACTER, UNEVEN, WIDEST, column_widths


def test_a_column_with_one_long_cell_is_as_wide_as_that():
    rows = pd.DataFrame({"method": ["rmu"] * 9 + ["attention_smoothing"], "verdict": ["not told apart"] * 10})
    assert column_widths(rows) == {"method": CHARACTER * len("attention_smoothing")}


def test_a_long_name_over_short_cells_is_whole_too():
    rows = pd.DataFrame({"seeds in all": ["3", "3", "3", "12"]})
    assert column_widths(rows) == {"seeds in all": CHARACTER * len("seeds in all")}


def test_a_reason_of_many_words_does_not_take_the_page():
    rows = pd.DataFrame({"reason": ["full", "word " * 100], "trial": [1, 100000]})
    assert column_widths(rows) == {"reason": WIDEST}


def test_a_table_without_rows_has_no_widths():
    assert column_widths(pd.DataFrame(columns=["method"])) == {}


@given(st.lists(st.text(max_size=50), min_size=1))
def test_no_cell_is_longer_than_its_width_and_the_average_alike(cells):
    width = column_widths(pd.DataFrame({"x": cells}, dtype=object)).get("x", 0)
    average = sum(map(len, cells)) / len(cells)
    assert all(CHARACTER * len(cell) <= width or len(cell) <= UNEVEN * average for cell in cells)
