"""Several processes of `nndsl`, for tests: each goes through the same list of command lines, which saves them the time
to start."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent.parent
_MEMBER = """
import json, os, sys
from nndsl.cli.main import main

for number, arguments in enumerate(json.load(open(sys.argv[1]))):
    os.environ["NNDSL_TOGETHER"] = folder = os.path.join(sys.argv[2], str(number))
    os.makedirs(folder, exist_ok=True)
    code = main(arguments)
    if code:
        sys.exit(f"{arguments}: {code}")
"""


def together(commands: list[list[str]], count: int, folder: Path) -> str:
    """Runs command lines of nndsl in so many processes and gives what they wrote to the standard output."""
    folder.mkdir()
    Path(folder, "commands.json").write_text(json.dumps(commands))
    processes = []
    for rank in range(count):
        own = {
            "RANK": rank, "WORLD_SIZE": count, "LOCAL_RANK": rank, "LOCAL_WORLD_SIZE": count, "OMP_NUM_THREADS": 1,
            "PYTHONPATH": ROOT, "NNDSL_TOGETHER": folder, "GLOO_SOCKET_IFNAME": "lo",
        }  # fmt: skip
        command = [sys.executable, "-c", _MEMBER, str(folder / "commands.json"), str(folder)]
        environment = os.environ | {name: str(value) for name, value in own.items()}
        processes.append(
            subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        )
    told = [process.communicate(timeout=900) for process in processes]
    for process, (out, err) in zip(processes, told, strict=True):
        assert process.returncode == 0, out + err
    assert not any(err for _, err in told), told
    assert not any(out for out, _ in told[1:]), told
    return told[0][0]


def weights(run: str) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(Path(run, "weights.safetensors"))


def history(run: str) -> dict[str, np.ndarray]:
    """The numbers of the history by name, the time left out."""
    with open(Path(run, "history.csv"), newline="") as stream:
        rows = list(csv.DictReader(stream))
    return {name: np.array([float(row[name] or "nan") for row in rows]) for name in rows[0] if name != "seconds"}


def apart(one: str, other: str) -> float:
    """The largest difference between weights, states of optimizers and histories of two runs."""
    pairs = [(weights(one), weights(other)), (history(one), history(other))]
    assert all(a.keys() == b.keys() for a, b in pairs)
    return max(float(np.abs(a[name] - b[name]).max()) for a, b in pairs for name in a)
