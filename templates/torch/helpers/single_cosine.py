import numpy as np


def single_cosine(angle: np.float32) -> np.float32:
    """The cosine as C libraries round it (numpy does otherwise with plain float32)."""
    return np.float32(np.cos(np.complex64(angle)).real)
