"""Callbacks: what watches training after each epoch. Rules: keras/src/callbacks (3.15)."""

from __future__ import annotations

from collections.abc import Mapping

from nndsl import code
from nndsl.layers.entry import arg, entry
from nndsl.layers.kinds import Bool, Choice, Either, Float, Int, Maybe, Text
from nndsl.layers.training import Callback, Splitter, TrainingCall

MONITOR = "The number that is watched: `loss`, `accuracy`, `val_loss`, …; `age_loss` where there are several outputs."
MODE = "Whether less or more is better; `auto` knows it from the number."


@entry("callback")
class EarlyStopping(Callback):
    """Ends training when the watched number has not got better for `patience` epochs.

    Example:
        train { optimizer = adam; epochs = 100; callbacks = [EarlyStopping(patience=5, restore_best_weights=true)] }
    """

    monitor = arg(Text(), MONITOR, "val_loss")
    min_delta = arg(Float(0), "Smallest change that counts as better.", 0)
    patience = arg(Int(0), "How many epochs without a better number are borne.", 0)
    verbose = arg(Either(Bool(), Int(0, 1)), "Whether the end is announced.", 0)
    mode = arg(Choice("auto", "min", "max"), MODE, "auto")
    baseline = arg(Maybe(Float()), "A number that must be beaten for patience to start anew.", None)
    restore_best_weights = arg(Bool(), "Whether the weights of the best epoch are put back at the end.", False)
    start_from_epoch = arg(Int(0), "The first epoch that is watched, counted from 0.", 0)

    @property
    def watched(self) -> Mapping[str, str]:
        return {self.monitor: "monitor"}

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        t.helper("Watcher")
        given = ("patience", "min_delta", "baseline", "restore_best_weights", "start_from_epoch")
        options = {name: getattr(self, name) for name in given if getattr(self, name) not in (None, 0)}
        return code.call(t.helper("EarlyStopping"), self.monitor, mode, **options)


@entry("callback")
class ReduceLROnPlateau(Callback):
    """Multiplies the learning rate by `factor` when the watched number has not got better for `patience` epochs.

    Example:
        train { optimizer = adam; epochs = 100; callbacks = [ReduceLROnPlateau(factor=0.5, patience=3)] }
    """

    monitor = arg(Text(), MONITOR, "val_loss")
    factor = arg(Float(0, 1, below=True), "What the rate is multiplied by.", 0.1)
    patience = arg(Int(0), "How many epochs without a better number are borne.", 10)
    verbose = arg(Either(Bool(), Int(0, 1)), "Whether changes are announced.", 0)
    mode = arg(Choice("auto", "min", "max"), MODE, "auto")
    min_delta = arg(Float(0), "Smallest change that counts as better.", 0.0001)
    cooldown = arg(Int(0), "How many epochs pass after a change before it watches again.", 0)
    min_lr = arg(Float(0), "The smallest rate.", 0.0)

    @property
    def watched(self) -> Mapping[str, str]:
        return {self.monitor: "monitor"}

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        t.helper("Watcher")
        options: dict[str, object] = {
            "factor": self.factor,
            "patience": self.patience,
            "min_delta": self.min_delta,
        }
        options |= {name: getattr(self, name) for name in ("cooldown", "min_lr") if getattr(self, name)}
        return code.call(t.helper("ReduceLROnPlateau"), self.monitor, mode, **options)


@entry("callback")
class TerminateOnNaN(Callback):
    """Ends training with the first batch after which the loss is no number, or infinite.

    Example:
        train { optimizer = SGD(0.5); epochs = 100; callbacks = [TerminateOnNaN()] }
    """

    raise_error = arg(Bool(), "Whether the end is an error.", False)

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        return code.call(t.helper("TerminateOnNaN"), **({"raise_error": True} if self.raise_error else {}))


@entry("splitter")
class KFold(Splitter):
    """Cuts the samples into `n_splits` parts; each is once the part that is tested.

    Example:
        train { optimizer = adam; cross_validation = KFold(5, shuffle=true) }
    """

    n_splits = arg(Int(2), "The number of parts.", 5)
    shuffle = arg(Bool(), "Whether the samples are shuffled before.", False)
    random_state = arg(Maybe(Int(0)), "Seed of the shuffling.", None)


@entry("splitter")
class StratifiedKFold(Splitter):
    """As KFold, with the same share of each class in every part.

    Example:
        train { optimizer = adam; cross_validation = StratifiedKFold(10) }
    """

    n_splits = arg(Int(2), "The number of parts.", 5)
    shuffle = arg(Bool(), "Whether the samples are shuffled before.", False)
    random_state = arg(Maybe(Int(0)), "Seed of the shuffling.", None)
