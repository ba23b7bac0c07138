"""`nndsl doctor`: what is installed, which frameworks and devices work, what is missing, and what to do about it."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING

from nndsl.cli import common
from nndsl.diagnostics.terminal import paint, visible, want_color

if TYPE_CHECKING:
    from nndsl.interop.doctor.findings import Report

_ROLES = {"ok": "add", "missing": "gutter", "warning": "warning", "broken": "error"}


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = (
        "Say what is installed, which frameworks and devices work, what is missing, and what to do about it. "
        "Exit code 1: something that is installed is broken, or its version does not fit."
    )
    parser.epilog = """\
examples:
  nndsl doctor                   try everything, frameworks too (they take some seconds)
  nndsl doctor --quick           look only, import no framework
  nndsl doctor --format json     for a bug report; the home folder is written as ~
"""
    parser.add_argument("--quick", action="store_true", help="start no trials: frameworks are not imported")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="the form (default: text)")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=common.positive, default=60, help="what a trial may take (default: 60)"
    )


def main(args: Namespace) -> int:
    from nndsl.interop.doctor.examine import examine
    from nndsl.interop.doctor.findings import Mark

    progress = _progress()
    try:
        report = examine(args.quick, args.timeout, progress)
    finally:
        if progress is not None:
            sys.stderr.write("\r\x1b[K")
    if args.format == "json":
        import json

        sys.stdout.write(json.dumps(report.as_data(), indent=2) + "\n")
    else:
        sys.stdout.write(as_text(report, want_color(sys.stdout, args.color)))
    return common.WRONG if report.count(Mark.BROKEN) else common.FINE


def _progress() -> Callable[[str], None] | None:
    """On a terminal, one line that says what is being tried."""
    if not sys.stderr.isatty():
        return None

    def show(text: str) -> None:
        sys.stderr.write(f"\r\x1b[K{visible(text)[: (common.width_of(sys.stderr) or 80) - 1]}")
        sys.stderr.flush()

    return show


def as_text(report: Report, color: bool) -> str:
    lines = [f"nndsl {report.version}"]
    for section in report.sections:
        if not section.findings:
            continue
        width = max(12, *(len(visible(finding.name)) for finding in section.findings))
        lines += ["", paint("title", section.title, color)]
        for finding in section.findings:
            mark = paint(_ROLES[finding.mark], f"{finding.mark:7}", color)
            lines.append(f"  {mark}  {visible(finding.name):{width}}  {visible(finding.text)}")
            room = " " * (width + 13)
            lines += [f"{room}| {visible(line)}" for line in finding.printed]
            lines += [f"{room}= {paint('title', 'help:', color)} {visible(line)}" for line in finding.help]
    return "\n".join([*lines, "", _summary(report)]) + "\n"


def _summary(report: Report) -> str:
    from nndsl.interop.doctor.findings import Mark

    broken, warned, missing = (report.count(mark) for mark in (Mark.BROKEN, Mark.WARNING, Mark.MISSING))
    parts = [f"{broken} broken"] if broken else ["nothing is broken"]
    parts += [f"{warned} warning{'s' if warned > 1 else ''}"] if warned else []
    parts += [f"{missing} missing"] if missing else []
    tried = " (nothing was tried: leave --quick out for that)" if report.quick else ""
    return ", ".join(parts) + tried
