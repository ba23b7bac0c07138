import torch
from torch import Tensor

from templates.torch.helpers.Metric import Metric


class AUC(Metric):
    """The area under the ROC curve of `num_thresholds` thresholds."""

    def __init__(self, num_thresholds: int = 200) -> None:
        super().__init__(lambda prediction, target: target)
        inner = torch.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        ends = torch.tensor([-1e-7]), torch.tensor([1 + 1e-7])
        self.thresholds = torch.cat([ends[0], inner, ends[1]])
        self.hits: Tensor | float = 0.0  # of each threshold: positives, negatives above

    @torch.no_grad()
    def update(self, prediction: Tensor, target: Tensor) -> None:
        thresholds = self.thresholds.to(prediction.device, prediction.dtype)
        above = prediction.reshape(-1, 1) > thresholds
        positive = target.reshape(-1, 1) > 0
        hits = torch.stack([(above & positive).sum(0), (above & ~positive).sum(0)])
        self.hits = self.hits + hits.cpu().double()

    def result(self) -> float:
        if not isinstance(self.hits, Tensor):
            return 0.0
        rates = self.hits / self.hits[:, :1].clamp(min=1.0)
        return -float(torch.trapezoid(rates[0], rates[1]))
