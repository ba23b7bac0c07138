"""What stands in a run folder for people: pictures, the page; and that nothing of the user's text gets out of hand."""

from __future__ import annotations

import math
import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from nndsl.runtime.reports.curves import panels, thinned
from nndsl.runtime.reports.gathering import Gathering
from nndsl.runtime.reports.judged import Array
from nndsl.runtime.reports.metrics import metrics_of
from nndsl.runtime.reports.write import stem_of, write_reports

GENERATOR = np.random.default_rng(0)
HOSTILE = ["<script>alert(1)</script>", "\x1b[31mred", 'a" onload="x', "$\\frac{$ & ]]>", "\u202eright to left"]
HISTORY = [
    {
        "epoch": n,
        "loss": 10.0 / n**3,
        "val_loss": 11.0 / n,
        "accuracy": n / 9,
        "val_accuracy": n / 10,
        "learning_rate": 0.1,
    }
    for n in range(1, 9)
]
SUMMARY: dict[str, Any] = {
    "nndsl": "0.1.0", "model": "Net", "program": "my nets/it's.nn", "params": {"width": 64, "sizes": [1, 2]},
    "options": {"epochs": 8, "batch_size": None, "quiet": True, "data": HOSTILE[0]}, "data": HOSTILE[1],
    "device": "cpu", "target": "torch", "status": "interrupted", "reason": HOSTILE[2], "begun": "2026-11-26T21:00:00Z",
    "seconds": 75.0, "epochs": 8, "steps": 80, "samples": {"train": 100, "test": 20},
}  # fmt: skip


def gathered(output: str, prediction: Array, target: Array, loss: str, classes: list[str] | None = None) -> Gathering:
    found = Gathering(output, loss, classes)
    found.add(prediction, target)
    return found


def classified(classes: list[str], output: str = "label") -> Gathering:
    prediction = GENERATOR.random((60, len(classes)))
    return gathered(output, prediction, prediction.argmax(axis=1), "sparse_categorical_crossentropy", classes)


def regressed(columns: int = 2, output: str = "price") -> Gathering:
    truth = GENERATOR.standard_normal((40, columns))
    return gathered(output, truth + 0.1, truth, "mean_squared_error")


class Tags(HTMLParser):
    """The tags and attributes of a page, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        self.ids += [value or "" for name, value in attrs if name == "id"]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_everything_is_there_and_hostile_text_is_text(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    maps = {"encoder": (GENERATOR.standard_normal((50, 2)), GENERATOR.integers(0, 5, 50)), "curves": (np.eye(2), None)}
    judged = [classified(HOSTILE), regressed(), gathered("ctc", np.ones((3, 4, 5)), np.ones((3, 2)), "ctc")]
    names = {"encoder": HOSTILE}
    written = write_reports(
        str(tmp_path), f"{HOSTILE[0]} {HOSTILE[1]} {HOSTILE[3]}", HISTORY, judged, maps, SUMMARY, names
    )
    stems = ("curves", "confusion-label", "predictions-price", "encoder", "curves-map")
    assert sorted(written) == sorted([*(f"{stem}.{end}" for stem in stems for end in ("png", "svg")), "report.html"])
    assert sorted(written) == sorted(path.name for path in tmp_path.iterdir())
    for stem in stems:
        assert (tmp_path / f"{stem}.png").read_bytes().startswith(b"\x89PNG")
        svg = (tmp_path / f"{stem}.svg").read_bytes()
        root = ElementTree.fromstring(svg)
        assert {element.tag.rpartition("}")[2] for element in root.iter()}.isdisjoint({"script", "foreignObject", "a"})
        assert not any(name.startswith("on") for element in root.iter() for name in element.attrib)
        assert b"\x1b" not in svg and "\u202e" not in svg.decode()
    shown = "".join(ElementTree.fromstring((tmp_path / "confusion-label.svg").read_bytes()).itertext())
    assert "␛[31mred" in shown and "$\\frac{$ & ]]>" in shown
    page = (tmp_path / "report.html").read_text("utf-8")
    tags = Tags(page)
    assert "script" not in tags.tags and not any(name.startswith("on") for name in tags.attributes)
    assert not {"img", "link", "iframe", "object", "form"} & tags.tags
    assert all(text in tags.text for text in (HOSTILE[0], "␛[31mred", HOSTILE[2], HOSTILE[3], "<U+202E>right to left"))
    assert "\x1b" not in page and "\u202e" not in page
    assert len(tags.ids) == len(set(tags.ids)), "an id stands twice"
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', page))
    assert used == set(tags.ids), "a picture points to what is not there, or has ids that nothing points to"
    # Nothing is loaded: the only addresses are names of XML vocabularies.
    assert not re.search(r'(?:src|href)="(?!#|data:image/png;base64,)', page.replace(' xlink:href="#', ' href="#'))


def test_the_commands_can_be_typed(tmp_path: Path) -> None:
    write_reports(str(tmp_path), "Net", [], [], {}, SUMMARY)
    text = Tags((tmp_path / "report.html").read_text("utf-8")).text
    again = "nndsl run 'my nets/it'\"'\"'s.nn' --model Net --set width=64 --set 'sizes=[1, 2]' --epochs 8 --quiet"
    assert f"{again} --data '{HOSTILE[0]}'" in text
    assert f"nndsl run --resume {tmp_path}" in text and f"nndsl predict {tmp_path} --data new.csv" in text
    write_reports(
        str(tmp_path), "Net", [], [], {}, SUMMARY | {"command": ["nndsl", "run", "a b.nn"], "status": "finished"}
    )
    text = Tags((tmp_path / "report.html").read_text("utf-8")).text
    assert "nndsl run 'a b.nn'\n" in text and "--resume" not in text


def test_pictures_are_the_same_every_time_and_leave_no_setting_behind(tmp_path: Path) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    judged = [classified(["a", "b"]), regressed(1)]
    points = (GENERATOR.standard_normal((2000, 2)), GENERATOR.integers(0, 3, 2000))
    before = dict(matplotlib.rcParams)
    found = []
    for run in ("one", "two"):
        (tmp_path / run).mkdir()
        own = {"font.size": 30, "axes.facecolor": "yellow", "text.parse_math": True} if run == "two" else {}
        with matplotlib.rc_context(own):
            names = write_reports(str(tmp_path / run), "Net", HISTORY, judged, {"code": points}, {})
        found.append({name: (tmp_path / run / name).read_bytes() for name in names if name != "report.html"})
    assert found[0] == found[1] and len(found[0]) == 8
    assert dict(matplotlib.rcParams) == before
    assert "matplotlib.pyplot" not in sys.modules or matplotlib.pyplot.get_fignums() == []


def test_without_matplotlib_the_tables_stand_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    notes: list[str] = []
    judged = [classified(["cat", "dog"]), regressed()]
    written = write_reports(str(tmp_path), "Net", HISTORY, judged, {}, SUMMARY, note=notes.append)
    assert written == ["report.html"] == [path.name for path in tmp_path.iterdir()]
    assert len(notes) == 1 and "pip install 'nndsl[pictures]'" in notes[0]
    text = Tags((tmp_path / "report.html").read_text("utf-8")).text
    assert (
        notes[0] in text and "Precision" in text and "Mean absolute error" in text and "least validation loss" in text
    )


def test_the_page_has_the_results(tmp_path: Path) -> None:
    from types import SimpleNamespace as Of

    output = Of(name="label", loss=0.25, weight=2.0, weighted=0.5, metrics={"accuracy": 0.875})
    result: Any = Of(loss=0.75, outputs=[output], samples=1234, penalties=0.25)
    results = metrics_of({"test": result, "cross_validation": [result, result]})
    write_reports(str(tmp_path), "Net", [], [], {}, SUMMARY | {"results": results})
    text = Tags((tmp_path / "report.html").read_text("utf-8")).text
    for word in (
        "On data held out, 1,234 samples",
        "0.875",
        "penalties",
        "Cross-validation",
        "Part 2",
        "param sizes",
        "[1, 2]",
    ):
        assert word in text


@pytest.mark.parametrize("name", ["../x", "a/b", "a b", "confusion-../x", "x-y", "", "confusion-", "a\0", "é"])
def test_a_file_bears_no_name_but_a_checked_one(name: str) -> None:
    with pytest.raises(ValueError, match="no name of an output or submodel"):
        stem_of(name)


def test_long_names_stay_apart() -> None:
    one, other = (stem_of(f"confusion-{'x' * 300}{end}") for end in "ab")
    assert one != other and max(len(one), len(other)) < 120
    assert stem_of("vae.encoder") == "vae.encoder"


def test_panels_are_the_numbers_that_change() -> None:
    assert [panel.title for panel in panels(HISTORY)] == ["Loss", "Accuracy"]
    assert [panel.spans_decades for panel in panels(HISTORY)] == [True, False]
    falling = [{"step": n, "mae": 1.0, "y_loss": 2.0, "loss": 3.0 - n, "learning_rate": 0.1 / n} for n in (1, 2, 3)]
    assert [panel.name for panel in panels(falling)] == ["loss", "y_loss", "mae", "learning_rate"]
    assert not panels(falling)[0].spans_decades, "a logarithm of 0"
    assert panels([]) == []


def test_a_thinned_line_keeps_its_peaks_and_gaps() -> None:
    x = np.arange(10_000.0)
    y = np.sin(x / 500)
    y[1234], y[7777], y[5000:5100] = 40.0, -40.0, math.nan
    kept_x, kept_y = thinned(x, y, 500)
    assert len(kept_x) <= 502 and (np.diff(kept_x) > 0).all()
    assert np.nanmax(kept_y) == 40.0 and np.nanmin(kept_y) == -40.0 and np.isnan(kept_y).any()


@pytest.mark.parametrize(
    "history",
    [
        [{"epoch": 1, "loss": 1.0}],
        [{"epoch": 1, "loss": math.nan}, {"epoch": 2, "loss": math.inf}],
        [{"step": n, "loss": 1e-300 * n, **{f"f1_{k}": 1e300 for k in range(30)}} for n in range(2)],
        [{"loss": 0.0}, {"loss": 0.0}],
    ],
    ids=["one", "nan", "many", "zero"],
)
def test_curves_of_odd_histories(tmp_path: Path, history: list[dict[str, float]]) -> None:
    pytest.importorskip("matplotlib")
    assert "curves.png" in write_reports(str(tmp_path), "Net", history, [], {}, {})


@pytest.mark.parametrize(
    "judged",
    [
        gathered("y", np.ones((4, 1)), np.ones((4, 1)), "mse"),
        gathered("y", np.full((4, 1), np.nan), np.ones((4, 1)), "mse"),
        gathered("y", np.full((4, 3), np.nan), np.ones(4), "sparse_categorical_crossentropy"),
        gathered("y", np.eye(40), np.arange(40), "sparse_categorical_crossentropy"),
        gathered("y", GENERATOR.random((9, 3)), GENERATOR.integers(0, 2, (9, 3)), "binary_crossentropy"),
        gathered("y", np.array([[1e300], [-1e300]]), np.array([[1e-300], [0]]), "mse"),
    ],
    ids=["constant", "no number", "no class", "many classes", "labels", "huge"],
)
def test_odd_outputs(tmp_path: Path, judged: Gathering) -> None:
    pytest.importorskip("matplotlib")
    write_reports(str(tmp_path), "Net", [], [judged], {}, {})
    assert "Output <code>y</code>" in (tmp_path / "report.html").read_text("utf-8")
