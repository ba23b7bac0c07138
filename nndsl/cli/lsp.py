"""`nndsl lsp`: the language server that editors start."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from nndsl.cli import common


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "Serve an editor over the standard streams, in the Language Server Protocol."
    parser.epilog = """\
examples:
  nndsl lsp              what an editor runs; docs/editors.md says how each is told to
"""
    parser.add_argument("--stdio", action="store_true", help="the only way of talking there is (some editors say it)")


def main(args: Namespace) -> int:
    try:
        from nndsl.lsp.server import serve
    except ModuleNotFoundError as error:
        if error.name is not None and error.name.split(".")[0] in ("pygls", "lsprotocol"):
            raise common.UsageError(
                "the language server needs the package pygls", "install it with `pip install 'nndsl[lsp]'`"
            ) from None
        raise
    serve()
    return common.FINE
