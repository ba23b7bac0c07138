"""What training is made of: what losses, metrics and optimizers work with; bases of callbacks and splitters.

Optimizers and schedules have theirs in `optimizing`, losses and metrics in `measures`. Values and names are Keras's
(keras/src/callbacks, version 3.15).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import Step, TorchScope
from nndsl.layers.entry import Entry
from nndsl.records import record


@record
class Held:
    """A weight of the model, in Keras's layout of `shape`, and code for the tensors that hold it: several where each is
    a row of it."""

    path: str
    shape: tuple[int, ...]
    tensors: tuple[code.Expr, ...]
    steps: tuple[Step, ...]  # of the first tensor


class TrainingCall:
    """What the `torch` methods of losses, metrics and optimizers work with.

    `prediction` is the type of the output as the model predicts it. `logits` is the activation that training leaves
    out of the output ("softmax", "sigmoid", or None): a loss then gets the numbers before it. `sparse` says that the
    targets are class ids. `double`: the program computes in float64. `weights` are those that training changes.
    """

    def __init__(
        self,
        scope: TorchScope,
        prediction: TensorType,
        *,
        logits: str | None = None,
        sparse: bool = False,
        weights: Sequence[Held] = (),
    ) -> None:
        self.scope, self.prediction, self.logits, self.sparse = scope, prediction, logits, sparse
        self.weights = weights

    def helper(self, name: str) -> code.Name:
        """A function or class of templates/torch/helpers/<name>.py, which the file will carry."""
        self.scope.helpers[name] = None
        return code.Name(name)

    @property
    def double(self) -> bool:
        """Whether the program computes in float64."""
        return self.scope.double

    def single(self, number: float) -> code.Expr:
        """A number that Keras holds as float32, in float64 programs too."""
        return self.scope.single(number)

    def imported(self, line: str, name: str) -> code.Name:
        """A name of the standard library, with the line that imports it."""
        self.scope.imports.add(line)
        return code.Name(name)


class Callback(Entry):
    """Base of the callbacks: what looks at the numbers of Keras's logs after each epoch (`loss`, `val_loss`,
    `val_accuracy`, `age_loss`, …), or after each evaluation where training counts steps."""

    monitor: str = ""
    mode: str = ""

    @property
    def watched(self) -> Mapping[str, str]:
        """The reported numbers that it cannot do without, each with the argument that names it."""
        return {}

    @property
    def written(self) -> str:
        """The file or folder that it writes, as the file names it; "" where it writes none."""
        return ""

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        """Code for a fresh watcher, an object as `targets/torch_training.py` describes; `mode` is "min" or "max"."""
        raise NotImplementedError


class Splitter(Entry):
    """Base of the ways to split data for cross-validation, with scikit-learn's names and defaults."""

    n_splits: int
