"""The parts of the page: text made harmless, tables, pictures, the look."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from nndsl.diagnostics.terminal import visible

STYLE = """\
:root { color-scheme: light dark; --ink: #22303c; --faint: #5b6873; --line: #dfe4e8; --back: #ffffff; --soft: #f5f7f9;
  --link: #0072b2; --good: #0b7a57; --bad: #b3470a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e8ec; --faint: #9fabb5; --line: #36414a; --back: #14191d;
  --soft: #1d242a; --link: #6cb8ea; --good: #4cc79b; --bad: #f09055; }
  figure svg { filter: invert(0.925) hue-rotate(180deg); } }
body { margin: 0 auto; max-width: 66rem; padding: 1.5rem 1.25rem 4rem; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 1.7rem; margin: 0.5rem 0 0.2rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 0.7rem; padding-bottom: 0.25rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.4rem 0 0.4rem; overflow-wrap: anywhere; }
p { margin: 0.5rem 0; overflow-wrap: anywhere; }
.lead, caption, .note { color: var(--faint); }
.status { font-weight: 600; } .finished { color: var(--good); } .interrupted, .failed { color: var(--bad); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0.4rem 0; }
caption { text-align: left; padding-bottom: 0.25rem; }
th, td { text-align: right; padding: 0.28rem 0.8rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; } thead th { border-bottom-width: 2px; vertical-align: bottom; }
td:not(:first-child) { white-space: nowrap; } .texts td:not(:first-child) { white-space: normal; }
th:first-child, td:first-child, .texts td { text-align: left; padding-left: 0.2rem; }
.texts th { text-align: left; font-weight: 400; color: var(--faint); white-space: nowrap; }
.texts td { overflow-wrap: anywhere; }
tbody tr:hover { background: var(--soft); }
figure { margin: 0.8rem 0; } figure svg { max-width: 100%; height: auto; }
pre { background: var(--soft); padding: 0.65rem 0.9rem; border-radius: 6px; white-space: pre-wrap;
  overflow-wrap: anywhere; font-size: 0.88rem; margin: 0.3rem 0 1rem; }
details { margin: 0.6rem 0; } summary { cursor: pointer; color: var(--link); }
@media print { body { max-width: none; } figure { break-inside: avoid; } }
"""
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}</style>
</head>
<body>
{body}
</body>
</html>
"""


def text(value: object) -> str:
    """Whatever the user wrote, as text of the page: no markup, every character visible."""
    return escape(visible(str(value)), quote=True)


def page(title: str, body: Iterable[str]) -> str:
    """The whole file. `body` is markup."""
    return _PAGE.format(title=text(title), style=STYLE, body="\n".join(body))


def table(head: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table of texts: the first column to the left, numbers to the right."""
    lines = ['<div class="wide"><table>']
    if caption:
        lines.append(f"<caption>{text(caption)}</caption>")
    titles = "".join(f'<th scope="col">{text(cell)}</th>' for cell in head)
    lines.append(f"<thead><tr>{titles}</tr></thead>")
    lines.append("<tbody>")
    lines += [f"<tr>{''.join(f'<td>{text(cell)}</td>' for cell in row)}</tr>" for row in rows]
    return "\n".join([*lines, "</tbody></table></div>"])


def facts(rows: Iterable[tuple[str, object]]) -> str:
    """Names and what they are."""
    cells = (f'<tr><th scope="row">{text(name)}</th><td>{text(value)}</td></tr>' for name, value in rows)
    return "\n".join(['<table class="texts"><tbody>', *cells, "</tbody></table>"])


def command(what: str, line: str) -> str:
    """A command to copy, and what it does."""
    return f"<p>{text(what)}</p>\n<pre>{text(line)}</pre>"


def folded(title: str, inside: str) -> str:
    return f"<details>\n<summary>{text(title)}</summary>\n{inside}\n</details>"


_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_USED = re.compile(r'(?:url\(#|href="#)([^)"]+)')


def picture(svg: str, title: str) -> str:
    """An SVG of `figure.draw` as a part of the page: no prolog, no metadata, and of its ids those alone that something
    in it points to, since others would stand on the page once for each picture."""
    start = svg.index("<svg")
    inside = re.sub(r"<metadata>.*?</metadata>\s*", "", svg[start:], flags=re.S)
    used = {name for tag in _TAG.findall(inside) for name in _USED.findall(tag)}

    def cleaned(tag: re.Match[str]) -> str:
        return re.sub(r' id="([^"]*)"', lambda found: found[0] if found[1] in used else "", tag[0])

    # In SVG text `<` and `>` are always written as entities, so what looks like a tag is one.
    inside = _TAG.sub(cleaned, inside)
    return f'<figure role="img" aria-label="{text(title)}">\n{inside.strip()}\n</figure>'
