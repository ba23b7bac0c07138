"""Volume, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_models() -> dict[str, keras.Model]:
    """A scan of a volume squeezed and restored: a convolutional autoencoder in three
    dimensions.
    Data: `--data file.npz` with scan and restored (the same array), or `--data
    random`.

    Inputs:
        scan: float32 [batch, 16, 16, 16, 1]
    Outputs:
        restored: float32 [batch, 16, 16, 16, 1]
    """
    scan_ = keras.Input((16, 16, 16, 1), name="scan")
    x = layers.ZeroPadding3D(name="code_zero_padding3d")(scan_)
    x = layers.Conv3D(8, 3, strides=2, activation="relu", name="code_conv3d")(x)
    code = layers.Conv3D(
        16, 3, strides=2, padding="same", activation="relu", name="code"
    )(x)
    x = layers.Conv3DTranspose(
        8,
        3,
        strides=2,
        padding="same",
        activation="relu",
        name="restored_conv3d_transpose",
    )(code)
    x = layers.UpSampling3D(name="restored_up_sampling3d")(x)
    x = layers.Conv3DTranspose(
        8, 3, activation="relu", name="restored_conv3d_transpose_2"
    )(x)
    x = layers.Cropping3D(name="restored_cropping3d")(x)
    restored = layers.Conv3D(1, 1, activation="sigmoid", name="restored")(x)
    return {
        "Volume": keras.Model(scan_, {"restored": restored}, name="Volume"),
        "compress": keras.Model(scan_, code, name="compress"),
    }


def build_model() -> keras.Model:
    """The whole model; its parts share its weights, see `build_models`."""
    return build_models()["Volume"]


ARRAYS = {
    "scan": ((16, 16, 16, 1), "float32"),
    "restored": ((16, 16, 16, 1), "float32"),
}
INPUTS = ("scan",)
TARGETS = ("restored",)
BATCH_SIZE = 4
EPOCHS = 20
SEED = None


def compile_model(model: keras.Model) -> None:
    """Gives the model its optimizer, losses and metrics."""
    model.compile(
        optimizer=keras.optimizers.Adam(),
        loss={"restored": "mean_squared_error"},
        metrics={"restored": ["mae"]},
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
    if not model.compiled:
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
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["train", "resume", "evaluate", "predict"])
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
        train(model, data, held, args.epochs, args.batch_size, args.seed)
        model.save_weights(args.weights)
    elif args.command == "evaluate":
        compile_model(model)
        logs = evaluate(model, data, args.batch_size)
        print(*(f"{k} {v:.4f}" for k, v in logs.items()))
    else:
        outputs = model.predict(data, args.batch_size, verbose=0)
        np.savez(args.output, **outputs)


if __name__ == "__main__":
    main()
