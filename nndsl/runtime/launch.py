"""The processes of `nndsl run --processes N`: started, watched, and ended together.

Nothing here imports torch. The processes find each other through a folder of their own, so that no port has to be free;
who is who stands in the environment, as torchrun says it. torchrun starts them as well; it knows nothing of runs, and
shows tracebacks where this says in a sentence what happened and how to go on.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

from nndsl.files import CannotWrite
from nndsl.runtime.report import Unavailable
from nndsl.runtime.run_folder import RunFolder
from nndsl.runtime.world import FOLDER, TOGETHER

QUIET = 75
"""The exit code of a process that ends because another one has."""
GRACE = 15.0
"""Seconds that the others have to end by themselves, once one of them has ended badly."""
_LOOK = 0.05


class Ended(Exception):
    """A process was killed; `help` says how to go on."""

    def __init__(self, message: str, help: str | None) -> None:
        super().__init__(message)
        self.help = help


def launch(arguments: Sequence[str], count: int, source: bytes | None = None) -> int:
    """Runs `nndsl ARGUMENTS` in so many processes and gives their exit code; `source` is their standard input. Raises
    Ended where one was killed."""
    with tempfile.TemporaryDirectory(prefix="nndsl-") as folder, _Processes(folder) as processes:
        for rank in range(count):
            processes.start(arguments, rank, count, source)
        code = processes.wait()
        if code >= 0:
            return code
        raise _explained(processes.first, count, -code, folder)


class _Processes:
    """Those that run. Ctrl-C and other signals are passed on to each of them once."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.running: list[subprocess.Popen[bytes]] = []
        self.first = 0  # the number of the one that ended badly first
        self._before: dict[int, Any] = {}

    def __enter__(self) -> _Processes:
        for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
            self._before[number] = signal.signal(number, self._pass_on)
        return self

    def __exit__(self, *_: object) -> None:
        self._send(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        for process in self.running:
            process.wait()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def start(self, arguments: Sequence[str], rank: int, count: int, source: bytes | None) -> None:
        threads = str(max(1, (os.cpu_count() or 1) // count))
        environment = {"OMP_NUM_THREADS": threads} | os.environ
        if sys.platform == "linux":  # the name of the machine need not lead to it
            environment = {"GLOO_SOCKET_IFNAME": "lo"} | environment
        environment |= {
            "RANK": str(rank), "WORLD_SIZE": str(count), "LOCAL_RANK": str(rank), "LOCAL_WORLD_SIZE": str(count),
            TOGETHER: self.folder, "PYTHONPATH": _with_own(os.environ.get("PYTHONPATH")),
        }  # fmt: skip
        given: Any = subprocess.DEVNULL
        if source is not None:
            given = tempfile.TemporaryFile()  # noqa: SIM115 (the process has it)
            given.write(source)
            given.seek(0)
        process = subprocess.Popen(
            [sys.executable, "-m", "nndsl", *arguments], env=environment, stdin=given, start_new_session=True
        )
        self.running.append(process)

    def wait(self) -> int:
        """The exit code of the first that ends badly, minus the signal where it was killed; 0 where all end well. The
        others may then end by themselves for a while, and are ended after it."""
        code, left, until = 0, dict(enumerate(self.running)), float("inf")
        harder = [signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)]
        while left:
            for rank, process in list(left.items()):
                if (found := process.poll()) is not None:
                    del left[rank]
                    if found and code in (0, QUIET):  # whoever ended first says what it was
                        code, self.first, until = found, rank, time.monotonic() + GRACE
            if time.monotonic() > until:
                self._send(harder.pop(0))
                until = time.monotonic() + GRACE if harder else float("inf")
            time.sleep(_LOOK)
        return 1 if code == QUIET else code

    def _pass_on(self, number: int, frame: FrameType | None) -> None:
        self._send(number)

    def _send(self, number: int) -> None:
        for process in self.running:
            if process.poll() is None:
                with suppress(OSError):
                    process.send_signal(number)


def _explained(rank: int, count: int, number: int, folder: str) -> Ended:
    """What is said of a process that was killed; the run's folder says it too."""
    try:
        name = f" ({signal.Signals(number).name})"
    except ValueError:
        name = ""
    message = f"process {rank + 1} of {count} was killed by signal {number}{name}"
    path = Path(folder, FOLDER)
    if not path.is_file():
        return Ended(message, "try again; if it is killed again, the memory may not be enough: take fewer processes")
    run = os.path.relpath(path.read_text(encoding="utf-8"))
    with suppress(Unavailable, CannotWrite):
        found = RunFolder.open(run)
        if found.about.get("status") != "finished":
            found.note(status="failed", reason=message)
        step = found.checkpoints.newest_step()
        if step is not None:
            return Ended(message, f"go on from step {step:,} with `nndsl run --resume {run} --processes {count}`")
    return Ended(message, f"`{run}` has no checkpoint yet: train anew")


def _with_own(path: str | None) -> str:
    """PYTHONPATH with the place of this very nndsl in front."""
    own = str(Path(__file__).parent.parent.parent)
    return own if not path else os.pathsep.join([own, path])
