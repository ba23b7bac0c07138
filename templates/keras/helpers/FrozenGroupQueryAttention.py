from typing import Any

from tensorflow.keras import layers


class FrozenGroupQueryAttention(layers.GroupQueryAttention):
    """Is not trained: `trainable=False` alone does not reach the projections, which
    Keras makes later."""

    def build(
        self, query_shape: Any, value_shape: Any, key_shape: Any | None = None
    ) -> None:
        super().build(query_shape, value_shape, key_shape)
        self.trainable = False
