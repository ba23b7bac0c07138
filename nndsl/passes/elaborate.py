"""A model's statements become a `Model`: names looked up, calls bound, types inferred on the way.

Before: ast.File, as written. After: `ir.graph.Model`s whose nodes stand in an order in which they can run.
"""

from __future__ import annotations

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.constraints import Constraints
from nndsl.ir.graph import LayerUse, Model, Output, Value
from nndsl.layers import catalogue
from nndsl.layers.base import Layer
from nndsl.passes.bind import Binder
from nndsl.passes.evaluate import Evaluator
from nndsl.passes.flows import Flows
from nndsl.passes.infer import Infer
from nndsl.passes.inputs import Inputs
from nndsl.passes.outputs import elaborate_output_options, elaborate_training
from nndsl.passes.penalties import elaborate_penalty
from nndsl.passes.resolve import Scope, did_you_mean_fix, resolve
from nndsl.passes.settings import model_options
from nndsl.passes.submodels import elaborate_submodels
from nndsl.source import Span
from nndsl.syntax import ast

_LATER = {
    ast.BlockDef: "a `block` or `layer` of one's own",
    ast.ParamDef: "`param`",
    ast.ImportDef: "importing from another file",
}


def elaborate(file: ast.File, problems: Problems) -> list[Model]:
    """Every model of the file, the broken ones too (their problems are in the bag)."""
    models: list[Model] = []
    names: dict[str, Span] = {}
    absent = _absent(file)
    for statement in file.body:
        if type(statement) in _LATER:
            problems.error(
                "NN0218",
                f"{_LATER[type(statement)]} is not in this version of nndsl",
                _head(statement),
                help="write the layers out in the model; composition comes with the next version",
            )
        elif isinstance(statement, ast.ModelDef):
            if statement.name.text in names:
                problems.error(
                    "NN0208",
                    f"model `{statement.name.text}` is defined twice",
                    statement.name.span,
                    "defined again here",
                    related=(Label(names[statement.name.text], "first defined here"),),
                    help="give the second model another name",
                )
            names[statement.name.text] = statement.name.span
            models.append(_Elaborator(statement, problems, absent).run())
    if not models and not problems.has_errors:
        problems.error(
            "NN0220",
            "there is no model in this file",
            file.span,
            help="write one: `model Name { input x: float[8]  …  output y = x -> Dense(1) with loss=mse }`",
        )
    return models


def _absent(file: ast.File) -> set[str]:
    """The names that the file defines outside of models, in ways that are reported: their uses are not wrong too."""
    names: set[str] = set()
    for statement in file.body:
        match statement:
            case ast.BlockDef(name=name) | ast.ParamDef(name=name):
                names.add(name.text)
            case ast.ImportDef(names=imported):
                names.update(name.text for name in imported)
            case ast.ErrorStmt(declares=declared):
                names.update(name.text for name in declared)
    return names


def _head(statement: ast.Stmt) -> Span:
    """The first line of a statement."""
    return _head_of(statement.span)


def _head_of(span: Span) -> Span:
    end = span.file.text.find("\n", span.start, span.end)
    return Span(span.file, span.start, end if end >= 0 else span.end)


class _Elaborator:
    def __init__(self, definition: ast.ModelDef, problems: Problems, absent: set[str]) -> None:
        self.definition, self.problems = definition, problems
        self.constraints = Constraints()
        self.model = Model(
            definition.name.text,
            definition.comment,
            definition.span.file,
            definition.name.span,
            constraints=self.constraints,
        )
        self.evaluate = Evaluator(problems, {})
        self.evaluate.absent = absent
        self.binder = Binder(problems, self.evaluate)
        self.inputs = Inputs(self.model, self.evaluate, problems)

    def run(self) -> Model:
        model, body = self.model, self.definition.body
        sections = [s for s in body if isinstance(s, ast.Section)]
        self._one_of_each(sections)
        for section in sections:
            if section.kind.text == "options":
                model_options(model, section, self.evaluate, self.problems)
        if catalogue.is_known(model.name):
            self.problems.error(
                "NN0209", f"`{model.name}` is a layer of the catalogue and cannot be defined anew",
                self.definition.name.span, "a layer's name", help=f"choose another name, for instance `My{model.name}`",
            )  # fmt: skip
        scope = resolve(self.definition, self.problems)
        infer = Infer(self.problems, self.constraints)
        infer.float_dtype = model.float_dtype
        flows = Flows(model, scope, self.binder, infer, self.problems)
        self.binder.values, self.binder.shared = scope.values(), scope.shared()
        self.binder.defaults = {"data_format": model.data_format}
        self.inputs.fixed_batch(body)
        outputs: dict[str, Output] = {}
        for definition in scope.order:
            self._define(definition.statement, flows, scope, outputs)
        order = [s for s in body if isinstance(s, ast.OutputStmt)]
        for output in order:
            if output.value is None:
                self._bare_output(output, flows, scope, outputs)
        model.inputs.sort(key=lambda item: item.span.start)
        model.outputs = [outputs[s.name.text] for s in order if s.name.text in outputs]
        model.outputs = list(dict.fromkeys(model.outputs))
        model.named = flows.values
        for statement in body:
            if isinstance(statement, ast.PenaltyStmt):
                elaborate_penalty(statement, model, flows, self.binder, self.problems)
            self._other(statement)
        for section in sections:
            if section.kind.text == "train":
                model.training = elaborate_training(section, self.binder, self.problems)
        if not any(s for s in sections if s.kind.text == "train"):
            model.training = elaborate_training(None, self.binder, self.problems)
        elaborate_submodels(model, scope, flows.values, self.problems)
        self._data(sections)
        if not order and not any(isinstance(s, ast.ErrorStmt) for s in body):
            self.problems.error(
                "NN0405",
                f"model `{model.name}` has no output",
                self.definition.name.span,
                help="say what it computes: `output y = x -> Dense(1) with loss=mse`",
            )
        return model

    def _data(self, sections: list[ast.Section]) -> None:
        for section in sections:
            if section.kind.text == "data":
                from nndsl.passes.data import elaborate_data

                elaborate_data(self.model, section, self.binder, self.problems)

    def _one_of_each(self, sections: list[ast.Section]) -> None:
        first: dict[str, ast.Section] = {}
        for section in sections:
            kind = section.kind.text
            if kind in first:
                self.problems.error(
                    "NN0208", f"a model has one `{kind}` section", section.kind.span, "again here",
                    related=(Label(first[kind].kind.span, "first here"),), help="put the settings together",
                )  # fmt: skip
            first.setdefault(kind, section)

    # ----------------------------------------------------------------------------------- statements

    def _define(self, statement: ast.Stmt, flows: Flows, scope: Scope, outputs: dict[str, Output]) -> None:
        match statement:
            case ast.InputStmt():
                flows.values[statement.name.text] = self.inputs.read(statement)
            case ast.SharedStmt():
                self._shared(statement, flows)
            case ast.AssignStmt():
                self._assign(statement, flows, scope)
            case ast.OutputStmt(name=name, value=expr) if expr is not None:
                flows.current = statement
                values = flows.read(expr, name.text)
                if values is not None and len(values) == 1:
                    self._name(values[0], name, flows)
                else:
                    if values is not None:
                        self._several(name.text, values, expr)
                    flows.values[name.text] = Value(name.span, name.text)  # of unknown type: no more is said of it
                outputs[name.text] = self._output(statement, flows.values[name.text])

    def _several(self, name: str, values: tuple[Value, ...], expr: ast.Expr) -> None:
        count = len(values)
        parts = ", ".join(["_"] * (count - 1))
        while isinstance(expr, ast.Paren):
            expr = expr.inner
        last = expr.items[-1] if isinstance(expr, ast.Flow) else expr
        self.problems.error(
            "NN0213",
            f"`{name}` is one value, and this flow gives {count}",
            last.func.span if isinstance(last, ast.CallExpr) else _head_of(last.span),
            f"{count} values",
            help="merge them with `Concatenate()` or `Add()`, or give each a name of its own"
            if isinstance(last, ast.TupleExpr)
            else f"take them apart, as in `({name}, {parts}) = …`, or merge them with `Concatenate()` or `Add()`",
        )

    def _assign(self, statement: ast.AssignStmt, flows: Flows, scope: Scope) -> None:
        names = [t for t in statement.targets if t.text != "_"]
        stem = names[0].text if names else "_"
        if not names:
            self.problems.error(
                "NN0213", "this statement keeps none of its results", statement.span,
                help="give at least one of them a name instead of `_`",
            )  # fmt: skip
            return
        flows.current = statement
        values = flows.read(statement.value, stem)
        if values is None or any(not v.type.known for v in values):
            for index, target in enumerate(names):
                flows.values[target.text] = values[index] if values and index < len(values) else Value(target.span)
            return
        if not statement.is_tuple and len(values) != 1:
            self._several(stem, values, statement.value)
            scope.broken.update(t.text for t in names)
            return
        if statement.is_tuple and len(values) != len(statement.targets):
            wanted = len(statement.targets)
            self.problems.error(
                "NN0213",
                f"{wanted} name{'' if wanted == 1 else 's'} on the left, and the flow gives {len(values)} "
                f"value{'' if len(values) == 1 else 's'}",
                statement.targets[0].span.to(statement.targets[-1].span),
                f"{wanted} names",
                related=(Label(values[-1].producer.layer.name_span, f"{len(values)} values"),)
                if values[-1].producer
                else (),
                help="`_` takes a result that is not needed; recurrent layers give states with `return_state=true`",
            )
            scope.broken.update(t.text for t in names)
            return
        for target, value in zip(statement.targets, values, strict=True):
            if target.text != "_":
                self._name(value, target, flows)

    def _name(self, value: Value, name: ast.Ident, flows: Flows) -> None:
        if not value.name:
            value.name = name.text
        flows.values[name.text] = value

    def _shared(self, statement: ast.SharedStmt, flows: Flows) -> None:
        name, call = statement.name.text, statement.value
        while isinstance(call, ast.Paren):
            call = call.inner
        flows.shared[name] = None
        if not isinstance(call, ast.CallExpr):
            if not isinstance(call, ast.ErrorExpr):
                several = isinstance(call, ast.Flow | ast.Branch | ast.Repeat)
                self.problems.error(
                    "NN0218" if several else "NN0211",
                    f"`shared {name}` shares one layer" + (", and this is a flow" if several else ""),
                    call.span,
                    help=f"write a shared layer for each: `shared {name}_1 = …`; then `x -> {name}_1 -> {name}_2`"
                    if several
                    else f"write `shared {name} = Dense(32)`",
                )
            return
        cls = catalogue.find("layer", call.func.text)
        if cls is None:
            if call.func.text in self.evaluate.absent:
                return
            from nndsl.passes.unknown import unknown_layer

            meant = unknown_layer(call, [], self.problems)
            if meant is None:
                return
            call, cls = meant, catalogue.find("layer", meant.func.text)
        assert cls is not None and issubclass(cls, Layer)
        bound = self.binder.bind(cls, call)
        if bound is None:
            return
        if bound.tensors:
            place = next(iter(bound.tensors.values())).span
            self.problems.error(
                "NN0215", "a shared layer gets its values at its calls", place,
                help=f"write `x -> {name}({next(iter(bound.tensors))}=…)`",
            )  # fmt: skip
            return
        path = bound.entry.name or name  # type: ignore[attr-defined]
        use = LayerUse(path, bound.entry, call.span, call.func.span, bound.spans, shared=name)
        flows.names.paths[path] = statement.name.span
        flows.shared[name] = (cls, use)

    # -------------------------------------------------------------------------------------- outputs

    def _bare_output(self, statement: ast.OutputStmt, flows: Flows, scope: Scope, outputs: dict[str, Output]) -> None:
        name = statement.name.text
        if name in flows.values:
            outputs[name] = self._output(statement, flows.values[name])
        elif name not in scope.broken and name not in scope.definitions:
            known = scope.values()
            self.problems.error(
                "NN0201", f"there is no value called `{name}`", statement.name.span, "not defined",
                help=did_you_mean(name, known) or f"say how it is made: `output {name} = x -> …`",
                fixes=did_you_mean_fix(statement.name.span, suggest(name, known)),
            )  # fmt: skip

    def _output(self, statement: ast.OutputStmt, value: Value) -> Output:
        output = Output(statement.name.text, value, statement.span, statement.name.span)
        elaborate_output_options(output, statement.options, self.binder, self.problems)
        return output

    def _other(self, statement: ast.Stmt) -> None:
        if isinstance(
            statement,
            ast.ParamDef
            | ast.ImportDef
            | ast.BlockDef
            | ast.ModelDef
            | ast.WeightStmt
            | ast.UpdateStmt
            | ast.SourceStmt,
        ):
            self.problems.error("NN0219", "this statement does not belong in a model", _head(statement))
