import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.func import functional_call


class SpectralNormalization(nn.Module):
    """Divides the weight of a layer by its largest singular value before each training
    call, and keeps it so, as Keras does. A power iteration that goes on from call to
    call with u [1, rows] comes near that value. A depthwise convolution has `rows` for
    each channel of its input, other layers all of the weight's."""

    def __init__(
        self, layer: nn.Module, iterations: int = 1, rows: int | None = None
    ) -> None:
        super().__init__()
        self.layer, self.iterations = layer, iterations
        self.rows = rows or len(layer.get_parameter("weight"))
        self.u = nn.Buffer(torch.empty(1, self.rows))

    def normalize(self, weight: Tensor) -> None:
        cut = weight.reshape(-1, self.rows, weight[0].numel())
        matrix = cut.transpose(0, 1).flatten(1)
        u: Tensor = self.u
        for _ in range(self.iterations):
            v = F.normalize(u @ matrix, eps=1e-7)
            u = F.normalize(v @ matrix.T, eps=1e-7)
        self.u.copy_(u)
        weight.div_(v @ matrix.T @ u.T)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.layer.get_parameter("weight")
        if self.training and weight.any():
            with torch.no_grad():
                self.normalize(weight)
        # A copy, which stays as it is for the gradient when the layer is called again.
        y: Tensor = functional_call(self.layer, {"weight": weight.clone()}, x)
        return y
