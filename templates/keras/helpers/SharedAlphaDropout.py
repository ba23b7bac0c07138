from typing import Any

from tensorflow import keras
from tensorflow.keras import layers


class SharedAlphaDropout(layers.Layer):
    """AlphaDropout whose mask is the same all along `axes`. (That of tf.keras takes a
    noise shape too, but none with axes of unknown size.)"""

    def __init__(
        self, rate: float, axes: tuple[int, ...], seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.rate, self.axes, self.seed = rate, tuple(axes), seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True

    def call(self, x: Any, training: bool = False) -> Any:
        if not training:
            return x
        sizes = enumerate(keras.ops.shape(x))
        shape = [1 if axis in self.axes else size for axis, size in sizes]
        draws = keras.random.uniform(shape, dtype=x.dtype, seed=self.seed_generator)
        kept = keras.ops.cast(draws >= self.rate, x.dtype)
        lowest = -1.6732632423543772 * 1.0507009873554805  # what SELU goes down to
        scale = ((1 - self.rate) * (1 + self.rate * lowest**2)) ** -0.5
        return scale * (x * kept + lowest * (1 - kept) - self.rate * lowest)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> Any:
        return shape

    def get_config(self) -> dict[str, Any]:
        own = {"rate": self.rate, "axes": self.axes, "seed": self.seed}
        return {**super().get_config(), **own}
