"""What to type to run a model again, to go on, and to use it."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def commands(folder: str, summary: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """(what it does, the command), from what run.json says. A command that was given word for word as a list under
    `command` is the one that repeats the run."""
    given = summary.get("command")
    again = [str(word) for word in given] if isinstance(given, list | tuple) else list(_again(summary))
    if again:
        yield "Run it again, into a new folder:", shlex.join(again)
    if summary.get("status") in ("interrupted", "failed", "running"):
        yield "Go on where it stopped:", shlex.join(["nndsl", "run", "--resume", folder])
    yield "Judge it on other data:", shlex.join(["nndsl", "evaluate", folder, "--data", "other.csv"])
    yield "Use it on new data:", shlex.join(["nndsl", "predict", folder, "--data", "new.csv"])
    yield "Compare it with another run:", shlex.join(["nndsl", "runs", folder, os.path.join("runs", "ANOTHER")])


def _again(summary: Mapping[str, Any]) -> Iterator[str]:
    program = summary.get("program")
    if not isinstance(program, str) or not program or program in ("-", "<stdin>"):
        return
    yield from ("nndsl", "run", program)
    if summary.get("model"):
        yield from ("--model", str(summary["model"]))
    for name, value in _items(summary.get("params")):
        yield from ("--set", f"{name}={value if isinstance(value, str) else literal(value)}")
    for name, value in _items(summary.get("options")):
        if name in ("output", "resume", "model", "set") or value in (None, False):
            continue
        yield f"--{name.replace('_', '-')}"
        if value is not True:
            yield str(value)


def _items(found: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(found, Mapping):
        yield from ((name, value) for name, value in found.items() if isinstance(name, str) and _NAME.match(name))


def literal(value: Any) -> str:
    """As the language writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(literal, value))}]"
    return "none" if value is None else str(value)
