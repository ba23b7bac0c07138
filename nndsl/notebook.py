"""`%%nn` and `%nn` in IPython and Jupyter: a network in a cell, checked, summed up and ready as a class.

The only module that imports IPython. The cell is text like any file: it is checked as `nndsl check` checks, and what
the magic runs is the program that the compiler wrote.
"""

from __future__ import annotations

import builtins
import keyword
import shlex
import sys
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from IPython.core.completer import CompletionContext, SimpleCompletion, SimpleMatcherResult, context_matcher
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments
from IPython.display import Code, display

from nndsl import pipeline
from nndsl.cli import common
from nndsl.diagnostics.model import Diagnostic, Problems
from nndsl.diagnostics.render import render_text, summary
from nndsl.diagnostics.terminal import want_color
from nndsl.files import read_source
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.layers import catalogue
from nndsl.project import Project
from nndsl.source import SourceFile
from nndsl.syntax.tables import load_tables
from nndsl.views import graph
from nndsl.views.html import problems_html, summary_html
from nndsl.views.summary import Summary, summarize
from nndsl.views.summary_text import summary_text
from nndsl.views.svg import svg


def load_ipython_extension(shell: InteractiveShell) -> None:
    """What `%load_ext nndsl` (or `nndsl.notebook`) calls."""
    shell.register_magics(NndslMagics)
    if _complete not in shell.Completer.custom_matchers:
        shell.Completer.custom_matchers.append(_complete)


class ShownProblems:
    """Problems as an object that a notebook shows; as text they are what `nndsl check` shows."""

    def __init__(self, problems: list[Diagnostic]) -> None:
        self.problems = problems

    def __repr__(self) -> str:
        return render_text(self.problems, color=want_color(sys.stdout), width=common.width_of(sys.stdout)).rstrip()

    def _repr_html_(self) -> str:
        return problems_html(self.problems)


class ShownSummary:
    """A summary as an object that a notebook shows."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary

    def __repr__(self) -> str:
        return summary_text(self.summary, width=common.width_of(sys.stdout)).rstrip()

    def _repr_html_(self) -> str:
        return summary_html(self.summary)


@magics_class
class NndslMagics(Magics):
    """The magics, as IPython registers them."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.ip = shell

    @magic_arguments()
    @argument("words", metavar="[FILE] [NAME]", nargs="*",
              help="the name to define (default: the model's); before it the file, if the cell is not it")  # fmt: skip
    @argument("--target", choices=pipeline.TARGETS, default="torch",
              help="torch: NAME is the class (default); keras: the function that builds the model")  # fmt: skip
    @argument("--set", dest="params", metavar="NAME=VALUE", action="append", default=[],
              help="give a `param` another value (may be repeated)")  # fmt: skip
    @argument("--model", metavar="MODEL", help="one of several models (default: the last)")
    @argument("--graph", action="store_true", help="show the graph of the model")
    @argument("--code", action="store_true", help="show the program")
    @line_cell_magic
    def nn(self, line: str, cell: str | None = None) -> None:
        """Check a model, show its problems or its summary, and define its class under its name.

        %%nn [NAME] [options]       the model in the cell
        %nn FILE [NAME] [options]   the model in a file

        Where there are errors nothing is defined, and a notebook that is run as a whole stops.
        """
        args = self._arguments(line)
        words, problems = list(args.words), Problems()
        if cell is None:
            if not words:
                raise UsageError("%nn takes a file, `%nn model.nn`; a cell that begins with %%nn is a model itself")
            source = read_source(words.pop(0), problems)
        else:
            # The first line of the cell is the magic itself: places are those that the notebook shows.
            source = SourceFile(f"In[{self.ip.execution_count}]", "\n" + cell)
        if len(words) > 1:
            raise UsageError(f"one name at most is defined, not `{' '.join(words)}`")
        name = words[0] if words else None
        if name is not None:
            self._check_name(name, "")
        program = self._checked(source, problems, args)
        model = _usage(lambda: common.pick_model(program, args.model))
        name = name or model.name
        self._check_name(name, f"; give another name: %{'%nn' if cell is not None else 'nn FILE'} NAME")
        display(ShownSummary(summarize(model)))
        if args.graph:
            display({"image/svg+xml": svg(graph.draw(model)), "text/plain": f"<graph of {model.name}>"}, raw=True)
        if args.code:
            display(Code(pipeline.emit(program, args.target, model.name), language="python"))
        self.ip.push({name: _loaded(program, model, args.target)})

    def _arguments(self, line: str) -> Namespace:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise UsageError(f"%%nn: {error} in `{line.strip()}`") from None
        found: Namespace = self.nn.parser.parse_args(words)
        return found

    def _checked(self, source: SourceFile | None, problems: Problems, args: Namespace) -> CheckedProgram:
        settings = _usage(lambda: common.params_of(args))
        program = None if source is None else pipeline.check(source, problems, Project(source).read, settings)
        if len(problems):
            display(ShownProblems(problems.sorted()))
        if program is None:
            raise UsageError(f"nothing is defined: {summary(problems)}")
        return program

    def _check_name(self, name: str, remedy: str) -> None:
        """A name that Python or IPython uses is not taken away from it."""
        if not name.isidentifier() or keyword.iskeyword(name):
            raise UsageError(f"`{name}` is no name of Python{remedy}")
        if hasattr(builtins, name) or name in self.ip.user_ns_hidden or name.startswith("_"):
            raise UsageError(f"`{name}` is a name of Python or IPython{remedy}")


def _usage(ask: Callable[[], Any]) -> Any:
    """What `ask` gives; the command line's wrong usage is the notebook's."""
    try:
        return ask()
    except common.UsageError as error:
        raise UsageError(f"{error}{f': {error.help}' if error.help else ''}") from None


def _loaded(program: CheckedProgram, model: Model, target: str) -> Any:
    """The torch class, or the function that builds the Keras model. Raises UsageError without the framework."""
    try:
        if target == "torch":
            from nndsl.interop.load import load_class

            return load_class(program, model.name)
        from nndsl.interop.modules import import_text

        return import_text(pipeline.emit(program, target, model.name), model.name).build_model
    except ModuleNotFoundError as error:
        if error.name not in ("torch", "tensorflow", "keras", "numpy"):
            raise
        raise UsageError(f"the model is fine, but {error.name} is missing: pip install 'nndsl[{target}]'") from None


@context_matcher()
def _complete(context: CompletionContext) -> SimpleMatcherResult:
    """Layers, functions and reserved words in a cell that begins with `%%nn`."""
    if not context.full_text.startswith("%%nn") or context.cursor_line == 0 or not context.token:
        return SimpleMatcherResult(completions=[])
    names = {*catalogue.names("layer"), *catalogue.names("function"), *load_tables().words}
    found = sorted(name for name in names if name.startswith(context.token))
    return SimpleMatcherResult(completions=[SimpleCompletion(name) for name in found], suppress=bool(found))
