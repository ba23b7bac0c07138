"""Price, compiled by nndsl."""

from __future__ import annotations

import argparse

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_model() -> keras.Model:
    """The price of a second-hand coat from its facts, its description and its photo:
    three trunks meet in one number.
    Follows the functional lesson on mixed inputs. Data: `--data file.npz` or
    `--data random`.

    Inputs:
        facts: float32 [batch, 12]
        text: int32 [batch, T]
        photo: float32 [batch, 64, 64, 3]
    Outputs:
        price: float32 [batch, 1]
    """
    facts = keras.Input((12,), name="facts")
    text = keras.Input((None,), name="text", dtype="int32")
    photo = keras.Input((64, 64, 3), name="photo")
    x = layers.Dense(32, activation="relu", name="from_facts_dense")(facts)
    from_facts = layers.Dense(16, activation="relu", name="from_facts")(x)
    x = layers.Embedding(10000, 64, name="from_text_embedding")(text)
    from_text = layers.LSTM(32, name="from_text")(x)
    x = layers.Conv2D(32, 3, activation="relu", name="from_photo_conv2d")(photo)
    x = layers.MaxPooling2D(name="from_photo_max_pooling2d")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="from_photo_conv2d_2")(x)
    x = layers.MaxPooling2D(name="from_photo_max_pooling2d_2")(x)
    x = layers.Conv2D(64, 3, activation="relu", name="from_photo_conv2d_3")(x)
    from_photo = layers.GlobalAveragePooling2D(name="from_photo")(x)
    x = layers.Concatenate(
        name="price_concatenate",
    )([from_facts, from_text, from_photo])
    x = layers.Dense(64, activation="relu", name="price_dense")(x)
    price = layers.Dense(1, name="price")(x)
    return keras.Model([facts, text, photo], {"price": price}, name="Price")


ARRAYS = {
    "facts": ((12,), "float32"),
    "text": ((None,), "int32"),
    "photo": ((64, 64, 3), "float32"),
    "price": ((1,), "float32"),
}
INPUTS = ("facts", "text", "photo")
TARGETS = ("price",)
BATCH_SIZE = 32
EPOCHS = 20
SEED = None


def compile_model(model: keras.Model) -> None:
    """Gives the model its optimizer, losses and metrics."""
    model.compile(
        optimizer=keras.optimizers.RMSprop(),
        loss={"price": "mean_squared_error"},
        metrics={"price": ["mae"]},
    )


class Batches(keras.utils.PyDataset):
    """Batches of the data, in a new order each epoch if `rng` is given."""

    def __init__(
        self,
        data: dict[str, np.ndarray],
        size: int,
        rng: np.random.Generator | None = None,
    ) -> None:
        super().__init__()
        self.data, self.size = data, size
        self.count = len(data[INPUTS[0]])
        self.rng, self.order = rng, np.arange(self.count)

    def __len__(self) -> int:
        return (self.count + self.size - 1) // self.size

    def __getitem__(self, index: int) -> tuple[dict[str, np.ndarray], ...]:
        chosen = self.order[index * self.size : (index + 1) * self.size]
        inputs = {name: self.data[name][chosen] for name in INPUTS}
        targets = {name: self.data[name][chosen] for name in TARGETS}
        return inputs, targets

    def on_epoch_begin(self) -> None:
        if self.rng is not None:
            self.order = self.rng.permutation(self.count)


def train(
    model: keras.Model,
    data: dict[str, np.ndarray],
    validation: dict[str, np.ndarray] | None = None,
    epochs: int = EPOCHS,
    batch_size: int = BATCH_SIZE,
    seed: int | None = SEED,
) -> None:
    """Trains the model; evaluates it on the validation data after every epoch."""
    compile_model(model)
    batches = Batches(data, batch_size, np.random.default_rng(seed))
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


def show(logs: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4f}" for name, value in logs.items())


def load_data(path: str, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """These arrays of an .npz file; ValueError where one is missing or does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except Exception as error:  # noqa: BLE001 (broken files fail in many ways)
        raise ValueError(f"{path} is not an .npz file of numbers: {error}") from None
    missing = [name for name in names if name not in arrays]
    if missing:
        raise ValueError(f"{path} has no array {', '.join(missing)}")
    data = {name: to_array(name, arrays[name]) for name in names}
    counts = {name: len(array) for name, array in data.items()}
    if len(set(counts.values())) != 1 or 0 in counts.values():
        raise ValueError(f"all arrays must have as many samples, 1 or more: {counts}")
    return data


def to_array(name: str, array: np.ndarray) -> np.ndarray:
    """An array as the model takes it; ValueError where it does not fit."""
    shape, dtype = ARRAYS[name]
    if array.ndim == len(shape) and shape[-1:] == (1,):
        array = array[..., None]  # one number for each sample
    elif array.ndim == len(shape) + 2 and array.shape[-1] == 1:
        array = array[..., 0]
    fits = [size in (None, n) for size, n in zip(shape, array.shape[1:], strict=False)]
    if array.ndim != len(shape) + 1 or not all(fits):
        wanted = ("samples", *("any" if size is None else size for size in shape))
        raise ValueError(f"{name} must have the shape {wanted}, not {array.shape}")
    if array.dtype.kind not in ("biuf" if dtype.startswith("float") else "biu"):
        raise ValueError(f"{name} must hold {dtype}, not {array.dtype}")
    return array.astype(dtype)


def main() -> None:
    """Trains, evaluates or predicts from an .npz file."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("command", choices=["train", "evaluate", "predict"])
    parser.add_argument("data", help="an .npz file with an array for each name")
    parser.add_argument("--validation", help="another .npz file, to evaluate on")
    parser.add_argument("--weights", default="model.weights.h5")
    parser.add_argument("-o", "--output", default="predictions.npz")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZE)
    parser.add_argument("--seed", type=int, default=SEED)
    args = parser.parse_args()

    if args.seed is not None:
        keras.utils.set_random_seed(args.seed)
    model = build_model()
    names = INPUTS if args.command == "predict" else INPUTS + TARGETS
    data = load_data(args.data, names)
    if args.command == "train":
        validation = None
        if args.validation:
            validation = load_data(args.validation, names)
        train(model, data, validation, args.epochs, args.batch_size, args.seed)
        model.save_weights(args.weights)
        return
    model.load_weights(args.weights)
    if args.command == "evaluate":
        compile_model(model)
        print(show(evaluate(model, data, args.batch_size)))
        return
    inputs = {name: data[name] for name in INPUTS}
    predictions = model.predict(inputs, args.batch_size, verbose=0)
    np.savez(args.output, **predictions)


if __name__ == "__main__":
    try:
        main()
    except (OSError, ValueError) as error:
        raise SystemExit(f"error: {error}") from None
