"""How the time and the memory of the compiler grow with the model: microseconds per layer for 100 to 100,000 layers.

A mean of few kinds of models: a residual network with a line for every block, as long as one file may be (1 MB, 100,000
names, numbers and signs); the same divided into files that import each other, which goes on to 100,000 layers; and
short texts that expand to as many. Calls of blocks count values that enter and leave them as calls too, and a program
may have 120,000 calls: those models end at about 70,000 layers.

Each measurement is a process of its own: processor time (the best of some), without the start, and the peak of its
memory. Lines a second (of a check, parsing included) are those of texts that write their layers out. Below each kind
stands the worst time per layer from 1,000 layers on, as a ratio to the best: 1 is growth that is exactly linear.

    python benchmarks/growth.py [LARGEST]
"""

from __future__ import annotations

import gc
import json
import resource
import subprocess
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

SIZES = (100, 1_000, 10_000, 100_000)
IN_ONE_FILE = 14_000  # layers that can be written out in one file
LINEAR = 1.5  # the ratio that the project allows itself, from 1,000 layers on

BLOCK = """block Residual(units) {
    input x
    output y = (x -> Dense(units, activation=relu) -> Dense(units), x) -> Add()
}
"""
HEAD, TAIL = "model Deep {\n    input x: float[32]\n    output y = x -> ", " -> Dense(1) with loss=mse\n}\n"


def lines(first: int, count: int) -> list[str]:
    """Residual blocks of four calls of layers, one to a line, from `block_<first - 1>` on."""
    return [
        f"    block_{number} = block_{number - 1} -> branch {{ "
        "Dense(32, activation=relu) -> Dense(32); Identity() } -> Add()"
        for number in range(first, first + count)
    ]


def written_out(layers: int) -> dict[str, str]:
    """One file with a line for each block."""
    blocks = (layers - 2) // 4
    head = ["model Deep {", "    input x: float[32]", "    block_0 = x -> Dense(32, activation=relu)"]
    tail = [f"    output y = block_{blocks} -> Dense(1) with loss=mse", "}", ""]
    return {"deep.nn": "\n".join([*head, *lines(1, blocks), *tail])}


def several_files(layers: int) -> dict[str, str]:
    """The lines in blocks, each in a file of its own."""
    files, names = {}, []
    each = min(layers, IN_ONE_FILE) // 4
    for number in range(layers // (4 * each)):
        names.append(f"Part{number}")
        body = ["    input block_0", *lines(1, each), f"    output y = block_{each}"]
        files[f"part{number}.nn"] = "\n".join([f"block {names[-1]}() {{", *body, "}", ""])
    imports = "".join(f'from "part{number}.nn" import {name}\n' for number, name in enumerate(names))
    return {"deep.nn": f"{imports}{HEAD}{' -> '.join(f'{name}()' for name in names)}{TAIL}", **files}


def one(text: str) -> dict[str, str]:
    return {"deep.nn": text}


KINDS: dict[str, tuple[Callable[[int], dict[str, str]], int]] = {
    # how it is made, and the most layers that the limits allow
    "lines of one file": (written_out, IN_ONE_FILE),
    "lines of several files": (several_files, 100_000),
    "a repeat": (lambda n: one(f"{HEAD}repeat {n} {{ Dense(32) }}{TAIL}"), 100_000),
    "a repeat of blocks": (lambda n: one(f"{BLOCK}{HEAD}repeat {n // 3} {{ Residual(32) }}{TAIL}"), 70_000),
    "a repeat in a repeat": (
        lambda n: one(f"{BLOCK}{HEAD}repeat {n // 30} {{ repeat 10 {{ Residual(32) }} }}{TAIL}"),
        70_000,
    ),
    "layers of many sizes": (
        lambda n: one(f"{HEAD}repeat i in 0..{n} {{ Dense(32 + i * i % 7) }}{TAIL}"),
        100_000,
    ),
    "blocks of many sizes": (
        lambda n: one(
            f"{BLOCK.replace('), x)', '), x -> Dense(units))')}"
            f"{HEAD}repeat i in 0..{n // 4} {{ Residual(32 + i * i % 7) }}{TAIL}"
        ),
        70_000,
    ),
}


def timed(work: Callable[[], object], times: int) -> float:
    """Seconds of the processor, the best of some."""
    found = []
    for _ in range(times):
        gc.collect()
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found)


def checked(texts: dict[str, str]) -> CheckedProgram:
    files = {name: SourceFile(name, text) for name, text in texts.items()}
    problems = Problems()
    program = pipeline.check(files["deep.nn"], problems, lambda _, path: files[path])
    assert program is not None, problems.sorted()[0]
    return program


def measure(kind: str, layers: int) -> dict[str, float]:
    """Count of layers, seconds of each step, megabytes at the end of the check and in all. Run in a new process."""
    checked(written_out(10))
    for target in pipeline.TARGETS:
        pipeline.emit(checked(written_out(10)), target)  # imports, and what is read once
    before = _peak()
    texts = KINDS[kind][0](layers)
    times = 1 if layers > 10_000 else 3
    program = checked(texts)
    found = {
        "layers": float(sum(not node.port for node in program.main.nodes)),
        "lines": float(sum(text.count("\n") for text in texts.values())),
        "MB of a check": _peak() - before,
        "check": timed(lambda: checked(texts), times),
        "torch": timed(lambda: pipeline.emit(program, "torch"), times),
        "keras": timed(lambda: pipeline.emit(program, "keras"), times),
    }
    return found | {"MB": _peak() - before}


def _peak() -> float:
    """Megabytes; Linux counts in KiB, macOS in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main(largest: int) -> int:
    print("Microseconds of the processor per layer (compile without the check), megabytes above an idle compiler.\n")
    print("| model | layers | check | torch | keras | lines/s of a check | MB of a check | MB in all |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|")
    worst = 1.0
    for kind, (_, most) in KINDS.items():
        rates: dict[str, list[float]] = {step: [] for step in ("check", "torch", "keras")}
        for size in sorted({min(size, most, largest) for size in SIZES}):
            command = [sys.executable, __file__, "--one", kind, str(size)]
            found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
            count = found["layers"]
            cells = [f"{1e6 * found[step] / count:.0f}" for step in rates]
            pace = f"{found['lines'] / found['check']:,.0f}" if kind.startswith("lines") else ""
            memory = f"{found['MB of a check']:.0f} | {found['MB']:.0f}"
            print(f"| {kind} | {count:,.0f} | {' | '.join(cells)} | {pace} | {memory} |", flush=True)
            if count >= 900:
                for step, values in rates.items():
                    values.append(found[step] / count)
        ratios = {step: max(values) / min(values) for step, values in rates.items() if values}
        worst = max([worst, *ratios.values()])
        if ratios:
            shown = " | ".join(f"×{ratio:.2f}" for ratio in ratios.values())
            print(f"| | worst to best | {shown} | | | |", flush=True)
    print(f"\nThe cost of a layer varies by a factor of {worst:.2f} at most from 1,000 layers on; allowed is {LINEAR}.")
    return 1 if worst > LINEAR else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[3]))))
    else:
        sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SIZES[-1]))
