"""How long `nndsl check` and `nndsl compile` take as whole processes, beside Python importing lark and jinja2.

Each round runs every command once, so that whatever else the machine does falls on all of them alike; the medians of
the rounds are printed, and the ratio to the imports. The first run fills the caches and does not count. What counts
is the processor's time: on a machine that others use too, the clock on the wall tells more of them.

    python benchmarks/startup.py [ROUNDS]
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 130 / 87  # what the project allows itself, as a ratio to the imports
# The first run compiles the modules, as an installation does.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds on the wall and of the processor."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=_ENVIRONMENT, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def main(rounds: int) -> int:
    examples = sorted((ROOT / "examples").glob("*.nn"), key=lambda file: file.stat().st_size)
    imports = [sys.executable, "-c", "import lark, jinja2"]
    script = Path(sys.executable).with_name("nndsl")
    nndsl = [str(script)] if script.exists() else [sys.executable, "-m", "nndsl"]
    commands = {"import lark, jinja2": imports}
    for file in (examples[0], examples[-1]):
        commands[f"check {file.stem}"] = [*nndsl, "check", str(file)]
        for target in ("torch", "keras"):
            commands[f"compile {file.stem} for {target}"] = [*nndsl, "compile", str(file), "--target", target]
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name, command in commands.items():
            measured = timed(command)
            if number:
                times[name].append(measured)
    base = times["import lark, jinja2"]
    print(f"{'median of ' + str(rounds):36} {'wall ms':>8} {'CPU ms':>8} {'ratio':>6}")
    slow = False
    for name, runs in times.items():
        wall, cpu = (1000 * statistics.median(column) for column in zip(*runs, strict=True))
        ratio = statistics.median(one / other for (_, one), (_, other) in zip(runs, base, strict=True))
        slow = slow or ratio > LIMIT
        print(f"{name:36} {wall:8.0f} {cpu:8.0f} {ratio:6.2f}")
    print(f"allowed: {LIMIT:.2f}{'; it is exceeded' if slow else ''}")
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
