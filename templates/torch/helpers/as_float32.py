import torch


def as_float32(number: float) -> float:
    """The number as Keras holds it."""
    return torch.tensor(number, dtype=torch.float32).item()
