from torch import Tensor


def orthogonalized(
    matrix: Tensor, steps: int, coefficients: tuple[float, float, float]
) -> Tensor:
    """A matrix near to orthogonal in the same directions, by Newton-Schulz steps."""
    a, b, c = coefficients
    tall = matrix.shape[0] > matrix.shape[1]
    x: Tensor = (matrix.T if tall else matrix) / (matrix.norm() + 1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = a * x + (b * square + c * square @ square) @ x
    return x.T if tall else x
