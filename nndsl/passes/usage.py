"""What is written and leads nowhere: values, inputs and shared layers without a use; outputs without an input."""

from __future__ import annotations

from nndsl.diagnostics.model import Edit, Fix, Problems
from nndsl.ir.graph import Model, Value
from nndsl.source import Span
from nndsl.syntax import ast


def check_usage(model: Model, definition: ast.ModelDef, problems: Problems) -> None:
    """Warns of what reaches no output. Expects a model whose flows are fine."""
    reached: set[Value] = set()
    stack = [output.value for output in model.outputs]
    stack += [value for submodel in model.submodels for value in submodel.targets]
    while stack:
        value = stack.pop()
        if value not in reached:
            reached.add(value)
            if value.producer is not None:
                stack.extend(value.producer.operands())
    used_layers = {node.layer.shared for node in model.nodes}
    for statement in definition.body:
        match statement:
            case ast.InputStmt(name=name):
                if model.named.get(name.text) not in reached:
                    problems.warning(
                        "NN0403", f"input `{name.text}` is not used by any output", name.span, "not used",
                        help="use it, or leave it out: data would have to be given for it",
                        fixes=_removal(f"remove input `{name.text}`", statement.span),
                    )  # fmt: skip
            case ast.AssignStmt(targets=targets):
                names = [t for t in targets if t.text != "_"]
                unused = [t for t in names if model.named.get(t.text) not in reached]
                for name in unused:
                    sibling = statement.is_tuple and len(unused) < len(names)
                    problems.warning(
                        "NN0402", f"`{name.text}` reaches no output", name.span, "not used",
                        help="write `_` instead of its name" if sibling else "use it, or leave it out",
                        fixes=(Fix("change to `_`", (Edit(name.span, "_"),)),)
                        if sibling
                        else _removal(f"remove `{name.text}`", statement.span),
                    )  # fmt: skip
            case ast.SharedStmt(name=name):
                if name.text not in used_layers:
                    problems.warning(
                        "NN0404", f"shared layer `{name.text}` is never used", name.span, "not used",
                        help=f"let something flow into it (`x -> {name.text}`), or leave it out",
                        fixes=_removal(f"remove `{name.text}`", statement.span),
                    )  # fmt: skip


def _removal(title: str, span: Span) -> tuple[Fix, ...]:
    return (Fix(title, (Edit(span, ""),)),)


def prune(model: Model) -> None:
    """Takes out what reaches neither an output nor a submodel's result: no target emits dead code."""
    needed: set[object] = set()
    stack = [output.value for output in model.outputs]
    stack += [value for submodel in model.submodels for value in submodel.targets]
    while stack:
        value = stack.pop()
        if value.producer is not None and value.producer not in needed:
            needed.add(value.producer)
            stack.extend(value.producer.operands())
    model.nodes = [node for node in model.nodes if node in needed]
    for use in model.layers:
        use.nodes = [node for node in use.nodes if node in needed]
    model.layers = [use for use in model.layers if use.nodes]
    for node in model.nodes:
        for value in node.operands():
            value.uses = [use for use in value.uses if use in needed]
