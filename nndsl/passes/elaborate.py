"""A model's statements become a `Model`: names looked up, calls bound, types inferred on the way.

Before: ast.File, as written. After: `ir.graph.Model`s whose nodes stand in an order in which they can run.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

from nndsl.diagnostics.model import Label, Problems
from nndsl.diagnostics.suggest import did_you_mean, suggest
from nndsl.ir.constraints import Constraints
from nndsl.ir.graph import Model, Output, Value
from nndsl.layers import catalogue
from nndsl.passes.bind import Binder
from nndsl.passes.bodies import Body, head_of
from nndsl.passes.custom import check_order
from nndsl.passes.definitions import Definitions, Home, Reader, no_reader
from nndsl.passes.estimate import room_of
from nndsl.passes.evaluate import Env, Evaluator
from nndsl.passes.flows import Flows, Frame
from nndsl.passes.infer import Infer
from nndsl.passes.inputs import Inputs
from nndsl.passes.outputs import elaborate_output_options, elaborate_training
from nndsl.passes.penalties import elaborate_penalty
from nndsl.passes.resolve import Scope, did_you_mean_fix, resolve
from nndsl.passes.settings import model_options
from nndsl.passes.submodels import elaborate_submodels
from nndsl.passes.trace import Trace
from nndsl.passes.uncalled import check_uncalled
from nndsl.source import Span
from nndsl.syntax import ast


def elaborate(
    file: ast.File,
    problems: Problems,
    reader: Reader = no_reader,
    settings: Mapping[str, str] | None = None,
    *,
    need_model: bool = True,
    float_dtype: str | None = None,
    trace: Trace | None = None,
) -> list[Model]:
    """Every model of the file, the broken ones too (their problems are in the bag). `reader` gives imported files,
    `settings` the texts of `--set` by the name of the parameter; `float_dtype` takes the place of the models' own.
    `trace` is told what every expression gave."""
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _FRAMES))
    models: list[Model] = []
    names: dict[str, Span] = {}
    definitions = Definitions(reader, problems)
    home = definitions.read(file, settings or {})
    absent = home.absent | home.params.broken
    for statement in file.body:
        if isinstance(statement, ast.ModelDef):
            if statement.name.text in names or statement.name.text in home.blocks:
                block = home.blocks.get(statement.name.text)
                earlier = names.get(statement.name.text) or (block.definition.name.span if block else file.span)
                problems.error(
                    "NN0208",
                    f"{'model ' if block is None else ''}`{statement.name.text}` is defined twice",
                    statement.name.span,
                    "defined again here",
                    related=(Label(earlier, "first defined here"),),
                    help="give the second model another name"
                    if block is None
                    else "give the model a name of its own, or the block",
                )
            names[statement.name.text] = statement.name.span
            before = sum(len(model.nodes) for model in models)
            models.append(_Elaborator(statement, problems, absent, home, float_dtype, trace).run(before))
    for other in definitions.homes.values():
        for block in other.blocks.values():
            if block.home is other:
                check_uncalled(block, problems, is_main=other is home and bool(models))
    if not models and (need_model or not home.blocks) and not problems.has_errors:
        problems.error(
            "NN0220",
            "there is no model in this file",
            file.span,
            help="write one: `model Name { input x: float[8]  …  output y = x -> Dense(1) with loss=mse }`",
        )
    return models


_FRAMES = 5_000  # of Python, for blocks that call each other as deep as they may


class _Elaborator:
    def __init__(
        self,
        definition: ast.ModelDef,
        problems: Problems,
        absent: set[str],
        home: Home,
        float_dtype: str | None,
        trace: Trace | None,
    ) -> None:
        self.definition, self.problems, self.home, self.float_dtype = definition, problems, home, float_dtype
        self.trace = trace
        self.constraints = Constraints()
        self.model = Model(
            definition.name.text,
            definition.comment,
            definition.span.file,
            definition.name.span,
            constraints=self.constraints,
        )
        self.evaluate = Evaluator(problems, Env(home.params.values, None, None, home))
        self.evaluate.absent = absent
        self.binder = Binder(problems, self.evaluate)
        self.inputs = Inputs(self.model, self.evaluate, problems)

    def run(self, other_nodes: int) -> Model:
        """`other_nodes` is how many calls the models before it have."""
        model, body = self.model, self.definition.body
        sections = [s for s in body if isinstance(s, ast.Section)]
        self._one_of_each(sections)
        for section in sections:
            if section.kind.text == "options":
                model_options(model, section, self.evaluate, self.problems)
        self.inputs.own_float = model.float_dtype
        if self.float_dtype is not None:
            model.float_dtype = self.float_dtype
        if catalogue.is_known(model.name):
            self.problems.error(
                "NN0209", f"`{model.name}` is a layer of the catalogue and cannot be defined anew",
                self.definition.name.span, "a layer's name", help=f"choose another name, for instance `My{model.name}`",
            )  # fmt: skip
        scope = resolve(self.definition, self.problems, self.home.params.places)
        infer = Infer(self.problems, self.constraints)
        infer.float_dtype = model.float_dtype
        infer.held = model.held
        infer.trace = self.trace
        infer.room, infer.other_nodes = room_of(self.definition, self.home), other_nodes
        flows = Flows(model, scope, self.binder, infer, self.problems, Frame(self.home))
        self.evaluate.env = Env(self.home.params.values, flows.type_of, None, self.home)
        statements = Body(flows, scope, self.problems)
        self.binder.values, self.binder.shared = scope.values(), scope.shared()
        self.binder.defaults = {"data_format": model.data_format}
        self.inputs.fixed_batch(body)
        outputs: dict[str, Output] = {}
        for definition in scope.order:
            made = definition.statement
            if isinstance(made, ast.InputStmt):
                flows.values[made.name.text] = self.inputs.read(made)
                continue
            statements.define(made)
            if isinstance(made, ast.OutputStmt):
                outputs[made.name.text] = self._output(made, flows.values[made.name.text])
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
                elaborate_penalty(statement, model.penalties, flows, self.binder, self.problems)
            self._other(statement)
        for section in sections:
            if section.kind.text == "train":
                model.training = elaborate_training(section, self.binder, self.problems)
                if self.float_dtype is not None:
                    model.training.given.pop("precision", None)  # all of it in that type
        if not any(s for s in sections if s.kind.text == "train"):
            model.training = elaborate_training(None, self.binder, self.problems)
        for part in (*model.held, model):
            check_order(part, self.problems)
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
            self.problems.error("NN0219", "this statement does not belong in a model", head_of(statement.span))
