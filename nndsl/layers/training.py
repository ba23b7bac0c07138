"""What training is made of: what losses, metrics and optimizers work with; bases of callbacks and splitters.

Optimizers and schedules have theirs in `optimizing`, losses and metrics in `measures`. Values and names are Keras's
(keras/src/callbacks, version 3.15).
"""

from __future__ import annotations

from nndsl import code
from nndsl.ir.types import TensorType
from nndsl.layers.emit import TorchScope
from nndsl.layers.entry import Entry


class TrainingCall:
    """What the `torch` methods of losses, metrics and optimizers work with.

    `prediction` is the type of the output as the model predicts it. `logits` is the activation that training leaves
    out of the output ("softmax", "sigmoid", or None): a loss then gets the numbers before it. `sparse` says that the
    targets are class ids.
    """

    def __init__(
        self, scope: TorchScope, prediction: TensorType, *, logits: str | None = None, sparse: bool = False
    ) -> None:
        self.scope, self.prediction, self.logits, self.sparse = scope, prediction, logits, sparse

    def helper(self, name: str) -> code.Name:
        """A function or class of templates/torch/helpers/<name>.py, which the file will carry."""
        self.scope.helpers[name] = None
        return code.Name(name)

    def imported(self, line: str, name: str) -> code.Name:
        """A name of the standard library, with the line that imports it."""
        self.scope.imports.add(line)
        return code.Name(name)


class Callback(Entry):
    """Base of the callbacks: what watches a monitored number after each epoch.

    `monitor` is a name of Keras's logs: `loss`, `val_loss`, `val_accuracy`, `age_loss`, …
    """

    monitor: str
    mode: str

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        """Code for a fresh watcher: an object with `after_epoch(epoch, logs)`; `mode` is "min" or "max"."""
        raise NotImplementedError


class Splitter(Entry):
    """Base of the ways to split data for cross-validation, with scikit-learn's names and defaults."""

    n_splits: int
