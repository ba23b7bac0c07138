"""The model that `nndsl doctor` compiles, runs and trains for a step in both frameworks."""

from __future__ import annotations

import math
from typing import Any

SOURCE = """\
model Trial {
    input x: float[4]
    output y = x -> Dense(3, activation=tanh) -> Dense(2) with loss=mse
    train { optimizer = SGD(0.1) }
}
"""
LAYERS = {"y_dense": (4, 3), "y": (3, 2)}
"""The layers in both programs, with the shapes of their kernels."""
BATCH = 5


def programs() -> dict[str, str]:
    """The emitted programs by target. Raises what a broken installation raises."""
    from nndsl import pipeline
    from nndsl.diagnostics.model import Problems
    from nndsl.passes.definitions import no_reader
    from nndsl.source import SourceFile

    problems = Problems()
    program = pipeline.check(SourceFile("trial.nn", SOURCE), problems, no_reader, {})
    if program is None:
        raise RuntimeError(problems.sorted()[0].message)
    return {target: pipeline.emit(program, target, None) for target in ("torch", "keras")}


def numbers(rows: int, columns: int, start: int) -> list[list[float]]:
    """Some numbers between -1 and 1 (no framework's random numbers are those of the other)."""
    return [[round(math.sin(1.7 * (start + row * columns + at)), 4) for at in range(columns)] for row in range(rows)]


def request() -> dict[str, Any]:
    """Weights (kernels [in, out], biases [out]) and a batch: what both programs are given."""
    return {
        "kernels": {name: numbers(*shape, start=at) for at, (name, shape) in enumerate(LAYERS.items())},
        "biases": {name: numbers(1, shape[1], start=7 + at)[0] for at, (name, shape) in enumerate(LAYERS.items())},
        "x": numbers(BATCH, 4, 100),
        "y": numbers(BATCH, 2, 200),
    }
