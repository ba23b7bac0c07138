"""`nndsl run` in several processes: it starts them, or it is one of them."""

from __future__ import annotations

import os
import sys
import threading
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from typing import TYPE_CHECKING

from nndsl.cli import common

if TYPE_CHECKING:
    from nndsl.runtime.world import World

_MOST = 1024


class _Silent(common.Rejected):
    """Another process has said what is wrong."""


def started() -> bool:
    """Whether this is one of the processes of `--processes`. Raises UsageError where another program has started it."""
    from nndsl.runtime.world import TOGETHER

    if TOGETHER in os.environ:
        return True
    if "WORLD_SIZE" in os.environ and "RANK" in os.environ:
        raise common.UsageError(
            f"torchrun has started {os.environ['WORLD_SIZE']} processes already", "leave --processes out"
        )
    return False


def launched(args: Namespace) -> int:
    """Starts the processes and gives their exit code. Raises UsageError, Rejected."""
    from nndsl.runtime.launch import Ended, launch

    if args.processes > _MOST:
        raise common.UsageError(f"{args.processes} processes are too many for a machine", "torchrun takes several")
    if args.target == "keras":
        raise common.UsageError(
            "several processes train the PyTorch program alone", "leave --target or --processes out"
        )
    source = sys.stdin.buffer.read() if args.file == "-" else None
    try:
        return launch(args.arguments, args.processes, source)
    except Ended as ended:
        common.complain(str(ended), ended.help, args.color)
        raise common.Rejected from None


@contextmanager
def member() -> Iterator[World]:
    """This process among others: all but the first are silent. Raises UsageError."""
    from nndsl.runtime.report import Unavailable
    from nndsl.runtime.world import ALONE, TOGETHER, here

    try:
        world = here()
    except Unavailable as error:
        raise common.UsageError(str(error), error.help) from None
    if not world.joined:
        yield ALONE
        return
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # read when torch is imported
    if TOGETHER in os.environ:
        threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()
    if world.first:
        yield world
        return
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere):
        if world.local == 0:
            yield world
        else:
            with redirect_stderr(nowhere):
                yield world


@contextmanager
def speaking(world: World) -> Iterator[None]:
    """Of several processes that fail, the first alone says why. Raises _Silent in the others."""
    try:
        yield
        world.leave()
    except Exception as error:
        if not world.joined:
            raise
        if world.lost_others(error) or not world.speaks():
            raise _Silent from None
        sys.stderr = sys.__stderr__ or sys.stderr
        raise


@contextmanager
def leaving(args: Namespace, world: World) -> Iterator[None]:
    """Ends a process that has failed among others at once, with its message and exit code: torch's threads that wait
    for the others would abort it, or keep it."""
    if not world.joined:
        yield
        return
    from nndsl.runtime.launch import QUIET

    try:
        yield
        return
    except common.Rejected as error:
        code = QUIET if isinstance(error, _Silent) else common.WRONG
    except common.UsageError as error:
        common.complain(str(error), error.help, args.color)
        code = common.USAGE
    except KeyboardInterrupt:
        code = common.INTERRUPTED
    except Exception as error:
        from nndsl.cli.bug import report_bug

        report_bug(args.arguments, error)
        code = common.BUG
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):
            stream.flush()
    os._exit(code)


def _watch_parent(parent: int) -> None:
    """Ends this process when the one that started it is gone: nobody would end it otherwise."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(common.WRONG)
