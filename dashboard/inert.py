"""Text from models, studies and people made inert: it is shown as it is, never as Markdown or HTML."""

import html
import re

SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~$&:=^\"'])")


def markdown(text: object) -> str:
    """Escape a text for a Streamlit label or sentence; line breaks become spaces."""
    return SPECIAL.sub(r"\\\1", " ".join(str(text).split()))


def figure(text: object, *, most: int = 80) -> str:
    """Escape a text for a plotly title, label or hover, in which some HTML works; cut where it is long."""
    whole = " ".join(str(text).split())
    return html.escape(whole if len(whole) <= most else whole[: most - 1] + "…", quote=False).replace("%{", "%&#123;")
