from collections.abc import Iterable

from torch import Tensor, nn


def clip_global_norm(parameters: Iterable[Tensor], most: float) -> None:
    """Shortens all gradients alike, to a norm of at most `most` together."""
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = nn.utils.get_total_norm(gradients)
    for gradient in gradients:
        gradient.mul_(most / norm.clamp(min=most))
