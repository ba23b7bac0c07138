from torch import Tensor


def f_score(counts: Tensor, average: str | None = None, beta: float = 1.0) -> Tensor:
    """The harmonic mean of precision and recall, of each class or one of all."""
    if average == "micro":
        counts = counts.sum(-1)
    hits, false, missed = counts.unbind()
    exact, found = hits / (hits + false + 1e-7), hits / (hits + missed + 1e-7)
    score = (1 + beta**2) * (exact * found) / (beta**2 * exact + found + 1e-7)
    if average == "weighted":
        share = (hits + missed) / ((hits + missed).sum() + 1e-7)
        return (score * share).sum()
    return score.mean() if average else score
