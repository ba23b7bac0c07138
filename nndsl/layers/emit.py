"""What the `torch` methods of a layer work with (for `keras` see `emit_keras`): they ask for modules, helpers and names
here, and the target collects what was asked for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.entry import Entry
from nndsl.layers.rounding import as_float32
from nndsl.records import fresh, mutable, record

if TYPE_CHECKING:
    from nndsl.layers.base import Layer, Weight

Step = tuple[Literal["permute", "reshape", "blocks", "take"], tuple[int, ...]]


@record
class TorchWeight:
    """How a tensor of a torch module comes from a weight of the catalogue.

    `key` is the tensor's name below the module ("weight"), `weight` the canonical name ("kernel"). `steps` turn the
    array in Keras's layout into torch's, in order: ("permute", axes), ("reshape", shape), ("blocks", order) which
    cuts axis 0 into len(order) equal blocks and puts them in that order, ("take", (i,)) which takes row i of axis 0.
    """

    key: str
    weight: str
    steps: tuple[Step, ...] = ()


@record
class StateEntry:
    """One tensor of the emitted module's state_dict: `key`, and the weight it holds (`path` "layer/kernel", of `shape`
    in Keras's layout)."""

    key: str
    path: str
    steps: tuple[Step, ...]
    shape: tuple[int, ...]


@record
class InitRecord:
    """A tensor to initialise: `target` is code for it, `module` the class of the module that holds it. `filled` says
    that the layer has seen to it."""

    target: code.Expr
    weight: Weight
    module: str
    key: str
    steps: tuple[Step, ...]
    filled: bool = False
    nested: bool = False  # in a block, whose own class sees to it


@mutable
class TorchScope:
    """The torch class being written, of a model of that float type."""

    model: Entry | None = None
    float_dtype: str = "float32"
    float16: bool = False  # whether it computes in float16, all of it or most of it in training
    modules: dict[str, code.Expr] = fresh(default_factory=dict)  # attribute → constructor
    inits: list[InitRecord] = fresh(default_factory=list)
    after: list[code.Stmt] = fresh(default_factory=list)  # statements of __init__ behind the modules
    forward: list[code.Stmt] = fresh(default_factory=list)
    helpers: dict[str, None] = fresh(default_factory=dict)  # in order of first use
    imports: set[str] = fresh(default_factory=set)
    state: list[StateEntry] = fresh(default_factory=list)
    owners: dict[str, object] = fresh(default_factory=dict)  # attribute → what it belongs to
    taken: set[str] = fresh(default_factory=set)  # names that a new variable must not bear
    reset: list[code.Stmt] = fresh(default_factory=list)  # body of reset_state
    device: code.Expr | None = None  # where the method at hand computes: `x.device`
    activity: bool = False  # whether forward gathers activity penalties
    output_masks: bool = False  # whether forward keeps the masks of outputs for their losses

    custom: Any = None  # the target's function that calls a layer of one's own
    held: Any = None  # and the one that calls a block which another layer holds

    @property
    def double(self) -> bool:
        """Whether the program computes in float64."""
        return self.float_dtype == "float64"

    def inside(self) -> TorchScope:
        """The scope of another class of the same file."""
        return TorchScope(
            float_dtype=self.float_dtype,
            float16=self.float16,
            helpers=self.helpers,
            imports=self.imports,
            custom=self.custom,
            held=self.held,
        )

    def claim(self, attribute: str, owner: object) -> str:
        """The attribute of `owner`: as asked for, with `_` behind it where that is another's. Paths tell layers apart,
        attributes may not: `y.dense` (inside of layer `y`) and `y_dense` are both `y_dense`."""
        while self.owners.setdefault(attribute, owner) != owner:
            attribute += "_"
        return attribute

    def single(self, number: float) -> code.Expr:
        """A number that Keras holds as float32, in float64 programs too."""
        if not self.double or number == as_float32(number):
            return code.lift(number)
        self.helpers["as_float32"] = None
        return code.call("as_float32", number)

    def variable(self, hint: str) -> str:
        """A fresh local name that starts with `hint`."""
        name, number = hint, 2
        while name in self.taken:
            name, number = f"{hint}_{number}", number + 1
        self.taken.add(name)
        return name


SELF = code.Name("self")


class TorchCall:
    """One call of one layer in the torch program being written.

    `inputs` and `results` are types in the file's order of axes. `first` says that the code works on channels-first
    tensors although the file has channels last (see `Layer.layout`); `axis` takes that into account.
    `masks` is code for each input's mask, or None. `names` are the variables that the results will be bound to.
    """

    def __init__(
        self,
        scope: TorchScope,
        layer: Layer,
        inputs: tuple[TensorType, ...],
        results: tuple[TensorType, ...],
        *,
        attribute: str,
        path: str,
        first: bool = False,
        masks: Sequence[code.Expr | None] = (),
        tensors: Mapping[str, Any] | None = None,
        names: tuple[str, ...] = ("x",),
        used: tuple[bool, ...] = (True,),
        float_dtype: str = "float32",
    ) -> None:
        self.scope, self.layer, self.inputs, self.results = scope, layer, inputs, results
        self.attribute, self.path, self.first, self.masks = attribute, path, first, tuple(masks)
        self.tensors = dict(tensors or {})  # code of tensor arguments; a tuple where several were given
        self.names, self.used, self.float_dtype = names, used, float_dtype
        self.mask: code.Expr | None = None  # the mask of the result, where something needs it
        self.learned = False  # whether a gradient surely flows through the first input
        self.penalised: list[tuple[Any, code.Expr]] = []  # values with the regularizers that go over them

    # -------------------------------------------------------------------------------- modules and helpers

    def module(
        self,
        constructor: code.Call,
        *weights: TorchWeight,
        name: str = "",
        frozen: Sequence[str] = (),
        held: Sequence[tuple[TorchCall, TorchWeight]] = (),
        start: code.Call | None = None,
        filled: bool = False,
    ) -> code.Expr:
        """`self.<attribute>`, defined by `constructor` at the layer's first call; `weights` say what its tensors hold.
        `name` tells several modules of one layer apart. `frozen` tensors are zero and never trained. `held` are weights
        of layers inside this one (their `child` calls) that this one module holds. `start` is a call of a helper that
        gives the whole module its initial weights, and sees to `frozen`; the module becomes its first argument. A
        module that is `filled` gives them to itself."""
        attribute = self.own(name)
        place = code.Attr(SELF, attribute)
        if attribute not in self.scope.modules:
            self.scope.modules[attribute] = constructor
            func = constructor.func
            kind = func.name if isinstance(func, code.Attr) else func.id if isinstance(func, code.Name) else ""
            by_name = {weight.name: weight for weight in self.layer.weights(*self.inputs)}
            for item in weights:
                self._place(place, attribute, kind, item, by_name[item.weight], filled or start is not None)
            for call, item in held:
                spec = next(spec for spec in call.layer.weights(*call.inputs) if spec.name == item.weight)
                call._place(place, attribute, kind, item, spec, start is not None)
                if self.layer.trainable and not call.layer.trainable:
                    tensor = _member(place, item.key, kind)
                    self.scope.after.append(code.Do(code.method(tensor, "requires_grad_", False)))
            if start is not None:
                if isinstance(start.func, code.Name):
                    self.helper(start.func.id)
                started = code.Call(start.func, (place, *start.args), start.kwargs)
                self.scope.after.append(code.Do(started))
            for key in frozen if start is None else ():
                tensor = _member(place, key, kind)
                self.scope.after.append(code.Do(code.call("nn.init.zeros_", tensor)))
                self.scope.after.append(code.Do(code.method(tensor, "requires_grad_", False)))
            if not self.layer.trainable:
                self.scope.after.append(code.Do(code.method(place, "requires_grad_", False)))
        return place

    def parameter(self, weight: str, *steps: Step, name: str = "") -> code.Expr:
        """`self.<attribute>` as an nn.Parameter of its own for a weight that no module holds."""
        attribute = self.own(name or weight)
        place = code.Attr(SELF, attribute)
        if attribute not in self.scope.modules:
            spec = next(item for item in self.layer.weights(*self.inputs) if item.name == weight)
            shape = torch_shape(spec.shape, steps)
            self.scope.modules[attribute] = code.call("nn.Parameter", code.call("torch.empty", *(shape or ((),))))
            self._place(place, attribute, "Parameter", TorchWeight("", weight, steps), spec)
            if not self.layer.trainable:
                self.scope.after.append(code.Do(code.method(place, "requires_grad_", False)))
        return place

    def _place(
        self, place: code.Expr, attribute: str, kind: str, item: TorchWeight, spec: Weight, filled: bool = False
    ) -> None:
        target = _member(place, item.key, kind) if item.key else place
        key = f"{attribute}.{item.key}" if item.key else attribute
        self.scope.state.append(StateEntry(key, f"{self.path}/{item.weight}", item.steps, spec.shape))
        made = self.scope.modules.get(attribute)
        if item.key.startswith("layer.") and isinstance(made, code.Call) and isinstance(made.args[0], code.Call):
            func = made.args[0].func  # a module around another one
            kind = func.name if isinstance(func, code.Attr) else kind
        self.scope.inits.append(InitRecord(target, spec, kind, item.key, item.steps, filled))

    def buffer(self, name: str, value: code.Expr) -> code.Expr:
        """`self.<attribute>_<name>`: a tensor that moves with the module and is not saved or trained."""
        attribute = self.own(name)
        if attribute not in self.scope.modules:
            self.scope.modules[attribute] = code.call("register_buffer", attribute, value, persistent=False)
        return code.Attr(SELF, attribute)

    def own(self, name: str = "") -> str:
        """The attribute of this layer's module, or of one more of its own."""
        return self.scope.claim(f"{self.attribute}_{name}" if name else self.attribute, (self.path, name))

    def helper(self, name: str) -> code.Name:
        """A function or class of templates/torch/helpers/<name>.py, which the file will carry."""
        self.scope.helpers[name] = None
        return code.Name(name)

    def child(
        self,
        name: str,
        layer: Layer,
        inputs: tuple[TensorType, ...],
        results: tuple[TensorType, ...],
        masks: Sequence[code.Expr | None] = (),
    ) -> TorchCall:
        """The call of a layer inside this one, whose path and attribute stand below this one's."""
        return TorchCall(
            self.scope, layer, inputs, results,
            attribute=f"{self.attribute}_{name}", path=f"{self.path}.{name}", masks=masks or (None,) * len(inputs),
            names=tuple(f"{self.names[0]}_{name}" for _ in results), used=(True,) * len(results),
            float_dtype=self.float_dtype,
        )  # fmt: skip

    # --------------------------------------------------------------------------------------------- values

    def penalise(self, regularizer: Any, *values: code.Expr) -> None:
        """Adds what a layer inside of this one has as penalty of its activity."""
        if regularizer is not None:
            self.penalised += [(regularizer, value) for value in values]

    def let(self, value: code.Expr, hint: str) -> code.Name:
        """Binds `value` to a fresh local name."""
        name = code.Name(self.scope.variable(hint))
        self.scope.forward.append(code.Assign((name,), value))
        return name

    def step(self, value: code.Expr, hint: str) -> code.Name:
        """Binds a value on the way to the result: to `x` where the result will be `x` too."""
        if self.names != ("x",):
            return self.let(value, hint)
        self.scope.forward.append(code.Assign((code.Name("x"),), value))
        return code.Name("x")

    def axis(self, axis: int) -> int:
        """A Keras axis (0 the batch, -1 the last) as the dim of the torch tensor at hand. Negative where the axis is
        the last one, as people write it."""
        rank = self.inputs[0].rank
        position = axis + rank if axis < 0 else axis
        if not self.first:
            return -1 if position == rank - 1 else position
        return position if position == 0 else 1 if position == rank - 1 else position + 1

    def activate(self, activation: Any, value: code.Expr) -> code.Expr:
        """`value` through an activation of the catalogue (None: itself)."""
        result: code.Expr = value if activation is None else activation.torch(self, value)
        return result

    def rounded(self, value: float) -> float:
        """A constant as Keras has it: it passes through float32 on its way to float64."""
        return as_float32(value) if self.float_dtype == "float64" else value

    @property
    def training(self) -> code.Expr:
        return code.Attr(SELF, "training")


# The tensors of these modules bear names that type checkers do not know.
_BY_NAME = {"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell", "SimpleRNNCell", "StackedCells", "ConvLSTMCell"}
_NORMS = {"PartialBatchNorm", "MaskedBatchNorm", "FrozenBatchNorm", "RenormBatchNorm"}


def _may_be_none(kind: str, name: str) -> bool:
    """Whether the tensor has a type that allows None, or a module."""
    if kind == "SpectralNormalization":
        return name.startswith("layer.")
    return (kind in _NORMS and name in ("weight", "bias")) or (kind.startswith("Conv") and name == "bias")


def _member(value: code.Expr, path: str, kind: str = "") -> code.Expr:
    if kind in _BY_NAME or _may_be_none(kind, path):
        return code.method(value, "get_parameter", path)
    for name in path.split("."):
        value = code.index(value, int(name)) if name.isdigit() else code.Attr(value, name)
    return value


def torch_shape(shape: tuple[int, ...], steps: Sequence[Step]) -> tuple[int, ...]:
    """The shape that `steps` turn `shape` into."""
    for kind, numbers in steps:
        if kind == "permute":
            shape = tuple(shape[axis] for axis in numbers)
        elif kind == "reshape":
            shape = numbers
        elif kind == "take":
            shape = shape[1:]
    return shape


def keras_view(value: code.Expr, shape: tuple[int, ...], steps: Sequence[Step]) -> code.Expr:
    """Code for a view of a tensor of torch's in Keras's layout, `shape`: the steps backwards. Blocks stay where they
    are."""
    before = [torch_shape(shape, steps[:count]) for count in range(len(steps))]
    for (kind, numbers), former in zip(reversed(steps), reversed(before), strict=True):
        if kind == "permute":
            value = code.method(value, "permute", *(numbers.index(axis) for axis in range(len(numbers))))
        elif kind == "reshape":
            value = code.method(value, "view", *former)
    return value


def stepped(scope: TorchScope, value: code.Expr, steps: Sequence[Step]) -> code.Expr:
    """Code that turns a tensor in Keras's layout into torch's by `steps`."""
    for kind, numbers in steps:
        if kind == "blocks":
            scope.helpers["reorder_blocks"] = None
            value = code.call("reorder_blocks", value, numbers)
        elif kind == "take":
            value = code.index(value, numbers[0])
        else:
            value = code.method(value, kind, *numbers)
    return value
