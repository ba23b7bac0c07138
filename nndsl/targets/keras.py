"""The Keras target: a checked model becomes one standalone file that imports tensorflow and numpy alone."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.graph import CheckedProgram, Model, Node, Value
from nndsl.ir.types import TensorType
from nndsl.layers.emit import KerasCall
from nndsl.passes.layout import layout
from nndsl.targets import helpers, keras_training
from nndsl.targets.docstrings import class_docstring, file_docstring
from nndsl.targets.inline import hint, put, room, to_bind
from nndsl.targets.keras_spell import spell
from nndsl.targets.names import python_name
from nndsl.targets.printing import block, literal
from nndsl.targets.render import render
from nndsl.targets.variables import Variables


def emit_keras(program: CheckedProgram, name: str | None = None) -> str:
    """The text of the program for one model (the main one by default)."""
    model = program.find(name)
    body = _Body(model)
    build = block(body.write(), 1)
    training = keras_training.pieces(model)
    if "functools.partial(" in build:  # activations with arguments of their own
        training["imports"] = str(training["imports"]).replace(
            "import argparse\n", "import argparse\nimport functools\n"
        )
    texts, _ = helpers.collect("keras", body.helpers)
    if texts:
        imports = str(training["imports"])
        training["imports"] = imports.replace("\n\nimport numpy", "\nfrom typing import Any\n\nimport numpy")
    return render(
        "keras/program.py.j2",
        docstring=file_docstring(model),
        helpers=texts,
        model_name=literal(model.name),
        several=bool(model.submodels),
        model_docstring=class_docstring(model),
        build=build,
        training=training,
    )


class _Body:
    """The statements of `build_model`."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.layout = layout(model, "channels_last")
        self.arguments = {item.value: python_name(item.name) for item in model.inputs}
        outputs = [output.value for output in model.outputs] + [penalty.value for penalty in model.penalties]
        targets = [value for submodel in model.submodels for value in (*submodel.sources, *submodel.targets)]
        self.names = Variables(model.nodes, [*outputs, *targets], self.arguments)
        self.variables: dict[Value, code.Expr] = {v: code.Name(n) for v, n in self.arguments.items()}
        self.shared: dict[str, str] = {}
        self.helpers: dict[str, None] = {}  # classes that the program carries
        self.permuted: dict[Value, code.Expr] = {}  # inputs that were permuted where they come in
        self.statements: list[code.Stmt] = []

    def write(self) -> list[code.Stmt]:
        model, statements = self.model, self.statements
        if model.float_dtype != "float32":
            statements.append(code.Do(code.call("keras.config.set_floatx", model.float_dtype)))
        for item in model.inputs:
            statements.append(code.Assign((code.Name(self.arguments[item.value]),), self._input(item.name, item.value)))
        for item in model.inputs:
            users = [node for node in model.nodes if item.value in node.operands()]
            if users and all(node in self.layout.wants and item.value in node.inputs for node in users):
                variable = code.Name(self.names.fresh(f"{self.arguments[item.value]}_last"))
                statements.append(code.Assign((variable,), _channels_last(self.variables[item.value], item.value.type)))
                self.permuted[item.value] = variable
        for index, node in enumerate(model.nodes):
            self._node(index, node)
        self._return()
        return statements

    def _input(self, name: str, value: Value) -> code.Expr:
        type_ = value.type
        shape = code.Tuple(tuple(code.Literal(d if isinstance(d, int) else None) for d in type_.shape[1:]))
        options: dict[str, object] = {"name": name}
        if isinstance(type_.shape[0], int):
            options = {"batch_size": type_.shape[0], **options}
        if type_.dtype != self.model.float_dtype:
            options = {**options, "dtype": type_.dtype}
        return code.call("keras.Input", shape, **options)

    def _operand(self, value: Value, moved: bool) -> code.Expr:
        """A value as a call wants it: channels last where `moved`, else as declared."""
        if value.number is not None:
            return code.Literal(value.number)
        if moved and value in self.permuted:
            return self.permuted[value]
        expr = self.variables[value]
        if (value in self.layout.moved) == moved:
            return expr
        return _channels_last(expr, value.type) if moved else _channels_first(expr, value.type)

    def _node(self, index: int, node: Node) -> None:
        config, use = node.layer.config, node.layer
        wants = node in self.layout.wants
        inputs = tuple(self._operand(value, wants) for value in node.inputs)
        tensors: dict[str, object] = {
            name: [self._operand(v, False) for v in item] if isinstance(item, tuple) else self._operand(item, False)
            for name, item in node.tensors.items()
        }
        call = KerasCall(
            config,
            node.input_types,
            name=use.path,
            last=wants,
            tensors=tensors,
            variable=self._shared(node, wants),
            spell=spell,
            helpers=self.helpers,
        )
        result = config.keras(call, *inputs)
        inline = node.results[0] in self.names.inlined
        names = ("value",) if inline else tuple(self.names.name(index, value) for value in node.results)
        free = [position for position, value in enumerate(node.inputs) if value in self.names.inlined]
        for position in to_bind(free, inputs, (result,), room(None if inline else names[0], 1)) if free else ():
            variable = code.Name(self.names.fresh(hint(node.inputs[position])))
            self.statements.append(code.Assign((variable,), inputs[position]))
            result = put(result, inputs[position], variable)
        if inline:
            self.variables[node.results[0]] = result
            return
        targets = tuple(code.Name(name) for name in names)
        self.statements.append(code.Assign(targets, result))
        self.variables.update(zip(node.results, targets, strict=True))

    def _shared(self, node: Node, wants: bool) -> str | None:
        """The variable of a shared layer, made at its first call."""
        use = node.layer
        if not use.shared:
            return None
        if use.shared not in self.shared:
            name = self.names.fresh(python_name(use.shared))
            self.shared[use.shared] = name
            call = KerasCall(use.config, node.input_types, name=use.path, last=wants, spell=spell)
            self.statements.append(code.Assign((code.Name(name),), use.config.keras_layer(call)))
        return self.shared[use.shared]

    def _return(self) -> None:
        model = self.model
        inputs = [code.Name(self.arguments[item.value]) for item in model.inputs]
        made_of = {o.name: self._operand(o.value, False) for o in model.outputs}
        for penalty in model.penalties:  # a layer adds it, on the way to the first output
            self.helpers["AddPenalty"] = None
            weight = {"weight": penalty.weight} if penalty.weight != 1 else {}
            layer = code.call("AddPenalty", **weight, name=penalty.name)
            first = model.outputs[0].name
            made_of[first] = code.call(layer, [made_of[first], self._operand(penalty.value, False)])
        outputs = code.Dict(tuple((code.Literal(name), expr) for name, expr in made_of.items()))
        made = code.call("keras.Model", inputs[0] if len(inputs) == 1 else list(inputs), outputs, name=model.name)
        if not model.submodels:
            self.statements.append(code.Return(made))
            return
        items: list[tuple[code.Expr, code.Expr]] = [(code.Literal(model.name), made)]
        for submodel in model.submodels:
            sources, targets = self._one(submodel.sources), self._one(submodel.targets)
            part = code.call("keras.Model", sources, targets, name=submodel.name)
            items.append((code.Literal(submodel.name), part))
        self.statements.append(code.Return(code.Dict(tuple(items))))

    def _one(self, values: tuple[Value, ...]) -> object:
        found = [self._operand(value, False) for value in values]
        return found[0] if len(found) == 1 else found


def _channels_last(value: code.Expr, type_: TensorType) -> code.Expr:
    axes = (*range(2, type_.rank), 1)
    return code.call(code.call("layers.Permute", axes), value)


def _channels_first(value: code.Expr, type_: TensorType) -> code.Expr:
    axes = (type_.rank - 1, *range(1, type_.rank - 1))
    return code.call(code.call("layers.Permute", axes), value)
