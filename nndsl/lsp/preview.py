"""What a model comes to, beside its text: parameters over its name, the generated program, its graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lsprotocol import types

from nndsl import pipeline
from nndsl.diagnostics.terminal import visible
from nndsl.ide.analysis import Checked
from nndsl.ir.graph import CheckedProgram, Model
from nndsl.lsp.server import Server
from nndsl.syntax import ast

COMMANDS = {"nndsl.showCode": "Show code", "nndsl.showGraph": "Show graph", "nndsl.run": "Run"}
"""Commands of the client that take the address of a file and the name of a model."""


def register(server: Server) -> None:
    documents = server.documents

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens] | None:
        document = await documents.checked(params.text_document.uri)
        if document is None:
            return None
        checked = document.analysis.checked
        counts = await documents.apart(lambda: _counts(checked.program))
        found: list[types.CodeLens] = []
        for statement in document.analysis.tree.body:
            if isinstance(statement, ast.ModelDef):
                place = document.lines.span(statement.name.span)
                name = statement.name.text
                if name in counts:
                    found.append(types.CodeLens(place, types.Command(counts[name], "")))
                for command, title in COMMANDS.items():
                    if command in server.commands and name in counts:
                        found.append(
                            types.CodeLens(place, types.Command(title, command, arguments=[document.uri, name]))
                        )
        return found

    @server.feature("nndsl/code")
    async def code(params: Any) -> dict[str, str | None]:
        target = getattr(params, "target", None)
        if target not in pipeline.TARGETS:
            return _answer("text", None, f"the targets are {' and '.join(pipeline.TARGETS)}", "")
        return await show("text", params, lambda program, model: pipeline.emit(program, str(target), model.name))

    @server.feature("nndsl/graph")
    async def graph(params: Any) -> dict[str, str | None]:
        return await show("svg", params, _svg)

    async def show(kind: str, params: Any, draw: Callable[[CheckedProgram, Model], str]) -> dict[str, str | None]:
        """What `draw` makes of the model, or why there is nothing to show."""
        document = await documents.checked(str(getattr(params, "uri", "")))
        if document is None:
            return _answer(kind, None, "the file is not open", "")
        name, checked = getattr(params, "model", None), document.analysis.checked

        def work() -> dict[str, str | None]:
            program = checked.program
            if program is None:
                return _answer(kind, None, _reason(checked), "")
            try:
                model = program.find(name if isinstance(name, str) else None)
            except LookupError:
                return _answer(kind, None, f"there is no model called {name} any more", "")
            return _answer(kind, draw(program, model), None, model.name)

        return await documents.apart(work)


def _answer(kind: str, text: str | None, problem: str | None, model: str) -> dict[str, str | None]:
    return {kind: text, "problem": problem, "model": model}


def _reason(checked: Checked) -> str:
    errors = checked.problems.errors
    if not errors:
        return "there is no model in this file"
    first = errors[0].primary.span
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return visible(f"line {first.line}: {errors[0].message}{more}")


def _counts(program: CheckedProgram | None) -> dict[str, str]:
    """By the name of each model, how many parameters it has."""
    from nndsl.views.summary import summarize

    counts = {}
    for model in program.models if program is not None else ():
        summary = summarize(model)
        total = summary.trainable + summary.frozen
        frozen = f" ({summary.frozen:,} frozen)" if summary.frozen else ""
        counts[model.name] = f"{total:,} parameter{'' if total == 1 else 's'}{frozen}"
    return counts


def _svg(program: CheckedProgram, model: Model) -> str:
    from nndsl.views import graph
    from nndsl.views.svg import svg

    return svg(graph.draw(model))
