"""What `nndsl run` adds to a step of training: its loop beside the emitted program's own, and a loop written by hand.

The small model of the diabetes lesson, batches of 10, where a step is short and all else counts most. Rounds of all
three are timed in turn in one process; ratios are medians of pairs.
"""

from __future__ import annotations

import io
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from nndsl import api
from nndsl.interop.load import load_program
from nndsl.runtime.interrupt import Interrupt
from nndsl.runtime.loop import Loop, Plan
from nndsl.runtime.progress import Progress
from nndsl.runtime.torch_engine import TorchEngine

EXAMPLE = Path(__file__).parent.parent / "examples" / "diabetes.nn"
ROWS, BATCH, ROUNDS = 2_000, 10, 25


class Rows:
    """Arrays that lie in the memory."""

    resident = True

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        self.arrays = arrays
        self.nbytes = sum(array.nbytes for array in arrays.values())

    def __len__(self) -> int:
        return ROWS

    def take(self, places: np.ndarray) -> dict[str, np.ndarray]:
        return {name: array[places] for name, array in self.arrays.items()}


def main() -> None:
    torch.set_num_threads(1)
    program = api.check(EXAMPLE)
    model, loaded = program.find(None), load_program(program)
    module = loaded.module
    numbers = np.random.default_rng(0)
    arrays = {
        "features": numbers.normal(size=(ROWS, 8)).astype(np.float32),
        "diabetes": numbers.integers(0, 2, (ROWS, 1)).astype(np.float32),
    }
    data = {name: torch.from_numpy(array) for name, array in arrays.items()}

    def by_run() -> float:
        engine = TorchEngine(model, loaded, torch.device("cpu"), seed=0, batch=BATCH)
        plan = Plan(1, None, BATCH, None, shuffle=True, reset=False, seed=0)
        loop = Loop(engine, plan, Rows(arrays), None, Progress(io.StringIO(), quiet=True), Interrupt())
        return timed(loop.run)

    def by_program() -> float:
        net = loaded.cls()
        optimizer = module.make_optimizer(net)
        return timed(lambda: module.run(net, data, BATCH, optimizer))

    def by_hand() -> float:
        net = loaded.cls()
        optimizer = torch.optim.Adam(net.parameters(), eps=1e-7)
        x, y = data["features"], data["diabetes"]

        def epoch() -> None:
            total = torch.zeros(())
            for rows in torch.split(torch.randperm(ROWS), BATCH):
                optimizer.zero_grad()
                logits = net(x[rows], logits=True)["diabetes"]
                loss = torch.nn.functional.binary_cross_entropy_with_logits(logits, y[rows])
                loss.backward()
                optimizer.step()
                total += loss.detach()
            float(total)

        return timed(epoch)

    ways: dict[str, Callable[[], float]] = {"nndsl run": by_run, "python model.py": by_program, "by hand": by_hand}
    for way in ways.values():
        way()
    rounds = [{name: way() for name, way in ways.items()} for _ in range(ROUNDS)]
    steps = ROWS / BATCH
    for name in ways:
        own = statistics.median(found[name] for found in rounds)
        ratio = statistics.median(found[name] / found["by hand"] for found in rounds)
        print(f"{name:16} {own / steps * 1e6:6.0f} microseconds a step, {ratio:.2f} of a loop by hand")


def timed(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
