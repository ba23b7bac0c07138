"""A `.nn` file beside the function of keras.applications that builds the same architecture.

    compare("examples/zoo/resnet50.nn", "ResNet50", size=64)

The application's weights go into both emitted programs, layer by layer along the graph (`matching`), its biases and
factors made random and its batch-norm statistics taken from a batch, so that no mistake hides behind a 0 or a 1 and
activations neither grow nor vanish. Then both programs must give the application's outputs.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.parity_harness import Pair, compile_pair, copy_weights, keras  # torch goes before TensorFlow there
from tests.zoo.matching import match, with_weights
from tests.zoo.params import in_float, set_params

sys.setrecursionlimit(20_000)  # the graphs are walked recursively, and some are deep

TOLERANCE = {"float32": 1e-4, "float64": 1e-9}
BIAS = 0.5  # the mean of random biases: around 0 a deep random network blows rounding errors up
CALIBRATION = 16  # images from which batch-norm statistics are taken


@dataclass
class Comparison:
    """`torch` and `keras`: how far the two emitted programs' outputs lie from the application's (`_distance`); `spread`
    is how far the application's own outputs lie from each other, on the scale of logarithms."""

    torch: float
    keras: float
    spread: float


def compare(path: str | Path, application: str, *, size: int = 64, classes: int = 10, dtype: str = "float32") -> None:
    """Compiles the file at a reduced image size, and demands the application's outputs within the tolerance."""
    found = measure(path, application, size=size, classes=classes, dtype=dtype)
    assert found.spread > 0.1, f"{application}: its outputs are all alike, so that equality would show nothing"
    assert found.keras <= TOLERANCE[dtype], f"{application}: the emitted Keras program is off by {found.keras:.1e}"
    assert found.torch <= TOLERANCE[dtype], f"{application}: the emitted torch program is off by {found.torch:.1e}"


def measure(path: str | Path, application: str, *, size: int, classes: int, dtype: str) -> Comparison:
    """Both emitted programs with the application's weights, on two images."""
    text = set_params(Path(path).read_text(encoding="utf-8"), {"size": size, "classes": classes})
    pair = compile_pair(in_float(text, dtype))
    keras.config.set_floatx(dtype)
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, application)(weights=None, input_shape=(size, size, 3), classes=classes)
    images = _images(model, size, dtype)
    disturb(model)
    calibrate(model, images)
    take(pair, model)
    image = images[:2]
    expected = np.asarray(model(image, training=False))
    [by_keras] = pair.keras(image, training=False).values()
    pair.torch.eval()
    with torch.no_grad():
        [by_torch] = pair.torch(torch.from_numpy(image)).values()
    assert str(by_torch.numpy().dtype) == str(expected.dtype) == dtype
    assert np.isfinite(expected).all()
    return Comparison(
        torch=_distance(by_torch.numpy(), expected),
        keras=_distance(np.asarray(by_keras), expected),
        spread=float(np.log(expected).std() / np.abs(np.log(expected)).max()),
    )


def _distance(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference relative to the largest number, of the probabilities and of their logarithms: where one
    class has it all, the probabilities alone would show little."""
    pairs = ((found, expected), (np.log(found), np.log(expected)))
    return max(float(np.abs(one - two).max() / np.abs(two).max()) for one, two in pairs)


def _images(model: Any, size: int, dtype: str) -> np.ndarray:
    """Random images: pixels up to 255 for a model that scales them itself."""
    random = np.random.default_rng(1)
    shape = (CALIBRATION, size, size, 3)
    scales = any(type(layer).__name__ in ("Rescaling", "Normalization") for layer in model.layers)
    return (random.uniform(0, 255, shape) if scales else random.normal(size=shape)).astype(dtype)


def disturb(model: Any) -> None:
    """Random values for whatever starts as a constant: biases, factors, statistics of Normalization."""
    random = np.random.default_rng(2)
    for layer in with_weights(model):
        values = []
        for weight in layer.weights:
            value = np.asarray(weight)
            if value.ndim == 1 and np.issubdtype(value.dtype, np.floating):
                factor = weight.name in ("gamma", "variance", "moving_variance") or type(layer).__name__ == "LayerScale"
                value = random.uniform(0.5, 1.5, value.shape) if factor else random.normal(BIAS, 0.3, value.shape)
            values.append(value)
        layer.set_weights(values)
        if hasattr(layer, "finalize_state"):  # a Normalization computes with what this derives from its weights
            layer.finalize_state()


def calibrate(model: Any, images: np.ndarray) -> None:
    """Moving statistics of every BatchNormalization as they are in these images."""
    normalizations = [layer for layer in with_weights(model) if type(layer).__name__ == "BatchNormalization"]
    before = [layer.momentum for layer in normalizations]
    for layer in normalizations:
        layer.momentum = 0.0
    model(images, training=True)
    for layer, momentum in zip(normalizations, before, strict=True):
        layer.momentum = momentum


def take(pair: Pair, model: Any) -> None:
    """Gives both emitted programs the weights of `model`."""
    for own, given in match(pair.keras, model):
        own.set_weights(given.get_weights())
        if hasattr(own, "finalize_state"):
            own.finalize_state()
        _compare_arguments(own, given)
    copy_weights(pair)


def _compare_arguments(own: Any, given: Any) -> None:
    """What no output shows without training: a batch norm's momentum, and whether weights are trained."""
    for name in ("momentum", "epsilon"):
        assert getattr(own, name, None) == getattr(given, name, None), f"{own.name} and {given.name} differ in {name}"
    assert own.trainable == given.trainable
    assert list(_initializers(own)) == list(_initializers(given)), f"{own.name} and {given.name} start differently"


def _initializers(layer: Any) -> Iterator[tuple[str, Any]]:
    for name, value in sorted(layer.get_config().items()):
        if name.endswith("_initializer") and isinstance(value, dict):
            config = {key: v for key, v in value["config"].items() if key != "seed"}
            zeros = (value["class_name"], config) == ("Constant", {"value": 0.0})
            yield name, ("Zeros", {}) if zeros else (value["class_name"], config)
