"""Several processes of `nndsl`, for tests: each goes through the same list of command lines, which saves them the time
to start."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
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


class Started:
    """`nndsl` as a process of its own, with those that it starts."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "nndsl", *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def members(self) -> dict[int, int]:
        """The ids of the processes that it has started, by rank."""
        pid = self.process.pid
        found = {}
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with suppress(OSError):
                given = Path(f"/proc/{child}/environ").read_bytes().split(b"\0")
                found |= {int(item[5:]): int(child) for item in given if item.startswith(b"RANK=")}
        return found

    def wait_for_step(self, run: str, step: int) -> None:
        """Until there is a checkpoint of that step or a later one."""
        until = time.monotonic() + 120
        while time.monotonic() < until:
            assert self.process.poll() is None, self.process.communicate()
            names = [path.name for path in Path(run, "checkpoints").glob("step-*")]
            if any(int(name.split("-")[1]) >= step for name in names):
                return
            time.sleep(0.01)
        raise AssertionError("no checkpoint")

    def end(self) -> tuple[int, str, str]:
        """(exit code, standard output, standard error)."""
        out, err = self.process.communicate(timeout=120)
        return self.process.returncode, out, err


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
