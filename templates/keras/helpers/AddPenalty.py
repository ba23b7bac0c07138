from typing import Any

from tensorflow import keras
from tensorflow.keras import layers


class AddPenalty(layers.Layer):
    """Gives its first input on, and adds the mean of its second one to the loss."""

    def __init__(self, weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight, self.supports_masking = weight, True

    def call(self, inputs: list[Any]) -> Any:
        value, penalty = inputs
        self.add_loss(self.weight * keras.ops.mean(penalty))
        return value

    def compute_output_shape(self, shapes: list[tuple[int | None, ...]]) -> Any:
        return shapes[0]

    def compute_mask(self, inputs: list[Any], previous_mask: Any = None) -> Any:
        return None if previous_mask is None else previous_mask[0]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "weight": self.weight}
