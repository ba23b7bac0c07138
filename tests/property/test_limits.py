"""Texts made to take long: each ends soon, whatever its size, and says why."""

from __future__ import annotations

import time

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile


def one(pipe: str, input: str = "float[8]") -> str:
    return f"model M {{\n input x: {input}\n output y = x -> {pipe}\n}}\n"


TEXTS = {
    "arguments": (one("Dense(" + ",".join(f"a{i}=1" for i in range(20_000)) + ")"), "NN0190"),
    "layers": (one(" -> ".join(f"Dens{i}(8)" for i in range(19_000))), "NN0190"),
    "names": ("model M {\n" + "".join(f"a{i} = b{i}\n" for i in range(20_000)) + "}", "NN0190"),
    "twice": ("model M {\n" + "input x: float[8]\n" * 9_000 + "}", "NN0190"),
    "settings": (one("Dense(1) with " + ", ".join(["loss=mse"] * 20_000)), "NN0190"),
    "sizes": (one(f"Reshape([{'2, ' * 20_000}8])"), "NN0702"),
    "axes": (one("Flatten()", f"float[{', '.join(['9223372036854775807'] * 20_000)}]"), "NN0190"),
    "cells": (one(f"RNN([{', '.join(['LSTMCell(4)'] * 8_000)}])", "float[8, 8]"), ""),
    "arms": (one("branch {\n" + "Dense(1)\n" * 8_000 + "} -> Concatenate()"), ""),
    "string": (one(f'Dense(1, name="{"a" * 900_000}'), "NN0104"),
    "backslashes": (one(f'Dense(1, name="{chr(92) * 900_000}'), "NN0104"),
    "number": (one("Dense(" + "1_" * 400_000 + ")"), "NN0106"),
}


@pytest.mark.parametrize("name", TEXTS)
def test_ends_soon(name: str) -> None:
    text, code = TEXTS[name]
    problems = Problems()
    began = time.process_time()
    program = pipeline.check(SourceFile("long.nn", text), problems)
    assert time.process_time() - began < 5  # quadratic, each took minutes
    codes = {problem.code for problem in problems}
    assert (code in codes and program is None) if code else (program is not None)
    assert all(len(f"{problem.message} {problem.help}") < 2_000 for problem in problems)
