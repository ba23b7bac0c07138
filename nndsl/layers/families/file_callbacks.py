"""Callbacks that write files. Rules: keras/src/callbacks (3.15)."""

from __future__ import annotations

from collections.abc import Mapping

from nndsl import code
from nndsl.layers.entry import ArgumentError, Binder, ConfigError, Kind, arg, entry
from nndsl.layers.families.callbacks import MODE, MONITOR
from nndsl.layers.file_names import Delimiter, WrittenFile, fields_of
from nndsl.layers.kinds import Bool, Choice, Either, Float, Int, Maybe, Text
from nndsl.layers.training import Callback, TrainingCall
from nndsl.layers.values import Option, show, spell

_WEIGHTS, _MODEL = ".weights.h5", ".keras"


class Only(Kind[object]):
    """An argument of Keras that takes its default alone here, with the reason and what to do instead."""

    def __init__(self, value: object, reason: str, help: str) -> None:
        self.value, self.reason, self.help = value, reason, help

    def convert(self, value: object, bind: Binder) -> object:
        plain = value.name if isinstance(value, Option) else value
        if type(plain) is not type(self.value) or plain != self.value:
            raise ArgumentError(f"cannot be {show(value)}: {self.reason}", code="NN0218", help=self.help)
        return plain

    def describe(self) -> str:
        return f"`{self.value if isinstance(self.value, str) else spell(self.value)}`"


@entry("callback")
class ModelCheckpoint(Callback):
    """Saves the weights and the state of the optimizer after each epoch, or after each that is the best so far.

    `filepath` may hold the number of the epoch, from 1, and whatever is reported: `{epoch:02d}`, `{val_loss:.4f}`.
    With `save_weights_only=true` its name ends in `.weights.h5`, else in `.keras`, and the Keras program writes such a
    file. The PyTorch program writes one that ends in `.pt` in its place. What either writes is a file for its own
    `--weights`; the path lies in the folder where the program runs, with `nndsl run` in the folder of the run.

    Example:
        train {
            optimizer = adam; epochs = 30; validation_split = 0.2
            callbacks = ModelCheckpoint("best.weights.h5", save_best_only=true, save_weights_only=true)
        }
    """

    filepath = arg(WrittenFile(_WEIGHTS, _MODEL, fields=True), "The file; numbers may stand in it in braces.")
    monitor = arg(Text(), f"{MONITOR} It is looked at with `save_best_only=true`.", "val_loss")
    verbose = arg(Either(Bool(), Int(0, 1)), "Whether the Keras program announces what it saves.", 0)
    save_best_only = arg(Bool(), "Whether only epochs that are better than all before are saved.", False)
    save_weights_only = arg(Bool(), "Whether Keras leaves the layers out of the file.", False)
    mode = arg(Choice("auto", "min", "max"), MODE, "auto")
    save_freq = arg(
        Only(
            "epoch",
            "callbacks look after each epoch",
            "write `steps` and `evaluate_every = 500` in `train`: each evaluation counts as an epoch then",
        ),
        "When there is something to save: after each epoch.",
        "epoch",
    )
    initial_value_threshold = arg(Maybe(Float()), "What the first number must be better than.", None)

    def check(self) -> None:
        ending, other = (_WEIGHTS, _MODEL) if self.save_weights_only else (_MODEL, _WEIGHTS)
        if self.filepath.endswith(ending):
            return
        arguments = ("filepath", "save_weights_only") if "save_weights_only" in self.given else ("filepath",)
        what = "the weights alone" if self.save_weights_only else "the whole model"
        help = "leave `save_weights_only` out" if self.save_weights_only else "write `save_weights_only=true`"
        raise ConfigError(
            f"Keras saves {what} in a file that ends in `{ending}`, and this one ends in `{other}`",
            *arguments,
            help=f"{help}, or change the ending",
        )

    @property
    def watched(self) -> Mapping[str, str]:
        fields = {name: "filepath" for name in fields_of(self.filepath) if name != "epoch"}
        return fields | ({self.monitor: "monitor"} if self.save_best_only else {})

    @property
    def written(self) -> str:
        return self.filepath.removesuffix(_WEIGHTS).removesuffix(_MODEL) + ".pt"

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        path = self.written
        made = t.helper("ModelCheckpoint")
        if not self.save_best_only:
            return code.call(made, path)
        threshold = self.initial_value_threshold
        options = {} if threshold is None else {"threshold": threshold}
        return code.call(made, path, self.monitor, mode, **options)


@entry("callback")
class CSVLogger(Callback):
    """Writes what is reported of each epoch into a table, a row an epoch; epochs are counted from 0, as in Keras.

    The first line holds the names: `epoch`, then all that is reported in the order of the alphabet. Where nothing is
    reported of validation data, there are columns for it nevertheless, with `NA`. The path lies in the folder where the
    program runs, with `nndsl run` in the folder of the run.

    Example:
        train { optimizer = adam; epochs = 30; callbacks = [CSVLogger("log.csv")] }
    """

    filename = arg(WrittenFile(".csv", ".tsv", ".log", ".txt"), "The file.")
    separator = arg(Delimiter("separator"), "The character between two cells.", ",")
    append = arg(Bool(), "Whether rows are added to a file that is there, or it is begun anew.", False)

    @property
    def written(self) -> str:
        return self.filename

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        options: dict[str, object] = {} if self.separator == "," else {"separator": self.separator}
        return code.call(t.helper("CSVLogger"), self.filename, **options, **({"append": True} if self.append else {}))


_NO_EPOCHS = "both programs write numbers after each epoch, and nothing else"


@entry("callback")
class TensorBoard(Callback):
    """Writes what is reported of each epoch for TensorBoard: `tensorboard --logdir logs`.

    The tags are Keras's: `epoch_loss`, `epoch_accuracy`, `epoch_learning_rate`, …, in `train` and `validation` below
    `log_dir`; epochs are counted from 0. The PyTorch program needs the package `tensorboard`. The Keras program writes
    its graph besides, unless `write_graph=false`, and `evaluation_…_vs_iterations`, which Keras always adds.

    Example:
        train { optimizer = adam; epochs = 30; callbacks = [TensorBoard("logs")] }
    """

    log_dir = arg(WrittenFile(what="folder"), "The folder.", "logs")
    histogram_freq = arg(Only(0, _NO_EPOCHS, "leave it out"), "Histograms of weights: none.", 0)
    write_graph = arg(Bool(), "Whether the Keras program writes its graph.", True)
    write_images = arg(Only(False, _NO_EPOCHS, "leave it out"), "Pictures of weights: none.", False)
    write_steps_per_second = arg(
        Only(False, _NO_EPOCHS, "leave it out; `nndsl run` shows the samples per second"), "The speed: not here.", False
    )
    update_freq = arg(
        Only(
            "epoch",
            "callbacks look after each epoch",
            "write `steps` and `evaluate_every = 500` in `train`: each evaluation counts as an epoch then",
        ),
        "When numbers are written: after each epoch.",
        "epoch",
    )
    profile_batch = arg(Only(0, _NO_EPOCHS, "leave it out"), "Profiles of batches: none.", 0)
    embeddings_freq = arg(Only(0, _NO_EPOCHS, "leave it out"), "Embeddings: none.", 0)
    embeddings_metadata = arg(Only(None, _NO_EPOCHS, "leave it out"), "Names for embeddings: none.", None)

    @property
    def written(self) -> str:
        return self.log_dir

    def torch(self, t: TrainingCall, mode: str) -> code.Expr:
        return code.call(t.helper("TensorBoard"), self.log_dir)
