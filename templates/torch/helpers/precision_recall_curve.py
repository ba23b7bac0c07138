from torch import Tensor

from templates.torch.helpers.precision_of import precision_of
from templates.torch.helpers.recall_of import recall_of


def precision_recall_curve(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Recall and precision at each threshold."""
    return recall_of(counts), precision_of(counts)
