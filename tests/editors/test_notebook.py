"""`%%nn` in a real IPython shell: what is shown, as text and as HTML, and what is defined."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from IPython.core.completer import CompletionContext
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output
from traitlets.config import Config

GOOD = """%%nn {line}
model Small {{
    input x: float[4]
    output y = x -> Dense(3) with loss=mse
}}
"""


class Cell(SimpleNamespace):
    """What came of a cell: `texts` and `htmls` are what was displayed, `printed` what was printed."""

    texts: list[str]
    htmls: list[str]
    svgs: list[str]
    printed: str
    fine: bool


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = InteractiveShell.instance(config=config)
    try:
        assert run(shell, "%load_ext nndsl").fine
        yield shell
    finally:
        InteractiveShell.clear_instance()


def run(shell: InteractiveShell, text: str) -> Cell:
    with capture_output() as caught:
        result = shell.run_cell(text)
    data = [output.data for output in caught.outputs]
    return Cell(
        texts=[item["text/plain"] for item in data],
        htmls=[item["text/html"] for item in data if "text/html" in item],
        svgs=[item["image/svg+xml"] for item in data if "image/svg+xml" in item],
        printed=caught.stdout + caught.stderr,
        fine=result.success,
    )


@pytest.mark.torch
def test_a_cell_shows_its_summary_and_defines_the_class(shell: InteractiveShell) -> None:
    cell = run(shell, GOOD.format(line=""))
    assert cell.fine and cell.printed == ""
    assert len(cell.texts) == 1 and "Parameters:     15 (60 bytes, float32)" in cell.texts[0]
    (html,) = cell.htmls
    assert re.search(
        r"<td[^>]*>y</td><td[^>]*>Dense</td><td[^>]*>x</td><td[^>]*>\[batch, 3\]</td><td[^>]*>15</td>", html
    )
    assert run(shell, "import torch; shape = Small()(torch.zeros(2, 4))['y'].shape").fine
    assert list(shell.user_ns["shape"]) == [2, 3]
    assert shell.user_ns["Small"].__name__ == "Small"


@pytest.mark.torch
def test_a_name_a_parameter_a_model_code_and_graph(shell: InteractiveShell) -> None:
    text = """%%nn Net --set units=5 --set "sizes=[2, 3]" --model First --graph --code
param units = 3
param sizes = [1]
model First { input x: float[4]; output y = x -> repeat s in sizes { Dense(s) } -> Dense(units) with loss=mse }
model Second { input x: float[4]; output y = x -> Dense(units) with loss=mse }
"""
    cell = run(shell, text)
    assert cell.fine, cell
    assert "Net" in shell.user_ns and "First" not in shell.user_ns and "Second" not in shell.user_ns
    assert shell.user_ns["Net"]().y.out_features == 5
    assert cell.svgs[0].startswith("<svg") and "class First(nn.Module)" in cell.texts[2]


def test_errors_are_shown_with_the_lines_of_the_cell_and_nothing_is_defined(shell: InteractiveShell) -> None:
    cell = run(shell, "%%nn\nmodel Wrong {\n    input x: float[4]\n    output y = x -> Dens(3) with los=mse\n}\n")
    assert not cell.fine, "a notebook that is run as a whole stops"
    (text,) = cell.texts
    assert "error[NN0202]: there is no layer called `Dens`" in text and re.search(r"--> In\[\d+\]:4:21", text)
    assert " 4 |     output y = x -> Dens(3) with los=mse" in text and "help: did you mean `Dense`?" in text
    assert "UsageError: nothing is defined: 2 errors" in cell.printed and "Traceback" not in cell.printed
    assert "Wrong" not in shell.user_ns
    assert '<span style="color:#d43a3a;font-weight:bold">error[NN0202]</span>' in cell.htmls[0]


@pytest.mark.torch
def test_warnings_are_shown_above_the_summary(shell: InteractiveShell) -> None:
    body = (
        "model Warned {\n    input x: float[4]\n    h = x -> Dense(2)\n    output y = x -> Dense(3) with loss=mse\n}\n"
    )
    cell = run(shell, f"%%nn\n{body}")
    assert cell.fine and "warning[" in cell.texts[0] and ":4:5" in cell.texts[0] and "Parameters:" in cell.texts[1]
    assert "Warned" in shell.user_ns


def test_no_text_of_the_user_is_markup(shell: InteractiveShell) -> None:
    evil = "<img src=x onerror=alert(1)>"
    cell = run(
        shell, f'%%nn\nmodel A {{\n    input x: float[4]\n    output y = x -> Dense("{evil}") # {evil} \x1b[31m\n}}\n'
    )
    assert not cell.fine and evil not in cell.htmls[0] and "&lt;img src=x" in cell.htmls[0]
    assert "\x1b" not in cell.htmls[0] + cell.texts[0]
    Path("<b>.nn").write_text("model A {\n    input x: float[4]\n    output y = x -> Lambda2(1)\n}\n")
    cell = run(shell, "%nn <b>.nn")
    assert "&lt;b&gt;.nn:3:21" in cell.htmls[0] and "<b>" not in cell.htmls[0]


@pytest.mark.torch
def test_a_file_and_what_it_imports(shell: InteractiveShell) -> None:
    Path("parts.nn").write_text("block Twice(n) {\n    input x\n    output y = x -> Dense(n) -> Dense(n)\n}\n")
    body = "    input x: float[4]\n    output y = x -> Twice(3) with loss=mse\n"
    text = f'from "parts.nn" import Twice\nmodel Whole {{\n{body}}}\n'
    Path("whole.nn").write_text(text)
    assert run(shell, "%nn whole.nn Mine").fine and "Mine" in shell.user_ns
    assert run(shell, f"%%nn\n{text}").fine and "Whole" in shell.user_ns, "a cell imports from the current folder"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("%nn", "UsageError: %nn takes a file, `%nn model.nn`; a cell that begins with %%nn is a model itself"),
        (GOOD.format(line="A B"), "UsageError: one name at most is defined, not `A B`"),
        (GOOD.format(line="1x"), "UsageError: `1x` is no name of Python"),
        (GOOD.format(line="lambda"), "UsageError: `lambda` is no name of Python"),
        (GOOD.format(line="print"), "UsageError: `print` is a name of Python or IPython"),
        (GOOD.format(line="get_ipython"), "UsageError: `get_ipython` is a name of Python or IPython"),
        (
            GOOD.format(line="--set units"),
            "--set takes NAME=VALUE, not `units`: for instance --set classes=100",
        ),
        (
            GOOD.format(line="--model Smal"),
            "there is no model called `Smal` in In[{}]: did you mean `Small`?",
        ),
        (GOOD.format(line="--target jax"), "UsageError: argument --target: invalid choice: 'jax'"),
        (GOOD.format(line="'A"), "UsageError: %%nn: No closing quotation in `'A`"),
        (GOOD.format(line="").replace("Small", "print"), "give another name: %%nn NAME"),
        (GOOD.format(line="").replace("Small", "Out"), "give another name: %%nn NAME"),
    ],
)
def test_wrong_usage_is_told_in_a_line(shell: InteractiveShell, text: str, message: str) -> None:
    before = set(shell.user_ns)
    cell = run(shell, text)
    assert not cell.fine and "Traceback" not in cell.printed
    assert message.replace("{}", str(shell.execution_count)) in cell.printed
    assert set(shell.user_ns) == before


def test_a_missing_file_and_a_missing_framework(shell: InteractiveShell, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = run(shell, "%nn nowhere.nn")
    assert not cell.fine and "nowhere.nn" in cell.texts[0] and "Traceback" not in cell.printed
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    cell = run(shell, GOOD.format(line="--target keras"))
    assert not cell.fine and "pip install 'nndsl[keras]'" in cell.printed and "Parameters:" in cell.texts[0]
    assert "Small" not in shell.user_ns


@pytest.mark.slow
@pytest.mark.keras
def test_keras_is_a_function_that_builds_the_model(shell: InteractiveShell) -> None:
    assert run(shell, GOOD.format(line="--target keras build")).fine
    assert shell.user_ns["build"]().output_shape == (None, 3)


def test_names_are_completed_in_a_cell_and_nowhere_else(shell: InteractiveShell) -> None:
    def offered(text: str, token: str) -> set[str]:
        lines = text.split("\n")
        context = CompletionContext(
            token=token, full_text=text, cursor_position=len(lines[-1]), cursor_line=len(lines) - 1, limit=None
        )
        found: Any = shell.Completer.custom_matchers[-1](context)
        return {item.text for item in found["completions"]}

    assert {"Conv2D", "Conv2DTranspose"} <= offered("%%nn\nmodel A {\n    y = x -> Conv2", "Conv2")
    assert offered("%%nn\nmod", "mod") == {"model"}
    assert offered("y = Conv2", "Conv2") == set() and offered("%%nn Conv2", "Conv2") == set()


def test_help_tells_the_options(shell: InteractiveShell) -> None:
    text = shell.find_magic("nn", "cell").__doc__
    assert "--target" in text and "--graph" in text and "Where there are errors nothing is defined" in text
    assert run(shell, "%load_ext nndsl.notebook").fine, "the longer name is good too"


@pytest.mark.torch
def test_the_cell_of_the_documentation(shell: InteractiveShell) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "editors.md").read_text(encoding="utf-8")
    (found,) = re.findall(r"^    %%nn\n(?:    .*\n)+", page, re.M)
    assert run(shell, textwrap.dedent(found)).fine and shell.user_ns["Small"]().y.out_features == 3
