"""Text of the user in notebooks, summaries, run folders and tables of predictions."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.runtime.report import Unavailable
from nndsl.runtime.reports import folders
from nndsl.runtime.reports.compare import compared, listed
from nndsl.runtime.reports.history import HistoryFile, read_history
from nndsl.runtime.run_folder import RunFolder
from nndsl.runtime.written import packed
from nndsl.source import SourceFile
from nndsl.views.html import problems_html, summary_html
from nndsl.views.summary import summarize
from nndsl.views.summary_json import summary_json
from nndsl.views.summary_text import summary_text
from tests.attacks.payloads import STRINGS, quoted
from tests.attacks.test_outputs import TWIN, WRONG, plain, tags

RIGHT = """\
# {raw}
model M {{
    input x: float[8]
    h = x -> EinsumDense("bi,ij->bj", 4)
    output y = h -> Dense(2, activation=softmax)
        with loss=categorical_crossentropy, metrics=[AUC(name={text})]
}}
"""
TEXTS = {name: text for name, text in STRINGS.items() if name != "empty"} | {"surrogate": "a\udcffb\ud800"}


@pytest.mark.parametrize("name", TEXTS)
def test_notebooks_and_summaries(name: str) -> None:
    def shown(text: str) -> list[str]:
        raw = " ".join(text.splitlines())
        problems = Problems()
        pipeline.check(SourceFile(text, WRONG.format(text=quoted(text), raw=raw)), problems)
        pages = [problems_html(list(problems))]
        program = pipeline.check(SourceFile(text, RIGHT.format(text=quoted(text), raw=raw)), Problems())
        if program is not None:
            summary = summarize(program.models[0])
            pages.append(summary_html(summary))
            plain(summary_text(summary, width=100))
            json.loads(summary_json(summary))
        return pages

    for given, twin in zip(shown(TEXTS[name]), shown(TWIN), strict=False):
        kinds = [{tag for tag in tags(page) if tag[0] != "span"} for page in (given, twin)]
        assert kinds[0] == kinds[1] and {tag for tag in tags(given) if tag[0] == "span"} <= {("span", ("style",))}
        plain(given)


@pytest.mark.parametrize("name", TEXTS)
def test_tables_are_read_back(name: str, tmp_path: Path) -> None:
    text = TEXTS[name]
    if name != "surrogate":  # no text of a file
        table = packed({"y": np.eye(2, dtype="float32")}, ".csv", {"y": [text, "b"]}, {}).decode()
        rows = list(csv.reader(io.StringIO(table, newline="")))
        assert rows == [["y", "y_0", "y_1"], [text, "1.0", "0.0"], ["b", "0.0", "1.0"]]
        rows = [{"epoch": 1, f"y_{text}": 0.5}, {"epoch": 2, f"y_{text}": 0.25}]
        file = str(tmp_path / "history.csv")
        HistoryFile(file, rows).write()
        assert read_history(file) == rows


@pytest.mark.parametrize("name", TEXTS)
def test_run_folders(name: str, tmp_path: Path) -> None:
    """What stands in run.json is what was put there, and is shown as text."""

    def shown(text: str) -> int:
        keys = ("status", "reason", "begun", "model", "program", "device")
        about = dict.fromkeys(keys, text) | {"options": {"data": text}}
        RunFolder(str(tmp_path), {}).write_json("run.json", about)
        data = (tmp_path / "run.json").read_bytes()
        assert json.loads(data) == about and data.isascii()
        runs = [folders.read(str(tmp_path)), folders.read(str(tmp_path))]
        plain(listed(runs, 100))
        plain(compared(runs, 100))
        return listed(runs, None).count("\n")

    assert shown(TEXTS[name]) == shown(TWIN)


def test_parameters_of_savez_are_names_too() -> None:
    arrays = {"file": np.ones(3), "allow_pickle": np.zeros((3, 2)), "args": np.ones(1)}
    found = np.load(io.BytesIO(packed(arrays, ".npz", {}, {})))
    assert all(np.array_equal(found[name], array) for name, array in arrays.items()) and len(found) == 3


def test_two_columns_of_one_name_are_told() -> None:
    with pytest.raises(Unavailable, match="two columns would be called `y_0`"):
        packed({"y": np.ones((2, 2)), "y_0": np.ones(2)}, ".csv", {}, {})
