"""How the time of the compiler grows with the model: milliseconds per layer for 100 to 10,000 layers.

The model is a residual network with a name for every block: a mean of three layers to a block. Time per layer that
stays the same means time linear in the size.

    python benchmarks/growth.py [LARGEST]
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from nndsl import pipeline  # noqa: E402
from nndsl.diagnostics.model import Problems  # noqa: E402
from nndsl.ir.graph import CheckedProgram  # noqa: E402
from nndsl.source import SourceFile  # noqa: E402


def generated(layers: int) -> str:
    """A model of about that many layers."""
    lines = ["model Deep {", "    input x: float[32]", "    block_0 = x -> Dense(32, activation=relu)"]
    blocks = max((layers - 2) // 3, 1)
    for number in range(1, blocks + 1):
        lines.append(
            f"    block_{number} = block_{number - 1} -> branch {{ "
            "Dense(32, activation=relu) -> Dense(32); Identity() } -> Add()"
        )
    lines += [f"    output y = block_{blocks} -> Dense(1) with loss=mse", "}"]
    return "\n".join(lines) + "\n"


def timed(work: Callable[[], object]) -> float:
    """The best of three."""
    times = []
    for _ in range(3):
        gc.collect()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def checked(text: str) -> CheckedProgram:
    problems = Problems()
    program = pipeline.check(SourceFile("deep.nn", text), problems)
    assert program is not None, problems.sorted()
    return program


def main(largest: int) -> None:
    checked(generated(10))  # imports and caches
    print(f"{'layers':>7} {'check':>17} {'compile for torch':>21} {'compile for keras':>21}")
    size = 100
    while size <= largest:
        text = generated(size)
        program = checked(text)
        count = len(program.main.nodes)
        columns = [timed(lambda text=text: checked(text))]  # type: ignore[misc]
        for target in ("torch", "keras"):
            columns.append(timed(lambda program=program, target=target: pipeline.emit(program, target)))  # type: ignore[misc]
        shown = [f"{1000 * seconds:8.0f} ms {1e6 * seconds / count:6.0f} µs" for seconds in columns]
        print(f"{count:7,} {shown[0]:>20} {shown[1]:>21} {shown[2]:>21}")
        size *= 10
    print("(µs are for each layer; compile is without check)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
