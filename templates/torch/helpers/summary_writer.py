import functools
from typing import Any


@functools.cache
def summary_writer(folder: str) -> Any:
    """What writes for TensorBoard in a folder."""
    from torch.utils.tensorboard import SummaryWriter  # slow to load

    return SummaryWriter(folder)
