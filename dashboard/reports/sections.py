"""A report in sections (sentences, lists, tables, figures): one page of HTML that needs no network, or Markdown."""

import html
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a report in Markdown needs no plotly
    import plotly.graph_objects as go

STYLE = """body{font:16px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#1b1f24}
table{border-collapse:collapse;font-size:.9rem}td,th{padding:.25rem .8rem .25rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid #ddd}div.wide{overflow-x:auto}li{margin:.2rem 0}h2{margin-top:2.2rem}
p.short{font-size:1.05rem}@media print{body{max-width:none}}"""
SPECIAL = re.compile(r"([\\`*|\[\]])")  # to Markdown, within a sentence


@dataclass
class Section:
    """A heading and what stands below it: sentences, lines of code, a list, a table (head and rows), figures."""

    title: str
    texts: Sequence[str] = ()
    code: str = ""
    items: Sequence[str | tuple[str, Sequence[str]]] = ()  # a pair is an item with items of its own
    table: tuple[Sequence[str], Sequence[Sequence[Any]]] | None = None
    figures: "Sequence[go.Figure]" = field(default_factory=list)


def html_of(title: str, sections: Iterable[Section]) -> str:
    """The report as one page that needs no network. All text is escaped."""
    parts, scripts = [f"<h1>{_text(title)}</h1>"], True
    for section in sections:
        parts.append(f"<h2>{_text(section.title)}</h2>")
        parts += [f"<p>{_text(text)}</p>" for text in section.texts]
        if section.code:
            parts.append(f"<pre>{_text(section.code)}</pre>")
        if section.items:
            parts.append(_html_list(section.items))
        if section.table:
            parts.append(_html_table(*section.table))
        for figure in section.figures:
            parts.append(figure.to_html(full_html=False, include_plotlyjs=scripts, config={"displaylogo": False}))
            scripts = False
    return (
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>"
        f"<title>{_text(title)}</title><style>{STYLE}</style><body>{''.join(parts)}</body></html>"
    )


def markdown_of(title: str, sections: Iterable[Section]) -> str:
    """The report as Markdown, without its figures and what has nothing else to show."""
    parts = [f"# {_inline(title)}"]
    for section in sections:
        if not (section.items or section.table or section.code or (section.texts and not section.figures)):
            continue
        parts.append(f"## {_inline(section.title)}")
        parts += [_inline(text) for text in section.texts]
        if section.code:  # indented, for which nothing in it can end it
            parts.append("\n".join(f"    {line}".rstrip() for line in section.code.splitlines()))
        if section.items:
            parts.append(markdown_list(section.items, _inline))
        if section.table:
            parts.append(_markdown_table(*section.table))
    return "\n\n".join(parts) + "\n"


def _text(value: object) -> str:
    return html.escape(str(value))


def _inline(value: object) -> str:
    """A text as it is: no HTML, no link, no picture, no code, no cell of a table, and no emphasis by stars."""
    return SPECIAL.sub(r"\\\1", html.escape(" ".join(str(value).split()), quote=False))


def markdown_list(items: Sequence[str | tuple[str, Sequence[str]]], escape: Callable[[object], str]) -> str:
    """Items, and items of items, as a Markdown list."""
    lines = []
    for item in items:
        head, below = (item, ()) if isinstance(item, str) else item
        lines += [f"- {escape(head)}", *(f"    - {escape(line)}" for line in below)]
    return "\n".join(lines)


def _html_list(items: Sequence[str | tuple[str, Sequence[str]]]) -> str:
    parts = [_text(item) if isinstance(item, str) else _text(item[0]) + _html_list(item[1]) for item in items]
    return "<ul>" + "".join(f"<li>{part}</li>" for part in parts) + "</ul>"


def _html_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    body = "".join("<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    titles = "".join(f"<th>{_text(cell)}</th>" for cell in head)
    return f"<div class=wide><table><tr>{titles}</tr>{body}</table></div>"


def _markdown_table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [list(map(_inline, head)), ["---"] * len(head), *([_inline(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
