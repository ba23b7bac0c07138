"""What is offered at the caret, and that the compiler takes it there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nndsl.diagnostics.model import Problems
from nndsl.ide.analysis import Analysis
from nndsl.ide.callees import VALUE
from nndsl.ide.completion import complete, resolve
from nndsl.ide.items import Item, escaped
from nndsl.layers import catalogue
from nndsl.passes.train_section import SETTINGS
from nndsl.pipeline import examine
from nndsl.project import Project
from nndsl.source import SourceFile
from nndsl.syntax.lexer import lex
from nndsl.syntax.reports import Reports
from tests.ide.carets import CARET, HEAD, at_caret, in_model

ZOO = sorted((Path(__file__).parents[2] / "examples" / "zoo").glob("*.nn"))
_BLOCK = HEAD.replace("path = x -> Conv2D", CARET + "path = x -> Conv2D")
_LAYER = HEAD.replace("output y = x * gain", CARET)


def offered(text: str) -> list[Item]:
    analysis, offset = at_caret(text)
    return complete(analysis, offset, None)


OFFERED = [  # text in a model; some of what is offered; what is not
    ("x = image -> ‸", "Dense Conv2D encoder Residual Scale branch repeat", "features relu exp width Half"),
    ("x = image -> De‸", "Dense encoder", "features"),
    ("x = image ->\n        ‸", "Dense", "input"),
    ("x = image -> Flatten()\n        -> ‸", "Dense", "input"),
    ("x = image -> branch { ‸ }", "Dense Identity encoder", "image"),
    ("x = image -> branch {\n        Dense(3)\n        ‸\n    }", "Dense encoder", "image input"),
    ("x = image -> repeat 3 { Dense(3) -> ‸ }", "Dense", "image"),
    ("x = image -> (‸", "Dense", "image"),
    ("x = image -> Dense(3) if classes > 3 else ‸", "Identity", "image"),
    ("x = (image, ‸", "features words sum", "Dense encoder classes x"),
    ("x = ‸", "features image words concat", "Dense encoder width x"),
    ("x = features * ‸", "features classes width exp", "Dense same x"),
    ("x = exp(‸", "features x= sum", "Dense"),
    ("x = sum(features, ‸", "axis= keepdims= none", "x= features"),
    ("x = image -> Dense(‸", "units= activation= name= classes width", "image relu"),
    ("x = image -> Dense(64, act‸", "activation= relu softmax", "units= image"),
    ("x = image -> Dense(64, activation=‸", "relu softmax none classes", "units= use_bias= same Dense"),
    ("x = image -> Dense(64, use_bias=false, ‸", "activation=", "use_bias= units= relu"),
    ("x = image -> Dense(‸, use_bias=false)", "units=", "use_bias="),
    ("x = image -> Dense(64, use_bias=‸", "true false", "relu none"),
    ("x = image -> Dense(64, kernel_initializer=‸", "glorot_uniform he_normal constant", "relu"),
    ("x = image -> Conv2D(8, 3, padding=‸", "same valid", "causal relu"),
    ("x = image -> Conv2D(8, 3, padding=sa‸me)", "same valid", ""),
    ("x = words -> LSTM(3, initial_state=‸", "features image", "zeros Dense classes"),
    ("x = words -> LSTM(3, initial_state=(features, ‸", "features image", "Dense"),
    ("x = words -> TimeDistributed(‸", "layer= Dense Residual", "features encoder relu"),
    ("x = words -> encoder(‸", "initial_state=", "units= 32 classes"),
    ("x = image -> Residual(‸", "filters= stride= x= name= classes Dense", "trainable="),
    ("x = image -> Scale(‸", "start= trainable=", "filters="),
    ("x = image -> Dense(image.‸", "shape dtype", "image"),
    ("x = image -> Dense(image.sh‸", "shape dtype", ""),
    ("x = image -> repeat ‸", "classes width", "image Dense"),
    ("x = image -> repeat i ‸", "in", "image Dense"),
    ("x = image -> repeat i in ‸", "classes width", "i image"),
    ("x = image -> repeat i in 0..3 { Dense(‸ }", "i classes units=", "image"),
    ("x = image -> repeat (a, b) in [(1, 2)] { Dense(‸ }", "a b units=", "image"),
    ("shared s = ‸", "Dense Residual", "encoder image"),
    ("output y = features ‸", "with if", "Dense"),
    ("output y = features with ‸", "loss= weight= metrics= sample_weight=", "batch= mse"),
    ("output y = features with lo‸", "loss=", "mse"),
    ("output y = features\n        with loss=mse, ‸", "metrics= weight=", "loss="),
    ("output y = features with loss=‸", "mse mean_squared_error binary_crossentropy", "accuracy loss="),
    ("output y = features with loss=mse, metrics=[‸", "mae accuracy auc", "kl adam loss="),
    ("output y = features with loss=mse, metrics=[mae, ac‸", "accuracy", "loss="),
    ("output y = features\n        ‸", "with input train", "loss="),
    ("output y = features with loss=mse\n        ‸", "input train", "with"),
    ("x = mean((image -> ‸", "Dense", "image"),
    ("output ‸", "features", "image Dense classes encoder"),
    ("penalty p = ‸", "features sum", "Dense p"),
    ("submodel enc(‸", "features image", "enc encoder classes"),
    ("submodel enc(image) = ‸", "features", "encoder"),
    ("input more: ‸", "float int bool uint8", "float32 T"),
    ("input more: fl‸", "float", ""),
    ("input more: float[‸", "T classes", "image width"),
    ("input more: float[3] ‸", "with", ""),
    ("input more: float[3] with ‸", "batch=", "loss="),
    ("‸", "input output shared penalty submodel train data options", "model block update epochs"),
    ("train { epochs = 3 }\n    ‸", "data", "train"),
    ("train {\n        ‸\n    }", "optimizer = epochs = callbacks =", "loss input float"),
    ("train {\n        epochs = 3\n        ‸\n    }", "steps = optimizer =", "epochs ="),
    ("train { optimizer = ‸ }", "Adam adam SGD RMSprop", "mse"),
    ("train { optimizer = Adam(‸", "learning_rate= beta_1= CosineDecay", "units="),
    ("train { optimizer = r‸ }", "rmsprop RMSprop", "rm_sprop"),
    ("train { callbacks = [‸", "EarlyStopping TensorBoard", "Adam"),
    ("train { precision = ‸ }", "bfloat16 float16 float32", "float64"),
    ("train { shuffle = ‸ }", "true false", ""),
    ("options { ‸ }", "data_format = float =", "epochs ="),
    ("options { data_format = ‸ }", "channels_first channels_last", "float32"),
    ("data {\n        ‸\n    }", "source image = words =", "features ="),
    ("data {\n        source t = ‸\n    }", "csv npz mnist random", "scale"),
    ('data {\n        source t = csv("a.csv") with ‸\n    }', "test= validation= seed=", "loss="),
    ('data {\n        source t = csv("a.csv")\n        image = ‸\n    }', "t", "image features"),
    ('data {\n        source t = csv("a.csv")\n        image = t[0] -> ‸\n    }', "scale one_hot", "Dense csv"),
]  # fmt: skip


def words(text: str) -> list[str]:
    """`loss= epochs = mse` are three labels."""
    return re.findall(r"\S+(?: =)?", text)


@pytest.mark.parametrize(("lines", "these", "others"), OFFERED, ids=[case[0][-40:] for case in OFFERED])
def test_what_is_offered(lines: str, these: str, others: str) -> None:
    labels = {item.label for item in offered(in_model(lines))}
    assert set(words(these)) <= labels
    assert not set(words(others)) & labels


@pytest.mark.parametrize(
    ("text", "these", "others"),
    [
        ("‸", "model block layer param from", "input train"),
        ("mod‸", "model", ""),
        (HEAD + "‸", "model block", "input"),
        ('from "other.nn" ‸', "import", ""),
        ('from "other.nn" import ‸', "Half", "Residual"),
        ('from "nothing.nn" import ‸', "", "Half"),
        ('from "other.nn" import Half\nmodel M {\n    input x: float[3]\n    y = x -> ‸\n}', "Half Dense", "M"),
        (_BLOCK, "input output shared penalty", "train submodel state"),
        (_LAYER, "input output trainable state update", "shared train"),
        (HEAD.replace("update seen", "update ‸"), "seen =", "gain ="),
        (HEAD.replace("= ones", "= ‸"), "ones zeros start", "relu"),
        (HEAD.replace("x.shape", "x.‸"), "shape dtype", ""),
        (HEAD.replace("[x.shape[-1]]", "[‸]"), "start classes", ""),
        (HEAD.replace("strides=stride", "strides=‸"), "stride filters classes", "x"),
        (HEAD.replace("output y = x * gain", "output y = x -> ‸"), "", "Dense Residual"),
        ("param a = 3 with ‸", "min= max= choices=", "loss="),
        ("param a = 3\nparam b = ‸", "a", "b"),
    ],
)
def test_what_is_offered_outside_of_models(text: str, these: str, others: str) -> None:
    labels = {item.label for item in offered(text)}
    assert set(words(these)) <= labels
    assert not set(words(others)) & labels


@pytest.mark.parametrize(
    "lines",
    ["# x -> ‸", "x = image -> Dense(3) # -> ‸", "x = image -> Dense(3‸", 'x = image -> Dense(3, name="‸', "input ‸",
     "shared ‸", "submodel ‸", "train { = ‸ }",  "x = image -> Dense(3, name=\"a\"‸"],
)  # fmt: skip
def test_nothing_is_offered(lines: str) -> None:
    assert offered(in_model(lines)) == []


def test_what_is_put_in() -> None:
    def item(lines: str, label: str) -> Item:
        return next(item for item in offered(in_model(lines)) if item.label == label)

    conv = item("x = image -> Co‸", "Conv2D")
    assert (conv.insert, conv.is_snippet, conv.span.text) == ("Conv2D(${1:filters}, ${2:kernel_size})", True, "Co")
    assert item("x = image -> ReL‸", "ReLU").insert == "ReLU()"
    assert item("x = image -> Co‸(8, 3)", "Conv2D").insert == "Conv2D"
    assert item("x = image -> C‸onv2D(8, 3)", "Conv2D").span.text == "Conv2D"
    assert item("x = image -> Dense(ac‸", "activation=").insert == "activation="
    assert item("x = image -> Dense(ac‸=relu)", "activation=").insert == "activation"
    assert item("x = image -> Residual(ac‸", "filters=").filter == "filters"
    assert item("input more: fl‸", "float").insert == "float[$1]"
    assert item("input more: fl‸[3]", "float").insert == "float"
    assert item("x = image -> Dense(3, kernel_initializer=‸", "constant").insert == "constant"
    assert escaped("a$b}c\\d") == "a\\$b\\}c\\\\d"


def test_layers_that_fit_come_first() -> None:
    before = in_model("x = image -> ReLU()").replace(CARET, "")
    analysis = Analysis(SourceFile("a.nn", before))
    now, offset = at_caret(in_model("x = image -> ‸"))
    order = [item.label for item in complete(now, offset, analysis.checked) if item.kind == "layer"]
    assert order.index("MaxPooling2D") < order.index("Conv1D")
    assert order.index("Dense") < order.index("Embedding")
    assert order.index("Dense") < order.index("Concatenate")
    now, offset = at_caret(before.replace("x = image -> ReLU()", "x = words -> ‸"))
    order = [item.label for item in complete(now, offset, None) if item.kind == "layer"]
    assert order == sorted(order, key=str.lower)


def test_fields_of_a_source_come_from_the_last_check() -> None:
    whole = in_model("data {\n        source t = digits()\n        image = t.image\n    }")
    checked = Analysis(SourceFile("a.nn", whole)).checked
    now, offset = at_caret(whole.replace("t.image", "t.‸"))
    assert [item.label for item in complete(now, offset, checked)] == ["image", "label"]


def test_paths_stay_in_the_folder(tmp_path: Path) -> None:
    for name in ("nndsl.toml", "a.nn", "blocks/b.nn", "blocks/c.txt", ".hidden/d.nn", "blocks/deep/e.nn"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / name).write_text("")
    (tmp_path / "secret.nn").write_text("")
    (tmp_path / "in" / "link.nn").symlink_to(tmp_path / "secret.nn")
    (tmp_path / "in" / "out").symlink_to(tmp_path)

    def paths(written: str) -> list[str]:
        text = f'from "{written}{CARET}" import X'
        source = SourceFile(str(tmp_path / "in" / "a.nn"), text.replace(CARET, ""))
        project = Project(source)
        found = complete(
            Analysis(source, project.read), text.index(CARET), None, lambda start: project.offered(source, start)
        )
        assert all(item.span.text == written for item in found)
        return [item.insert for item in found]

    assert paths("") == ["blocks/"]
    assert paths("blo") == ["blocks/"]
    assert paths("blocks/") == ["blocks/b.nn", "blocks/deep/"]
    assert paths("blocks/deep/") == ["blocks/deep/e.nn"]
    for outside in ("../", "/", "~/", "out/", "blocks/../../", str(tmp_path) + "/"):
        assert paths(outside) == []


# -------------------------------------------------------------------------------------- what is accepted

_REFUSED = (
    "NN0201",
    "NN0202",
    "NN0203",
    "NN0210",
    "NN0211",
    "NN0216",
    "NN0217",
    "NN0117",
    "NN0602",
    "NN0604",
)
MANY = [  # all that is offered for the caret in one line is written in lines of their own; N is another number in each
    "xN = image -> ‸",
    "xN = image -> Dense(‸",
    "xN = image -> Conv2D(8, 3, ‸",
    "xN = words -> LSTM(3, ‸",
    "xN = image -> Dense(4, activation=‸",
    "xN = image -> Conv2D(8, 3, padding=‸",
    "xN = image -> Dense(4, kernel_initializer=‸",
    "xN = image -> Dense(4, kernel_regularizer=‸",
    "xN = image -> Dense(4, kernel_constraint=‸",
    "xN = words -> TimeDistributed(‸",
    "xN = image -> Residual(3, ‸",
    "xN = image -> Scale(‸",
    "xN = words -> encoder(‸",
    "xN = ‸",
    "xN = features * ‸",
    "xN = sum(features, ‸",
    "shared sN = ‸",
    "output yN = features with ‸",
    "output yN = features with loss=‸",
    "output yN = features with loss=mse, metrics=[‸",
    "input iN: ‸",
    "input iN: float[‸",
    "input iN: float[3] with ‸",
    "submodel mN(image) = ‸",
    "penalty pN = mean(features) with ‸",
]
ONE = [  # written each in a file of its own
    "train { ‸ }",
    "train { optimizer = ‸ }",
    "train { optimizer = Adam(‸ }",
    "train { optimizer = SGD(learning_rate=‸ }",
    "train { callbacks = [‸ }",
    "train { cross_validation = ‸ }",
    "train { precision = ‸ }",
    "options { ‸ }",
    "options { float = ‸ }",
    "data { source t = ‸ }",
    "‸",
]


def written(item: Item, text: str) -> str:
    """The item in place of the caret, with something in its gaps, and closed brackets behind it."""
    inserted = item.insert
    if item.is_snippet:
        inserted = re.sub(r"\$\{\d+:(\w*)\}", "features" if item.kind == "function" else "1", inserted).replace(
            "\n", " "
        )
        inserted = re.sub(r"\$\d", "", inserted)
    if inserted.rstrip().endswith("="):
        inserted += "features" if item.detail == VALUE else "1"
    if item.insert == "branch {\n    $0\n}":
        inserted = "branch { Identity() }"
    line = text.replace(CARET, inserted)
    opened = [")" if c == "(" else "]" for c in re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", line) if c in "(["]
    head, brace, tail = line.partition(" }") if text.rstrip().endswith("}") else (line, "", "")
    return f"{head}{''.join(reversed(opened))}{brace}{tail}"


def refused(text: str) -> list[str]:
    problems = Problems()
    examine(SourceFile("a.nn", text), problems)
    return [f"{p.code} {p.primary.span.file.line_text(p.primary.span.line).strip()}" for p in problems.errors
            if p.code in _REFUSED and p.primary.span.text != "1"]  # fmt: skip


@pytest.mark.parametrize("line", MANY)
def test_the_compiler_takes_what_is_offered(line: str) -> None:
    items = offered(in_model(line.replace("N", "0")))
    assert items
    lines = [written(item, line.replace("N", str(number))) for number, item in enumerate(items)]
    wrong = refused(in_model("\n    ".join(lines)))
    assert wrong == []


@pytest.mark.parametrize("line", ONE)
def test_the_compiler_takes_what_is_offered_in_sections(line: str) -> None:
    items = offered(in_model(line))
    assert items
    for item in items:
        assert refused(in_model(written(item, line))) == [], item


def test_every_item_has_documentation_or_none() -> None:
    for lines in ("x = image -> ‸", "x = image -> Dense(4, ‸", "train { ‸ }", "output y = features with ‸", "‸",
                  "x = image -> Residual(‸", "options { ‸ }", "input z: ‸"):  # fmt: skip
        analysis, offset = at_caret(in_model(lines))
        for item in complete(analysis, offset, None):
            text = resolve(analysis, item.about)
            assert text or not item.about, item
    assert resolve(analysis, "nothing/such") == ""
    assert resolve(analysis, "argument/layer/Nothing/x") == ""


def test_all_layers_and_settings_are_offered() -> None:
    labels = {item.label for item in offered(in_model("x = image -> ‸"))}
    assert set(catalogue.names("layer")) <= labels
    settings = {item.label for item in offered(in_model("train { ‸ }"))}
    assert {f"{name} =" for name in SETTINGS} <= settings


@pytest.mark.parametrize("path", ZOO, ids=[path.stem for path in ZOO])
def test_the_words_of_a_file_are_offered_where_they_stand(path: Path) -> None:
    """With the caret behind the first letter of each, the rest of the file being there already."""
    source = SourceFile(str(path), path.read_text())
    analysis = Analysis(source, Project(source).read)
    own = {o.span.start for o in analysis.symbols.occurrences if o.is_definition}
    missing, seen = set(), set()
    for token in lex(Reports(source)):
        before = source.text[token.start - 8 : token.start]
        if token.text.isidentifier() and token.start not in own and (token.text, before) not in seen:
            seen.add((token.text, before))
            found = complete(analysis, token.start + 1, None)
            if token.text not in {item.filter for item in found}:
                missing.add(token.text)
    assert len(seen) > 30
    assert missing <= {"same", "valid", "true", "false"}  # options as values of a block's parameter, which may be all


def test_every_prefix_of_a_file_has_an_answer() -> None:
    text = in_model("output y = features -> Dense(classes) with loss=mse\n    train { epochs = 3 }").replace(
        "\n", "\r\n"
    )
    for offset in range(0, len(text), 3):
        for rest in ("", text[offset:]):
            for item in offered(text[:offset] + CARET + rest):
                assert item.span.start <= offset <= item.span.end
