"""The names of layers: their identity (docs/language.md, section 4), in summaries, weight files and both targets."""

from __future__ import annotations

import re

from nndsl import code
from nndsl.diagnostics.model import Edit, Fix, Label, Problems
from nndsl.layers.base import Layer
from nndsl.layers.entry import snake_case
from nndsl.passes.resolve import Scope
from nndsl.records import mutable
from nndsl.source import Span
from nndsl.syntax import ast


def fine_name(name: str, place: Span, problems: Problems) -> bool:
    """Whether a layer may be called so; reports it otherwise."""
    if code.is_name(name) and len(name) <= 100:
        return True
    text = re.sub(r"[^A-Za-z0-9_]+", "_", name[:100]).strip("_")[:40]
    text = f"layer_{text}" if text[:1].isdigit() else text or "head"
    problems.error(
        "NN0209", "a layer's name is made of letters, digits and `_`, and does not start with a digit",
        place, help=f"write `{text}`", fixes=(Fix(f"change to `{text}`", (Edit(place, text),)),),
    )  # fmt: skip
    return False


@mutable
class Statement:
    """The statement being read: `name` is what its layers are named after, `last` the call that bears that name."""

    name: str
    last: ast.Expr | None


class LayerNames:
    """Gives the layers of one model, or of one call of a block, their names. `prefix` is the path of that call with a
    dot behind it."""

    def __init__(self, scope: Scope, problems: Problems, prefix: str = "") -> None:
        self.scope, self.problems, self.prefix = scope, problems, prefix
        self.paths: dict[str, Span] = {}
        self.numbers: dict[str, int] = {}  # the next number for each stem
        self.statement = Statement("", None)

    def path(self, config: Layer, call: ast.CallExpr) -> str:
        """The layer's identity (docs/language.md, section 4)."""
        return self.of_call(config.title(), call, config.name)

    def of_call(self, title: str, call: ast.CallExpr, name: str | None) -> str:
        """The identity of what `call` makes, a layer or a block; `name` is the one that the call gives it."""
        return self.prefix + self._local(title, call, name)

    def _local(self, title: str, call: ast.CallExpr, name: str | None) -> str:
        if name is not None:
            place = next((a.value.span for a in call.args if a.name is not None and a.name.text == "name"), call.span)
            earlier = self.paths.get(name)
            if earlier is None and name in self.scope.definitions and name != self.statement.name:
                earlier = self.scope.definitions[name].names[0].span
            if not fine_name(name, place, self.problems):
                pass
            elif earlier == place:
                self.problems.error(
                    "NN0208", f"a `repeat` makes several layers, and each would be called `{name}`", place,
                    help="leave `name` out: the layers are named after the statement, and numbered",
                )  # fmt: skip
            elif earlier is not None:
                self.problems.error(
                    "NN0208", f"two layers would be called `{name}`", place, "again here",
                    related=(Label(earlier, "first here"),), help="a layer's name is its identity: choose another",
                )  # fmt: skip
            else:
                self.paths[name] = place
                return name
        if call is self.statement.last and self.statement.name not in self.paths:
            self.paths[self.statement.name] = call.func.span
            return self.statement.name
        stem = f"{self.statement.name}_{snake_case(title)}"
        number = self.numbers.get(stem, 1)
        path = stem if number == 1 else f"{stem}_{number}"
        while path in self.paths or path in self.scope.definitions or path in self.scope.submodels:
            number += 1
            path = f"{stem}_{number}"
        self.numbers[stem] = number + 1
        self.paths[path] = call.func.span
        return path
