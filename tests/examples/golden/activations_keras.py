"""Activations, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_model() -> keras.Model:
    """The activations of Keras side by side: one hidden layer seen through each of
    them.
    Data: `--data file.npz` with features and value, or `--data random`.

    Maps features, float32 [batch, 16], to value, float32 [batch, 1].
    """
    features = keras.Input((16,), name="features")
    x = layers.Dense(8, name="curves_dense")(features)
    curves = layers.Activation("linear", name="curves_activation")(x)
    curves_activation_2 = layers.Activation("relu", name="curves_activation_2")(x)
    curves_activation_3 = layers.Activation("relu6", name="curves_activation_3")(x)
    curves_activation_4 = layers.Activation("leaky_relu", name="curves_activation_4")(x)
    curves_activation_5 = layers.Activation("elu", name="curves_activation_5")(x)
    curves_activation_6 = layers.Activation("selu", name="curves_activation_6")(x)
    curves_activation_7 = layers.Activation("celu", name="curves_activation_7")(x)
    curves_activation_8 = layers.Activation("gelu", name="curves_activation_8")(x)
    curves_activation_9 = layers.Activation("silu", name="curves_activation_9")(x)
    curves_activation_10 = layers.Activation("mish", name="curves_activation_10")(x)
    curves_activation_11 = layers.Activation("softplus", name="curves_activation_11")(x)
    curves_activation_12 = layers.Activation("softsign", name="curves_activation_12")(x)
    curves_activation_13 = layers.Activation("sigmoid", name="curves_activation_13")(x)
    curves_activation_14 = layers.Activation(
        "hard_sigmoid", name="curves_activation_14"
    )(x)
    curves_activation_15 = layers.Activation(
        "hard_silu",
        name="curves_activation_15",
    )(x)
    curves_activation_16 = layers.Activation(
        "log_sigmoid", name="curves_activation_16"
    )(x)
    curves_activation_17 = layers.Activation("tanh", name="curves_activation_17")(x)
    curves_activation_18 = layers.Activation(
        "hard_tanh",
        name="curves_activation_18",
    )(x)
    curves_activation_19 = layers.Activation(
        "tanh_shrink", name="curves_activation_19"
    )(x)
    curves_activation_20 = layers.Activation(
        "soft_shrink", name="curves_activation_20"
    )(x)
    curves_activation_21 = layers.Activation(
        "hard_shrink", name="curves_activation_21"
    )(x)
    curves_activation_22 = layers.Activation(
        "squareplus",
        name="curves_activation_22",
    )(x)
    curves_activation_23 = layers.Activation(
        "sparse_plus", name="curves_activation_23"
    )(x)
    curves_activation_24 = layers.Activation(
        "sparse_sigmoid", name="curves_activation_24"
    )(x)
    curves_activation_25 = layers.Activation(
        "exponential", name="curves_activation_25"
    )(x)
    curves_activation_26 = layers.Activation("softmax", name="curves_activation_26")(x)
    x = layers.Activation("log_softmax", name="curves_activation_27")(x)
    curves = layers.Concatenate(name="curves")(
        [
            curves,
            curves_activation_2,
            curves_activation_3,
            curves_activation_4,
            curves_activation_5,
            curves_activation_6,
            curves_activation_7,
            curves_activation_8,
            curves_activation_9,
            curves_activation_10,
            curves_activation_11,
            curves_activation_12,
            curves_activation_13,
            curves_activation_14,
            curves_activation_15,
            curves_activation_16,
            curves_activation_17,
            curves_activation_18,
            curves_activation_19,
            curves_activation_20,
            curves_activation_21,
            curves_activation_22,
            curves_activation_23,
            curves_activation_24,
            curves_activation_25,
            curves_activation_26,
            x,
        ],
    )
    value = layers.Dense(1, name="value")(curves)
    return keras.Model(features, {"value": value}, name="Activations")


ARRAYS = {"features": ((16,), "float32"), "value": ((1,), "float32")}
INPUTS = ("features",)
TARGETS = ("value",)
BATCH_SIZE = 32
EPOCHS = 20
SEED = None


def compile_model(model: keras.Model) -> None:
    """Gives the model its optimizer, losses and metrics."""
    model.compile(
        optimizer=keras.optimizers.Adam(), loss={"value": "mean_squared_error"}
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
