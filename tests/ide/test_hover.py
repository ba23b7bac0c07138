"""What is shown for the word at the caret. The goldens are read as prose: tests/ide/hovers.md."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from nndsl.ide.analysis import Analysis
from nndsl.ide.hover import hover
from nndsl.ide.markdown import block, inline, prose
from nndsl.source import SourceFile
from tests.ide.carets import CARET, at_caret, in_model

_TWICE = "x = image -> Residual(3) -> Residual(4) -> Scale(2.0)"
_STEPS = "steps = words -> Embedding(10, 8) -> Conv1D(4, 5) -> MaxPooling1D(2)\n    "
_END = "output label = features -> Dense(classes, activation=softmax)"

SHOWN = {
    "A layer": in_model("x = image -> Conv‸2D(8, 3)"),
    "A layer over a free size": in_model("x = words -> Embedding(10, 8) -> Conv‸1D(4, 5)"),
    "A layer with frozen weights": in_model("x = image -> BatchNormali‸zation()"),
    "A layer of several inputs": in_model("x = (features, features) -> A‸dd()"),
    "A layer inside of a block": in_model(_TWICE).replace("Conv2D(filters", "Conv2‸D(filters"),
    "A layer in a repeat": in_model("x = features -> repeat units in [64, 32] { Den‸se(units) }"),
    "A layer whose arguments are wrong": in_model("x = image -> Conv‸2D(8, 3, padding=smae)"),
    "A layer in text that does not parse": in_model("x = words -> Embed‸ding(10, 8, -> Conv1D("),
    "A layer in another layer": in_model("x = words -> Embedding(10, 8) -> TimeDistributed(Den‸se(3))"),
    "The call of a block": in_model("x = image -> Resi‸dual(width)"),
    "The definition of a block": in_model(_TWICE).replace("block Res", "block Res‸"),
    "The call of a layer of one's own": in_model("x = features -> Sca‸le()"),
    "A shared layer where it is made": in_model("").replace("shared enc", "shared enc‸"),
    "A shared layer where it is called": in_model("x = words -> Embedding(10, 8) -> enco‸der"),
    "An imported block": 'from "other.nn" import Half\n' + in_model("x = features -> Ha‸lf()"),
    "An imported name": 'from "other.nn" import Ha‸lf\n',
    "The path of an import": 'from "oth‸er.nn" import Half\n',
    "The path of a file that is not there": 'from "oth‸ers.nn" import Half\n',
    "An argument": in_model("x = image -> Conv2D(8, 3, pad‸ding=same)"),
    "An argument with a value that is computed": in_model("x = image -> Conv2D(fil‸ters=width // 2, kernel_size=3)"),
    "An argument of a block": in_model("x = image -> Residual(3, stri‸de=width)"),
    "An argument that takes values": in_model("x = words -> LSTM(3, initial_s‸tate=(features, features))"),
    "A choice": in_model("x = image -> Conv2D(8, 3, padding=sa‸me)"),
    "An activation": in_model("x = image -> Conv2D(8, 3, activation=re‸lu)"),
    "An activation by position": in_model("x = features -> Dense(8, re‸lu)"),
    "An initializer": in_model("x = features -> Dense(8, kernel_initializer=glorot_uni‸form)"),
    "A loss": in_model(_END + " with loss=sparse_categorical_cross‸entropy"),
    "A metric": in_model(_END + " with loss=sparse_categorical_crossentropy, metrics=[accu‸racy]"),
    "An option of an output": in_model(_END + " with lo‸ss=mse"),
    "An option of an input": in_model("input more: float[3] with bat‸ch=3"),
    "An optimizer": in_model("train { optimizer = Ad‸am(1e-3) }"),
    "An argument of an optimizer": in_model("train { optimizer = Adam(learning_r‸ate=1e-3) }"),
    "A setting of `train`": in_model("train { batch_si‸ze = 3 }"),
    "A setting on a line of its own": in_model("train {\n        batch_size = 3\n        epo‸chs = 3\n    }"),
    "An optimizer in a map": in_model('train { optimizer = MultiOptimizer(OptimizerMap(SGD(), [("a/.*", Ad‸am())])) }'),
    "A value of a setting": in_model("train { precision = bfloat‸16 }"),
    "A setting of `options`": in_model("options { data_f‸ormat = channels_first }"),
    "A value of an option": in_model("options { data_format = channels_‸first }"),
    "A reader": in_model('data { source t = cs‸v("a.csv") }'),
    "A source": in_model('data { source table = csv("a.csv"); image = ta‸ble[0] }'),
    "A transform": in_model('data { source t = csv("a.csv"); image = t[0] -> sca‸le(2) }'),
    "A value": in_model("x = fea‸tures -> Dense(3)"),
    "A value of a free size": in_model(_STEPS + "x = ste‸ps -> LSTM(3)"),
    "A value where it is defined": in_model("").replace("features =", "feat‸ures ="),
    "One of several results": in_model("(a, c‸) = words -> Embedding(9, 3) -> GRU(5, return_state=true)"),
    "An input": in_model("x = ima‸ge -> Flatten()"),
    "An input of a block": in_model(_TWICE).replace("input x\n    path", "input x‸\n    path"),
    "An output": in_model(_END.replace("label", "lab‸el")),
    "A value of a broken flow": in_model("x = features -> Dense()\n    y = x‸ -> ReLU()"),
    "A weight": in_model(_TWICE).replace("x * gain", "x * ga‸in"),
    "A state": in_model(_TWICE).replace("state seen", "state see‸n"),
    "A free size": in_model(_STEPS).replace("int[T]", "int[T‸]"),
    "A parameter of the file": in_model("").replace("2 * classes", "2 * cla‸sses"),
    "A parameter that is computed": "param a = 3\nparam b‸ = a * 2 with max=9\n",
    "A parameter of a block": in_model(_TWICE).replace("Conv2D(filters", "Conv2D(filt‸ers"),
    "A named number": in_model("x = features -> Dense(wi‸dth)"),
    "A name of a repeat": in_model("x = features -> repeat (a, b) in [(1, 2), (3, 4)] { Dense(b‸) }"),
    "A function": in_model("x = su‸m(features, axis=1)"),
    "A function in an expression": in_model("x = features * ex‸p(features)"),
    "A model": "# A *small* one.\nmodel Sm‸all {\n    input x: float[T, 4]\n"
    "    output y = x -> Conv1D(3, 5) -> GlobalMaxPooling1D() with loss=mse\n}\n",
    "A model with an error": in_model("x = nothing").replace("model Pict", "model Pict‸"),
    "A submodel": in_model(_END + "\n    submodel par‸t(features) = label"),
    "A dtype": in_model("").replace("float[28", "fl‸oat[28"),
    "A shape": in_model("x = image -> Dense(image.sha‸pe[-1])"),
    "A keyword": in_model("x = image -> bran‸ch { ReLU() }"),
    "A keyword in a flow": in_model("x = image -> ReLU() i‸f classes > 3 else Identity()"),
}  # fmt: skip


@pytest.mark.golden
def test_hovers(golden: Callable[[Path | str, str], None]) -> None:
    parts = []
    for title, text in SHOWN.items():
        analysis, offset = at_caret(text)
        found = hover(analysis, offset)
        assert found is not None, title
        line = next(line for line in text.split("\n") if CARET in line)
        assert found.span.start <= offset <= found.span.end
        parts.append(f"## {title}\n\n{block(line.strip().replace(CARET, '|'), 'text')}\n\n{found.markdown}\n")
    golden("hovers.md", "\n".join(parts))


SILENT = [
    "x = image -> Dense(3) # Den‸se(4)",
    "x = image -> Dense(3‸2)",
    "x = image -‸> Dense(32)",
    "x = image -> Nothing‸(3)",
    "x = image -> Dense(3, use_bias=fal‸se)",
    "   ‸   ",
]


@pytest.mark.parametrize("lines", SILENT)
def test_nothing_is_said(lines: str) -> None:
    assert hover(*at_caret(in_model(lines))) is None


def test_a_comment_does_nothing_in_markdown() -> None:
    comment = "[a](http://b.c) <img src=x> https://d.e www.f.g a@b.c ```\n# ``` ![i](j) # h | t\n# \u202e - x"
    text = f"# {comment}\nblock Block() {{\n    input x\n    output y = x -> ReLU()\n}}\n"
    analysis, offset = at_caret(text.replace("block Block", "block Blo‸ck"))
    found = hover(analysis, offset)
    assert found is not None
    said = found.markdown.split("\n\n", 1)[1]
    for sign in ("](", "<", "://", "www.", "@", "```", "|", "\u202e"):
        assert sign not in said.replace(f"\\{sign[0]}", "").replace("www\\.", ""), sign


def test_text_as_code_stays_in_it() -> None:
    assert inline("a`b") == "``a`b``"
    assert inline("`") == "`` ` ``"
    assert inline("a\nb") == "`a b`"
    assert block("a\n```\nb", "text") == "````text\na\n```\nb\n````"
    assert len(inline("x" * 10_000)) < 300
    assert prose("- a") == "\\- a"
    assert prose("1. a\n\n2) b") == "1\\. a\n\n2\\) b"
    assert prose("    a\n    b") == "a b"


def test_every_word_of_a_file_has_an_answer_or_none() -> None:
    text = in_model(_TWICE + "\n    " + _STEPS + _END + " with loss=mse")
    analysis = Analysis(SourceFile("a.nn", text))
    for offset in range(0, len(text) + 1, 2):
        hover(analysis, offset)


def test_a_block_that_is_called_often_is_shown_briefly() -> None:
    calls = " -> ".join(f"Residual({n})" for n in range(1, 40))
    analysis, offset = at_caret(in_model(f"x = image -> {calls}").replace("Conv2D(filters", "Conv2D‸(filters"))
    found = hover(analysis, offset)
    assert found is not None
    assert found.markdown.count("->") == 6
    assert "- and 33 other shapes" in found.markdown


def test_nothing_is_said_of_an_argument_that_there_is_not() -> None:
    text = "model M {\n    input x: float[4]\n    output y = x -> Dense(3, activaton=relu) with los=mse\n}\n"
    analysis = Analysis(SourceFile("model.nn", text))
    assert hover(analysis, text.index("activaton")) is None
    assert hover(analysis, text.index("los=")) is None
