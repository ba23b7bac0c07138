"""Texts with a caret in them."""

from __future__ import annotations

from nndsl.ide.analysis import Analysis
from nndsl.passes.definitions import CannotImport
from nndsl.source import SourceFile

CARET = "‸"

HEAD = """\
param classes = 10

# Two convolutions and a way around them.
block Residual(filters, stride=1) {
    input x
    path = x -> Conv2D(filters, 3, strides=stride, padding=same) -> ReLU()
    output y = path
}

layer Scale(start=1.0) {
    input x
    trainable gain: [x.shape[-1]] = ones
    state seen: [1] = zeros
    update seen = seen + 1
    output y = x * gain
}

"""
OTHER = "# Halves the features.\nblock Half() {\n    input x\n    output y = x -> Dense(x.shape[-1] // 2)\n}\n"


def at_caret(text: str, name: str = "a.nn") -> tuple[Analysis, int]:
    """The analysis of a text without its caret, and where that was."""
    offset = text.index(CARET)
    return Analysis(SourceFile(name, text.replace(CARET, "")), _read), offset


def in_model(lines: str) -> str:
    """A file whose model has an input, two values, a shared layer, and these lines at its end."""
    return (
        f"{HEAD}model Pictures {{\n    input image: float[28, 28, 1]\n    input words: int[T]\n"
        f"    shared encoder = LSTM(32)\n    width = 2 * classes\n"
        f"    features = image -> Conv2D(8, 3) -> Flatten() -> Dense(64)\n    {lines}\n}}\n"
    )


def _read(_: SourceFile, path: str) -> SourceFile:
    if path != "other.nn":
        raise CannotImport("NN0705", f"there is no file `{path}`", "")
    return SourceFile("other.nn", OTHER)
