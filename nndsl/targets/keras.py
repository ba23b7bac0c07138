"""The Keras target: a checked model becomes one standalone file that imports tensorflow and numpy alone."""

from __future__ import annotations

from nndsl import code
from nndsl.ir.graph import CheckedProgram, Model, Node, Output, Value
from nndsl.passes.flatten import flatten
from nndsl.passes.logits import logits_activation
from nndsl.targets import helpers, keras_training
from nndsl.targets.docstrings import class_docstring, file_docstring
from nndsl.targets.imports import import_lines
from nndsl.targets.keras_blocks import Functions, block_function, in_float32, resolved
from nndsl.targets.keras_body import Body
from nndsl.targets.keras_custom import layer_class
from nndsl.targets.names import python_name
from nndsl.targets.printing import block, literal
from nndsl.targets.render import render
from nndsl.targets.specialize import trimmed
from nndsl.targets.structure import NotStructured, structure
from nndsl.targets.training_settings import settings


def emit_keras(program: CheckedProgram, name: str | None = None, inline: bool = False) -> str:
    """The text of the program for one model (the main one by default)."""
    model = program.find(name)
    if model.training.half and any(_ends_inside(output) for output in model.outputs):
        inline = True  # its last layer is written apart
    try:
        return _emit(flatten(model) if inline else model)
    except NotStructured:
        return _emit(flatten(model))


def _ends_inside(output: Output) -> bool:
    """Whether a block makes an output that trains from logits."""
    maker = output.value.maker
    return logits_activation(output) is not None and maker is not None and maker.region is not None


def _emit(model: Model) -> str:
    functions = Functions(model)
    half = str(settings(model)["half"])
    if half:
        functions.helpers["dtype_policy"] = None
    statements = ModelBody(model, functions).write()
    families = functions.families(statements)
    build = block(trimmed(tuple(resolved(statements)), families), 1)
    classes = [layer_class(family) for family in families if family.units[0].call.definition.is_layer]
    blocks = [block_function(family) for family in families if not family.units[0].call.definition.is_layer]
    training = keras_training.pieces(model)
    texts, imports = helpers.collect("keras", functions.helpers)
    imports |= keras_training.imports(model)
    if any("functools.partial(" in text for text in [build, *(item["body"] for item in blocks)]):
        imports.add("import functools")  # activations with arguments of their own
    if classes:
        imports.add("from typing import Any")
    return render(
        "keras/program.py.j2",
        docstring=file_docstring(model),
        imports=import_lines(imports),
        classes=classes,
        blocks=blocks,
        helpers=texts,
        policy=f"mixed_{half}" if half else "",
        model_name=literal(model.name),
        several=bool(model.submodels),
        model_docstring=class_docstring(model),
        build=build,
        training=training,
    )


def _is_last(node: Node) -> bool:
    """Whether the call is that of a layer which may compute in float32 while those before it do not."""
    title = node.config.title()
    plain = title in ("Dense", "EinsumDense", "Activation", "Softmax") or ("Conv" in title and "LSTM" not in title)
    return plain and not node.layer.shared


class ModelBody(Body):
    """The statements of `build_model`."""

    def __init__(self, model: Model, functions: Functions) -> None:
        self.model = model
        half = settings(model)["half"]
        self.last = {output.value: output for output in model.outputs if output.value.type.is_float} if half else {}
        self.whole: set[Value] = set()  # outputs whose layer computes in float32
        arguments = {item.value: python_name(item.name) for item in model.inputs}
        outputs = [output.value for output in model.outputs] + [penalty.value for penalty in model.penalties]
        targets = [value for submodel in model.submodels for value in (*submodel.sources, *submodel.targets)]
        # the model is made of its inputs: their variables are needed to the end
        super().__init__(functions, structure(model.nodes), arguments, [*arguments, *outputs, *targets])

    def write(self) -> list[code.Stmt]:
        model, statements = self.model, self.statements
        if model.float_dtype != "float32":
            statements.append(code.Do(code.call("keras.config.set_floatx", model.float_dtype)))
        for item in model.inputs:
            statements.append(code.Assign((self.variables[item.value],), self._input(item.name, item.value)))
        self.permute_arguments()
        self.items(self.steps)
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

    def _node(self, index: int, node: Node) -> None:
        super()._node(index, node)
        if len(node.results) != 1 or node.results[0] not in self.last or not _is_last(node):
            return
        match self.statements[-1]:
            case code.Assign(targets, code.Call(code.Call() as layer, inputs, given)) if targets == (
                self.variables.get(node.results[0]),
            ):
                self.statements[-1] = code.Assign(targets, code.Call(in_float32(layer), inputs, given))
                self.whole.add(node.results[0])

    def _output(self, output: Output) -> code.Expr:
        """An output as the model gives it: in float32."""
        value = self.operand(output.value, False)
        if output.value not in self.last or output.value in self.whole:
            return value
        return code.call(code.call("layers.Identity", dtype="float32", name=f"{output.name}_float32"), value)

    def _return(self) -> None:
        model = self.model
        inputs = [self.variables[item.value] for item in model.inputs]
        made_of = {o.name: self._output(o) for o in model.outputs}
        first = model.outputs[0].name
        made_of[first] = self.penalised(made_of[first], model.penalties, "float32" if self.last else None)
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
        found = [self.operand(value, False) for value in values]
        return found[0] if len(found) == 1 else found
