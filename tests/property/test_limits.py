"""Texts made to take long: each ends soon, whatever its size, and says why."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from nndsl import pipeline
from nndsl.diagnostics.model import Problems
from nndsl.source import SourceFile

ROOT = Path(__file__).parents[2]


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

MODEL = "model M {{\n input x: float[8]\n output y = x -> {}\n}}\n"
DOUBLE = "".join(f"block B{i}() {{ input x; output y = x -> B{i - 1}() -> B{i - 1}() }}\n" for i in range(1, 30))
TREE = "(x -> Tree(2 * n, k + 1), x -> Tree(2 * n + 1, k + 1)) -> Add()"
# Short texts that expand without end, or nearly so.
EXPANSIONS = {
    "repeat": (MODEL.format("repeat 10 ** 9 { Dense(8) }"), "NN0702"),
    "repeats": (MODEL.format("repeat 900 { repeat 900 { repeat 900 { Dense(8) } } }"), "NN0702"),
    "computed": (MODEL.format("repeat i in 0..900 { repeat 900 + i { Dense(8) } }"), "NN0702"),
    "of nothing": (MODEL.format("repeat 900 { repeat 900 { repeat 40000 { Identity() } } }"), "NN0702"),
    "doubling": ("block B0() { input x; output y = x -> Dense(8) }\n" + DOUBLE + MODEL.format("B29()"), "NN0702"),
    "doubling nothing": ("block B0() { input x; output y = x }\n" + DOUBLE + MODEL.format("B29()"), "NN0702"),
    "tree": (
        f"block Tree(n, k) {{ input x; output y = ({TREE}) if k < 30 else x }}\n" + MODEL.format("Tree(1, 0)"),
        "NN0702",
    ),
    "tree without end": (f"block Tree(n, k) {{ input x; output y = {TREE} }}\n" + MODEL.format("Tree(1, 0)"), "NN0221"),
    "wrong at each leaf": (
        f"block Tree(n, k) {{ input x; output y = {TREE} -> Dense(0 if k > 9 else 8) }}\n" + MODEL.format("Tree(1, 0)"),
        "NN0221",
    ),
    "each other": (
        "block A(n) { input x; output y = (x -> B(2 * n), x -> B(3 * n)) -> Add() }\n"
        "block B(n) { input x; output y = (x -> A(2 * n), x -> A(3 * n)) -> Add() }\n" + MODEL.format("A(1)"),
        "NN0221",
    ),
    "list": (MODEL.format("repeat i in [1, 2] + [3] { Dense(2 ** 4 ** 8) }"), "NN0702"),
}


@pytest.mark.parametrize("name", EXPANSIONS)
def test_expansions_end_soon(name: str) -> None:
    text, code = EXPANSIONS[name]
    problems = Problems()
    began = time.process_time()
    program = pipeline.check(SourceFile("wide.nn", text), problems)
    assert time.process_time() - began < 30  # a few seconds on an idle processor; for ever without limits
    assert program is None and code in {problem.code for problem in problems}
    assert len(problems) < 10


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="tells the most memory of a process in Linux alone")
def test_expansions_take_little_memory() -> None:
    script = (
        "from nndsl import pipeline\n"
        "from nndsl.diagnostics.model import Problems\n"
        "from nndsl.source import SourceFile\n"
        f"pipeline.check(SourceFile('wide.nn', {EXPANSIONS['tree'][0]!r}), Problems())\n"
        "print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
    )
    assert int(run.stdout) < 500 * 1024  # KiB


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
