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


BLOCK = """block Residual(units) {
    input x
    output y = (x -> Dense(units, activation=relu) -> Dense(units), x) -> Add()
}
"""


def expanded(layers: int) -> dict[str, str]:
    """Short texts that expand to about that many layers."""
    head, tail = "model Deep {\n    input x: float[32]\n    output y = x -> ", " -> Dense(1) with loss=mse\n}\n"
    return {
        "a repeat": f"{head}repeat {layers} {{ Dense(32) }}{tail}",
        "a repeat of blocks": f"{BLOCK}{head}repeat {layers // 3} {{ Residual(32) }}{tail}",
        "a repeat in a repeat": f"{BLOCK}{head}repeat {layers // 30} {{ repeat 10 {{ Residual(32) }} }}{tail}",
        "layers of many sizes": f"{head}repeat i in 0..{layers} {{ Dense(32 + i * i % 7) }}{tail}",
        "blocks of many sizes": f"{BLOCK.replace('), x)', '), x -> Dense(units))')}"
        f"{head}repeat i in 0..{layers // 4} {{ Residual(32 + i * i % 7) }}{tail}",
    }


def timed(work: Callable[[], object]) -> float:
    """The best of two."""
    times = []
    for _ in range(2):
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


def row(text: str) -> tuple[int, str]:
    """The number of calls of layers, and the times."""
    program = checked(text)
    count = sum(not node.port for node in program.main.nodes)
    columns = [timed(lambda: checked(text))]
    for target in ("torch", "keras"):
        columns.append(timed(lambda target=target: pipeline.emit(program, target)))  # type: ignore[misc]
    shown = [f"{1000 * seconds:8.0f} ms {1e6 * seconds / count:6.0f} µs" for seconds in columns]
    return count, f"{shown[0]:>20} {shown[1]:>21} {shown[2]:>21}"


def main(largest: int) -> None:
    checked(generated(10))  # imports and caches
    print(f"{'layers':>7} {'check':>17} {'compile for torch':>21} {'compile for keras':>21}")
    size = 100
    while size <= largest:
        texts = {"written out": generated(size), **expanded(size)}
        for what, text in texts.items():
            count, times = row(text)
            print(f"{count:7,} {times}  {what}")
        size *= 10
    print("(µs are for each layer; compile is without check)")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000)
