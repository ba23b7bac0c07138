"""`nndsl layers`: what the catalogue holds."""

from __future__ import annotations

import sys
import textwrap
from argparse import ArgumentParser, Namespace

from nndsl.cli import common


def add_arguments(parser: ArgumentParser) -> None:
    parser.description = "List the layers, losses, optimizers, … there are, or describe one."
    parser.epilog = """\
examples:
  nndsl layers                          everything, by category
  nndsl layers Conv2D                   its arguments, defaults and an example
  nndsl layers --category optimizer     the names of one category
"""
    parser.add_argument("name", metavar="NAME", nargs="?", help="a layer, or an option such as adam or relu")
    parser.add_argument("--category", metavar="CATEGORY", help="layer, loss, metric, optimizer, …")


def main(args: Namespace) -> int:
    from nndsl.diagnostics.suggest import did_you_mean
    from nndsl.layers import catalogue
    from nndsl.layers.docs import categories, describe

    known = categories()
    if args.category is not None and args.category not in known:
        help = did_you_mean(args.category, known) or f"the categories are {', '.join(known)}"
        raise common.UsageError(f"there is no category `{args.category}`", help)
    chosen = known if args.category is None else [args.category]
    if args.name is None:
        sys.stdout.write(_listed(chosen))
        return common.FINE
    found = [entry for category in chosen if (entry := catalogue.find(category, args.name)) is not None]
    if not found:
        former = [entry for category in chosen if (entry := catalogue.find_former(category, args.name)) is not None]
        if former:
            today = catalogue.spelling(former[0])
            raise common.UsageError(f"`{args.name}` is a name of earlier versions of Keras", f"it is `{today}` today")
        refused = [why for category in chosen if (why := catalogue.refusal(category, args.name)) is not None]
        if refused:
            raise common.UsageError(f"`{args.name}` is not part of nndsl: {refused[0].reason}", refused[0].instead)
        names = [name for category in chosen for name in catalogue.names(category)]
        help = did_you_mean(args.name, names) or "`nndsl layers` lists all there is"
        raise common.UsageError(f"the catalogue has nothing called `{args.name}`", help)
    sys.stdout.write("\n".join(describe(entry).rstrip("\n") + "\n" for entry in found))
    return common.FINE


def _listed(categories: list[str]) -> str:
    """The names that a file would use, category by category."""
    from nndsl.layers import catalogue

    width = min(common.width_of(sys.stdout) or 100, 120)
    blocks = []
    for category in categories:
        names = sorted({catalogue.spelling(entry) for entry in catalogue.entries(category)})
        body = textwrap.fill(
            ", ".join(names), width, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False
        )
        blocks.append(f"{category} ({len(names)})\n{body}\n")
    return "\n".join(blocks)
