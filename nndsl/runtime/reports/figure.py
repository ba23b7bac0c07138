"""How pictures are drawn: matplotlib without pyplot, a window or a setting that outlives the picture.

A picture is the same to the byte on every run with the same version of matplotlib: no date, no random ids, none of the
user's own matplotlib settings. Text stays text in SVG, and nothing of it is read as mathematics.
"""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from nndsl.diagnostics.terminal import visible
from nndsl.runtime.report import Unavailable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN = "#0072B2", "#D55E00", "#009E73"  # of Okabe and Ito: told apart by everybody
INK, FAINT, GRID = "#22303c", "#66737f", "#dfe4e8"
CLASS_COLORS = (
    "#332288", "#E69F00", "#117733", "#CC3311", "#33BBEE", "#AA4499", "#999933", "#000000", "#EE99AA", "#44AA99",
)  # fmt: skip
AS_SHAPES = 1500
"""More points are drawn as a picture in the SVG, where each as a shape would make the page slow."""
_FALLBACKS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC",
    "Hiragino Sans", "Yu Gothic", "Malgun Gothic", "Apple SD Gothic Neo", "Noto Sans Devanagari", "Noto Sans Thai",
)  # fmt: skip
MARKERS = "os^DvPX<>*"
_STYLE: Any = {
    "font.size": 10,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.titlecolor": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9aa5ae",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": "#9aa5ae",
    "ytick.color": "#9aa5ae",
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "svg.fonttype": "none",
    "figure.dpi": 160,
}


def available() -> None:
    """Raises Unavailable where there is no matplotlib."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise Unavailable(
            "matplotlib is not installed, so no pictures were drawn",
            "install it: pip install 'nndsl[pictures]'",
        ) from None


@contextmanager
def style(salt: str) -> Iterator[None]:
    """The settings that pictures are drawn with; behind it all are as before."""
    import matplotlib

    defaults = {name: value for name, value in matplotlib.rcParamsDefault.items() if not name.startswith("backend")}
    with warnings.catch_warnings(), matplotlib.rc_context():
        warnings.simplefilter("ignore")  # a glyph that the font has not: browsers find another font
        matplotlib.rcParams.update(defaults)
        matplotlib.rcParams.update(_STYLE)
        matplotlib.rcParams.update({"svg.hashsalt": salt, "font.family": _families()})
        yield


@cache
def _families() -> list[str]:
    """The font that matplotlib brings, and those of this machine for the letters that it has not."""
    from matplotlib.font_manager import fontManager

    there = set(fontManager.get_font_names())
    return ["DejaVu Sans", *(name for name in _FALLBACKS if name in there)]


def draw(name: str, title: str, paint: Callable[[], Figure]) -> dict[str, bytes]:
    """The picture as PNG and SVG, by ending. `paint` makes the figure; `name` is that of the file, and keeps the ids
    of several pictures on one page apart."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    found: dict[str, bytes] = {}
    with style(name):
        figure = paint()
        stream = io.BytesIO()
        agg: Any = FigureCanvasAgg(figure)  # matplotlib has no types for what it prints with
        agg.print_png(stream, metadata={"Software": None})
        found["png"] = stream.getvalue()
        figure.set_layout_engine("none")  # everything has its place now, which is half of the work
        stream = io.BytesIO()
        vectors: Any = FigureCanvasSVG(figure)
        vectors.print_svg(stream, metadata={"Date": None, "Creator": None, "Title": visible(title)})
        found["svg"] = stream.getvalue()
    return found


def new(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, whose parts make room for each other."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def short(text: str, longest: int = 40) -> str:
    """Text of the user as a label: every character shows, the middle of what is long is left out."""
    text = visible(" ".join(text.split()))
    if len(text) <= longest:
        return text
    half = (longest - 1) // 2
    return f"{text[: longest - 1 - half]}…{text[-half:]}"


def number(value: float) -> str:
    """Four digits that count: 0.03142, 31.42, 31,420, 3.142e+09."""
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else ("∞" if value > 0 else "−∞")
    size = abs(value)
    if size and not 1e-4 <= size < 1e7:
        return f"{value:.3e}".replace("-", "−")
    if size >= 1000:
        return f"{value:,.0f}".replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def logarithmic(axes: Axes, which: str) -> None:
    """Makes the axis `x` or `y` logarithmic, with plain numbers at its ticks: 0.01, 1, 1,000."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    getattr(axes, f"set_{which}scale")("log")
    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(LogLocator(numticks=8))
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value)))
    axis.set_minor_formatter(NullFormatter())


def tick(value: float) -> str:
    """A short number for a tick: 0.001, 20, 1e−6."""
    size = abs(value)
    if size and not 1e-4 <= size < 1e6:
        mantissa, _, exponent = f"{value:.3e}".partition("e")
        digits = mantissa.rstrip("0").rstrip(".")
        return f"{digits}e{int(exponent)}".replace("-", "−")
    return f"{value:,.6g}".replace("-", "−")


def plain(axes: Axes, which: str) -> None:
    """Plain numbers at the ticks of a linear axis, with as many digits as tell them apart."""
    from matplotlib.ticker import MaxNLocator, ScalarFormatter

    axis = getattr(axes, f"{which}axis")
    axis.set_major_locator(MaxNLocator(6, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))
    formatter = ScalarFormatter(useOffset=False, useMathText=False)
    formatter.set_powerlimits((-4, 6))
    axis.set_major_formatter(formatter)
