"""What is said when nndsl itself fails: a short message, and a file to send with a report."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import traceback

from nndsl._version import __version__
from nndsl.diagnostics.terminal import visible


def report_bug(arguments: list[str], error: Exception) -> None:
    """Tells about an unexpected exception. The report holds the traceback and the command line, no source text."""
    if os.environ.get("NNDSL_DEBUG"):
        traceback.print_exception(error)
    summary = f"{type(error).__name__}: {error}".split("\n")[0][:200]
    lines = [
        "nndsl has a bug: this should not happen, whatever the file holds.",
        f"  {visible(summary)}",
    ]
    try:
        lines.append(f"Please report it with this file: {_write_report(arguments, error)}")
    except OSError as failed:
        lines.append(f"(No report could be written: {failed.strerror}. NNDSL_DEBUG=1 shows the traceback.)")
    print("\n".join(lines), file=sys.stderr)


def _write_report(arguments: list[str], error: Exception) -> str:
    text = "\n".join(
        [
            f"nndsl {__version__}",
            f"Python {sys.version}",
            f"{platform.platform()}",
            f"command: nndsl {' '.join(map(ascii, arguments))}",
            "",
            "".join(traceback.format_exception(error)),
            _facts(),
        ]
    )
    descriptor, path = tempfile.mkstemp(prefix="nndsl-report-", suffix=".txt")
    with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)
    return path


def _facts() -> str:
    """What `nndsl doctor` sees without running anything. What is broken may break that too."""
    try:
        from nndsl.cli.doctor import as_text
        from nndsl.interop.doctor.examine import facts
        from nndsl.interop.doctor.findings import without_home

        return without_home(as_text(facts(), color=False))
    except Exception as error:
        return f"nndsl doctor failed: {type(error).__name__}"
