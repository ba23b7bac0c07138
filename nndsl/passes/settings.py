"""The `options` section of a model."""

from __future__ import annotations

from collections.abc import Iterator

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.graph import Model
from nndsl.ir.types import FLOATS
from nndsl.layers.values import Option, show
from nndsl.passes.evaluate import Evaluator, Failed
from nndsl.passes.resolve import did_you_mean_fix
from nndsl.syntax import ast

_ELSEWHERE = {"dtype": "float", "floatx": "float", "image_data_format": "data_format", "dim_ordering": "data_format"}
OPTIONS = {"data_format": ("channels_last", "channels_first"), "float": FLOATS}


def settings(section: ast.Section, problems: Problems) -> Iterator[tuple[ast.Ident, ast.Expr]]:
    """The `name = value` lines of a section, each name once; anything else is reported."""
    seen: dict[str, ast.Ident] = {}
    for statement in section.body:
        if isinstance(statement, ast.ErrorStmt):
            continue
        if not isinstance(statement, ast.AssignStmt) or statement.is_tuple:
            problems.error(
                "NN0219", f"a `{section.kind.text}` section holds settings", statement.span,
                help="write `name = value`, one a line",
            )  # fmt: skip
            continue
        name = statement.targets[0]
        if name.text in seen:
            problems.error(
                "NN0208", f"`{name.text}` is set twice", name.span, "again here",
                related=(Label(seen[name.text].span, "first here"),), help="leave one of them out",
            )  # fmt: skip
            continue
        seen[name.text] = name
        yield name, statement.value


def model_options(model: Model, section: ast.Section, evaluate: Evaluator, problems: Problems) -> None:
    """Reads `options { data_format = channels_first; float = float64 }` into the model."""
    for name, expr in settings(section, problems):
        allowed = OPTIONS.get(name.text)
        if allowed is None:
            same = _ELSEWHERE.get(name.text)
            from nndsl.passes.train_section import SETTINGS

            other = "it belongs in the `train` section" if name.text in SETTINGS else None
            problems.error(
                "NN0216", f"there is no option `{name.text}`", name.span,
                help=f"did you mean `{same}`?" if same
                else other or did_you_mean(name.text, OPTIONS) or "a model's options are `data_format` and `float`",
                fixes=did_you_mean_fix(name.span, [same] if same else suggest(name.text, OPTIONS)),
            )  # fmt: skip
            continue
        try:
            value = evaluate(expr)
        except Failed:
            continue
        word = value.name if isinstance(value, Option) else value
        if not isinstance(word, str) or word not in allowed:
            close: list[str] = []
            if isinstance(word, str):
                from nndsl.layers.foreign import equivalent

                same = equivalent("dtype" if name.text == "float" else name.text, word)
                close = [same] if same in allowed else suggest(word, allowed)
            choices = ", ".join(f"`{a}`" for a in allowed[:-1])
            problems.error(
                "NN0206", f"`{name.text}` must be {choices} or `{allowed[-1]}`, not {show(value)}", expr.span,
                help=f"write `{close[0]}`" if close else f"for instance `{name.text} = {allowed[-1]}`",
                fixes=did_you_mean_fix(expr.span, close),
            )  # fmt: skip
        elif name.text == "data_format":
            model.data_format = word
        else:
            model.float_dtype = word
