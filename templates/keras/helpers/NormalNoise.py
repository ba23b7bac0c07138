from typing import Any

from tensorflow import keras
from tensorflow.keras import layers


class NormalNoise(layers.Layer):
    """Normal random numbers in the shape of the input, drawn anew at every call."""

    def __init__(self, mean: float = 0.0, stddev: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mean, self.stddev = mean, stddev
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, like: Any) -> Any:
        shape, seed = keras.ops.shape(like), self.seed_generator
        return keras.random.normal(shape, self.mean, self.stddev, like.dtype, seed)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}
