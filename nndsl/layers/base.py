"""The base of all layers in the catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeAlias

from nndsl import code
from nndsl.ir.dims import Dim
from nndsl.ir.types import TensorType
from nndsl.layers.entry import Arg, Entry
from nndsl.layers.kinds import Bool, Text
from nndsl.records import record

if TYPE_CHECKING:
    from nndsl.layers.emit import TorchCall
    from nndsl.layers.emit_keras import KerasCall
    from nndsl.layers.shapes import Check

Types: TypeAlias = TensorType | tuple[TensorType, ...]
Code: TypeAlias = code.Expr | tuple[code.Expr, ...]


@record
class Weight:
    """One variable of a layer: canonical name and shape in Keras's layout.

    `initializer` is a catalogue entry; `fans` are (fan_in, fan_out) as Keras counts them from its own layout: of a
    window, or where `input_axes` says so of those axes in and the others out (EinsumDense).
    `trainable` is False for state such as moving statistics.
    """

    name: str
    shape: tuple[int, ...]
    initializer: Any
    trainable: bool = True
    regularizer: Any = None
    constraint: Any = None
    dtype: str = "float"
    input_axes: tuple[int, ...] | None = None

    @property
    def size(self) -> int:
        total = 1
        for dim in self.shape:
            total *= dim
        return total

    @property
    def fans(self) -> tuple[int, int]:
        """(fan_in, fan_out) of a kernel [*window, in, out], as keras/src/initializers/random_initializers.py."""
        if not self.shape:
            return 1, 1
        if self.input_axes is not None:
            ins = prod(self.shape[axis] for axis in self.input_axes)
            return ins, prod(n for axis, n in enumerate(self.shape) if axis not in self.input_axes)
        if len(self.shape) == 1:
            return self.shape[0], self.shape[0]
        window = 1
        for dim in self.shape[:-2]:
            window *= dim
        return self.shape[-2] * window, self.shape[-1] * window


class Layer(Entry):
    """Base of all layers. A subclass declares arguments and says what it does to shapes (`infer`), what it holds
    (`weights`), how PyTorch does it (`torch`), and, only where Keras's spelling is more than the layer's own name and
    arguments, how Keras does it (`keras`).

    `arity` is the least and most number of inputs (None: any number). `tensor_args` are arguments that take values of
    the model (`initial_state`). `layout` says which order of axes the torch code of the layer works in:
    "channels": channels first, whatever `data_format` says; "any": elementwise, whichever order comes in (axes through
    `TorchCall.axis`); "declared": the order of the file.
    """

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    tensor_args: ClassVar[dict[str, str]] = {}
    layout: ClassVar[Literal["channels", "any", "declared", "last"]] = "declared"
    is_function: ClassVar[bool] = False  # a tensor function or operator, which has no identity
    uses_mask: bool = False  # whether the result depends on the mask of an input
    takes_mask: bool = False  # whether it is given the mask to hand it on inside
    gathers: bool = False  # whether it picks rows of its `embeddings` by ids
    mixes_samples: bool = False  # whether the result for one sample depends on the others, or on the calls before
    once: ClassVar[bool] = False  # whether a shared layer may be called but once
    common: ClassVar[dict[str, Arg]] = {}

    path: str  # the identity: "features_conv1d_2", dots between levels
    name: str | None
    trainable: bool
    data_format: str  # of spatial layers: what the file says, else the model's option

    def infer(self, check: Check, *inputs: Any, **tensors: Any) -> Types:
        """The types of the results from the types of the inputs (explicit batch axis first).

        Raises ShapeError; derives constraints on free dimensions through `check`."""
        raise NotImplementedError

    def weights(self, *inputs: Any, **tensors: Any) -> Sequence[Weight]:
        """The weights in Keras's own order, from the types of the inputs. Raises ShapeError (NN0304) where a size is
        free."""
        return ()

    def children(self) -> Sequence[tuple[str, Layer, tuple[TensorType, ...]]]:
        """Layers inside this one, after `infer`: (name below this one, layer, types of its inputs)."""
        return ()

    def multiply_adds(self, inputs: tuple[TensorType, ...], results: tuple[TensorType, ...]) -> Dim:
        """Multiplications with an addition for one sample, children included."""
        return 0

    def result_mask(self, *masks: bool) -> bool:
        """Whether the (first) result carries a mask, from whether the inputs do."""
        return False

    def torch_mask(self, t: TorchCall, *inputs: Any) -> code.Expr | None:
        """The mask of the result as torch code, where `result_mask` says that there is one; `t.masks` are those of the
        inputs. It is asked for before `torch`."""
        return next((mask for mask in t.masks if mask is not None), None)

    def torch(self, t: TorchCall, *inputs: Any, **tensors: Any) -> Code:
        """The result as torch code. Modules, parameters and helpers are asked of `t`."""
        raise NotImplementedError

    def keras(self, k: KerasCall, *inputs: Any, **tensors: Any) -> Code:
        """The result as Keras code: by default the layer of the same name called on the inputs."""
        return k.call(self, *inputs)

    def keras_input(self, k: KerasCall, x: code.Expr) -> code.Expr:
        """What Keras's layer must be given in place of `x`, where that is not the same."""
        return x

    def keras_layer(self, k: KerasCall) -> code.Expr:
        """The layer itself, not called yet: what a shared layer's variable holds. Where `keras` changes arguments,
        this does too."""
        return k.build(self)

    def keras_spelled(self, k: KerasCall, built: code.Expr) -> code.Expr:
        """The layer as Keras gets it, where that is not what its arguments spell."""
        return built

    @property
    def result_regularizer(self) -> Any:
        """The regularizer that goes over what the layer gives, if any."""
        return getattr(self, "activity_regularizer", None)

    @property
    def penalises_activity(self) -> bool:
        """Whether a call adds a penalty on what it computes to the loss."""
        return getattr(self, "activity_regularizer", None) is not None

    @property
    def static_state(self) -> bool:
        """Whether calls leave something behind for the next batch (stateful recurrent layers)."""
        return False


def _common() -> dict[str, Arg]:
    name = Arg(Text(), "The layer's name, part of its identity; by default made from its statement.", None, ())
    trainable = Arg(Bool(), "Whether training changes the layer's weights.", True, ())
    name.name, trainable.name = "name", "trainable"
    return {"name": name, "trainable": trainable}


Layer.common = _common()
