"""Runs an emitted program in a process of its own: what both `nndsl verify` and the weight files of Keras need.

A `Task` is the text of an emitted program, the module of this room that knows what to do with it (`worker.serve` is its
other end), and a request: JSON and arrays. It goes through a private folder that is removed whatever happens, and so
does the answer. torch and TensorFlow never meet in one process, nothing is pickled, nothing runs on a GPU.
"""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import site
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Arrays = Mapping[str, np.ndarray[Any, Any]]

NEEDED = {"torch": ("torch", "numpy"), "keras": ("tensorflow", "keras", "numpy")}
"""What a worker of each framework imports."""
_POLL = 0.05
_SHOWN = 4000


class FrameworkMissing(Exception):
    """A framework that is not installed; `help` says how to install it."""

    def __init__(self, framework: str, module: str) -> None:
        super().__init__(f"this needs {module}, which is not installed")
        self.module = module
        self.help = f"install it: pip install 'nndsl[{framework}]'"


class WorkerFailed(Exception):
    """A worker that ended without an answer. `printed` is the end of what it printed, `kind` which framework it has."""

    def __init__(self, kind: str, code: int, printed: str) -> None:
        how = f"was ended by {_signal(-code)}" if code < 0 else f"ended with exit code {code}"
        super().__init__(f"the process of the {kind} program {how}")
        self.kind, self.code, self.printed = kind, code, printed


@dataclass(frozen=True)
class Task:
    """What one worker is to do. `kind` is "torch" or "keras", `module` a module to run ("nndsl.interop.verify_torch"),
    `program` the text of the emitted program (or several, by the names of their modules), `request` plain JSON data,
    `arrays` numpy arrays by any name."""

    kind: str
    module: str
    program: str | Mapping[str, str]
    request: Mapping[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What a worker found: plain JSON data, and arrays by name."""

    data: dict[str, Any]
    arrays: dict[str, np.ndarray[Any, Any]]


def require(*kinds: str) -> None:
    """Raises FrameworkMissing where a framework that workers of these kinds import is not installed. Loads nothing."""
    for kind in kinds:
        for module in NEEDED[kind]:
            if importlib.util.find_spec(module) is None:
                raise FrameworkMissing(kind, module)


def run(tasks: Sequence[Task], progress: Callable[[str, str], None] | None = None) -> list[Answer]:
    """Runs each task in a process of its own, all at once, and gives their answers in the same order.

    `progress` hears (kind, what it is doing) now and then. Raises FrameworkMissing, WorkerFailed; where one fails, or
    on Ctrl-C, the others are killed.
    """
    require(*(task.kind for task in tasks))
    with _private_folder() as folder:
        runs = [_Run(task, folder / str(number), len(tasks)) for number, task in enumerate(tasks)]
        try:
            for item in runs:
                item.start()
            waiting = runs
            while waiting := [item for item in waiting if not item.is_done(progress)]:
                time.sleep(_POLL)
            return [item.answer() for item in runs]
        finally:
            for item in runs:
                item.kill()


class _Run:
    """A task and its process, with a folder of its own."""

    def __init__(self, task: Task, folder: Path, together: int) -> None:
        self.task, self.folder, self.together = task, folder, together
        self.process: subprocess.Popen[bytes] | None = None
        self.output: IO[bytes] | None = None
        self.said = ""

    def start(self) -> None:
        self.folder.mkdir()
        programs = {"program": self.task.program} if isinstance(self.task.program, str) else self.task.program
        for name, text in programs.items():
            (self.folder / f"{name}.py").write_text(text, encoding="utf-8")
        write_message(self.folder, "request", self.task.request, self.task.arrays)
        self.output = (self.folder / "printed").open("wb")
        # Standard input is the leash: it ends when this process does, and the worker with it. A session of its own
        # keeps Ctrl-C for this process, which ends the worker in its own time.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", self.task.module, str(self.folder)],
            stdin=subprocess.PIPE, stdout=self.output, stderr=subprocess.STDOUT,
            cwd=self.folder, env=_environment(self.task.kind, self.together), start_new_session=True,
        )  # fmt: skip

    def is_done(self, progress: Callable[[str, str], None] | None) -> bool:
        """Whether the process has ended well. Raises WorkerFailed where it has not."""
        assert self.process is not None
        code = self.process.poll()
        if progress is not None:
            said = _read(self.folder / "progress")
            if said and said != self.said:
                self.said = said
                progress(self.task.kind, said)
        if code is None:
            return False
        if code != 0 or not (self.folder / "answer.json").exists():
            raise WorkerFailed(self.task.kind, code, _read(self.folder / "printed")[-_SHOWN:])
        return True

    def answer(self) -> Answer:
        """Raises FrameworkMissing where the worker could not import one."""
        data, arrays = read_message(self.folder, "answer")
        if "missing" in data:
            raise FrameworkMissing(self.task.kind, str(data["missing"]))
        return Answer(data, arrays)

    def kill(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            if self.process.stdin is not None:
                self.process.stdin.close()
        if self.output is not None:
            self.output.close()


def write_message(folder: Path, name: str, data: Mapping[str, Any], arrays: Arrays) -> None:
    """Writes `name`.npz and `name`.json, the latter last: where it stands, both are whole."""
    import numpy as np

    np.savez(folder / f"{name}.npz", **{f"a{number}": array for number, array in enumerate(arrays.values())})  # type: ignore[arg-type]
    text = json.dumps({"data": data, "arrays": list(arrays)})
    (folder / f"{name}.part").write_text(text, encoding="utf-8")
    (folder / f"{name}.part").replace(folder / f"{name}.json")


def read_message(folder: Path, name: str) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    """What `write_message` wrote. Weight names can be anything, so the archive's members are numbered."""
    import numpy as np

    message = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as file:
        arrays = {label: file[f"a{number}"] for number, label in enumerate(message["arrays"])}
    return message["data"], arrays


@contextmanager
def _private_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="nndsl-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _environment(kind: str, together: int) -> dict[str, str]:
    """Quiet, without a GPU, and on its share of the cores; what the user has set about threads stays."""
    found = dict(os.environ)
    threads = str(max(1, (os.cpu_count() or 1) // max(1, together)))
    found |= {
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONIOENCODING": "utf-8",
    }
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        found.setdefault(name, threads)
    found.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    root = str(Path(__file__).resolve().parents[2])
    if root not in [str(Path(folder).resolve()) for folder in (*site.getsitepackages(), site.getusersitepackages())]:
        found["PYTHONPATH"] = os.pathsep.join(filter(None, (root, found.get("PYTHONPATH"))))
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
