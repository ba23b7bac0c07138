"""Layers of one's own in Keras: a subclass of `layers.Layer` with `build`, `call` and `get_config`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.graph import Node, Value
from nndsl.ir.types import TensorType
from nndsl.passes.custom import CustomLayer, Inside, Update
from nndsl.records import mutable
from nndsl.targets.custom_parts import Updates, parameters, parametrized, states
from nndsl.targets.docstrings import block_docstring
from nndsl.targets.folding import returning
from nndsl.targets.keras_body import Body
from nndsl.targets.keras_spell import spell
from nndsl.targets.names import endings, python_name
from nndsl.targets.printing import block, signature
from nndsl.targets.units import Family, Unit
from nndsl.targets.unpacked import discard_unread

if TYPE_CHECKING:
    from nndsl.targets.keras_blocks import Functions

SELF = code.Name("self")
_SHAPE = "tuple[int | None, ...]"


@mutable
class WrittenLayer:
    """What the class of a layer needs besides its code. `body` of the unit holds `build`, `call` and the shape of the
    result, in this order, as many statements each as `counts` says."""

    arguments: tuple[str, ...]
    outputs: int
    counts: tuple[int, int, int]
    training: bool  # whether `call` asks


def layer_unit(functions: Functions, layer: CustomLayer, types: tuple[TensorType, ...]) -> Unit:
    """The class of one layer, written with its own numbers. What is called as Keras calls the mask of an input would be
    taken for that."""
    inside = layer.body_for(types)
    masks = frozenset({"mask", *(f"{python_name(name)}_mask" for name in layer.input_names)})
    spelled = {name: python_name(name, masks) for name in layer.input_names}
    names = list(spelled.values())
    body = _LayerBody(functions, layer, inside, dict(zip(inside.inputs, names, strict=True)), masks)
    call = body.written()
    given = dict(parameters(layer))
    single = len(names) == 1

    def built_size(of: str, axis: int) -> code.Expr:
        return code.index(code.Name("input_shape" if single else f"{spelled[of]}_shape"), axis)

    def runtime_size(of: str, axis: int) -> code.Expr:
        return code.index(code.Attr(code.Name(spelled[of]), "shape"), axis)

    build = parametrized(tuple(_build(inside)), layer.call, layer.input_names, tuple(given), _own, built_size)
    call = parametrized(tuple(call), layer.call, layer.input_names, tuple(given), _own, runtime_size)
    shape = parametrized(
        tuple(_shape(inside, types, names)), layer.call, layer.input_names, tuple(given), _own, built_size
    )
    training = any(update.training for update in inside.updates)
    made = WrittenLayer(tuple(names), len(inside.outputs), (len(build), len(call), len(shape)), training)
    draws = tuple(body.draws)
    fixed = (tuple(names), made.counts, training, draws)
    taken = frozenset(body.names.taken) | {"kwargs"}
    return Unit(layer.call, draws, (*build, *call, *shape), fixed, (), made, taken, forced=tuple(given.items()))


def _attribute(name: str) -> str:
    """A Python name as an attribute, which must not hide one of Keras's own."""
    return name + _ENDINGS.get(name.rstrip("_"), "_" if name.startswith("_") else "")


LAYER_ATTRIBUTES = frozenset(
    "activity_regularizer add_loss add_metric add_variable add_weight autocast build build_from_config built call "
    "call_signature_parameters compute_dtype compute_mask compute_output_shape compute_output_spec count_params dtype "
    "dtype_policy from_config get_build_config get_config get_weights input input_dtype input_spec "
    "load_own_variables losses metrics metrics_variables name non_trainable_variables non_trainable_weights output "
    "path quantization_mode quantize quantized_build quantized_call rematerialized_call save_own_variables "
    "set_weights state stateless_call supports_jit supports_masking symbolic_call trainable trainable_variables "
    "trainable_weights variable_dtype variables weights".split()
)
"""What an attribute of a keras.Layer must not be called (a test compares this with Keras itself)."""

_ENDINGS = endings(LAYER_ATTRIBUTES)


def _own(name: str) -> code.Expr:
    """What the file calls so, a parameter or weight of the layer, in its methods."""
    return code.Attr(SELF, _attribute(python_name(name)))


_ARGUMENTS = endings(("activity_regularizer", "autocast", "dtype", "name", "trainable"))
"""What a keras.Layer takes and has in its configuration."""


def _argument(name: str) -> str:
    """A Python name as a parameter of the class."""
    return name + _ARGUMENTS.get(name.rstrip("_"), "")


def _build(inside: Inside) -> list[code.Stmt]:
    """One `add_weight` for each weight and state."""
    found: list[code.Stmt] = []
    for name, (weight, _) in inside.weights.items():
        options: dict[str, object] = {
            "name": name, "shape": code.lift(weight.shape), "initializer": spell(weight.initializer),
        }  # fmt: skip
        if weight.dtype != "float":
            options["dtype"] = {"int": "int32"}.get(weight.dtype, weight.dtype)
        if not weight.trainable:
            options["trainable"] = False
        if weight.regularizer is not None:
            options["regularizer"] = spell(weight.regularizer)
        if weight.constraint is not None:
            options["constraint"] = spell(weight.constraint)
        place = _own(name)
        found.append(code.Assign((place,), code.call("self.add_weight", **options)))
    return found


def _shape(inside: Inside, types: Sequence[TensorType], names: Sequence[str]) -> list[code.Stmt]:
    """The shape of the result, where it is one of floats: Keras need not trace `call` for it."""
    if len(inside.outputs) != 1:
        return []
    value = next(iter(inside.outputs.values()))
    if not value.type.is_float:
        return []
    first = code.Name("input_shape" if len(names) == 1 else f"{names[0]}_shape")
    return [code.Return(_as_code(value.type, types[0], first))]


def _as_code(result: TensorType, given: TensorType, name: code.Name) -> code.Expr:
    if result.shape == given.shape:
        return name
    same = 0
    while same < min(result.rank, given.rank) and result.shape[same] == given.shape[same]:
        same += 1
    items: list[code.Expr] = []
    if same and result.batched:
        cut = same - given.rank
        stop = code.Literal(cut) if cut and result.rank == given.rank else code.Literal(same)
        items.append(code.Star(code.index(name, code.Slice(None, stop))))
    items += [_dim(dim) for dim in result.shape[same if result.batched else 0 :]]
    return code.Tuple(tuple(items))


def _dim(dim: Dim) -> code.Expr:
    return code.Literal(dim if isinstance(dim, int) else None)


class _LayerBody(Body):
    """`call` of a layer: its weights are attributes, its updates take place on the way."""

    def __init__(
        self,
        functions: Functions,
        layer: CustomLayer,
        inside: Inside,
        arguments: dict[Value, str],
        reserved: frozenset[str],
    ) -> None:
        results = [*inside.outputs.values(), *(update.value for update in inside.updates)]
        super().__init__(functions, inside.nodes, arguments, results, f"{layer.call.path}.", reserved)
        self.inside, self.updates, self.own = inside, Updates(inside), states(inside)
        self.draws: list[code.Stmt] = []
        for value, name in self.own.items():
            self.variables[value] = _own(name)

    def written(self) -> list[code.Stmt]:
        for update in self.updates.saved:
            old = code.Name(self.names.fresh(f"old_{update.name}"))
            self.statements.append(code.Assign((old,), code.call("keras.ops.convert_to_tensor", _own(update.name))))
            self.variables[update.before] = old
        self.items(self.steps)
        self._put(self.updates.due(None))
        results = [self._result(value) for value in self.inside.outputs.values()]
        returned = results[0] if len(results) == 1 else code.Tuple(tuple(results))
        return returning(discard_unread([*self.statements, code.Return(returned)]))

    def _result(self, value: Value) -> code.Expr:
        expr = self.operand(value, False)
        return code.call("keras.ops.convert_to_tensor", expr) if value in self.own else expr

    def _node(self, index: int, node: Node) -> None:
        self._put(self.updates.due(node))
        super()._node(index, node)
        last = self.statements[-1] if self.statements else None
        if node.config.draws if node.config.is_function else False:  # its generator is made once, with the layer
            assert isinstance(last, code.Assign) and isinstance(last.value, code.Call)
            place = code.Attr(SELF, self.names.fresh("draw"))
            self.draws.append(code.Assign((place,), last.value.func))
            self.statements[-1] = code.Assign(last.targets, code.Call(place, last.value.args))

    def _put(self, updates: list[Update]) -> None:
        for update in updates:
            statement = code.Do(code.method(_own(update.name), "assign", self.operand(update.value, False)))
            self.statements.append(code.If(code.Name("training"), (statement,)) if update.training else statement)


def layer_class(family: Family) -> dict[str, Any]:
    """The pieces of the class."""
    unit = family.units[0]
    made: WrittenLayer = unit.extra
    names = [name for name, _ in family.parameters]
    parameters = ["self", *(f"{_argument(name)}: {kind}" for name, kind in family.parameters), "**kwargs: Any"]
    stored = [code.Assign((code.Attr(SELF, _attribute(name)),), code.Name(_argument(name))) for name in names]
    single = len(made.arguments) == 1
    shapes = ["input_shape"] if single else [f"{name}_shape" for name in made.arguments]
    first, second, _ = made.counts
    build, call, shape = family.body[:first], family.body[first : first + second], family.body[first + second :]
    asked = [f"{name}: {_SHAPE}" for name in shapes]
    arguments = ["self", *(f"{name}: Any" for name in made.arguments)]
    if made.training:
        arguments.append("training: bool = False")
    config = _config(names)
    return {
        "name": family.name,
        "docstring": block_docstring(unit.call),
        "init": signature("__init__", parameters, "None", 1) if names or family.init else "",
        "stored": block([*stored, *family.init], 2),
        "build": signature("build", ["self", *asked], "None", 1) if build else "",
        "build_body": block(build, 2),
        "call": signature("call", arguments, "Any", 1),
        "call_body": block(call, 2),
        "shape": signature("compute_output_shape", ["self", *asked], _SHAPE, 1) if shape else "",
        "shape_body": block(shape, 2),
        "config": config,
    }


def _config(names: Sequence[str]) -> str:
    """The last statement of `get_config`, on one line or on several as ruff would have it; "" without parameters."""
    items = ["**super().get_config()", *(f'"{_argument(name)}": self.{_attribute(name)}' for name in names)]
    line = f"{' ' * 8}return {{{', '.join(items)}}}\n"
    if len(line) > 89:
        inner = "".join(f"{' ' * 12}{item},\n" for item in items)
        line = f"{' ' * 8}return {{\n{inner}{' ' * 8}}}\n"
    return line if names else ""
