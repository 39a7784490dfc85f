"""Text from outside stays text: in a sentence of Streamlit's and in a figure of plotly's."""

import html
import re

from hypothesis import given
from hypothesis import strategies as st

from dashboard import inert

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "**bold** $x^2$ :red[red] :smile: `code`",
    "%{customdata[0]}<br><a href='https://example.org'>x</a>",
]


@given(text=st.text() | st.sampled_from(HOSTILE))
def test_a_figure_s_text_has_no_tag_and_no_template_and_reads_as_it_was(text):
    made = inert.figure(text, most=10_000)
    assert "<" not in made
    assert "%{" not in made
    assert html.unescape(made) == " ".join(text.split())


@given(text=st.text() | st.sampled_from(HOSTILE))
def test_in_a_sentence_every_sign_that_markdown_reads_is_escaped(text):
    made = inert.markdown(text)
    assert re.search(r"(?<!\\)(?:\\\\)*[`*_\[\]<>$:|#]", made) is None
    assert re.sub(r"\\(.)", r"\1", made) == " ".join(text.split())


def test_long_text_is_cut_in_a_figure():
    assert inert.figure("x" * 100) == "x" * 79 + "…"
