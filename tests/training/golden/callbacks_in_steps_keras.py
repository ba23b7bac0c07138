"""Sorter, compiled by nndsl."""

from __future__ import annotations

import argparse
from itertools import zip_longest

import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def build_model() -> keras.Model:
    """Maps x, float32 [batch, 8], to kind, float32 [batch, 3]."""
    x = keras.Input((8,), name="x")
    kind = layers.Dense(3, activation="softmax", name="kind")(x)
    return keras.Model(x, {"kind": kind}, name="Sorter")


ARRAYS = {"x": ((8,), "float32"), "kind": ((3,), "float32")}
INPUTS = ("x",)
TARGETS = ("kind",)
BATCH_SIZE = 32
STEPS = 1000
EVALUATE_EVERY = 50
SEED = None


def compile_model(model: keras.Model) -> None:
    """Gives the model its optimizer, losses and metrics."""
    model.compile(
        optimizer=keras.optimizers.SGD(),
        loss={"kind": "categorical_crossentropy"},
        metrics={"kind": [keras.metrics.F1Score(name="f1_score")]},
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


def numbers(logs: dict) -> dict[str, float]:
    """The logs with a number of its own, name_0, name_1, …, for each of an array."""
    found = {}
    for name, value in logs.items():
        if np.ndim(value):
            found |= {f"{name}_{i}": float(x) for i, x in enumerate(value)}
        else:
            found[name] = value
    return found


def make_callbacks() -> list[keras.callbacks.Callback]:
    """What looks at the numbers after each evaluation."""
    return [
        keras.callbacks.EarlyStopping(patience=3, mode="min"),
        keras.callbacks.CSVLogger("log.csv"),
        keras.callbacks.TerminateOnNaN(raise_error=True),
    ]


def train(
    model: keras.Model,
    data: dict[str, np.ndarray],
    validation: dict[str, np.ndarray] | None = None,
    steps: int = STEPS,
    batch_size: int = BATCH_SIZE,
    seed: int | None = SEED,
) -> None:
    """Trains the model; evaluates it on the validation data every 50 steps."""
    if not model.compiled:
        compile_model(model)
    batches = Batches(data, batch_size, np.random.default_rng(seed))
    watchers = keras.callbacks.CallbackList(make_callbacks(), model=model)
    model.stop_training = False
    watchers.on_train_begin()
    look = 0  # how often they have looked at the numbers
    sums: dict[str, float] = {}
    count = 0
    for step in range(steps):
        index = step % len(batches)
        if index == 0:
            batches.on_epoch_begin()
        batch = batches[index]
        size = len(batch[0][INPUTS[0]])
        values = model.train_on_batch(*batch, return_dict=True)  # of this batch alone
        values = numbers(values)
        sums = {k: sums.get(k, 0) + v * size for k, v in values.items()}
        count += size
        watchers.on_train_batch_end(index, values)
        if model.stop_training or (step + 1) % EVALUATE_EVERY == 0 or step + 1 == steps:
            logs = {k: total / count for k, total in sums.items()}
            if validation is not None:
                values = evaluate(model, validation, batch_size)
                logs.update({f"val_{name}": value for name, value in values.items()})
            print(f"step {step + 1}:", *(f"{k} {v:.4f}" for k, v in logs.items()))
            sums, count = {}, 0
            watchers.on_epoch_end(look, logs)
            look += 1
        if model.stop_training:
            break
    watchers.on_train_end()


def evaluate(
    model: keras.Model, data: dict[str, np.ndarray], batch_size: int = BATCH_SIZE
) -> dict[str, float]:
    """The losses and metrics of the data, by name."""
    batches = Batches(data, batch_size)
    logs = model.evaluate(batches, return_dict=True, verbose=0)
    return numbers(logs)


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
    parser.add_argument("--steps", type=int, default=STEPS)
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
        if held is None and args.command in ("train", "resume"):
            raise ValueError("val_loss is watched: give --validation FILE")
    except Exception as error:  # noqa: BLE001 (files can be broken in many ways)
        raise SystemExit(f"error: {error}") from None
    if args.command in ("train", "resume"):
        train(model, data, held, args.steps, args.batch_size, args.seed)
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
