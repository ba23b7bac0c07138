from templates.torch.helpers.BatchNorm import BatchNorm


class PartialBatchNorm(BatchNorm):
    """Batch normalization that may be without a factor (weight) or an offset (bias)."""

    def __init__(
        self, size: int, decay: float = 0.99, eps: float = 0.001, without: str = ""
    ) -> None:
        super().__init__(size, decay, eps)
        for name in without.split():
            self.register_parameter(name, None)
