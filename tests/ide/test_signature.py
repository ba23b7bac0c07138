"""The parameters of the call at the caret, in finished text and in text that is being typed."""

from __future__ import annotations

import pytest

from nndsl.ide.signature import signature
from tests.ide.carets import CARET, at_caret, in_model

ACTIVE = [  # text in a model, the beginning of the label, the parameter that is being written
    ("x = image -> Conv2D(‸", "Conv2D(filters, kernel_size, strides=(1, 1)", "filters"),
    ("x = image -> Conv2D(8, ‸", "Conv2D(", "kernel_size"),
    ("x = image -> Conv2D(8, 3‸)", "Conv2D(", "kernel_size"),
    ("x = image -> Conv2D(8, (3, ‸", "Conv2D(", "kernel_size"),
    ("x = image -> Conv2D(8, (3, 3)‸, 2)", "Conv2D(", "kernel_size"),
    ("x = image -> Conv2D(8, padding=‸", "Conv2D(", "padding=valid"),
    ("x = image -> Conv2D(8, pad‸", "Conv2D(", "kernel_size"),
    ("x = image -> Conv2D(8,\n            activation=re‸", "Conv2D(", "activation=none"),
    ("x = image -> Conv2D(8, padding=same, ‸", "Conv2D(", None),
    ("x = image -> Dense(4, kernel_initializer=VarianceScaling(2.0, ‸", "VarianceScaling(", "mode=fan_in"),
    ("x = image -> Dense(4, kernel_initializer=VarianceScaling(2.0), ‸", "Dense(", None),
    ("x = image -> Dense(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, ‸", "Dense(", None),
    ("x = words -> TimeDistributed(Dense(‸", "Dense(units", "units"),
    ("x = words -> TimeDistributed(Dense(3)‸", "TimeDistributed(", "layer"),
    ("x = image -> Residual(‸", "Residual(filters, stride=1", "filters"),
    ("x = image -> Residual(3, stride=‸", "Residual(", "stride=1"),
    ("x = image -> Scale(‸", "Scale(start=1.0", "start=1.0"),
    ("x = words -> encoder(initial_state=‸", "encoder(initial_state)", "initial_state"),
    ("x = concat(‸", "concat(xs, axis=-1)", "xs"),
    ("x = features * sum(features, ‸", "sum(x, axis=none", "axis=none"),
    ("x = clip(exp(features), ‸", "clip(x, x_min, x_max)", "x_min"),
    ("output y = features with loss=Huber(‸", "Huber(delta=1.0", "delta=1.0"),
    ("output y = features with loss=mse, metrics=[AUC(‸", "AUC(num_thresholds=200", "num_thresholds=200"),
    ("train { optimizer = Adam(‸", "Adam(learning_rate=0.001", "learning_rate=0.001"),
    ("train { optimizer = SGD(learning_rate=ExponentialDecay(0.1, ‸", "ExponentialDecay(", "decay_steps"),
    ("train { callbacks = [EarlyStopping(monitor=‸", "EarlyStopping(", "monitor=val_loss"),
    ('data {\n        source t = csv("a.csv", ‸', "csv(file, header=true", "header=true"),
    ('data {\n        source t = csv("a.csv")\n        image = t[0:8] -> scale(‸', "scale(", "factor"),
    ("shared tower = Dense(‸", "Dense(units", "units"),
    ("x = image -> branch {\n        Dense(3)\n        Dense(4, ‸", "Dense(units", "activation=none"),
    ("x = image -> repeat 3 { Dense(3, ‸ } -> Dense(4)", "Dense(units", "activation=none"),
    ("x = (image -> Dense(‸", "Dense(units", "units"),
    ("y = image -> Dense((\n    x = image -> Conv2D(8, ‸", "Conv2D(", "kernel_size"),
]


@pytest.mark.parametrize(("lines", "label", "active"), ACTIVE, ids=[case[0][-40:] for case in ACTIVE])
def test_the_parameter_at_the_caret(lines: str, label: str, active: str | None) -> None:
    found = signature(*at_caret(in_model(lines)))
    assert found is not None
    assert found.label.startswith(label)
    shown = [found.label[p.start : p.end] for p in found.parameters]
    assert (None if found.active is None else shown[found.active]) == active
    assert found.label == f"{found.label.partition('(')[0]}({', '.join(shown)})"


NONE = [
    "x = image -> Dense(3) ‸",
    "x = image -> Dense‸",
    "x = image ‸",
    "# Dense(‸",
    "x = image -> Dense(3) # Dense(‸",
    "input more: float[‸",
    "x = image -> Nothing(‸",
    "x = (image, ‸",
    "output y = features with ‸",
    "submodel part(‸",
    "(a, ‸",
]


@pytest.mark.parametrize("lines", NONE)
def test_no_signature(lines: str) -> None:
    assert signature(*at_caret(in_model(lines))) is None


def test_what_a_parameter_says() -> None:
    found = signature(*at_caret(in_model("x = image -> Conv2D(8, padding=‸")))
    assert found is not None and found.active is not None
    assert found.parameters[found.active].markdown.startswith("`valid` or `same`.\n\n")
    assert found.markdown == "Slides `filters` kernels over an image."


def test_a_block_says_its_comment_and_no_markdown_of_it() -> None:
    text = in_model("x = image -> Residual(‸").replace("Two convolutions", "[Two](http://x) <b>convolutions</b>")
    found = signature(*at_caret(text))
    assert found is not None
    assert found.markdown == "\\[Two\\](http\\://x) \\<b\\>convolutions\\</b\\> and a way around them."


def test_every_prefix_of_a_file_has_an_answer() -> None:
    text = in_model("output y = features -> Dense(classes, activation=softmax) with loss=mse").replace("\n", "\r\n")
    for offset in range(0, len(text), 3):
        signature(*at_caret(text[:offset] + CARET))
