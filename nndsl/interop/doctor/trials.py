"""Trials: processes that import and use what is installed, so that what is broken takes nothing with it.

Each works in a private folder, tells there what it is at (`stage`), and leaves its answer there: what it prints is what
the framework says of itself, and is shown where it fails. A trial looks for modules where this process does.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

_POLL = 0.02
_SHOWN = 5
_LONGEST = 500
_START = (
    "import json,sys; sys.path[:]=json.loads(sys.argv[1]); from nndsl.interop.doctor.worker import serve; "
    "serve(sys.argv[2], sys.argv[3])"
)


@dataclass(frozen=True)
class Trial:
    """`kind` is a function of `worker`, `request` plain data for it."""

    kind: str
    request: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What came of a trial: its answer, as far as it came; what it was at, and why it ended, where it failed."""

    answer: dict[str, Any]
    seconds: float
    stage: str = ""
    failed: str = ""  # "" where it did not
    printed: tuple[str, ...] = ()
    code: int | None = 0  # None: the time was over


def run(trials: Sequence[Trial], limit: float, progress: Callable[[str], None] | None = None) -> list[Outcome]:
    """Runs all of them at once, each for at most `limit` seconds, and gives what came of them in the same order.

    `progress` hears what they are at. However this ends (Ctrl-C), no process is left.
    """
    with tempfile.TemporaryDirectory(prefix="nndsl-", ignore_cleanup_errors=True) as folder:
        running = [_Running(trial, Path(folder) / str(number)) for number, trial in enumerate(trials)]
        said = ""
        try:
            for item in running:
                item.start()
            while any([not item.is_done(limit) for item in running]):  # noqa: C419 (each is asked)
                now = ", ".join(item.stage() for item in running if item.ended is None)
                if progress is not None and now and now != said:
                    said = now
                    progress(now)
                time.sleep(_POLL)
            return [item.outcome(limit) for item in running]
        finally:
            for item in running:
                item.kill()


class _Running:
    def __init__(self, trial: Trial, folder: Path) -> None:
        self.trial, self.folder = trial, folder
        self.process: subprocess.Popen[bytes] | None = None
        self.output: IO[bytes] | None = None
        self.begun = time.monotonic()
        self.ended: float | None = None
        self.late = False

    def start(self) -> None:
        self.folder.mkdir(mode=0o700)
        (self.folder / "request.json").write_text(json.dumps(self.trial.request), encoding="utf-8")
        self.output = (self.folder / "printed").open("wb")
        environment = dict(os.environ) | {"PYTHONIOENCODING": "utf-8", "PYTHONDONTWRITEBYTECODE": "1"}
        environment.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        flags = ["-S"] if sys.flags.no_site else []
        path = [os.path.abspath(folder) for folder in sys.path]
        # A session of its own keeps Ctrl-C for this process; the standard input is the leash (see `worker`).
        self.process = subprocess.Popen(
            [sys.executable, *flags, "-P", "-c", _START, json.dumps(path), self.trial.kind, str(self.folder)],
            stdin=subprocess.PIPE, stdout=self.output, stderr=subprocess.STDOUT,
            cwd=self.folder, env=environment, start_new_session=True,
        )  # fmt: skip

    def is_done(self, limit: float) -> bool:
        assert self.process is not None
        if self.ended is None:
            now = time.monotonic()
            self.late = self.process.poll() is None and now - self.begun > limit
            if self.late:
                self.kill()
            if self.process.returncode is not None:
                self.ended = now
        return self.ended is not None

    def stage(self) -> str:
        return self._read("stage") or "starting Python"

    def outcome(self, limit: float) -> Outcome:
        assert self.process is not None and self.ended is not None
        try:
            answer = json.loads(self._read("answer.json") or "{}")
        except ValueError:
            answer = {}
        seconds, code = self.ended - self.begun, self.process.returncode
        if code == 0 and answer.get("complete") and not self.late:
            return Outcome(answer, seconds)
        how = f"took longer than {limit:g} s" if self.late else _ending(code)
        printed = [line.rstrip() for line in self._read("printed").splitlines() if _tells(line)]
        shown = tuple(line[:_LONGEST] for line in printed[-_SHOWN:])
        return Outcome(answer, seconds, self.stage(), how, shown, None if self.late else code)

    def kill(self) -> None:
        if self.process is None:
            return
        if hasattr(os, "killpg"):  # what it has started goes too
            with suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
        with suppress(OSError):
            self.process.kill()
        self.process.wait()
        if self.process.stdin is not None:
            with suppress(OSError):
                self.process.stdin.close()
        if self.output is not None:
            self.output.close()

    def _read(self, name: str) -> str:
        """The end of a file of the trial; what it prints may be without end."""
        try:
            with (self.folder / name).open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - 200_000))
                return file.read().decode("utf-8", "replace")
        except OSError:
            return ""


def _tells(line: str) -> bool:
    """Whether a line that was printed says something: of a traceback, not how Python itself imports."""
    inside = "importlib" in line or "_bootstrap" in line or line.startswith('  File "<string>"')
    return bool(line.strip(" ^~\t\r")) and not inside


def _ending(code: int) -> str:
    if code < 0:
        try:
            return f"was ended by {signal.Signals(-code).name}"
        except ValueError:
            return f"was ended by signal {-code}"
    return "failed" if code == 1 else f"ended the process with exit code {code}"
