"""`nndsl explain`: what a code means."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace

from nndsl.cli import common


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "Explain the code of an error or warning, with an example that is wrong and one that is right."
    parser.epilog = "examples:\n  nndsl explain NN0203\n  nndsl explain           list all codes\n"
    parser.add_argument("code", metavar="CODE", nargs="?", help="such as NN0203; without it all codes are listed")


def main(args: Namespace) -> int:
    from nndsl.diagnostics import codes

    if args.code is None:
        for code in codes.all_codes():
            warning = " (warning)" if code.severity.value == "warning" else ""
            print(f"{code.code}  {code.title}{warning}")
        return common.FINE
    text = codes.explain(args.code)
    if text is None:
        raise common.UsageError(f"there is no code `{args.code}`", _hint(args.code))
    sys.stdout.write(text)
    return common.FINE


def _hint(word: str) -> str:
    """Codes differ in digits, where distance means little: what begins alike is nearer."""
    from nndsl.diagnostics.codes import all_codes
    from nndsl.diagnostics.suggest import did_you_mean

    digits = "".join(char for char in word if char.isdigit())
    known = [code.code for code in all_codes()]
    padded = f"NN{digits.zfill(4)}"
    if padded in known:
        return f"did you mean `{padded}`?"
    return did_you_mean(word.upper(), known) or "`nndsl explain` lists all codes"
