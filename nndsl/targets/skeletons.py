"""Templates as Python functions: jinja2 reads them, this module writes them down as code.

Importing jinja2 and setting up a template takes 25 ms, a third of a compilation; what it does for the few templates of
the targets is known beforehand. `python -m nndsl.prepare` writes `skeletons_torch.py` and `skeletons_keras.py`. A
template may use what is written here and no more (anything else is refused when they are made), and a test compares
the functions with jinja2 itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from jinja2 import nodes

from nndsl.resources import read_template, templates_path
from nndsl.targets.render import environment


class CannotPrepare(Exception):
    """A template uses what is not known here."""


def as_module(target: str) -> str:
    """The text of `skeletons_<target>.py`."""
    names = sorted(name for name in os.listdir(os.path.join(templates_path(), target)) if name.endswith(".j2"))
    sources = {f"{target}/{name}": read_template(f"{target}/{name}") for name in names}
    functions = [_Writer(sources[name]).function(name) for name in sources]
    table = "".join(f"    {name!r}: {_function_name(name)},\n" for name in sources)
    texts = "".join(f"    {name!r}: {text!r},\n" for name, text in sources.items())
    return f'''"""What `python -m nndsl.prepare` has made of the templates in templates/{target}: do not edit it."""

from nndsl.targets.skeleton_parts import Context, get, indent

{"".join(functions)}
TEMPLATES = {{
{table}}}
SOURCES = {{
{texts}}}
'''


def _function_name(template: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in template)


class _Writer:
    """Writes one template. `known` are the names that are variables of the function; all others are the context's."""

    def __init__(self, text: str) -> None:
        self.tree = environment().parse(text)
        self.known = {node.name for node in self.tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
        self.known |= {node.name for node in self.tree.find_all(nodes.Macro)}
        self.lines: list[str] = []
        self.loops = 0
        self.depth = 1

    def function(self, template: str) -> str:
        self.body(self.tree.body)
        head = f"\ndef {_function_name(template)}(context: Context) -> str:\n    parts: list[str] = []\n"
        return head + "".join(f"{line}\n" for line in self.lines) + '    return "".join(parts)\n\n'

    def write(self, line: str) -> None:
        self.lines.append("    " * self.depth + line)

    def inside(self, body: list[nodes.Node]) -> None:
        self.depth += 1
        self.body(body)
        self.depth -= 1

    def body(self, body: list[nodes.Node]) -> None:
        before = len(self.lines)
        for node in body:
            write: Callable[[Any], None] | None = getattr(self, f"on_{type(node).__name__.lower()}", None)
            if write is None:
                raise CannotPrepare(f"line {node.lineno}: {node}")
            write(node)
        if len(self.lines) == before:
            self.write("pass")

    # --------------------------------------------------------------------------------------------- statements

    def on_output(self, node: nodes.Output) -> None:
        for part in node.nodes:
            if isinstance(part, nodes.TemplateData):
                self.write(f"parts.append({part.data!r})")
            else:
                self.write(f"parts.append(str({self.value(part)}))")

    def on_if(self, node: nodes.If) -> None:
        self.write(f"if {self.value(node.test)}:")
        self.inside(node.body)
        for other in node.elif_:
            self.write(f"elif {self.value(other.test)}:")
            self.inside(other.body)
        if node.else_:
            self.write("else:")
            self.inside(node.else_)

    def on_for(self, node: nodes.For) -> None:
        if node.else_ or node.test or node.recursive or not isinstance(node.target, nodes.Name):
            raise CannotPrepare(f"line {node.lineno}: {node}")
        self.loops += 1
        loop = self.loops
        self.write(f"items_{loop} = list({self.value(node.iter)})")
        self.write(f"for number_{loop}, v_{node.target.name} in enumerate(items_{loop}, 1):")
        before, self.loop = getattr(self, "loop", 0), loop
        self.inside(node.body)
        self.loop = before

    def on_assign(self, node: nodes.Assign) -> None:
        if not isinstance(node.target, nodes.Name):
            raise CannotPrepare(f"line {node.lineno}: {node}")
        self.write(f"v_{node.target.name} = {self.value(node.node)}")

    def on_macro(self, node: nodes.Macro) -> None:
        if node.defaults:
            raise CannotPrepare(f"line {node.lineno}: {node}")
        arguments = ", ".join(f"v_{argument.name}: object" for argument in node.args)
        self.write(f"def v_{node.name}({arguments}) -> str:")
        self.depth += 1
        self.write("parts: list[str] = []")
        self.body(node.body)
        self.write('return "".join(parts)')
        self.depth -= 1

    def on_include(self, node: nodes.Include) -> None:
        variables = [*self.tree.find_all(nodes.Assign), *self.tree.find_all(nodes.Macro)]
        if not isinstance(node.template, nodes.Const) or variables or self.depth > 1:  # it would see them in jinja2
            raise CannotPrepare(f"line {node.lineno}: {node}")
        self.write(f"parts.append({_function_name(node.template.value)}(context))")

    # -------------------------------------------------------------------------------------------- expressions

    def value(self, node: nodes.Node) -> str:
        """The expression as Python."""
        match node:
            case nodes.Const():
                return repr(node.value)
            case nodes.Name():
                return f"v_{node.name}" if node.name in self.known else f"context[{node.name!r}]"
            case nodes.Getattr(node=nodes.Name(name="loop"), attr="last"):
                return f"(number_{self.loop} == len(items_{self.loop}))"
            case nodes.Getattr():
                return f"get({self.value(node.node)}, {node.attr!r})"
            case nodes.CondExpr():
                other = "''" if node.expr2 is None else self.value(node.expr2)
                return f"({self.value(node.expr1)} if {self.value(node.test)} else {other})"
            case nodes.And() | nodes.Or():
                word = "and" if isinstance(node, nodes.And) else "or"
                return f"({self.value(node.left)} {word} {self.value(node.right)})"
            case nodes.Not():
                return f"(not {self.value(node.node)})"
            case nodes.Add() | nodes.Mod():
                return f"({self.value(node.left)} {node.operator} {self.value(node.right)})"
            case nodes.Concat():
                return "(" + " + ".join(f"str({self.value(part)})" for part in node.nodes) + ")"
            case nodes.Compare(ops=[nodes.Operand(op="eq", expr=other)]):
                return f"({self.value(node.expr)} == {self.value(other)})"
            case nodes.Test(name="none", args=[], kwargs=[]):
                return f"({self.value(node.node)} is None)"
            case nodes.Filter(name="indent", kwargs=[], node=nodes.Expr() as given):
                arguments = "".join(f", {self.value(argument)}" for argument in node.args)
                return f"indent({self.value(given)}{arguments})"
            case nodes.Call(kwargs=[], dyn_args=None, dyn_kwargs=None):
                return f"{self.value(node.node)}({', '.join(self.value(argument) for argument in node.args)})"
        raise CannotPrepare(f"line {node.lineno}: {node}")
