"""What the commands share that train a model or ask a trained one: the device, and how they say what is wrong."""

from __future__ import annotations

import os
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from contextlib import contextmanager

from nndsl.cli import common
from nndsl.cli.weight_errors import complaints, explained
from nndsl.runtime.choices import DEVICE


def add_device(parser: ArgumentParser, default: str | None = "auto") -> None:
    parser.add_argument(
        "--device", type=_device, metavar="DEVICE", default=default,
        help="auto, cpu, cuda, cuda:1, mps (default: a GPU if any)",
    )  # fmt: skip


def _device(text: str) -> str:
    if not re.fullmatch(DEVICE, text):
        raise ArgumentTypeError(f"auto, cpu, cuda, cuda:1 or mps is expected, not {text!r}")
    return text


@contextmanager
def running(args: Namespace, what: str, path: str) -> Iterator[None]:
    """Turns what may go wrong into messages; `path` is the weight file that complaints are about. Raises UsageError,
    Rejected."""
    # Threads that wait must not burn the core that others need: on a busy machine a run of small batches took twice as
    # long with spinning. Read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong in TensorFlow is raised as well
    from nndsl.runtime.report import RunFailed, Unavailable

    try:
        with explained(what), complaints(args, path):
            yield
    except RunFailed as failed:
        common.show(failed.problems, sys.stderr, args)
        raise common.Rejected from None
    except Unavailable as error:
        raise common.UsageError(str(error), error.help) from None
