from typing import Any

from tensorflow import keras
from tensorflow.keras import layers


class UniformNoise(layers.Layer):
    """Uniform random numbers in the shape of the input, drawn anew at every call."""

    def __init__(self, min: float = 0.0, max: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.min, self.max = min, max
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, like: Any) -> Any:
        shape, seed = keras.ops.shape(like), self.seed_generator
        return keras.random.uniform(shape, self.min, self.max, like.dtype, seed)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "min": self.min, "max": self.max}
