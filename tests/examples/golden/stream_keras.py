"""Stream, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_model() -> keras.Model:
    """A machine watched without a break: 16 machines, an hour in each batch, and a
    state that is never reset.
    Data: `--data file.npz` with readings and alarm, in the order of time; or
    `--data random`.

    Maps readings, float32 [16, 60, 6], to alarm, float32 [16, 1].
    """
    readings = keras.Input((60, 6), batch_size=16, name="readings")
    x = layers.GRU(32, return_sequences=True, stateful=True, name="alarm_gru")(readings)
    x = layers.GRU(16, stateful=True, name="alarm_gru_2")(x)
    alarm = layers.Dense(1, activation="sigmoid", name="alarm")(x)
    return keras.Model(readings, {"alarm": alarm}, name="Stream")


ARRAYS = {"readings": ((60, 6), "float32"), "alarm": ((1,), "float32")}
INPUTS = ("readings",)
TARGETS = ("alarm",)
BATCH_SIZE = 16
EPOCHS = 5
SEED = None


def compile_model(model: keras.Model) -> None:
    """Gives the model its optimizer, losses and metrics."""
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss={"alarm": "binary_crossentropy"},
        metrics={"alarm": ["accuracy"]},
    )


class Batches(keras.utils.PyDataset):
    """Batches of the data; only whole ones."""

    def __init__(self, data: dict[str, np.ndarray], size: int) -> None:
        super().__init__()
        self.data, self.size = data, size
        self.count = len(data[INPUTS[0]])

    def __len__(self) -> int:
        return self.count // self.size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], ...]:
        chosen = slice(index * self.size, (index + 1) * self.size)
        inputs = {name: self.data[name][chosen] for name in INPUTS}
        targets = {name: self.data[name][chosen] for name in TARGETS}
        return inputs, targets


def train(
    model: keras.Model,
    data: dict[str, np.ndarray],
    validation: dict[str, np.ndarray] | None = None,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
) -> None:
    """Trains the model; evaluates it on the validation data after every epoch."""
    if not model.compiled:
        compile_model(model)
    batches = Batches(data, batch_size)
    model.fit(
        batches,
        epochs=epochs,
        shuffle=False,  # the batches have their own order
        validation_data=validation and Batches(validation, batch_size),
        verbose=2,
    )


def evaluate(
    model: keras.Model, data: dict[str, np.ndarray], batch_size: int = BATCH_SIZE
) -> dict[str, float]:
    """The losses and metrics of the data, by name."""
    batches = Batches(data, batch_size)
    return model.evaluate(batches, return_dict=True, verbose=0)


def load_data(path: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Arrays of an .npz file; ValueError where one does not fit the model."""
    with np.load(path, allow_pickle=False) as file:
        data = {name: file[name] for name in names}
    count = max(1, *map(len, data.values()))
    for name, array in data.items():
        shape, dtype = ARRAYS[name]
        wanted, given, kind = (count, *shape), array.shape, array.dtype
        sizes = list(zip_longest(wanted, given, fillvalue=1))  # a missing axis is 1
        fits = all(size in (None, n) for size, n in sizes)
        if not fits or not np.can_cast(kind, dtype, "same_kind"):
            raise ValueError(f"{name} must be {dtype} {wanted}, not {kind} {given}")
        data[name] = array.reshape([n for _, n in sizes[: len(wanted)]]).astype(dtype)
    if count % BATCH_SIZE:
        raise ValueError(f"{path} must hold whole batches of {BATCH_SIZE} samples")
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--validation", help="another .npz file, to evaluate on")
    parser.add_argument("--weights", default="model.weights.h5")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()
    if args.seed is not None:
        keras.utils.set_random_seed(args.seed)
    model = build_model()
    try:
        names = INPUTS if args.command == "predict" else INPUTS + TARGETS
        data = load_data(args.data, names)
        held = load_data(args.validation, names) if args.validation else None
        if args.command == "resume":
            compile_model(model)
            # now the weights come with the state of the optimizer
            model.optimizer.build(model.trainable_variables)
        if args.command != "train":
            model.load_weights(args.weights)
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        train(model, data, held, args.epochs, BATCH_SIZE)
        model.save_weights(args.weights)
    elif args.command == "evaluate":
        compile_model(model)
        logs = evaluate(model, data, BATCH_SIZE)
        print(*(f"{k} {v:.4f}" for k, v in logs.items()))
    else:
        outputs = model.predict(data, BATCH_SIZE, verbose=0)
        np.savez(args.output, **outputs)


if __name__ == "__main__":
    main()
