"""A drawing as SVG: one file of its own, no scripts, no fonts to load, the same text on every run."""

from __future__ import annotations

from xml.sax.saxutils import escape

from nndsl.diagnostics.terminal import char_cells, visible
from nndsl.views.graph import Box, Drawing
from nndsl.views.graph_layout import Layout, Place, lay_out

_NAME, _TEXT = 13, 11.5  # font sizes
_CHAR = 0.602  # width of a character of a monospaced font at size 1
_LINE = 17
_PAD_X, _PAD_Y = 14, 8
_BETWEEN = 38  # ranks
_MARGIN = 24

_COLORS = {  # fill, border
    "input": ("#e7f4ec", "#3c8d5f"),
    "layer": ("#f4f7fb", "#5b7aa6"),
    "shared": ("#f3eefa", "#8460b5"),
    "output": ("#fdf1e3", "#c27a2c"),
}
_STYLE = (
    "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#1c2733;text-anchor:middle}"
    f".name{{font-size:{_NAME}px;font-weight:600}}.text{{font-size:{_TEXT}px;fill:#46566b}}"
    ".edge{fill:none;stroke:#7b8794;stroke-width:1.4}.label{font-size:10px;fill:#46566b}.halo{font-size:10px;stroke:#ffffff;stroke-width:4}"
)


def svg(drawing: Drawing) -> str:
    """The picture: a box for each input, call and output, with arrows from top to bottom."""
    layout = lay_out([_width(box) for box in drawing.boxes], [(a.source, a.target) for a in drawing.arrows])
    tops, heights = _rows(drawing, layout)
    total = (tops[-1] + heights[-1] if tops else 0) + 2 * _MARGIN
    width = layout.width + 2 * _MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_n(width)} {_n(total)}" width="{_n(width)}" '
        f'height="{_n(total)}" role="img">',
        f"<title>{_xml(drawing.title)}</title>",
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0,0.8 L7.4,4 L0,7.2 Z" fill="#7b8794"/></marker></defs>',
        f'<rect width="{_n(width)}" height="{_n(total)}" fill="#ffffff"/>',
        f'<g transform="translate({_MARGIN} {_MARGIN})">',
    ]
    ports = _ports(layout)
    for arrow, path in zip(drawing.arrows, layout.paths, strict=True):
        parts += _edge(drawing, path, tops, heights, arrow.label, ports)
    for rank in layout.ranks:
        for place in rank:
            if place.box >= 0:
                box = drawing.boxes[place.box]
                top = tops[place.rank] + (heights[place.rank] - _height(box)) / 2
                parts += _drawn(box, place, top)
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def _rows(drawing: Drawing, layout: Layout) -> tuple[list[float], list[float]]:
    """The top and the height of each rank."""
    tops, heights, at = [], [], 0.0
    for rank in layout.ranks:
        height = max((_height(drawing.boxes[place.box]) for place in rank if place.box >= 0), default=0.0)
        tops.append(at)
        heights.append(height)
        at += height + _BETWEEN
    return tops, heights


def _width(box: Box) -> float:
    sizes = [_NAME if number == 0 else _TEXT for number in range(len(box.lines))]
    text = max(_cells(line) * size * _CHAR for line, size in zip(box.lines, sizes, strict=True))
    return max(text + 2 * _PAD_X, 90.0)


def _height(box: Box) -> float:
    return _LINE * len(box.lines) + 2 * _PAD_Y


def _drawn(box: Box, place: Place, top: float) -> list[str]:
    fill, border = _COLORS[box.kind]
    radius = _height(box) / 2 if box.kind in ("input", "output") and len(box.lines) < 3 else 6
    dashes = ' stroke-dasharray="5 3"' if box.kind == "shared" else ""
    left = place.x - place.width / 2
    parts = [
        f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(place.width)}" height="{_n(_height(box))}" '
        f'rx="{_n(radius)}" fill="{fill}" stroke="{border}" stroke-width="1.3"{dashes}/>'
    ]
    for number, line in enumerate(box.lines):
        y = top + _PAD_Y + _LINE * (number + 0.74)
        kind = "text" if number else "name"
        parts.append(f'<text class="{kind}" x="{_n(place.x)}" y="{_n(y)}">{_xml(line)}</text>')
    return parts


def _edge(
    drawing: Drawing,
    path: list[Place],
    tops: list[float],
    heights: list[float],
    label: str,
    ports: dict[tuple[int, int], float],
) -> list[str]:
    """A curve from the foot of one box through its bends to the head of another, upright where it starts and ends."""

    def half(place: Place) -> float:
        return _height(drawing.boxes[place.box]) / 2

    def middle(place: Place) -> float:
        return tops[place.rank] + heights[place.rank] / 2

    first, *bends, last = path
    x, y = ports[id(first), id(path[1])], middle(first) + half(first)
    steps = [f"M{_n(x)},{_n(y)}"]
    foot = tops[first.rank] + heights[first.rank]  # arrows turn between the ranks, never behind a box
    if foot > y:
        steps.append(f"V{_n(foot)}")
    y = foot
    for bend in bends:
        top, bottom = tops[bend.rank], tops[bend.rank] + heights[bend.rank]
        steps += [_curve(x, y, bend.x, top), f"V{_n(bottom)}"]
        x, y = bend.x, bottom
    head = middle(last) - half(last)
    end = ports[id(last), id(path[-2])]
    steps.append(_curve(x, y, end, head - 1))
    parts = [f'<path class="edge" d="{"".join(steps)}" marker-end="url(#tip)"/>']
    if label:
        spot = f'x="{_n((x + end) / 2)}" y="{_n((y + head) / 2 + 2)}">{_xml(label)}</text>'
        parts += [f'<text class="{kind}" {spot}' for kind in ("halo", "label")]
    return parts


def _ports(layout: Layout) -> dict[tuple[int, int], float]:
    """Where the arrows between a box and each neighbour touch the box: several are spread over its middle, in the order
    of where they lead."""
    found: dict[tuple[int, int], float] = {}
    for place in (place for rank in layout.ranks for place in rank if place.box >= 0):
        for neighbours in (place.above, place.below):
            others = sorted(neighbours, key=lambda other: other.x)
            step = min(place.width * 0.6 / max(len(others) - 1, 1), 18.0)
            for at, other in enumerate(others):
                found.setdefault((id(place), id(other)), place.x + (at - (len(others) - 1) / 2) * step)
    return found


def _curve(x: float, y: float, to_x: float, to_y: float) -> str:
    if abs(x - to_x) < 0.05:
        return f"V{_n(to_y)}"
    half = (y + to_y) / 2
    return f"C{_n(x)},{_n(half)} {_n(to_x)},{_n(half)} {_n(to_x)},{_n(to_y)}"


def _cells(text: str) -> int:
    return sum(map(char_cells, text))


def _xml(text: str) -> str:
    return escape(visible(text))


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0") if abs(number) >= 0.05 else "0"
